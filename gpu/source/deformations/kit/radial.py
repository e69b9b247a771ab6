"""Drops of glass: maps that move points towards or away from a moving centre, by the distance from it alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import BEYOND, Grid, Points, Values, Warp

STEPS = 60  # bisection alone halves the bracket this often: to 1e-12 of a frame


RADIUS = ParameterInfo("radius", "Radius", 0.26, 0.03, 1, 0.01, "of the frame", "Of the frame's shorter side")
TRAVEL = ParameterInfo("travel", "Travel", 0.15, 0, 0.5, 0.01, "of the frame", "How far from the centre it circles")
PERIOD = ParameterInfo("period", "Period", 48, 4, 480, 1, "frames", "Frames until it has gone down and round once")


def wandering_drop(grid: Grid, values: Values, folds: bool = False) -> Warp:
    """A drop that swells and wanders round the centre of the frame: what `values` say under strength, radius (of the
    frame's shorter side), travel (of the frame) and period (frames)."""
    radius = max(values["radius"] * min(grid.height, grid.width), 1e-6)
    reach = values["travel"] * grid.width, values["travel"] * grid.height
    path = circling(grid.centre, reach, values["period"])
    return drop(path, swelling(values["strength"], values["period"]), radius, folds)


def drop(
    centre: Callable[[int], tuple[float, float]], strength: Callable[[int], float], radius: float, folds: bool = False
) -> Warp:
    """Seen through a drop at `centre(t)`, distance r from it becomes R(r) = r (1 - strength(t) exp(-r^2 / (2 radius^2))).

    Lengths are in pixels, and strength(0) must be 0. Between -1 and 1 the map is one to one. Above 1 (`folds`) it folds: within
    r0 = radius sqrt(2 ln strength) the drop shows once more, and turned over, what is seen outside. The surface that is
    followed is the one outside r0: it shows every point of the picture exactly once and goes back to frame 0 without a
    break. What is within is BEYOND.
    """

    def factor(t: int, distance2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        bell = strength(t) * torch.exp(distance2 * (-0.5 / radius**2))
        return 1 - bell, bell

    def to_reference(t: int, points: Points, label: torch.Tensor) -> Points:
        middle = points.new_tensor(centre(t))
        offset = points - middle
        return middle + offset * factor(t, offset.square().sum(-1))[0][..., None]

    def determinant(t: int, points: Points) -> torch.Tensor:
        distance2 = (points - points.new_tensor(centre(t))).square().sum(-1)
        stretch, bell = factor(t, distance2)
        return torch.mul(stretch, stretch + bell * distance2 / radius**2)  # R / r times dR / dr

    def inner(t: int) -> float:
        return radius * math.sqrt(2 * math.log(strength(t))) if folds and strength(t) > 1 else 0.0

    def surface(t: int, points: Points) -> torch.Tensor:
        inside = (points - points.new_tensor(centre(t))).square().sum(-1) < inner(t) ** 2
        return inside.to(torch.int64) * BEYOND

    def from_reference(t: int, positions: Points, label: torch.Tensor, near: Points) -> Points:
        middle = positions.new_tensor(centre(t))
        offset = positions - middle
        target = torch.linalg.vector_norm(offset, dim=-1)
        distance = _solve(target, torch.linalg.vector_norm(near - middle, dim=-1), strength(t), radius, inner(t))
        # At the centre itself the direction is free: any will do, and zero times it is the point.
        moved: Points = middle + offset * (distance / target.clamp(min=1e-300))[..., None]
        return moved

    return Warp(to_reference, from_reference, determinant, surface)


def _solve(target: torch.Tensor, guess: torch.Tensor, strength: float, radius: float, inner: float) -> torch.Tensor:
    """r >= inner with R(r) = target, by Newton's method kept inside a bracket that every step narrows."""
    reach = abs(strength) * radius * math.exp(-0.5)  # the largest |R(r) - r|
    low = torch.full_like(target, inner) if strength >= 0 else (target - reach).clamp(min=0)
    high = (target + reach).clamp(min=inner) if strength >= 0 else target.clone()
    r = guess.maximum(low).minimum(high)
    for _ in range(STEPS):
        bell = strength * torch.exp(r * r * (-0.5 / radius**2))
        error = r * (1 - bell) - target
        low, high = torch.where(error <= 0, r, low), torch.where(error >= 0, r, high)
        step = r - error / (1 - bell + bell * r * r / radius**2)
        inside = (step >= low) & (step <= high)
        following = torch.where(error == 0, r, torch.where(inside, step, (low + high) / 2))
        if bool(((following - r).abs() <= 1e-10).all()):
            return following
        r = following
    return r


def circling(
    centre: tuple[float, float], reach: tuple[float, float], period: float
) -> Callable[[int], tuple[float, float]]:
    """A place that goes round `centre` on an ellipse of half-axes `reach`, clockwise, once in `period` frames."""

    def at(t: int) -> tuple[float, float]:
        angle = 2 * math.pi * t / period
        return centre[0] - reach[0] * math.cos(angle), centre[1] - reach[1] * math.sin(angle)

    return at


def swelling(most: float, period: float) -> Callable[[int], float]:
    """Rises smoothly from 0 to `most` and back, once in `period` frames."""
    return lambda t: most * math.sin(math.pi * t / period) ** 2
