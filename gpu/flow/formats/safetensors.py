"""safetensors files of flow: tensors by name."""

from __future__ import annotations

from gpu.flow.formats import FORMATS
from gpu.flow.formats.kit.named_arrays import NamedArrays

FORMATS.add("safetensors", order=40)(NamedArrays("safetensors", ".safetensors"))
