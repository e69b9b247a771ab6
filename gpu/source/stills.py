"""Reads still pictures and brings pictures to the size that the source settings ask for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2
from gpu.errors import ClipError, SizeError
from gpu.session import SourceSettings
from gpu.unchanged import Unchanged

U8 = npt.NDArray[np.uint8]

MOST_ROWS = 288  # of a picture whose size is not asked for
LARGEST = 16384  # pixels a side
MOST_BYTES = 1 << 30  # of a picture's file


def target_size(height: int, width: int, settings: SourceSettings) -> tuple[int, int]:
    """(rows, columns) of a picture of `height` x `width` under the settings: both asked for, one (the picture's shape
    is kept), or none (its shape with at most MOST_ROWS rows, never enlarged). SizeError beyond LARGEST a side."""
    rows, columns = settings.height, settings.width
    if rows == 0 and columns == 0:
        rows = min(height, MOST_ROWS)
    if rows == 0:
        rows = max(1, round(height * columns / width))
    if columns == 0:
        columns = width if rows == height else max(1, round(width * rows / height))
    if max(rows, columns) > LARGEST:
        raise SizeError(
            f"The picture would become {rows} × {columns} (rows × columns); at most {LARGEST} pixels a side can be worked with."
        )
    return rows, columns


def resize(picture: U8, rows: int, columns: int) -> U8:
    """`picture` (H, W, C) at rows x columns: averaged over areas where it shrinks, else interpolated bicubically."""
    height, width = picture.shape[:2]
    if (height, width) == (rows, columns):
        return picture
    if rows <= height and columns <= width:
        return np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if rows >= height and columns >= width:
        return np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_CUBIC), np.uint8)
    # One side shrinks and the other grows: each in its own way.
    return resize(resize(picture, min(rows, height), min(columns, width)), rows, columns)


def read_picture(path: str | os.PathLike[str]) -> U8:
    """(H, W, 3) RGB uint8 of a picture file, turned as its Exif orientation says, without transparency.

    ClipError when there is no such file or when it is not a picture that can be read.
    """
    file = Path(path)
    before = Unchanged(file)
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)  # a device has no end
    except IsADirectoryError:
        raise ClipError(f"{path} is a folder; expected a picture file.") from None
    except FileNotFoundError:
        raise ClipError(f"There is no picture {path}.") from None
    except OSError as problem:
        raise ClipError(f"The picture {path} cannot be read: {problem.strerror or problem}.") from None
    if not data:
        raise ClipError(f"The picture {path} is empty (0 bytes).")
    if len(data) > MOST_BYTES:
        raise ClipError(f"The picture {path} is larger than {MOST_BYTES >> 30} GB; expected a picture file.")
    before.check()  # a program that writes it at this moment would leave its lower half grey
    # From memory: OpenCV cannot open some paths (not ASCII, on Windows) itself.
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as problem:
        # OpenCV refuses more than 2^30 pixels, among others.
        raise ClipError(
            f"The picture {path} cannot be decoded: {problem.err or 'it is damaged or too large'}."
        ) from None
    if picture is None or picture.ndim != 3 or 0 in picture.shape:
        raise ClipError(f"{path} is not a picture that can be read; expected PNG, JPEG, WebP, TIFF, BMP or the like.")
    return np.asarray(picture, np.uint8)
