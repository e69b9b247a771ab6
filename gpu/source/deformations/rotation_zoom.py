"""Deformation `rotation-zoom`: turning and moving in at once, what methods are timed on."""

from __future__ import annotations

from dataclasses import replace

from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import DEGREES, FACTOR, affine, turn


def _make(grid: Grid, values: Values) -> Warp:
    degrees, factor = values["degrees"], values["factor"]
    return affine(grid, lambda t: (turn(degrees * t, factor**t), (0, 0)))


rotation_zoom = DEFORMATIONS.add("rotation-zoom", order=40)(
    Deformation(
        "Rotation and zoom",
        "Turns and moves in at once: every pixel meets its source at another offset and scale. A fair benchmark.",
        (replace(DEGREES, label="Rotation", default=1.0), replace(FACTOR, label="Zoom", default=1.01)),
        _make,
    )
)
