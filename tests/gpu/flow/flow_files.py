"""Flow files for tests, written by NumPy and OpenCV rather than by what is tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gpu.cv import cv2


def _npy(path: Path, flow: np.ndarray) -> None:
    np.save(path, flow)


def _npz(path: Path, flow: np.ndarray) -> None:
    np.savez_compressed(path, flow=flow)


def _flo(path: Path, flow: np.ndarray) -> None:
    assert cv2.writeOpticalFlow(str(path), np.where(np.isfinite(flow[0]), flow[0], np.float32(1e10)))


def _kitti(path: Path, flow: np.ndarray) -> None:
    there = np.isfinite(flow[0]).all(axis=-1)
    steps = np.rint(np.where(there[..., None], flow[0], 0) * 64 + 32768).astype(np.uint16)
    coded = np.dstack((there.astype(np.uint16), steps[..., 1], steps[..., 0]))  # blue, green, red
    assert cv2.imwrite(str(path), coded)


WRITERS: dict[str, Callable[[Path, np.ndarray], None]] = {".npy": _npy, ".npz": _npz, ".flo": _flo, ".png": _kitti}


def write(path: Path, flow: np.ndarray) -> Path:
    """`flow` (N, H, W, 2) in the format of the ending; where that holds one field, N > 1 gives a folder of files."""
    if path.suffix in (".npy", ".npz") or len(flow) == 1:
        WRITERS[path.suffix](path, flow)
        return path
    folder = path.with_suffix("")
    folder.mkdir()
    for number, field in enumerate(flow):
        WRITERS[path.suffix](folder / f"{number:05d}{path.suffix}", field[None])
    return folder
