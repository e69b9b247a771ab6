"""Middlebury flow files (.flo): "PIEH", width, height, then (dx, dy) row by row, all little-endian and 32 bits.

Baker, Scharstein, Lewis, Roth, Black, Szeliski, "A Database and Evaluation Methodology for Optical Flow", IJCV 2011.
Vectors of 1e9 and above stand for "unknown" there, and come out as NaN.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gpu.errors import FlowError
from gpu.flow.formats import F32, FORMATS, Array, Contents, Whole, check_size, read_exactly

TAG = b"PIEH"  # the bytes of the float 202021.25
UNKNOWN = 1e9


class Flo:
    title = "Middlebury .flo"
    suffix = ".flo"

    def open(self, path: Path) -> Contents:
        with path.open("rb") as file:
            head = file.read(12)
        if head[:4] != TAG or len(head) < 12:
            raise FlowError(f"{path} is not a Middlebury flow file: it does not begin with PIEH.")
        width, height = (int(side) for side in np.frombuffer(head, "<i4", 2, 4))
        check_size(path, width, height)
        held = path.stat().st_size
        if held != 12 + 8 * width * height:
            raise FlowError(
                f"{path} holds {held} bytes, but a flow of {width}x{height} has {12 + 8 * width * height}: "
                "the file is damaged or cut short."
            )

        def load() -> Array:
            data = read_exactly(path, 12, 8 * width * height)
            flow = np.frombuffer(data, "<f4").reshape(height, width, 2).astype(np.float32, copy=False)
            flow[np.abs(flow).max(axis=-1) >= UNKNOWN] = np.nan
            return flow

        return Contents({"": Whole((height, width, 2), np.dtype(np.float32), load)}, pixels=True)


def write_flo(path: Path, flow: F32) -> None:
    """Write `flow` (H, W, 2), (dx, dy) in pixels, as a .flo file at `path`; a vector that is not finite as unknown.

    OSError is left to the caller, who knows whether the file stands alone. Read it back with `gpu.flow.stored.read_flow`.

    >>> import tempfile
    >>> from gpu.flow.stored import read_flow
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_flo(Path(folder) / "a.flo", np.full((4, 6, 2), 1.5, np.float32))
    ...     read_flow(Path(folder) / "a.flo")[0, 0, 0]
    array([1.5, 1.5], dtype=float32)
    """
    unknown = ~np.isfinite(flow).all(axis=-1, keepdims=True)
    size = np.array([flow.shape[1], flow.shape[0]], "<i4")
    vectors = np.where(unknown, np.float32(10 * UNKNOWN), flow).astype("<f4")
    path.write_bytes(TAG + size.tobytes() + vectors.tobytes())


FORMATS.add("flo", order=50)(Flo())
