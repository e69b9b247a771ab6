"""True motion of a synthetic deformation: its exact maps evaluated on the grid of the frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from cachetools import LRUCache

from gpu.flow import maps
from gpu.source import F32, Mask
from gpu.source.deformations import BEYOND, Grid, Points, Warp

KEPT = 4  # frames and pairs whose arrays are kept: what a frame and its neighbours ask for again and again

FARTHEST = 1e6  # pixels: what lies further off lies nowhere (single precision has no sub-pixels there)

ROUND_TRIP = 1e-3  # pixels


class Step(NamedTuple):
    """Displacements (H, W, 2) from one frame's grid to another frame, 0 where there is none, and (H, W) where they hold."""

    flow: F32
    valid: Mask


def somewhere(points: Points) -> torch.Tensor:
    """(...) bool: which `points` (..., 2) are positions that one can compute with."""
    near = points.abs() < FARTHEST  # false for NaN
    return near[..., 0] & near[..., 1]


class DeformationTruth:
    """gpu.source.Truth of a deformation on a grid."""

    def __init__(self, warp: Warp, grid: Grid) -> None:
        self.warp, self.grid = warp, grid
        self._centres = maps.pixel_centres(grid.height, grid.width, dtype=torch.float64)
        self._steps: LRUCache[tuple[int, int], Step] = LRUCache(KEPT)
        self._places: LRUCache[int, tuple[Points, torch.Tensor]] = LRUCache(KEPT)

    def backward(self, t: int) -> F32:
        return self._step(self._pair(t) + 1, t).flow

    def forward(self, t: int) -> F32:
        return self._step(self._pair(t), t + 1).flow

    def valid(self, t: int) -> Mask:
        return self._step(self._pair(t) + 1, t).valid

    def to_reference(self, t: int) -> F32:
        """As gpu.source.Truth; a pixel that has no position in frame 0 is given its own (see `reference_valid`)."""
        places, _ = self.places(t)
        return places.where(somewhere(places)[..., None], self._centres).to(torch.float32).numpy()

    def reference_valid(self, t: int) -> Mask:
        """(H, W) on the grid of frame t: where what is seen was also seen, inside the frame, in frame 0."""
        return self._step(self._frame(t), 0).valid

    def jacobian(self, t: int) -> F32:
        """As gpu.source.Truth; 1 where there is none."""
        determinant = self.warp.determinant(self._frame(t), self._centres)
        determinant = determinant.where(determinant.isfinite(), torch.ones_like(determinant))
        return determinant.clamp(-(FARTHEST**2), FARTHEST**2).to(torch.float32).numpy()

    def places(self, t: int) -> tuple[Points, torch.Tensor]:
        """(H, W, 2) float64 positions of frame t's pixel centres in frame 0, and (H, W) the labels of their surfaces."""
        if self._frame(t) not in self._places:
            surface = self.warp.surface(t, self._centres)
            self._places[t] = self.warp.to_reference(t, self._centres, surface), surface
        return self._places[t]

    def _step(self, start: int, end: int) -> Step:
        """From the grid of frame `start` to where the same is seen in frame `end`."""
        if (start, end) not in self._steps:
            self._steps[start, end] = self._find(start, end)
        return self._steps[start, end]

    def _find(self, start: int, end: int) -> Step:
        warp, here = self.warp, self._centres
        reference, surface = self.places(start)
        there = warp.from_reference(end, reference, surface, here)
        solved = somewhere(there) & somewhere(reference)
        there = there.where(solved[..., None], here)
        x, y = there.unbind(-1)
        valid = solved & (x >= 0) & (x <= self.grid.width) & (y >= 0) & (y <= self.grid.height)
        label = warp.surface(end, there)
        valid &= (surface != BEYOND) & (label == surface)
        if warp.verify and bool(((surface == BEYOND) | (label == BEYOND)).any()):
            returned = warp.from_reference(start, warp.to_reference(end, there, surface), surface, there)
            valid &= (returned - here).abs().amax(-1) < ROUND_TRIP
        return Step((there - here).to(torch.float32).numpy(), np.asarray(valid.numpy()))

    def _frame(self, t: int) -> int:
        if not 0 <= t < self.grid.frames:
            raise IndexError(f"frame {t} of {self.grid.frames}")
        return t

    def _pair(self, t: int) -> int:
        if not 0 <= t < self.grid.frames - 1:
            raise IndexError(f"pair of frames {t}, {t + 1} of {self.grid.frames}")
        return t
