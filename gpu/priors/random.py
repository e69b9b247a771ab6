"""Prior `random`: independent noise in every frame, what image models do frame by frame."""

from __future__ import annotations

from gpu.noise import rng
from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo
from gpu.priors.kit.sequence import ByFrame, kept

INFO = PriorInfo(
    title="Random",
    summary="New independent noise in every frame: white, and without any memory of the frame before.",
    source="The usual baseline; see Chang et al. 2024, arXiv 2504.03072, Table 1.",
    uses_motion=False,
)


def noise(context: PriorContext, t: int) -> NoiseFrame:
    """White noise born in frame t."""
    return kept(context, context.white(rng.FIELD, t))


PRIORS.add("random", order=10)(ByFrame(INFO, noise))
