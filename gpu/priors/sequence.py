"""How priors run: as a function of the frame alone, or as a chain from frame to frame with random access."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from gpu.noise import rng
from gpu.priors import KEPT, NoiseFrame, PriorContext, PriorInfo, Run

T = TypeVar("T")

BUDGET = 128 << 20
"""Bytes of earlier frames one chain keeps."""

RECENT = 4
"""Frames kept because they were asked for last, beside the checkpoints."""


@dataclass
class ByFrame:
    """A prior whose noise is a function of (context, frame)."""

    info: PriorInfo
    noise: Callable[[PriorContext, int], NoiseFrame]

    def start(self, context: PriorContext) -> Run:
        return _FrameRun(context, self.noise)


@dataclass
class _FrameRun:
    context: PriorContext
    noise: Callable[[PriorContext, int], NoiseFrame]

    def frame(self, t: int) -> NoiseFrame:
        return self.noise(self.context, t)


@dataclass
class Chained:
    """A prior whose noise at t is `step(context, noise at t - 1, t)`, and white(FIELD, t) where a shot starts."""

    info: PriorInfo
    step: Callable[[PriorContext, NoiseFrame, int], NoiseFrame]

    def start(self, context: PriorContext) -> Run:
        return chain(context, self.step)


def chain(context: PriorContext, step: Callable[[PriorContext, NoiseFrame, int], NoiseFrame]) -> Run:
    """The run of a chained prior, by random access."""
    pixel = context.channels * 4 + 1
    states: Chain[NoiseFrame] = Chain(
        lambda first: born(context, first),
        lambda previous, t: step(context, previous, t),
        context.shot_start,
        keep=max(2, BUDGET // (pixel * context.height * context.width)),
    )
    return _ChainRun(states)


@dataclass
class _ChainRun:
    states: Chain[NoiseFrame]

    def frame(self, t: int) -> NoiseFrame:
        return self.states.at(t)


class Chain(Generic[T]):
    """States x(t) = step(x(t - 1), t), x(first) = start(first), by random access: always the same values.

    At most `keep` states are kept as checkpoints, evenly spaced; the spacing doubles when they are full. So a frame
    costs at most the spacing in steps, except in a stretch never visited. The shot's first frame need not be kept.
    """

    def __init__(
        self, start: Callable[[int], T], step: Callable[[T, int], T], first: Callable[[int], int], keep: int
    ) -> None:
        self._start, self._step, self._first, self._keep = start, step, first, keep
        self._spacing = 1
        self._checkpoints: dict[int, T] = {}
        self._recent: OrderedDict[int, T] = OrderedDict()

    def at(self, t: int) -> T:
        """The state of frame t."""
        first = self._first(t)
        known = t
        while known > first and known not in self._checkpoints and known not in self._recent:
            known -= 1
        if known in self._recent:
            state = self._recent[known]
        elif known in self._checkpoints:
            state = self._checkpoints[known]
        else:
            state = self._start(first)
        for frame in range(known + 1, t + 1):
            state = self._step(state, frame)
            self._remember(frame, state)
        self._recent[t] = state
        self._recent.move_to_end(t)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return state

    def kept(self) -> int:
        """How many states are held now."""
        return len(self._checkpoints.keys() | self._recent.keys())

    def _remember(self, t: int, state: T) -> None:
        if t % self._spacing:
            return
        self._checkpoints[t] = state
        while len(self._checkpoints) > self._keep:
            self._spacing *= 2
            self._checkpoints = {at: kept for at, kept in self._checkpoints.items() if at % self._spacing == 0}


def kept(context: PriorContext, noise: torch.Tensor) -> NoiseFrame:
    """A frame all of whose pixels are KEPT: also what priors say that follow no motion."""
    state = torch.full((context.height, context.width), KEPT, dtype=torch.uint8, device=context.device)
    return NoiseFrame(noise, state)


def born(context: PriorContext, first: int) -> NoiseFrame:
    """The first frame of a shot, the same for every prior that has a memory."""
    return kept(context, context.white(rng.FIELD, first))


def number(context: PriorContext, info: PriorInfo, name: str) -> float:
    """The value of a prior's parameter: the session's, or its default."""
    default = next(parameter.default for parameter in info.parameters if parameter.name == name)
    return float(context.parameters.get(name, default))
