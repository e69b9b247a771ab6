"""Prior `ddim-inversion`: the noise that the model itself would turn into this frame, by running its flow backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.priors import PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    from gpu.priors import PriorContext, Run

INFO = PriorInfo(
    title="DDIM inversion",
    summary="Each frame's input, run backwards through the model to noise: it follows the picture without any flow, but it "
    "is not white, and it costs as much as sampling.",
    source="Song, Meng, Ermon 2021, arXiv 2010.02502, Section 4.3; timed in Chang et al. 2024, arXiv 2504.03072, Table 3.",
    uses_motion=False,
    uses_task=True,
    white=False,
    unit_variance=False,
    remembers=False,
    born_white=False,
    hue="blue",
    dash="dash-dot",
)


def start(context: PriorContext) -> Run:
    from gpu.priors.kit.inversions import Inversions

    return Inversions(context)


PRIORS.add("ddim-inversion", order=120)(Prior(INFO, start))
