"""Deformation `lens`: a bulge swells, wanders over the picture, and goes down again."""

from __future__ import annotations

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.radial import circling, drop, swelling

RADIUS = ParameterInfo("radius", "Radius", 0.26, 0.03, 1, 0.01, "of the frame", "Of the frame's shorter side")
TRAVEL = ParameterInfo("travel", "Travel", 0.15, 0, 0.5, 0.01, "of the frame", "How far from the centre it circles")
PERIOD = ParameterInfo("period", "Period", 48, 4, 480, 1, "frames", "Frames until it has gone down and round once")


def _make(grid: Grid, values: Values) -> Warp:
    radius = max(values["radius"] * min(grid.height, grid.width), 1e-6)
    reach = values["travel"] * grid.width, values["travel"] * grid.height
    path = circling(grid.centre, reach, values["period"])
    return drop(path, swelling(values["strength"], values["period"]), radius)


lens = DEFORMATIONS.add("lens", order=80)(
    Deformation(
        "Lens",
        "A magnifying bulge wanders over the picture: areas grow and shrink again, smoothly and by a lot.",
        (
            ParameterInfo("strength", "Strength", 0.65, -1, 0.9, 0.01, "", "Above 0 magnifies, below 0 makes smaller"),
            RADIUS,
            TRAVEL,
            PERIOD,
        ),
        _make,
    )
)
