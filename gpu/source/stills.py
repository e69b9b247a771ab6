"""Reads still pictures and brings pictures to the size and shape that the source settings ask for."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu import pictures
from gpu.cv import cv2
from gpu.errors import SizeError
from gpu.pictures import Picture
from gpu.session import MOST_ROWS, SourceSettings
from gpu.source import Area

U8 = npt.NDArray[np.uint8]

LARGEST = 16384  # pixels a side
BAR = 0  # the value of all three colours where `pad` leaves room: black, as FFmpeg and the models' own loaders have it


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


def finer(height: int, width: int, rows: int) -> tuple[int, int]:
    """(rows, columns) of a grid of `height` x `width` drawn with `rows` rows at least, in its own shape."""
    return (height, width) if height >= rows else (rows, max(1, round(width * rows / height)))


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


class Fitting(NamedTuple):
    """How pictures of one size come onto a grid of `height` x `width`: `part` of the picture, in its own pixels, is shown on
    `area` of the grid. Around it there is nothing: bars of the colour BAR, in which no motion is valid."""

    height: int
    width: int
    part: Area
    area: Area

    def cut(self, picture: U8) -> U8:
        """The part of `picture` (H, W, 3) that is shown, at its own resolution."""
        if (self.part.height, self.part.width) == picture.shape[:2]:
            return picture
        return picture[self.part.top : self.part.bottom, self.part.left : self.part.right].copy()

    def whole(self, shown: U8) -> U8:
        """(height, width, 3): the picture `shown` (area.height, area.width, 3) in its place, with bars around it."""
        if (self.area.height, self.area.width) == (self.height, self.width):
            return shown
        framed = np.full((self.height, self.width, *shown.shape[2:]), BAR, shown.dtype)
        framed[self.area.top : self.area.bottom, self.area.left : self.area.right] = shown
        return framed


def fitting(height: int, width: int, settings: SourceSettings) -> Fitting:
    """How a picture of `height` x `width` comes onto the grid of the settings (`target_size`), as `settings.fit` says:
    `stretch` puts all of it onto all of the grid, whatever becomes of its shape; `crop` the largest part of its middle that
    has the grid's shape; `pad` all of it in its own shape onto the middle of the grid, with bars on two sides.

    >>> fitting(1080, 1920, SourceSettings(height=64, width=64, fit="crop")).part
    Area(top=0, left=420, height=1080, width=1080)
    >>> fitting(1080, 1920, SourceSettings(height=64, width=64, fit="pad")).area
    Area(top=14, left=0, height=36, width=64)
    """
    rows, columns = target_size(height, width, settings)
    part, area = Area(0, 0, height, width), Area(0, 0, rows, columns)
    if settings.height and settings.width:  # else the grid has the picture's shape
        if settings.fit == "crop":
            scale = max(rows / height, columns / width)
            part = _centred(min(max(round(rows / scale), 1), height), min(max(round(columns / scale), 1), width), part)
        elif settings.fit == "pad":
            scale = min(rows / height, columns / width)
            area = _centred(min(max(round(height * scale), 1), rows), min(max(round(width * scale), 1), columns), area)
    return Fitting(rows, columns, part, area)


def _centred(height: int, width: int, within: Area) -> Area:
    return Area((within.height - height) // 2, (within.width - width) // 2, height, width)


def fitted(picture: U8, fit: Fitting) -> U8:
    """`picture` (H, W, 3), of the size that `fit` was made for, on its grid: averaged over areas, else bicubic; with bars."""
    return fit.whole(resize(fit.cut(picture), fit.area.height, fit.area.width))


def read_picture(path: str | os.PathLike[str]) -> U8:
    """(H, W, 3) sRGB uint8 of a picture file, as gpu.pictures.read shows it.

    ClipError when there is no such file or when it is not a picture that can be read.
    """
    return pictures.read(path).pixels


def read_still(path: str | os.PathLike[str], settings: SourceSettings) -> Picture:
    """The picture of a file, with the layer and the exposure that the settings ask for. ClipError as `read_picture`."""
    picture = pictures.read(path, settings.layer)
    if picture.exposure is None or not settings.exposure:
        return picture
    return pictures.read(path, settings.layer, 0, picture.exposure + settings.exposure)
