"""PyTorch files (.pt) of flow: a tensor, or tensors by name."""

from __future__ import annotations

from gpu.flow.formats import FORMATS
from gpu.flow.formats.kit.named_arrays import NamedArrays

FORMATS.add("pt", order=30)(NamedArrays("PyTorch file", ".pt"))
