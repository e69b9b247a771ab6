"""Deformation `turbulence`: a smooth random flow that keeps areas, as of a stirred fluid."""

from __future__ import annotations

import math

import numpy as np

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Values, Warp
from gpu.source.deformations.kit.waves import SlidingWave, sliding

WAVES = 7


def _make(grid: Grid, values: Values) -> Warp:
    side = min(grid.height, grid.width)
    amplitude, length = values["amplitude"] * side, values["scale"] * side
    random = np.random.default_rng(int(values["pattern"]))
    waves = []
    for number in range(WAVES):
        # Directions spread by the golden angle, so that few waves already favour none.
        direction = number * math.pi * (3 - math.sqrt(5)) + random.uniform(-0.3, 0.3)
        ratio = random.uniform(0.6, 1.6)
        waves.append(
            SlidingWave(
                direction,
                amplitude * ratio * math.sqrt(2 / WAVES),  # as long as it is high, in the mean
                length * ratio,
                values["period"] * random.uniform(0.8, 1.7),
                random.uniform(0, 2 * math.pi),
            )
        )
    return sliding(waves)


turbulence = DEFORMATIONS.add("turbulence", order=100)(
    Deformation(
        "Turbulence",
        "A smooth random flow that never repeats and keeps areas: sine waves in many directions, one through the other.",
        (
            ParameterInfo(
                "amplitude", "Strength", 0.035, 0, 0.3, 0.005, "of the frame", "Typical slide, of the shorter side"
            ),
            ParameterInfo(
                "scale", "Size of eddies", 0.6, 0.1, 2, 0.01, "of the frame", "Mean wavelength, of the shorter side"
            ),
            ParameterInfo("period", "Period", 40, 4, 480, 1, "frames", "About how long an eddy takes"),
            ParameterInfo("pattern", "Pattern", 1, 0, 9999, 1, "", "Number of the random pattern"),
        ),
        _make,
    )
)
