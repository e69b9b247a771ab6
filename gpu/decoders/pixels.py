"""What is done to decoded pixels whichever library decoded them: sizes are bounded, transparency and orientation applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.errors import ClipError

U8 = npt.NDArray[np.uint8]

MOST_PIXELS = 1 << 27  # 134 million: 16384 x 8192
MOST_SIDE = 1 << 16
_ROWS = 256


def check_size(width: int, height: int) -> None:
    """ClipError, before anything is allocated, where a header claims a size that cannot be worked with."""
    if width < 1 or height < 1:
        raise ClipError(f"it is damaged: it claims {width} × {height} pixels")
    if width > MOST_SIDE or height > MOST_SIDE or width * height > MOST_PIXELS:
        raise ClipError(
            f"it has {width} × {height} pixels; at most {MOST_PIXELS / 1e6:.0f} million, and {MOST_SIDE} a side, can be "
            "worked with"
        )


def check_values(values: npt.NDArray[Any], rows: int, columns: int, channels: int) -> npt.NDArray[Any]:
    """`values` as (rows, columns, channels); ClipError where a library gave something else than its header says."""
    if values.size != rows * columns * channels:
        raise ClipError(f"it is damaged: {values.shape} came instead of {rows} × {columns} × {channels}")
    return values.reshape(rows, columns, channels)


def over_black(colours: U8, alpha: U8, associated: bool = False) -> tuple[U8, bool]:
    """`colours` (H, W, C) over black, and whether any of it is transparent. `associated`: they are multiplied already.

    Alpha that is 0 everywhere is none: programs leave the fourth byte of BMP and Targa at 0.
    """
    if not alpha.size or int(alpha.min()) == 255 or int(alpha.max()) == 0:
        return colours, False
    if associated:
        return colours, True
    out = np.empty_like(colours)
    for top in range(0, len(colours), _ROWS):
        rows = slice(top, top + _ROWS)
        out[rows] = (colours[rows].astype(np.uint16) * alpha[rows, :, None] + 127) // 255
    return out, True


def turned(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """`pixels` (H, W, C) as Exif's orientation (1 to 8) says that they are to be seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
