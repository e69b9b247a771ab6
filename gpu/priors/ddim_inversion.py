"""Prior `ddim-inversion`: the noise that the model itself would turn into this frame, by running its flow backwards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from gpu.noise import rng
from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo, Run
from gpu.priors.kit.sequence import kept

KEEP = 8
"""Frames at hand; the engine keeps more."""

INFO = PriorInfo(
    title="DDIM inversion",
    summary="Each frame's input, run backwards through the model to noise: it follows the picture without any flow, but it "
    "is not white, and it costs as much as sampling.",
    source="Song, Meng, Ermon 2021, arXiv 2010.02502, Section 4.3; timed in Chang et al. 2024, arXiv 2504.03072, Table 3.",
    uses_motion=False,
    uses_task=True,
    white=False,
)


class DdimInversion:
    """Inverts every frame on its own by the model of the session's task, or the texture model where there is no task.

    The inverted channels are the model's; channels beyond them, such as injected noise, are white and independent in every
    frame. Frames are inverted once and then at hand for a while.
    """

    info = INFO

    def start(self, context: PriorContext) -> Run:
        return _Inversions(context)


@dataclass
class _Inversions:
    context: PriorContext
    done: OrderedDict[int, torch.Tensor] = field(default_factory=OrderedDict)

    def steps(self, t: int) -> Iterator[None]:
        if t in self.done:
            return
        states = self.context.invert(t)
        noise = next(states)
        for state in states:
            yield
            noise = state
        self.done[t] = noise
        while len(self.done) > KEEP:
            self.done.popitem(last=False)

    def frame(self, t: int) -> NoiseFrame:
        for _ in self.steps(t):
            pass
        inverted = self.done[t]
        self.done.move_to_end(t)
        white = self.context.white(rng.INDEPENDENT, t)
        noise = torch.cat([inverted.to(white), white[len(inverted) :]])[: self.context.channels]
        return kept(self.context, noise)


PRIORS.add("ddim-inversion", order=120)(DdimInversion())
