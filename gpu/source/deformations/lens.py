"""Deformation `lens`: a bulge swells, wanders over the picture, and goes down again."""

from __future__ import annotations

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation
from gpu.source.deformations.kit.radial import PERIOD, RADIUS, TRAVEL, wandering_drop

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
        wandering_drop,
    )
)
