"""Prior `integral`: ∫-noise, carried along the motion from anchors by exact ownership of sub-pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="∫-noise",
    summary="A pixel is the integral of an endlessly fine noise field; each frame gathers the sub-pixels that its "
    "pixels cover in their anchor frame. It follows the motion and stays exactly white.",
    source="Chang et al. 2024, How I Warped Your Noise, arXiv 2504.03072",
    modes=("anchored",),
    hue="green",
    dash="solid",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit.integral_run import IntegralRun

    return IntegralRun(context)


PRIORS.add("integral", order=100)(Prior(INFO, start))
