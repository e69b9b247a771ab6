"""NumPy archives (.npz) of flow: arrays by name."""

from __future__ import annotations

from gpu.flow.formats import FORMATS
from gpu.flow.formats.kit.named_arrays import NamedArrays

FORMATS.add("npz", order=20)(NamedArrays("NumPy archive", ".npz"))
