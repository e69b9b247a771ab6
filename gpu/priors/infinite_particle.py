"""Prior `infinite-particle`: ∫-noise in the limit of endlessly fine sub-pixels, by shares, from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.parameters import switch
from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="∞-resolution particles",
    summary="∫-noise without any sub-pixels: a pixel's value is cut exactly into the shares that the pixels of the next frame "
    "ask for. White and quick, but each frame forgets a part of the first.",
    source="Deng et al. 2025, Infinite-Resolution Integral Noise Warping, arXiv 2411.01212, particle variant",
    modes=("chained",),
    parameters=(
        switch(
            "whole",
            "Hand out whole pixels",
            False,
            tip="Divide what is asked of a pixel by its sum always, as published, and not only where it exceeds the pixel.",
        ),
    ),
    hue="sky",
    dash="long",
)


def start(context: PriorContext) -> Run:
    """Shares of bilinear footprints, chained."""
    from gpu.priors.kit import shares

    return shares.start(context, bool(context.parameters.get("whole", False)))


PRIORS.add("infinite-particle", order=104)(Prior(INFO, start))
