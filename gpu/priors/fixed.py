"""Prior `fixed`: the shot's first noise in every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="Fixed",
    summary="The same noise in every frame of a shot: it sticks to the screen while the picture moves beneath it.",
    source="The usual baseline; see Chang et al. 2024, arXiv 2504.03072, Table 1.",
    uses_motion=False,
    hue="sky",
    dash="dashed",
)


def start(context: PriorContext) -> Run:
    """The noise of the first frame of each frame's shot."""
    from gpu.priors.kit.sequence import born, by_frame

    return by_frame(lambda t: born(context, context.shot_start(t)))


PRIORS.add("fixed", order=20)(Prior(INFO, start))
