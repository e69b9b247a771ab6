"""Draws a still through a map without aliasing: mip levels, bicubic samples, several of them in every pixel."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2
from gpu.source import U8

SUB = 2
"""Samples a side of a pixel: with bicubic ones, 0.4 of 255 levels rms away from the limit of many (photo at 288x512)."""

MARGIN = 1 / 6
"""Share of the picture on each side that lies outside of frame 0, so that motion brings in something real."""

SHARPEST = 0.75
"""A mip level is coarse enough when its pixels are at least this share of the distance between two samples."""

MOST = 8192  # pixels a side that are drawn at once: OpenCV's remap stops at 32766 samples

NO_SECOND_MAP = np.empty(0, np.float32)  # x and y are both in the first

F32 = npt.NDArray[np.float32]


class Placement(NamedTuple):
    """Picture position = offset + scale * frame position, on each axis (x, y)."""

    scale: tuple[float, float]
    offset: tuple[float, float]


def place(picture: tuple[int, int], frame: tuple[int, int], margin: float = MARGIN) -> Placement:
    """Puts a frame of (rows, columns) onto the middle of a picture of (rows, columns), as large as leaves `margin`.

    The frame keeps its shape: what it does not fill of a picture of another shape is more margin.
    """
    inner = 1 - 2 * margin
    scale = min(picture[0] * inner / frame[0], picture[1] * inner / frame[1])
    offset_x, offset_y = (picture[1] - scale * frame[1]) / 2, (picture[0] - scale * frame[0]) / 2
    return Placement((scale, scale), (offset_x, offset_y))


class Canvas:
    """A still, seen through maps. Beyond its border it goes on mirrored, so that it fills the plane."""

    def __init__(self, picture: U8, placement: Placement) -> None:
        self._levels = [np.ascontiguousarray(picture)]
        while min(self._levels[-1].shape[:2]) >= 4:
            rows, columns = self._levels[-1].shape[:2]
            smaller = cv2.resize(self._levels[-1], (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(smaller, np.uint8))
        self._placement = placement

    def draw(self, places: F32) -> U8:
        """(H, W, 3): the picture at `places` (H + 2, W + 2, 2), where the pixels of a frame and of a ring around it lie.

        Between the pixels the places are interpolated.
        """
        return self.draw_samples(between(places), self.spacing(places[1:-1, 1:-1]) / SUB)

    def draw_samples(self, places: F32, spacing: float) -> U8:
        """(H, W, 3): means of samples at `places` (SUB H, SUB W, 2), which lie `spacing` apart, in pixels of frame 0."""
        parts = [
            [self.average(self.sample(part, spacing)) for part in np.split(rows, _cuts(places.shape[1]), axis=1)]
            for rows in np.split(places, _cuts(places.shape[0]), axis=0)
        ]
        return parts[0][0] if len(parts) == len(parts[0]) == 1 else np.concatenate([np.hstack(row) for row in parts])

    def spacing(self, places: F32) -> float:
        """Typical distance of neighbouring `places` (H, W, 2), in pixels of frame 0."""
        few = places[:: max(places.shape[0] // 64, 1)], places[:, :: max(places.shape[1] // 64, 1)]
        steps = [
            np.hypot(*np.moveaxis(np.diff(few[1 - axis], axis=axis), -1, 0))
            for axis in (0, 1)
            if places.shape[axis] > 1
        ]
        return float(np.median(np.concatenate([step.ravel() for step in steps]))) if steps else 1.0

    def sample(self, places: F32, spacing: float) -> U8:
        """(H, W, 3): bicubic samples of the level that fits samples `spacing` apart, both in pixels of frame 0."""
        picture_spacing = max(spacing * math.sqrt(self._placement.scale[0] * self._placement.scale[1]), 1e-9)
        level = min(max(math.ceil(math.log2(SHARPEST * picture_spacing)), 0), len(self._levels) - 1)
        picture, finest = self._levels[level], self._levels[0]
        at = np.empty_like(places)
        for axis in (0, 1):
            share = picture.shape[1 - axis] / finest.shape[1 - axis]
            scale, offset = self._placement.scale[axis] * share, self._placement.offset[axis] * share
            np.multiply(places[..., axis], np.float32(scale), out=at[..., axis])
            at[..., axis] += np.float32(offset - 0.5)
        # OpenCV's own mirroring takes time with the distance; this keeps positions within one period.
        rows, columns = picture.shape[:2]
        for axis, size in ((0, columns), (1, rows)):
            if at[..., axis].min() < -size or at[..., axis].max() > 2 * size:
                at[..., axis] = np.mod(at[..., axis], 2 * size)
        drawn = cv2.remap(picture, at, NO_SECOND_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(drawn, np.uint8)

    @staticmethod
    def average(samples: U8) -> U8:
        """(H, W, 3) means of SUB x SUB samples each."""
        rows, columns = samples.shape[0] // SUB, samples.shape[1] // SUB
        return np.asarray(cv2.resize(samples, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def between(places: F32) -> F32:
    """(SUB H, SUB W, 2): `places` (H + 2, W + 2, 2) of pixels and a ring around them, interpolated at the samples."""
    rows, columns = places.shape[:2]
    fine = cv2.resize(places, (SUB * columns, SUB * rows), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(fine[SUB:-SUB, SUB:-SUB], np.float32)


def _cuts(samples: int) -> list[int]:
    """Where to cut so many samples: whole pixels each side, and no more than OpenCV's remap can write."""
    return list(range(SUB * MOST, samples, SUB * MOST))
