"""Prior `root-bilinear`: bilinear with the square roots of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Root-bilinear",
    summary="Bilinear with the square roots of the weights: keeps the variance, but ties neighbours together.",
    source="Asked for in the review of Chang et al. 2024 (ICLR 2024); weights √w, whose squares sum to 1.",
    # No chain: √w keeps the variance of independent pixels only. Its weights sum to up to 2, so from the second
    # frame on the correlated part grows, by up to 4 times in variance a frame.
    modes=("anchored",),
    white=False,
    hue="orange",
    dash="long",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit import interpolation

    return interpolation.start(context, interpolation.ROOT_BILINEAR)


PRIORS.add("root-bilinear", order=70)(Prior(INFO, start))
