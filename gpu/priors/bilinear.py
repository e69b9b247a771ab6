"""Prior `bilinear`: noise resampled like a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Bilinear",
    summary="Resamples the noise like a picture: averaging lowers its variance and ties neighbours together.",
    source="Baseline of Chang et al. 2024, arXiv 2504.03072.",
    modes=("anchored", "chained"),
    white=False,
    unit_variance=False,
    hue="vermillion",
    dash="dash-dot",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit import interpolation

    return interpolation.start(context, interpolation.BILINEAR)


PRIORS.add("bilinear", order=60)(Prior(INFO, start))
