"""Runs a flow estimator on two pictures at a working resolution, on pictures of any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2
from gpu.errors import ChoiceError, FlowError

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

LARGEST = 16384  # pixels a side at the working resolution


def pick(title: str, preset: str, presets: tuple[str, ...]) -> str:
    """`preset` if the estimator `title` has it; "" and "medium" (the session's default) stand for its first one."""
    if preset in presets:
        return preset
    if preset in ("", "medium"):
        return presets[0]
    raise ChoiceError(f"{title} has no preset {preset!r}. Choose one of: {', '.join(presets)}.")


def estimate_pair(a: U8, b: U8, scale: float, minimum: int, compute: Callable[[U8, U8], F32]) -> F32:
    """(H, W, 2) flow in pixels of `a` (H, W, 3) that `compute` finds between a and b at `scale` times their resolution.

    `compute` gets two pictures of one size, at least `minimum` pixels a side: smaller ones are continued beyond their
    border by their last row and column. FlowError when a and b are not RGB uint8 pictures of one size.
    """
    for name, picture in (("first", a), ("second", b)):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise FlowError(
                f"The {name} picture to estimate flow from has shape {picture.shape} and type {picture.dtype}; "
                "expected (H, W, 3) RGB uint8."
            )
    if a.shape != b.shape:
        raise FlowError(
            f"Flow is estimated between pictures of one size, but these are {a.shape[1]}x{a.shape[0]} and "
            f"{b.shape[1]}x{b.shape[0]}."
        )
    height, width = a.shape[:2]
    rows, columns = (min(max(1, round(side * scale)), max(side, LARGEST)) for side in (height, width))
    if (rows, columns) != (height, width):
        how = cv2.INTER_AREA if rows <= height and columns <= width else cv2.INTER_LINEAR
        a, b = (np.asarray(cv2.resize(picture, (columns, rows), interpolation=how), np.uint8) for picture in (a, b))
    below, beside = max(0, minimum - rows), max(0, minimum - columns)
    if below or beside:
        a, b = (np.pad(picture, ((0, below), (0, beside), (0, 0)), mode="edge") for picture in (a, b))
    flow = compute(a, b)[:rows, :columns]
    if (rows, columns) != (height, width):
        flow = np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        flow = flow * np.array([width / columns, height / rows], np.float32)
    return np.ascontiguousarray(flow, np.float32)


def grey(picture: U8) -> U8:
    """(H, W) luma of an RGB picture (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
