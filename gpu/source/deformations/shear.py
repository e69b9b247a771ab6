"""Deformation `shear`: rows and columns slide past each other."""

from __future__ import annotations

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import affine


def _make(grid: Grid, values: Values) -> Warp:
    across, down = values["across"], values["down"]
    # Columns are slid first and then rows: both shears have determinant 1, and so has their product at any angle.
    return affine(grid, lambda t: ((1 + across * t * down * t, across * t, down * t, 1), (0, 0)))


shear = DEFORMATIONS.add("shear", order=60)(
    Deformation(
        "Shear",
        "Rows slide past each other, columns too where asked for. Areas stay as they are while shapes lean over.",
        (
            ParameterInfo(
                "across",
                "Rows",
                0.012,
                -0.1,
                0.1,
                0.001,
                "px/frame per px",
                "Speed to the right per pixel below the centre",
            ),
            ParameterInfo(
                "down", "Columns", 0.0, -0.1, 0.1, 0.001, "px/frame per px", "Speed down per pixel right of the centre"
            ),
        ),
        _make,
    )
)
