"""Noise as .safetensors: the tensor `noise`, its axis order and settings in the file's metadata."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.export import FORMATS
from app.export.kit.noise_format import NoiseFile, Sink, into, mapped, noise_format
from app.export.kit.noise_reading import read_arrays


@contextmanager
def _create(path: Path, axes: str, shape: tuple[int, ...], meta: str) -> Iterator[Sink]:
    # The library writes whole tensors from memory. Its format is a length, a JSON header and the bytes, so that frames
    # can be put in their place one by one; reading back goes through the library.
    header = json.dumps(
        {
            "__metadata__": {"axes": axes, "noisescope": meta},
            "noise": {"dtype": "F32", "shape": list(shape), "data_offsets": [0, int(np.prod(shape)) * 4]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    array = mapped(path, struct.pack("<Q", len(header)) + header, shape)
    yield Sink(into(array, axes), lambda undefined, backward: array.flush())


FORMATS.add("safetensors", order=30)(
    noise_format(
        NoiseFile(
            "safetensors",
            ".safetensors",
            "One tensor `noise` in the axis order you choose, with order and settings in the file's metadata.",
            _create,
            read_arrays,
        )
    )
)
