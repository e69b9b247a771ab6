"""Frames run backwards through the model of the session's task, or the texture model where there is no task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from cachetools import LRUCache

from gpu.noise import rng
from gpu.priors import NoiseFrame, PriorContext
from gpu.priors.kit.sequence import kept

KEEP = 8
"""Frames at hand; the engine keeps more."""


@dataclass
class Inversions:
    """Every frame inverted on its own, once, and then at hand for a while.

    The inverted channels are the model's; channels beyond them, such as injected noise, are white and independent in every
    frame.
    """

    context: PriorContext
    done: LRUCache[int, torch.Tensor] = field(default_factory=lambda: LRUCache(KEEP))

    def steps(self, t: int) -> Iterator[None]:
        if t in self.done:
            return
        states = self.context.invert(t)
        noise = next(states)
        for state in states:
            yield
            noise = state
        self.done[t] = noise

    def frame(self, t: int) -> NoiseFrame:
        for _ in self.steps(t):
            pass
        inverted = self.done[t]
        white = self.context.white(rng.INDEPENDENT, t)
        noise = torch.cat([inverted.to(white), white[len(inverted) :]])[: self.context.channels]
        return kept(self.context, noise)
