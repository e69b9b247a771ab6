"""Noise as .npy: one array, axes in an order of choice, described in PATH.json beside it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.export import FORMATS
from app.export.kit.noise_format import NoiseFile, Sink, into, mapped, noise_format
from app.export.kit.noise_reading import read_arrays


@contextmanager
def _create(path: Path, axes: str, shape: tuple[int, ...], meta: str) -> Iterator[Sink]:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    array = mapped(path, header.getvalue(), shape)
    yield Sink(into(array, axes), lambda undefined, backward: array.flush())


FORMATS.add("npy", order=20)(
    noise_format(
        NoiseFile(
            "NumPy array",
            ".npy",
            "One float32 array in the axis order you choose, and a description in a .json file beside it.",
            _create,
            read_arrays,
            described_beside=True,
        )
    )
)
