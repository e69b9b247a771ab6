"""Flow files for tests, written by NumPy, PyTorch, OpenCV and by hand rather than by what is tested."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import OpenImageIO as oiio
import torch
from safetensors.numpy import save_file as save_file

from gpu.cv import cv2


def _npy(path: Path, flow: np.ndarray) -> None:
    np.save(path, flow)


def _npz(path: Path, flow: np.ndarray) -> None:
    np.savez_compressed(path, flow=flow)


def _pt(path: Path, flow: np.ndarray) -> None:
    torch.save({"flow": torch.from_numpy(flow)}, path)


def _safetensors(path: Path, flow: np.ndarray) -> None:
    save_file({"flow": np.ascontiguousarray(flow)}, path)


def _flo(path: Path, flow: np.ndarray) -> None:
    assert cv2.writeOpticalFlow(str(path), np.where(np.isfinite(flow[0]), flow[0], np.float32(1e10)))


def _pfm(path: Path, flow: np.ndarray) -> None:
    height, width = flow.shape[1:3]
    values = np.concatenate([flow[0], np.zeros((height, width, 1))], axis=-1)[::-1]
    path.write_bytes(f"PF\n{width} {height}\n-1.0\n".encode() + values.astype("<f4").tobytes())


def _flo5(path: Path, flow: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("flow", data=flow[0], compression="gzip", compression_opts=5)


def _exr(path: Path, flow: np.ndarray) -> None:
    height, width = flow.shape[1:3]
    spec = oiio.ImageSpec(width, height, 2, "float")
    spec.channelnames = ("dx", "dy")
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec)
    assert out.write_image(np.ascontiguousarray(flow[0], np.float32))
    out.close()


def _kitti(path: Path, flow: np.ndarray) -> None:
    there = np.isfinite(flow[0]).all(axis=-1)
    steps = np.rint(np.where(there[..., None], flow[0], 0) * 64 + 32768).astype(np.uint16)
    coded = np.dstack((there.astype(np.uint16), steps[..., 1], steps[..., 0]))  # blue, green, red
    assert cv2.imwrite(str(path), coded)


WRITERS: dict[str, Callable[[Path, np.ndarray], None]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".pt": _pt,
    ".safetensors": _safetensors,
    ".flo": _flo,
    ".flo5": _flo5,
    ".pfm": _pfm,
    ".png": _kitti,
    ".exr": _exr,
}
SEVERAL = (".npy", ".npz", ".pt", ".safetensors")
"""Formats whose files hold any number of fields."""


def write(path: Path, flow: np.ndarray) -> Path:
    """`flow` (N, H, W, 2) in the format of the ending; where that holds one field, N > 1 gives a folder of files."""
    if path.suffix in SEVERAL or len(flow) == 1:
        WRITERS[path.suffix](path, flow)
        return path
    folder = path.with_suffix("")
    write_each(folder, "{:05d}" + path.suffix, flow)
    return folder


def write_each(folder: Path, name: str, flow: np.ndarray, numbers: range | None = None) -> None:
    """Each field of `flow` (N, H, W, 2) as a file of its own; `name` is formatted with its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, field in zip(numbers or range(len(flow)), flow, strict=True):
        file = folder / name.format(number, number + 1)
        WRITERS[file.suffix](file, field[None])


def png_header(width: int, height: int, bits: int = 16, colour: int = 2) -> bytes:
    """The first bytes of a PNG that claims that size."""
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, bits, colour, 0, 0, 0) + bytes(4)
    )
