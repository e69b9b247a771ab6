"""Motion estimated on the frames of a source, at the source's own resolution, and brought to the noise grid.

Frames are looked at as fine as the source has them, up to MOST_PIXELS, and never coarser than the grid; then the flow is
averaged down to the grid. An estimator errs by a share of the pixels that it sees: on a grid of 64×64 by 0.14 of a pixel where
it sees no more than the grid, by 0.01 where it sees 480×480. Whether a vector holds is decided where it was estimated, with the
check's limits in those pixels, since a strip that has just come into sight may be far narrower than a pixel of the grid: a
pixel is valid where most of its area passes. Of what passes wrongly on the grid (layers at 64×64), less than half does there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from cachetools import LRUCache

from gpu.errors import FlowError
from gpu.flow import maps
from gpu.flow.averaging import area_means, averaged
from gpu.flow.estimators import ESTIMATORS
from gpu.flow.pairs import pick
from gpu.session import MotionSettings
from gpu.source import F32, U8, Detailed, Source, area, original_size

MOST_PIXELS = 1280 * 720
"""Of the frames that motion is estimated on, unless the grid has more. With DIS on a grid of 512×288 the error is 0.089 pixels
where it sees 512×288, 0.040 where it sees 960×540, 0.028 at 1280×720 and 0.018 at 1920×1080; both directions of a pair take
0.05, 0.16, 0.27 and 0.7 s of one core."""

KEPT = 3  # finer frames that are kept: those of a pair, and one more

HALF = 0.5
"""Share of a pixel's area that must be seen in both frames for the pixel to count as seen."""


@dataclass(frozen=True)
class Pair:
    """What was found between frames t and t+1: on the grid of t+1 the backward flow, where it holds, its forward-backward error
    (maps.UNSEEN where there is none) and how many vectors are not usable; on the grid of t the forward flow."""

    backward: torch.Tensor
    valid: torch.Tensor
    error: torch.Tensor
    invalid: int
    forward: maps.Cleaned


def working_size(source: Source) -> tuple[int, int]:
    """(rows, columns) of the pictures that motion in `source`'s area is estimated on, before any scale that is asked for."""
    rows, columns = original_size(source)
    shrink = min(math.sqrt(MOST_PIXELS / (rows * columns)), 1)
    shown = area(source)
    return max(round(rows * shrink), shown.height), max(round(columns * shrink), shown.width)


