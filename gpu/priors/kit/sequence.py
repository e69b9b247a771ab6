"""How priors run: as a function of the frame alone, or as a chain from frame to frame with random access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from gpu.errors import SessionError
from gpu.noise import rng
from gpu.noise.chain import Chain
from gpu.priors import KEPT, NoiseFrame, PriorContext, PriorInfo, Run

BUDGET = 64 << 20
"""Bytes of earlier frames one chain keeps."""


def by_frame(noise: Callable[[int], NoiseFrame]) -> Run:
    """The run of a prior whose noise is a function of the frame's number alone."""
    return _FrameRun(noise)


@dataclass
class _FrameRun:
    noise: Callable[[int], NoiseFrame]

    def frame(self, t: int) -> NoiseFrame:
        return self.noise(t)


def chain(context: PriorContext, step: Callable[[NoiseFrame, int], NoiseFrame]) -> Run:
    """The run of a prior whose noise at t is `step(noise at t - 1, t)`, by random access; white(FIELD, t) starts a shot."""
    pixel = context.channels * 4 + 1
    states: Chain[NoiseFrame] = Chain(
        lambda first: born(context, first),
        step,
        context.shot_start,
        keep=max(2, BUDGET // (pixel * context.height * context.width)),
    )
    return _ChainRun(states)


@dataclass
class _ChainRun:
    states: Chain[NoiseFrame]

    def frame(self, t: int) -> NoiseFrame:
        return self.states.at(t)


def kept(context: PriorContext, noise: torch.Tensor) -> NoiseFrame:
    """A frame all of whose pixels are KEPT: also what priors say that follow no motion."""
    state = torch.full((context.height, context.width), KEPT, dtype=torch.uint8, device=context.device)
    return NoiseFrame(noise, state)


def born(context: PriorContext, first: int) -> NoiseFrame:
    """The first frame of a shot, the same for every prior that has a memory."""
    return kept(context, context.white(rng.FIELD, first))


def number(context: PriorContext, info: PriorInfo, name: str) -> float:
    """The value of a prior's parameter: the session's, or its default; SessionError when it is not in its range."""
    its = next(parameter for parameter in info.parameters if parameter.name == name)
    value = context.parameters.get(name, its.default)
    if isinstance(value, (str, bool)) or not its.low <= value <= its.high:
        raise SessionError(
            f"{its.label} of {info.title} is {value!r}, but a number between {its.low:g} and {its.high:g} is expected."
        )
    return float(value)
