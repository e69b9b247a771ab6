"""Which reading of a flow file fits the pictures: direction, order of the axes, sign, and units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.flow.stored import units as stored_units
from gpu.flow.stored.fields import Fields
from gpu.flow.stored.units import Units
from gpu.source import F32, U8
from gpu.source.stills import resize

SOFTNESS = 1.5  # pixels

PAIRS = 3
"""Places of a clip at which pictures are compared, the differences averaged."""

MOST_ROWS = 270
"""Rows at which they are: a larger flow is averaged down."""

CLEAR = 0.7
"""A reading fits clearly better than another when it leaves less than this part of what that leaves, …"""

CLEAR_DIFFERENCE = 0.5 / 255
"""… and at least so much less: pictures are in [0, 1]."""

SAME = 0.25 / 255
"""Readings whose differences differ by less fit as well as each other."""

Direction = Literal["backward", "forward"]
Axes = Literal["xy", "yx"]
Sign = Literal[1, -1]


class Reading(NamedTuple):
    """How stored vectors are meant."""

    direction: Direction
    axes: Axes = "xy"
    sign: Sign = 1
    units: Units = "pixels"


class Fit(NamedTuple):
    """One reading of a flow and the mean absolute difference that it leaves at low frequencies; NaN if unknown.

    Pictures count as being in [0, 1].
    """

    direction: Direction
    axes: Axes
    sign: Sign
    error: float
    units: Units = "pixels"

    @property
    def reading(self) -> Reading:
        return Reading(self.direction, self.axes, self.sign, self.units)

    @property
    def words(self) -> str:
        """For people: "forward flow, (dy, dx), sign reversed"."""
        unit = {"pixels": "", "normalised": ", the frame from -1 to 1", "fraction": ", the frame from 0 to 1"}[
            self.units
        ]
        axes = "(dx, dy)" if self.axes == "xy" else "(dy, dx)"
        return f"{self.direction} flow, {axes}, {'sign as stored' if self.sign > 0 else 'sign reversed'}{unit}"


def readings(
    directions: Sequence[Direction] = ("backward", "forward"), units: Sequence[Units] = ("pixels",)
) -> tuple[Reading, ...]:
    """Every reading of those directions and units."""
    axes: tuple[Axes, ...] = ("xy", "yx")
    signs: tuple[Sign, ...] = (1, -1)
    return tuple(
        Reading(direction, order, sign, unit)
        for direction in directions
        for order in axes
        for sign in signs
        for unit in units
    )


READINGS = readings()


def read_as(flow: F32, axes: Axes, sign: Sign, units: Units = "pixels") -> F32:
    """`flow` (H, W, 2) as stored, in that order of axes, sign and units, as (dx, dy) in pixels."""
    vectors = flow if axes == "xy" else flow[..., ::-1]
    vectors = vectors if sign > 0 else -vectors
    if units != "pixels":
        vectors = vectors * stored_units.scale(units, flow.shape[-3], flow.shape[-2])
    return np.ascontiguousarray(vectors, np.float32)


def fit(first: U8, second: U8, flow: F32, tried: Sequence[Reading] = READINGS) -> list[Fit]:
    """Readings of `flow` (H, W, 2) between two pictures (rows, columns, 3) in this order, the best first.

    Backward flow should carry the first picture onto the second, forward flow the second onto the first. Pictures are
    brought to the flow's size, and that down to MOST_ROWS. Where one reading leads out of the frame the pixel counts for none,
    so that the errors compare; unless that leaves too little, and each counts its own.
    """
    compared = [(reading, *_left(first, second, flow, reading)) for reading in tried]
    common = np.logical_and.reduce([inside for _, _, inside in compared])
    if common.mean() < 0.05:
        common = np.ones_like(common)
    fits = []
    for reading, left, inside in compared:
        counted = left[common & inside]
        error = float(counted.mean()) if counted.size else float("nan")
        fits.append(Fit(reading.direction, reading.axes, reading.sign, error, reading.units))
    return sorted(fits, key=lambda fit: (np.isnan(fit.error), fit.error))


def fit_clip(
    frame: Callable[[int], U8],
    frames: int,
    backward: Fields | None,
    forward: Fields | None,
    units: Sequence[Units] = ("pixels",),
    named: bool = False,
) -> list[Fit]:
    """Readings of a flow as stored over PAIRS places of a clip, `frame(t)` its pictures; the best first.

    Of a flow of one direction both are tried, unless names say it. Of both directions each is what it is, and a reading is
    the same for both; it stands under the name "backward".
    """
    sides: list[tuple[Direction, Fields]] = []
    if backward is not None:
        sides.append(("backward", backward))
    if forward is not None:
        sides.append(("forward", forward))
    last = min(frames, 1 + min(len(fields) for _, fields in sides)) - 2
    errors: dict[Reading, list[float]] = {}
    for t in sorted({round(last * place / (PAIRS - 1)) for place in range(PAIRS)}) if last >= 0 else ():
        pictures = frame(t), frame(t + 1)
        for direction, fields in sides:
            own: tuple[Direction, ...] = (direction,) if named or len(sides) == 2 else ("backward", "forward")
            for fitted in fit(*pictures, fields[t], readings(own, units)):
                key = fitted.reading._replace(direction="backward") if len(sides) == 2 else fitted.reading
                errors.setdefault(key, []).append(fitted.error)
    fits = []
    for reading, values in errors.items():
        finite = [value for value in values if not np.isnan(value)]
        mean = sum(finite) / len(finite) if finite else float("nan")
        fits.append(Fit(reading.direction, reading.axes, reading.sign, mean, reading.units))
    return _plainest_first(sorted(fits, key=lambda fit: (np.isnan(fit.error), fit.error)))


def _plainest_first(fits: list[Fit]) -> list[Fit]:
    """With the plainest first of those that fit as well as the best: a shift is forward flow, or reversed backward flow."""
    tied = [fit for fit in fits if fit.error <= fits[0].error + SAME]
    tied.sort(key=lambda fit: (fit.sign < 0, fit.axes == "yx", fit.direction == "forward"))
    return [*tied, *fits[len(tied) :]]


def clearly_better(fitted: Fit, other: Fit) -> bool:
    """Whether what `fitted` leaves is so much less than what `other` leaves that it cannot be by chance."""
    return fitted.error < CLEAR * other.error and other.error - fitted.error > CLEAR_DIFFERENCE


def unmoved(frame: Callable[[int], U8], frames: int, height: int, width: int) -> float:
    """The mean difference that remains where nothing is moved, as `fit_clip` measures it."""
    still = Fields(frames - 1, height, width, lambda t: np.zeros((height, width, 2), np.float32))
    fits = fit_clip(frame, frames, still, still)
    return fits[0].error if fits else float("nan")


def difference(
    first: U8, second: U8, flow: F32, direction: Direction, axes: Axes, sign: Sign, units: Units = "pixels"
) -> U8:
    """(H, W, 3) what a reading leaves unexplained, twice as bright as it is; black where it leads out of the frame."""
    left, inside = _left(first, second, flow, Reading(direction, axes, sign, units))
    grey = np.clip(left * inside * 510, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=-1))


def _left(first: U8, second: U8, flow: F32, reading: Reading) -> tuple[F32, npt.NDArray[np.bool_]]:
    """(H, W) absolute difference, mean over colours, and (H, W) where the reading stays inside the frame."""
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise FlowError(f"One flow field has shape {flow.shape}; (H, W, 2) was expected.")
    vectors = read_as(np.asarray(flow, np.float32), reading.axes, reading.sign, reading.units)
    cleaned = maps.clean(torch.from_numpy(vectors))
    vectors, bad = _reduced(cleaned.flow.numpy(), np.asarray(cleaned.bad.numpy()))
    height, width = bad.shape
    seen, moved = (second, first) if reading.direction == "backward" else (first, second)
    places = maps.pixel_centres(height, width) + torch.from_numpy(vectors)
    left = (
        (maps.bilinear(_tensor(moved, height, width), places) - _tensor(seen, height, width)).permute(1, 2, 0).numpy()
    )
    # What interpolation blurs would outweigh what a wrong grid shifts, and reversed forward flow pass for backward flow
    # where the camera moves in: only what is left at low frequencies is counted.
    soft = np.asarray(cv2.GaussianBlur(left, (0, 0), SOFTNESS), np.float32).reshape(height, width, 3)
    return np.abs(soft).mean(-1), np.asarray(maps.inside(places, height, width).numpy()) & ~bad


def _reduced(flow: F32, bad: npt.NDArray[np.bool_]) -> tuple[F32, npt.NDArray[np.bool_]]:
    """The flow on a grid of at most MOST_ROWS rows, its vectors in pixels of that; bad where a bad vector takes part."""
    height, width = bad.shape
    if height <= MOST_ROWS:
        return flow, bad
    rows, columns = MOST_ROWS, max(1, round(width * MOST_ROWS / height))
    small = np.asarray(cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    small = small.reshape(rows, columns, 2) * np.array([columns / width, rows / height], np.float32)
    share = cv2.resize(bad.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA).reshape(rows, columns)
    return small, np.asarray(share > 1e-6)


def _tensor(picture: U8, height: int, width: int) -> torch.Tensor:
    """(3, height, width) in [0, 1]."""
    return torch.from_numpy(np.array(resize(picture, height, width))).permute(2, 0, 1).to(torch.float32) / 255
