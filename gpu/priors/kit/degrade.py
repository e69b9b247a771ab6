"""Degradation γ, which every prior takes: mixes in independent noise and keeps the variance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from gpu.noise import rng
from gpu.priors import NoiseFrame, PriorContext, Run, steps_of


def mix(noise: torch.Tensor, independent: torch.Tensor, gamma: float) -> torch.Tensor:
    """((1 - γ) noise + γ independent) / sqrt((1 - γ)^2 + γ^2), for γ in [0, 1]; γ = 0 returns `noise` itself."""
    if gamma == 0:
        return noise
    return ((1 - gamma) * noise + gamma * independent) / math.hypot(1 - gamma, gamma)


def degrade(run: Run, context: PriorContext, gamma: float) -> Run:
    """The run with γ mixed into every frame by noise that is independent from frame to frame; states stay as they are.

    The prior's own memory is not degraded: frame t is mixed after it is transported.
    """
    return run if gamma == 0 else Degraded(run, context, gamma)


@dataclass
class Degraded:
    """A run whose frames are mixed with independent noise."""

    run: Run
    context: PriorContext
    gamma: float

    def steps(self, t: int) -> Iterator[None]:
        return steps_of(self.run, t)

    def frame(self, t: int) -> NoiseFrame:
        frame = self.run.frame(t)
        return NoiseFrame(mix(frame.noise, self.context.white(rng.DEGRADE, t), self.gamma), frame.state)
