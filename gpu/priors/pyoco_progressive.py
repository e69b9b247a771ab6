"""Prior `pyoco-progressive`: each frame's noise is the last one's with some new noise added (Ge et al. 2023)."""

from __future__ import annotations

import math

from gpu.noise import rng
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo
from gpu.priors.kit.sequence import Chained, kept, number

INFO = PriorInfo(
    title="PYoCo progressive",
    summary="The previous frame's noise with some new noise mixed in; blind to motion, and forgets step by step.",
    source="Ge et al. 2023, Preserve Your Own Correlation, arXiv 2305.10474, progressive noise model.",
    parameters=(
        ParameterInfo(
            "alpha",
            "α",
            2.0,
            0.0,
            8.0,
            0.1,
            tip="Strength of the previous frame; neighbours correlate α/√(1+α²).",
        ),
    ),
    uses_motion=False,
)


def step(context: PriorContext, previous: NoiseFrame, t: int) -> NoiseFrame:
    """(α n_{t-1} + ε_t) / sqrt(1 + α²)."""
    alpha = number(context, INFO, "alpha")
    fresh = context.white(rng.INDEPENDENT, t)
    return kept(context, (alpha * previous.noise + fresh) / math.sqrt(1 + alpha * alpha))


PRIORS.add("pyoco-progressive", order=40)(Chained(INFO, step))
