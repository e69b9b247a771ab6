"""Prior `pyoco-progressive`: each frame's noise is the last one's with some new noise added (Ge et al. 2023)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import NoiseFrame, PriorContext, Run

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
    hue="yellow",
    dash="dash-double-dot",
)


def start(context: PriorContext) -> Run:
    """(α n_{t-1} + ε_t) / sqrt(1 + α²)."""
    from gpu.noise import rng
    from gpu.priors.kit.sequence import chain, kept, number

    def step(previous: NoiseFrame, t: int) -> NoiseFrame:
        alpha = number(context, INFO, "alpha")
        fresh = context.white(rng.INDEPENDENT, t)
        return kept(context, (alpha * previous.noise + fresh) / math.sqrt(1 + alpha * alpha))

    return chain(context, step)


PRIORS.add("pyoco-progressive", order=40)(Prior(INFO, start))
