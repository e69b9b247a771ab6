"""Prior `fixed`: the shot's first noise in every frame."""

from __future__ import annotations

from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo
from gpu.priors.kit.sequence import ByFrame, born

INFO = PriorInfo(
    title="Fixed",
    summary="The same noise in every frame of a shot: it sticks to the screen while the picture moves beneath it.",
    source="The usual baseline; see Chang et al. 2024, arXiv 2504.03072, Table 1.",
    uses_motion=False,
)


def noise(context: PriorContext, t: int) -> NoiseFrame:
    """The noise of the first frame of t's shot."""
    return born(context, context.shot_start(t))


PRIORS.add("fixed", order=20)(ByFrame(INFO, noise))
