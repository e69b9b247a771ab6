"""Flow in HDF5 files (.flo5), as the Spring dataset has it: an array `flow` (H, W, 2).

Mehl, Schmalfuss, Jahedi, Nalivayko, Bruhn, "Spring: A High-Resolution High-Detail Dataset and Benchmark for Scene Flow,
Optical Flow and Stereo", CVPR 2023. Its true flow has four vectors a pixel: 3840x2160 of them, in pixels of its pictures of
1920x1080, of which the dataset's own tools take every second row and column, as is done here. Unknown vectors are NaN.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gpu.decoders.process import Answer, DecoderProcess
from gpu.errors import ClipError, FlowError
from gpu.flow.formats import FORMATS, MOST_PIXELS, Array, Contents

SPRING = (2160, 3840)
SECONDS = 60.0
MOST_BYTES = 8 * MOST_PIXELS

_LOCK = threading.Lock()
_PROCESSES: list[DecoderProcess] = []
"""None or one: it starts with the first file."""


@dataclass(frozen=True)
class _Array:
    """An array of the file, or every second row and column of it."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    every: int

    def read(self, start: int = 0, stop: int | None = None, axis: int = 0) -> Array:
        stop = self.shape[axis] if stop is None else min(stop, self.shape[axis])
        asked = {"name": self.name, "start": start, "stop": stop, "axis": axis, "every": self.every}
        shape = tuple(stop - start if place == axis else side for place, side in enumerate(self.shape))
        size = int(np.prod(shape, dtype=object)) * self.dtype.itemsize
        if size > MOST_BYTES:
            raise FlowError(f"{self.path} claims an array of shape {self.shape}, which is too large to work with.")
        arrays = _asked(self.path, "read", asked, self.every**2 * size).arrays
        if len(arrays) != 1 or arrays[0].shape != shape:
            raise FlowError(f"{self.path} is damaged: its array {self.name} is not what it says.")
        return arrays[0]


class Flo5:
    title = "HDF5, as of Spring"
    suffix = ".flo5"

    def open(self, path: Path) -> Contents:
        if find_spec("h5py") is None:
            raise FlowError(f"{path} is an HDF5 file; reading it needs the package h5py (pip install h5py).")
        with path.open("rb") as file:
            if file.read(8) != b"\x89HDF\r\n\x1a\n":
                raise FlowError(f"{path} is not an HDF5 file, as a .flo5 is.")
        arrays = {}
        for name, shape, kind in _asked(path, "look", {}).value:
            every = 2 if tuple(shape[:2]) == SPRING and len(shape) == 3 else 1
            sides = (-(-side // every) if place < 2 else side for place, side in enumerate(shape))
            arrays[name] = _Array(path, name, tuple(sides), np.dtype(kind), every)
        return Contents(arrays, pixels=True)


def _asked(path: Path, function: str, arguments: dict[str, Any], memory: int = 0) -> Answer:
    """What the decoder's process says."""
    with _LOCK:
        if not _PROCESSES:
            _PROCESSES.append(DecoderProcess())
            atexit.register(close)
        try:
            asked = {"path": str(path.absolute()), **arguments}
            return _PROCESSES[0].call(f"gpu.decoders.hdf5:{function}", asked, SECONDS, 2 * memory)
        except (ClipError, FlowError) as problem:
            raise FlowError(f"The flow {path} cannot be read: {problem}.") from None


def close() -> None:
    """End the process that reads HDF5 files; the next file starts another."""
    with _LOCK:
        while _PROCESSES:
            _PROCESSES.pop().close()


FORMATS.add("flo5", order=60)(Flo5())
