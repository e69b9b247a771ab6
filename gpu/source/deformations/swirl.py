"""Deformation `swirl`: a vortex that turns its middle and leaves the border alone."""

from __future__ import annotations

import math

import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Points, Values, Warp, one_surface, ones


def _make(grid: Grid, values: Values) -> Warp:
    speed = math.radians(values["degrees"])
    radius = max(values["radius"] * min(grid.height, grid.width), 1e-6)

    def turned(angle: float, points: Points) -> Points:
        # The angle depends on the distance from the centre alone, which the turn keeps: the inverse is the opposite turn.
        centre = points.new_tensor(grid.centre)
        x, y = (points - centre).unbind(-1)
        theta = angle * torch.exp((x * x + y * y) * (-0.5 / radius**2))
        cosine, sine = torch.cos(theta), torch.sin(theta)
        return centre + torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1)

    return one_surface(lambda t, p: turned(-speed * t, p), lambda t, p: turned(speed * t, p), ones)


swirl = DEFORMATIONS.add("swirl", order=50)(
    Deformation(
        "Swirl",
        "A vortex about the centre, strongest in the middle. Areas stay as they are, yet neighbours are torn apart.",
        (
            ParameterInfo(
                "degrees",
                "Speed",
                4.0,
                -15,
                15,
                0.1,
                "°/frame",
                "Degrees per frame at the centre; positive is clockwise",
            ),
            ParameterInfo(
                "radius", "Radius", 0.25, 0.02, 1, 0.01, "of the frame", "Where the angle falls to 61 % of the centre's"
            ),
        ),
        _make,
    )
)
