"""NumPy array files (.npy) of flow: one array."""

from __future__ import annotations

from gpu.flow.formats import FORMATS
from gpu.flow.formats.kit.named_arrays import NamedArrays

FORMATS.add("npy", order=10)(NamedArrays("NumPy array", ".npy"))
