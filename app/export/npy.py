"""Noise as .npy: one array, axes in an order of choice, described in PATH.json beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.export import FORMATS, Stored
from app.export.kit.noise_format import (
    NoiseFile,
    Sink,
    described_in,
    into,
    mapped,
    noise_format,
    reading,
    stored,
)


@contextmanager
def _create(path: Path, axes: str, shape: tuple[int, ...], meta: str) -> Iterator[Sink]:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    array = mapped(path, header.getvalue(), shape)
    yield Sink(into(array, axes), lambda undefined, backward: array.flush())


def _read(path: Path, axes: str) -> Stored:
    with reading(path, ".npy"):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        beside = described_in(path)
        meta = beside.read_text(encoding="utf-8") if beside.is_file() else ""
        named = str(json.loads(meta).get("axes", "")) if meta else ""
    return stored(path, array, named, axes, meta)


FORMATS.add("npy", order=20)(
    noise_format(
        NoiseFile(
            "NumPy array",
            ".npy",
            "One float32 array in the axis order you choose, and a description in a .json file beside it.",
            _create,
            _read,
            described_beside=True,
        )
    )
)
