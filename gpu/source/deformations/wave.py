"""Deformation `wave`: a wave runs through the picture."""

from __future__ import annotations

import math

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.waves import SlidingWave, sliding


def _make(grid: Grid, values: Values) -> Warp:
    side = min(grid.height, grid.width)
    amplitude, length = values["amplitude"] * side, values["length"] * side
    period, cross = values["period"], values["cross"]
    waves = [SlidingWave(0, amplitude, length, period)]
    if cross:
        waves.append(SlidingWave(math.pi / 2, amplitude * cross, length, period, math.pi / 2))
    return sliding(waves)


wave = DEFORMATIONS.add("wave", order=70)(
    Deformation(
        "Wave",
        "A sine wave runs through the picture, as through a flag. Rows and columns slide, so areas stay as they are.",
        (
            ParameterInfo(
                "amplitude",
                "Height",
                0.03,
                0,
                0.3,
                0.005,
                "of the frame",
                "Largest slide from the middle, of the shorter side",
            ),
            ParameterInfo("length", "Wavelength", 0.45, 0.05, 2, 0.01, "of the frame", "Of the frame's shorter side"),
            ParameterInfo(
                "period", "Period", 36, 4, 480, 1, "frames", "Frames until the picture looks as at the start"
            ),
            ParameterInfo(
                "cross", "Second wave", 0.6, 0, 1, 0.05, "×", "Height of the wave at right angles to the first"
            ),
        ),
        _make,
    )
)
