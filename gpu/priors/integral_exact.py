"""Prior `integral-exact`: ∫-noise in the limit of endlessly fine sub-pixels, by exact areas, from anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="∫-noise, exact areas",
    summary="∫-noise without any sub-pixels, from anchors: a pixel's value is cut exactly into the areas that the pixels of a "
    "frame cover. White, and as close to frame 0 as ∫-noise; but two frames share that value and no detail below it, so that "
    "it keeps less of the frame before (0.44 on a rotation, not 0.67), and flickers where the picture grows.",
    source="Deng et al. 2025, Infinite-Resolution Integral Noise Warping, arXiv 2411.01212, grid variant",
    modes=("anchored",),
    hue="blue",
    dash="long",
)


def start(context: PriorContext) -> Run:
    """Shares of exact areas, anchored."""
    from gpu.priors.kit.areas import Areas

    return Areas(context)


PRIORS.add("integral-exact", order=102)(Prior(INFO, start))
