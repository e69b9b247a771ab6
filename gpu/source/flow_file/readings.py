"""Which reading of a flow file fits two pictures: direction, order of the axes, and sign."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.source import F32, U8
from gpu.source.stills import resize

SOFTNESS = 1.5  # pixels

Direction = Literal["backward", "forward"]
Axes = Literal["xy", "yx"]
Sign = Literal[1, -1]

READINGS: tuple[tuple[Direction, Axes, Sign], ...] = tuple(
    (direction, axes, sign) for direction in ("backward", "forward") for axes in ("xy", "yx") for sign in (1, -1)
)


class Fit(NamedTuple):
    """One reading of a flow and the mean absolute difference that it leaves at low frequencies; NaN if unknown.

    Pictures count as being in [0, 1].
    """

    direction: Direction
    axes: Axes
    sign: Sign
    error: float


def read_as(flow: F32, axes: Axes, sign: Sign) -> F32:
    """`flow` (..., 2) as stored, in that order of axes and sign, as (dx, dy)."""
    vectors = flow if axes == "xy" else flow[..., ::-1]
    return np.ascontiguousarray(vectors if sign > 0 else -vectors)


def fit(first: U8, second: U8, flow: F32) -> list[Fit]:
    """All readings of `flow` (H, W, 2) between two pictures (rows, columns, 3) in this order, the best first.

    Backward flow should carry the first picture onto the second, forward flow the second onto the first. Pictures are
    brought to the flow's size. Where one reading leads out of the frame the pixel counts for none, so that the errors
    compare; unless that leaves too little, and each counts its own.
    """
    compared = [(reading, *_left(first, second, flow, *reading)) for reading in READINGS]
    common = np.logical_and.reduce([inside for _, _, inside in compared])
    if common.mean() < 0.05:
        common = np.ones_like(common)
    fits = []
    for reading, left, inside in compared:
        counted = left[common & inside]
        fits.append(Fit(*reading, float(counted.mean()) if counted.size else float("nan")))
    return sorted(fits, key=lambda fit: (np.isnan(fit.error), fit.error))


def difference(first: U8, second: U8, flow: F32, direction: Direction, axes: Axes, sign: Sign) -> U8:
    """(H, W, 3) what a reading leaves unexplained, twice as bright as it is; black where it leads out of the frame."""
    left, inside = _left(first, second, flow, direction, axes, sign)
    grey = np.clip(left * inside * 510, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=-1))


def _left(
    first: U8, second: U8, flow: F32, direction: Direction, axes: Axes, sign: Sign
) -> tuple[F32, npt.NDArray[np.bool_]]:
    """(H, W) absolute difference, mean over colours, and (H, W) where the reading stays inside the frame."""
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise FlowError(f"One flow field has shape {flow.shape}; (H, W, 2) was expected.")
    height, width = flow.shape[:2]
    cleaned = maps.clean(torch.from_numpy(read_as(np.asarray(flow, np.float32), axes, sign)))
    seen, moved = (second, first) if direction == "backward" else (first, second)
    places = maps.pixel_centres(height, width) + cleaned.flow
    left = (
        (maps.bilinear(_tensor(moved, height, width), places) - _tensor(seen, height, width)).permute(1, 2, 0).numpy()
    )
    # What interpolation blurs would outweigh what a wrong grid shifts, and reversed forward flow pass for backward flow
    # where the camera moves in: only what is left at low frequencies is counted.
    soft = np.asarray(cv2.GaussianBlur(left, (0, 0), SOFTNESS), np.float32).reshape(height, width, 3)
    return np.abs(soft).mean(-1), np.asarray((maps.inside(places, height, width) & ~cleaned.bad).numpy())


def _tensor(picture: U8, height: int, width: int) -> torch.Tensor:
    """(3, height, width) in [0, 1]."""
    return torch.from_numpy(resize(picture, height, width)).permute(2, 0, 1).to(torch.float32) / 255
