"""Finds the cuts between shots, on thumbnails of the frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

ROWS, COLUMNS = 27, 48
MISMATCH = 0.35  # 1 - correlation after the best shift; moving pictures stay near 0.1, cuts reach 0.6
CHANGE = 3.0  # mean absolute difference of 0-255 values below which nothing has happened
ISOLATED = 2.0  # a cut stands out from the frames around it by this factor; a fast pan does not
AROUND = 4  # frames on either side that are compared with
FLASH = 3  # a flash or a glitch lasts less than this many frames


def thumbnail(frame: U8) -> U8:
    """(ROWS, COLUMNS, 3) of a frame (H, W, 3): what `find_cuts` works on."""
    # Of a large frame every few rows and columns are enough: cuts change more than aliasing does.
    stride = max(1, min(frame.shape[0] // (4 * ROWS), frame.shape[1] // (4 * COLUMNS)))
    frame = np.ascontiguousarray(frame[::stride, ::stride])
    how = cv2.INTER_AREA if frame.shape[0] >= ROWS and frame.shape[1] >= COLUMNS else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (COLUMNS, ROWS), interpolation=how), np.uint8)


def find_cuts(thumbnails: Sequence[U8]) -> tuple[int, ...]:
    """Frames, ascending and never 0, at which a new shot starts, from the `thumbnail` of every frame.

    A cut changes the picture (mean absolute difference), changes it into one that no shift of up to a quarter of the
    frame explains (normalised correlation), the latter much more than the frames around it, and for good: the pictures
    after it resemble none of those before it. So pans, shakes, fades, dissolves and flashes are none.
    """
    frames = len(thumbnails)
    if frames < 2:
        return ()
    pairs = list(pairwise(thumbnails))
    change = np.array([_change(a, b) for a, b in pairs])
    mismatch = np.array([_mismatch(a, b) if by >= CHANGE else 0.0 for (a, b), by in zip(pairs, change)])
    cuts = []
    for t in range(1, frames):
        if change[t - 1] < CHANGE or mismatch[t - 1] < MISMATCH:
            continue
        if mismatch[t - 1] < ISOLATED * _usual(mismatch, t - 1):
            continue
        # The last step of a fade leaves nothing to correlate with; what changes tells it from a cut to black.
        empty = _empty(thumbnails[t - 1]) or _empty(thumbnails[t])
        if empty and change[t - 1] < ISOLATED * _usual(change, t - 1):
            continue
        before, after = thumbnails[max(0, t - FLASH) : t], thumbnails[t : t + FLASH]
        if all(_mismatch(a, b) >= MISMATCH and _change(a, b) >= CHANGE for a in before for b in after):
            cuts.append(t)
    return tuple(cuts)


def _usual(values: F64, at: int) -> float:
    """What the values around one place reach: their upper quartile, so that another cut near by does not count."""
    around = np.concatenate((values[max(0, at - AROUND) : at], values[at + 1 : at + 1 + AROUND]))
    return float(np.quantile(around, 0.75)) if len(around) else 0.0


def _change(a: U8, b: U8) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def _middle(picture: U8) -> U8:
    """The grey middle of a thumbnail, a quarter of its size smaller on each side."""
    return _grey(picture)[ROWS // 4 : ROWS - ROWS // 4, COLUMNS // 4 : COLUMNS - COLUMNS // 4]


def _grey(picture: U8) -> U8:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _empty(picture: U8) -> bool:
    return bool(_middle(picture).std() < 1)


def _mismatch(a: U8, b: U8) -> float:
    """1 - the correlation of the middle of `a` with `b` at the best shift; 1 where one of them has no structure."""
    if _empty(a) or _grey(b).std() < 1:
        return 1.0
    agreement = np.asarray(cv2.matchTemplate(_grey(b), _middle(a), cv2.TM_CCOEFF_NORMED), np.float64)
    return 1.0 - float(np.clip(np.nan_to_num(agreement, nan=0.0, posinf=0.0, neginf=0.0), -1, 1).max())
