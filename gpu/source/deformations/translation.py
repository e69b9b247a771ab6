"""Deformation `translation`: the picture slides at a constant speed."""

from __future__ import annotations

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import affine


def _make(grid: Grid, values: Values) -> Warp:
    dx, dy = values["dx"], values["dy"]
    return affine(grid, lambda t: ((1, 0, 0, 1), (dx * t, dy * t)))


translation = DEFORMATIONS.add("translation", order=10)(
    Deformation(
        "Translation",
        "Slides the picture at a constant speed. Whole pixels move noise unchanged; fractions are what interpolation blurs.",
        (
            ParameterInfo("dx", "To the right", 2.3, -32, 32, 0.1, "px/frame", "Pixels per frame; negative is left"),
            ParameterInfo("dy", "Down", -1.7, -32, 32, 0.1, "px/frame", "Pixels per frame; negative is up"),
        ),
        _make,
    )
)
