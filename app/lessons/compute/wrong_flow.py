"""Noise carried along a wrong flow and measured along the true one, for the lesson on limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import motions
from app.lessons.compute.scene import Floats
from gpu.flow import maps
from gpu.metrics import coherence
from gpu.priors import Run
from gpu.source.motion import SourceMotion

SIZE, CHANNELS, FRAMES, LEVEL = 32, 4, 9, 2
DEGREES = 2.0  # of rotation a frame
WAVES = 6  # plane waves that an error field is made of
LONGEST = 2.0  # waves across the frame, at most: errors of estimators are smooth


@dataclass
class WrongMotion:
    """gpu.priors.Motion: the true backward flow plus an error of `size` pixels (root mean square), the same in every frame or
    a new one in each. Nothing marks it invalid but leaving the frame: nobody knows."""

    true: SourceMotion
    size: float
    same: bool
    seed: int
    cache: dict[int, torch.Tensor] = field(default_factory=dict)

    def mistake(self, t: int) -> torch.Tensor:
        """(H, W, 2) what is wrong with backward(t), in pixels."""
        key = 0 if self.same else t
        if key not in self.cache:
            self.cache[key] = smooth(1000 * self.seed + key)
        return self.size * self.cache[key]

    def backward(self, t: int) -> torch.Tensor:
        return self.true.backward(t) + self.mistake(t)

    def forward(self, t: int) -> torch.Tensor:
        return self.true.forward(t)

    def valid(self, t: int) -> torch.Tensor:
        return maps.inside(maps.pixel_centres(SIZE, SIZE) + self.backward(t), SIZE, SIZE)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros((SIZE, SIZE))


def smooth(seed: int) -> torch.Tensor:
    """(SIZE, SIZE, 2) a smooth random field of unit root mean square length."""
    draw = np.random.default_rng(seed)
    at = maps.pixel_centres(SIZE, SIZE).numpy() / SIZE
    total = np.zeros((SIZE, SIZE, 2))
    for _ in range(WAVES):
        wave = draw.uniform(-LONGEST, LONGEST, 2)
        phase = 2 * math.pi * (at @ wave + draw.uniform())
        total += np.cos(phase)[..., None] * draw.normal(size=2)
    return torch.from_numpy(total / math.sqrt((total**2).sum(-1).mean())).to(torch.float32)


@dataclass(frozen=True)
class WrongFlowResult:
    """What is left along the true motion: correlation with the frame before (mean over frames) and with frame 0 after the last
    one, `expected` the former in theory, the variance of the last frame, and the values that went into each."""

    previous: float
    first: float
    expected: float
    variance: float
    n_previous: int
    n_first: int


@lru_cache(maxsize=1)
def true_motion() -> motions.Moving:
    """The motion that really takes place."""
    return motions.deformed("rotation", {"degrees": DEGREES}, SIZE, SIZE, FRAMES)


@dataclass
class LedNoise:
    """Noise of FRAMES frames along a flow that is wrong, made one after another."""

    true: SourceMotion
    wrong: WrongMotion
    run: Run
    noises: list[torch.Tensor] = field(default_factory=list)

    def advance(self) -> bool:
        """One frame more; whether there was one missing."""
        if len(self.noises) == FRAMES:
            return False
        self.noises.append(self.run.frame(len(self.noises)).noise)
        return True

    def measured(self) -> WrongFlowResult:
        """What is left along the true motion, once all frames are there."""
        correlations, expected, n = [], [], 0
        for t in range(1, FRAMES):
            places, valid = motions.to_previous(self.true, t)
            value, used = coherence.correlation(self.noises[t - 1], self.noises[t], places, valid)
            correlations.append(value)
            n += used * CHANNELS
            expected.append(float(spline(self.wrong.mistake(t - 1)).mean()) * 1.5)
        places, valid = motions.to_first(true_motion(), FRAMES - 1)
        first, used = coherence.correlation(self.noises[0], self.noises[-1], places, valid)
        variance = float(self.noises[-1].var())
        return WrongFlowResult(
            sum(correlations) / len(correlations), first, sum(expected) / len(expected), variance, n, used * CHANNELS
        )


@lru_cache(maxsize=64)
def led(size: float, same: bool, seed: int) -> LedNoise:
    """Noise along a flow that is wrong by `size` pixels; nothing is made yet."""
    true = true_motion().motion()
    wrong = WrongMotion(true, size, same, seed)
    return LedNoise(true, wrong, motions.run("integral", wrong, (SIZE, SIZE), FRAMES, CHANNELS, seed, k=LEVEL))


@lru_cache(maxsize=256)
def result(size: float, same: bool, seed: int) -> WrongFlowResult:
    """`LedNoise.measured` after all of its frames."""
    made = led(size, same, seed)
    while made.advance():
        pass
    return made.measured()


def spline(error: torch.Tensor) -> torch.Tensor:
    """(...) the covariance, over all phases, of a unit square's noise with a bilinear sample `error` (..., 2) pixels beside
    the right place: the cubic B-spline of either component, multiplied."""
    x = error.abs()
    near = 2 / 3 - x.square() + x**3 / 2
    far = (2 - x).clamp(min=0) ** 3 / 6
    return torch.where(x < 1, near, far).prod(-1)


def arrows(size: float, same: bool, seed: int, every: int = 4, longer: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """Starts (n, 2) on a coarse grid, and where the true and the wrong backward flow of frame 1 lead from there, drawn
    `longer` times as long."""
    true = true_motion().motion()
    wrong = WrongMotion(true, size, same, seed)
    picked = (slice(every // 2, None, every), slice(every // 2, None, every))
    start = maps.pixel_centres(SIZE, SIZE)[picked].reshape(-1, 2)
    ends = [(start + longer * flow[picked].reshape(-1, 2)).numpy() for flow in (true.backward(0), wrong.backward(0))]
    return start.numpy(), ends[0], ends[1]
