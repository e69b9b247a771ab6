"""Prior `random`: independent noise in every frame, what image models do frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Random",
    summary="New independent noise in every frame: white, and without any memory of the frame before.",
    source="The usual baseline; see Chang et al. 2024, arXiv 2504.03072, Table 1.",
    uses_motion=False,
    remembers=False,
    hue="neutral",
    dash="dotted",
)


def start(context: PriorContext) -> Run:
    """White noise born in each frame."""
    from gpu.noise import rng
    from gpu.priors.kit.sequence import by_frame, kept

    return by_frame(lambda t: kept(context, context.white(rng.FIELD, t)))


PRIORS.add("random", order=10)(Prior(INFO, start))
