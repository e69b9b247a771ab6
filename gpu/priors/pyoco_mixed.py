"""Prior `pyoco-mixed`: a part shared by all frames and an independent part (Ge et al. 2023)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import NoiseFrame, PriorContext, Run

INFO = PriorInfo(
    title="PYoCo mixed",
    summary="A part that all frames of a shot share plus an independent part; blind to motion.",
    source="Ge et al. 2023, Preserve Your Own Correlation, arXiv 2305.10474, mixed noise model.",
    parameters=(
        ParameterInfo("alpha", "α", 1.0, 0.0, 8.0, 0.1, tip="Strength of the shared part; frames correlate α²/(1+α²)."),
    ),
    uses_motion=False,
    remembers=False,
    born_white=False,
    hue="yellow",
    dash="dashed",
)


def start(context: PriorContext) -> Run:
    """(α shared + ε_t) / sqrt(1 + α²); the shared part is the noise the shot's first frame is born with."""
    from gpu.noise import rng
    from gpu.priors.kit.sequence import by_frame, kept, number

    def noise(t: int) -> NoiseFrame:
        alpha = number(context, INFO, "alpha")
        shared = context.white(rng.FIELD, context.shot_start(t))
        fresh = context.white(rng.INDEPENDENT, t)
        return kept(context, (alpha * shared + fresh) / math.sqrt(1 + alpha * alpha))

    return by_frame(noise)


PRIORS.add("pyoco-mixed", order=30)(Prior(INFO, start))
