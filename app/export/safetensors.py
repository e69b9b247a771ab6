"""Noise as .safetensors: the tensor `noise`, its axis order and settings in the file's metadata."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.export import FORMATS, NoiseFileError, Stored
from app.export.kit.noise_format import NoiseFile, Sink, into, mapped, noise_format, reading, stored


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


def _read(path: Path, axes: str) -> Stored:
    from safetensors import safe_open

    with reading(path, ".safetensors"), safe_open(path, framework="pt") as file:
        names = list(file.keys())
        name = "noise" if "noise" in names else names[0] if len(names) == 1 else ""
        if not name:
            raise NoiseFileError(f"The file {path} has no tensor `noise`, only {', '.join(names) or 'nothing'}.")
        tensor = file.get_tensor(name)
        metadata = file.metadata() or {}
        array = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return stored(path, array, metadata.get("axes", ""), axes, metadata.get("noisescope", ""))


FORMATS.add("safetensors", order=30)(
    noise_format(
        NoiseFile(
            "safetensors",
            ".safetensors",
            "One tensor `noise` in the axis order you choose, with order and settings in the file's metadata.",
            _create,
            _read,
        )
    )
)