class Estimation:
    """An estimator at work on the frames of a source.

    `label` says what it is and, where that is not the size of the grid, the columns × rows that it sees. Vectors are in pixels
    of the grid. Around the source's area, in bars, they are 0 and not valid. Vectors that are not finite become 0 at invalid
    pixels.

    >>> from gpu.session import SourceSettings
    >>> from gpu.source.opening import open_source
    >>> still = SourceSettings("synthetic", name="translation", height=48, frames=3, parameters={"dx": 0.5, "dy": 0.0})
    >>> estimation = Estimation(open_source(still), MotionSettings("dis"), torch.device("cpu"))
    >>> estimation.label, estimation.pair(0).forward.flow[24, 32].round(decimals=2)
    ('DIS medium at 640×480', tensor([0.5000, 0.0000]))
    """

    def __init__(self, source: Source, settings: MotionSettings, device: torch.device) -> None:
        """ChoiceError for a name or preset unknown."""
        self._source, self._device, self._scale = source, device, settings.scale
        self._estimator = ESTIMATORS.get("dis" if settings.estimator == "auto" else settings.estimator)
        self._preset = pick(self._estimator.title, settings.preset, self._estimator.presets)
        self._size = working_size(source)
        self._pictures: LRUCache[int, U8] = LRUCache(KEPT)
        rows, columns = (max(round(side * self._scale), 1) for side in self._size)
        self.label = f"{self._estimator.title} {self._preset}"
        if self._size != (source.height, source.width):
            self.label += f" at {columns}×{rows}"
        elif self._scale != 1:
            self.label += f" at ×{self._scale:g}"

    def pair(self, t: int) -> Pair:
        """The motion between frames t and t+1, which must be of one shot."""
        back = self._flow(t + 1, t, "backward")
        forth = self._flow(t, t + 1, "forward")
        rows, columns = self._size
        place = area(self._source)
        here = maps.pixel_centres(rows, columns, self._device) + back.flow
        usable = ~back.bad
        if bool(forth.bad.any()):
            usable = usable & maps.covered(~forth.bad, here)
        checked = maps.check(back.flow, forth.flow, (place.width / columns, place.height / rows))
        valid = usable & checked.valid
        error = torch.where(usable, checked.error, torch.full_like(checked.error, maps.UNSEEN))
        if (rows, columns) == (place.height, place.width):
            return self._framed(back, valid, error, forth)
        return self._framed(*self._coarser(back, valid, error), self._averaged(forth, ~forth.bad))

    def _coarser(
        self, back: maps.Cleaned, valid: torch.Tensor, error: torch.Tensor
    ) -> tuple[maps.Cleaned, torch.Tensor, torch.Tensor]:
        """The backward flow, where it holds and its error, in the area."""
        place = area(self._source)
        coarse = self._averaged(back, valid)
        seen = (error < maps.UNSEEN).cpu().numpy()
        share = area_means(seen, place.height, place.width)
        mean = area_means(error.cpu().numpy() * seen, place.height, place.width) / np.maximum(share, 1e-6)
        mean = np.where((share >= HALF) & ~coarse.bad.cpu().numpy(), mean, np.float32(maps.UNSEEN))
        here = maps.pixel_centres(place.height, place.width, self._device) + coarse.flow
        most = torch.from_numpy(area_means(valid.cpu().numpy(), place.height, place.width) >= HALF).to(self._device)
        holds = most & ~coarse.bad & maps.inside(here, place.height, place.width)
        return coarse, holds, torch.from_numpy(mean).to(self._device)

    def _averaged(self, fine: maps.Cleaned, trusted: torch.Tensor) -> maps.Cleaned:
        place = area(self._source)
        finite = ~fine.bad.cpu().numpy()
        flow = averaged(fine.flow.cpu().numpy(), trusted.cpu().numpy(), finite, place.height, place.width)
        bad = area_means(finite, place.height, place.width) < HALF
        flow[bad] = 0
        return maps.Cleaned(torch.from_numpy(flow).to(self._device), torch.from_numpy(bad).to(self._device))

    def _framed(self, back: maps.Cleaned, valid: torch.Tensor, error: torch.Tensor, forth: maps.Cleaned) -> Pair:
        """What was found in the area, on the whole grid: nothing moves in bars, and nothing is known there."""
        invalid = int(back.bad.sum())
        place, shape = area(self._source), (self._source.height, self._source.width)
        if (place.height, place.width) == shape:
            return Pair(back.flow, valid, error, invalid, forth)

        def whole(values: torch.Tensor, around: float) -> torch.Tensor:
            framed = values.new_full((*shape, *values.shape[2:]), around)
            framed[place.top : place.bottom, place.left : place.right] = values
            return framed

        forward = maps.Cleaned(whole(forth.flow, 0), whole(forth.bad, True))
        return Pair(whole(back.flow, 0), whole(valid, False), whole(error, maps.UNSEEN), invalid, forward)

    def _flow(self, a: int, b: int, kind: str) -> maps.Cleaned:
        vectors: F32 = self._estimator.estimate(self._picture(a), self._picture(b), self._preset, self._scale)
        expected = (*self._size, 2)
        if vectors.shape != expected:
            raise FlowError(f"The {kind} flow of frame {min(a, b)} has shape {vectors.shape}; {expected} was expected.")
        return maps.clean(torch.from_numpy(np.array(vectors, np.float32, copy=True)).to(self._device))

    def _picture(self, t: int) -> U8:
        """What frame t shows in the area, at the working size. The last ones are kept."""
        if t not in self._pictures:
            if not isinstance(self._source, Detailed) or self._size == (self._source.height, self._source.width):
                self._pictures[t] = self._source.frame(t)
            else:
                self._pictures[t] = self._source.original(t, *self._size)
        return self._pictures[t]
