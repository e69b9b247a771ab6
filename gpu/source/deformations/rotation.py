"""Deformation `rotation`: the picture turns about the centre of the frame."""

from __future__ import annotations

from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import DEGREES, affine, turn


def _make(grid: Grid, values: Values) -> Warp:
    degrees = values["degrees"]
    return affine(grid, lambda t: (turn(degrees * t), (0, 0)))


rotation = DEFORMATIONS.add("rotation", order=20)(
    Deformation(
        "Rotation", "Turns the picture about the centre of the frame. Areas stay as they are.", (DEGREES,), _make
    )
)
