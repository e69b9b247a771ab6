"""Deformation `zoom`: the camera moves in or out by a constant factor per frame."""

from __future__ import annotations

from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import FACTOR, affine


def _make(grid: Grid, values: Values) -> Warp:
    factor = values["factor"]
    return affine(grid, lambda t: ((factor**t, 0, 0, factor**t), (0, 0)))


zoom = DEFORMATIONS.add("zoom", order=30)(
    Deformation(
        "Zoom",
        "Moves in (above 1) or out (below 1). Moving in, pixels share a source pixel; moving out, they merge several.",
        (FACTOR,),
        _make,
    )
)
