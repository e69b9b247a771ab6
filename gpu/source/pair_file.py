"""Motion in a file, for processes that work on one clip: that of each pair of frames is worked out by one of them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from gpu.flow import maps
from gpu.source.estimation import Pair

HEAD = 8
"""Bytes before each pair's arrays: one more than the number of vectors that are not usable, 0 until the arrays are there."""

PIXEL_BYTES = 22
"""Backward and forward flow (8 each), error (4), where it holds and where the forward flow is bad (1 each)."""


def file_bytes(height: int, width: int, frames: int) -> int:
    """Bytes of the file of a clip."""
    return max(frames - 1, 0) * (HEAD + PIXEL_BYTES * height * width)


class PairFile:
    """The pairs of a clip's frames at `path`, which all processes open; made where there is none.

    What is put comes back bit for bit. A pair that two processes put at once is the same pair.
    """

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self._shape = path, (height, width)
        self._size = HEAD + PIXEL_BYTES * height * width
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)

    def close(self) -> None:
        """Close the file; it stays where it is."""
        os.close(self._descriptor)

    def has(self, t: int) -> bool:
        """Whether the pair of frames t and t+1 is there."""
        return any(self._read(t * self._size, HEAD))

    def put(self, t: int, pair: Pair) -> None:
        """Store the pair of frames t and t+1. OSError when the disk is full."""
        arrays = (pair.backward, pair.forward.flow, pair.error, pair.valid, pair.forward.bad)
        data = b"".join(array.cpu().contiguous().numpy().tobytes() for array in arrays)
        self._write(t * self._size + HEAD, data)
        self._write(t * self._size, int(pair.invalid + 1).to_bytes(HEAD, "little"))

    def get(self, t: int, device: torch.device) -> Pair | None:
        """The pair of frames t and t+1 with its tensors on `device`; None where it is not there yet."""
        data = self._read(t * self._size, self._size)
        invalid = int.from_bytes(data[:HEAD], "little") - 1
        if invalid < 0 or len(data) < self._size:
            return None
        place = HEAD

        def take(kind: npt.DTypeLike, *last: int) -> torch.Tensor:
            nonlocal place
            count = int(np.prod((*self._shape, *last)))
            array = np.frombuffer(data, kind, count, place).reshape(*self._shape, *last)
            place += array.nbytes
            return torch.from_numpy(array.copy()).to(device)

        backward, forward, error = take(np.float32, 2), take(np.float32, 2), take(np.float32)
        valid, bad = take(np.bool_), take(np.bool_)
        return Pair(backward, valid, error, invalid, maps.Cleaned(forward, bad))

    def _read(self, at: int, size: int) -> bytes:
        parts = []
        while size > 0 and (part := _read_at(self._descriptor, size, at)):
            parts.append(part)
            at, size = at + len(part), size - len(part)
        return b"".join(parts)

    def _write(self, at: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = _write_at(self._descriptor, view, at)
            at, view = at + count, view[count:]


def discard(pairs: PairFile) -> None:
    """Close the file and take it away."""
    pairs.close()
    with suppress(OSError):
        pairs.path.unlink()


def _read_at(descriptor: int, size: int, at: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, at)
    os.lseek(descriptor, at, os.SEEK_SET)  # Windows; each process has a descriptor of its own
    return os.read(descriptor, size)


def _write_at(descriptor: int, data: memoryview, at: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.write(descriptor, data)
