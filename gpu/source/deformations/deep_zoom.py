"""Deformation `deep-zoom`: the camera moves into one place, at a constant rate, and does not stop."""

from __future__ import annotations

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.affine import affine


def _make(grid: Grid, values: Values) -> Warp:
    """Each frame is as much closer than the one before as any other; the place that is zoomed into stays where it is."""
    rate = values["times"] ** (1 / (values["over"] - 1))
    from_centre = ((values["x"] - 0.5) * grid.width, (values["y"] - 0.5) * grid.height)

    def motion(t: int) -> tuple[tuple[float, float, float, float], tuple[float, float]]:
        factor = rate**t
        return (factor, 0, 0, factor), ((1 - factor) * from_centre[0], (1 - factor) * from_centre[1])

    return affine(grid, motion)


deep_zoom = DEFORMATIONS.add("deep-zoom", order=35)(
    Deformation(
        "Deep zoom",
        "Moves into one place at a constant rate. The deeper, the more pixels share one source pixel, down to a single one.",
        (
            ParameterInfo("times", "Closer by", 64, 2, 256, 1, "×", "How much closer it is after the frames below"),
            ParameterInfo("over", "Over", 200, 2, 1000, 1, "frames", "After how many frames; it goes on at that rate"),
            ParameterInfo("x", "Across", 0.4, 0, 1, 0.01, "", "Where it moves to: 0 is the left edge, 1 the right"),
            ParameterInfo("y", "Down", 0.55, 0, 1, 0.01, "", "Where it moves to: 0 is the top edge, 1 the bottom"),
        ),
        _make,
    )
)
