"""Prior `nearest`: the nearest pixel's noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Nearest",
    summary="Takes the nearest pixel's noise: keeps the variance, but copies pixels where the picture expands.",
    source="Baseline of Chang et al. 2024, arXiv 2504.03072.",
    modes=("anchored", "chained"),
    white=False,
    hue="orange",
    dash="dotted",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit import interpolation

    return interpolation.start(context, interpolation.NEAREST)


PRIORS.add("nearest", order=62)(Prior(INFO, start))
