"""Prior `pyoco-mixed`: a part shared by all frames and an independent part (Ge et al. 2023)."""

from __future__ import annotations

import math

from gpu.noise import rng
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo
from gpu.priors.kit.sequence import ByFrame, kept, number

INFO = PriorInfo(
    title="PYoCo mixed",
    summary="A part that all frames of a shot share plus an independent part; blind to motion.",
    source="Ge et al. 2023, Preserve Your Own Correlation, arXiv 2305.10474, mixed noise model.",
    parameters=(
        ParameterInfo("alpha", "α", 1.0, 0.0, 8.0, 0.1, tip="Strength of the shared part; frames correlate α²/(1+α²)."),
    ),
    uses_motion=False,
)


def noise(context: PriorContext, t: int) -> NoiseFrame:
    """(α shared + ε_t) / sqrt(1 + α²); the shared part is the noise the shot's first frame is born with."""
    alpha = number(context, INFO, "alpha")
    shared = context.white(rng.FIELD, context.shot_start(t))
    fresh = context.white(rng.INDEPENDENT, t)
    return kept(context, (alpha * shared + fresh) / math.sqrt(1 + alpha * alpha))


PRIORS.add("pyoco-mixed", order=30)(ByFrame(INFO, noise))
