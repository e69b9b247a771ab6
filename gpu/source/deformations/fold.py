"""Deformation `fold`: a drop of glass so strong that parts of the picture are seen several times."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation
from gpu.source.deformations.kit.radial import PERIOD, RADIUS, TRAVEL, wandering_drop

fold = DEFORMATIONS.add("fold", order=120)(
    Deformation(
        "Fold",
        "A drop of glass that turns the picture over: its inside repeats what is seen outside. The map is not one to "
        "one there; the outside counts as the surface that is seen, the inside as new.",
        (
            ParameterInfo("strength", "Strength", 2.0, 1, 4, 0.05, "", "Above 1 the middle is turned over"),
            replace(RADIUS, default=0.16),
            replace(TRAVEL, default=0.1),
            PERIOD,
        ),
        partial(wandering_drop, folds=True),
    )
)
