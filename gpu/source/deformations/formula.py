"""Deformation `formula`: a displacement typed by the user."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import (
    BEYOND,
    DEFORMATIONS,
    Deformation,
    Grid,
    Points,
    Values,
    Warp,
    pointwise_determinant,
)
from gpu.source.deformations.kit.formulas import Formula, parse
from gpu.source.deformations.kit.newton import invert

NAMES = frozenset({"x", "y", "u", "v", "r", "theta", "t", "T", "cx", "cy", "W", "H"})


def _make(grid: Grid, values: Values) -> Warp:
    """Frame t shows the picture moved by D(p, t), in pixels: Phi_t(p) = p - D(p, t), p being the place in frame t.

    A formula without t is the displacement per frame: D = t d(p). One with t is the displacement itself, from where it
    is at frame 0: D = d(p, t) - d(p, 0).
    """
    formulas = [parse(values.text(name), NAMES, f"The formula for {name}") for name in ("dx", "dy")]
    centre_x, centre_y = grid.centre

    def scope(names: frozenset[str], t: int, points: Points) -> dict[str, torch.Tensor]:
        """The values of `names` at `points` of frame t."""
        x, y = points.unbind(-1)
        across, down = x - centre_x, y - centre_y
        make: dict[str, Callable[[], torch.Tensor]] = {
            "x": lambda: x,
            "y": lambda: y,
            "u": lambda: x / grid.width,
            "v": lambda: y / grid.height,
            "r": lambda: torch.sqrt(across * across + down * down),
            "theta": lambda: torch.atan2(down, across),
            "t": lambda: points.new_tensor(float(t)),
            "T": lambda: points.new_tensor(float(grid.frames)),
            "cx": lambda: points.new_tensor(centre_x),
            "cy": lambda: points.new_tensor(centre_y),
            "W": lambda: points.new_tensor(float(grid.width)),
            "H": lambda: points.new_tensor(float(grid.height)),
        }
        return {name: make[name]() for name in names}

    def displacement(formula: Formula, t: int, points: Points) -> torch.Tensor:
        if "t" in formula.names:
            moved = formula.evaluate(scope(formula.names, t, points))
            moved = moved - formula.evaluate(scope(formula.names, 0, points))
        else:
            moved = t * formula.evaluate(scope(formula.names, t, points))
        return moved.expand(points.shape[:-1])

    def forth(t: int, points: Points) -> Points:
        if t == 0:
            return points.clone()
        return points - torch.stack([displacement(formula, t, points) for formula in formulas], dim=-1)

    determinant = pointwise_determinant(forth)

    def to_reference(t: int, points: Points, surface: torch.Tensor) -> Points:
        places = forth(t, points)
        return places.where(places.isfinite().all(-1, keepdim=True), places.new_tensor(math.nan))

    def surface(t: int, points: Points) -> torch.Tensor:
        # Where the map turns the picture over it shows a part of it for the second time.
        return torch.where(determinant(t, points) > 0, 0, BEYOND)

    def from_reference(t: int, positions: Points, labels: torch.Tensor, near: Points) -> Points:
        return positions if t == 0 else invert(lambda at: forth(t, at), positions, near)

    return Warp(to_reference, from_reference, determinant, surface, verify=True)


TIP = (
    "How far the picture moves {way}, in pixels per frame; with t in it, the displacement in frame t. "
    "Names: x y (pixels), u v (0 to 1), r theta (about the centre), t T (frames), W H cx cy pi"
)

formula = DEFORMATIONS.add("formula", order=130)(
    Deformation(
        "Formula",
        "A displacement that you type, in pixels per frame or, with t, in frame t. The inverse is found numerically; "
        "what has no value, or is turned over, counts as not seen before.",
        (
            ParameterInfo("dx", "To the right", text="0.04*H*sin(4*pi*v + t/7)", tip=TIP.format(way="to the right")),
            ParameterInfo("dy", "Down", text="0.04*H*sin(3*pi*u - t/8)", tip=TIP.format(way="down")),
        ),
        _make,
    )
)
