"""Travelling sine waves that slide the plane along lines: exact inverses and determinant 1, however strong they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gpu.source.deformations import Points, Warp, one_surface, ones


@dataclass(frozen=True)
class SlidingWave:
    """Slides points along a line by an amount that varies across it alone, which makes the inverse the negative slide.

    `direction` is the angle of the line in radians, `amplitude` and `length` are in pixels, `period` in frames,
    `phase` in radians. At frame 0 nothing is slid.
    """

    direction: float
    amplitude: float
    length: float
    period: float
    phase: float = 0.0

    def slide(self, t: int, points: Points, sign: float) -> Points:
        along_x, along_y = math.cos(self.direction), math.sin(self.direction)
        place = (2 * math.pi / self.length) * (along_x * points[..., 1] - along_y * points[..., 0]) + self.phase
        turn = 2 * math.pi * t / self.period
        # sin(place - turn) - sin(place), in the form that keeps its digits.
        shift = (-2 * sign * self.amplitude * math.sin(turn / 2)) * torch.cos(place - turn / 2)
        return torch.stack([points[..., 0] + along_x * shift, points[..., 1] + along_y * shift], dim=-1)


def sliding(waves: Sequence[SlidingWave]) -> Warp:
    """The deformation that the waves make one after the other."""

    def forth(t: int, points: Points) -> Points:
        for wave in waves:
            points = wave.slide(t, points, 1)
        return points

    def back(t: int, positions: Points) -> Points:
        for wave in reversed(waves):
            positions = wave.slide(t, positions, -1)
        return positions

    return one_surface(forth, back, ones)
