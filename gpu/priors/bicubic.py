"""Prior `bicubic`: noise resampled with the cubic kernel of Keys 1981."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Bicubic",
    summary="Resamples the noise with a sharper kernel: loses less variance than bilinear, but is not white.",
    source="Baseline of Chang et al. 2024, arXiv 2504.03072; kernel of Keys 1981 with a = −0.75.",
    modes=("anchored", "chained"),
    white=False,
    unit_variance=False,
    hue="vermillion",
    dash="long",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit import interpolation

    return interpolation.start(context, interpolation.BICUBIC)


PRIORS.add("bicubic", order=61)(Prior(INFO, start))
