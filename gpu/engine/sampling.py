"""What a diffusion model makes of a frame and its noise, and how that is judged; for all who sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from gpu.diffusion.sampling.denoise import SamplerOptions, SamplerStep
from gpu.diffusion.tasks import TASKS, Task
from gpu.flow import maps
from gpu.metrics import quality
from gpu.priors import Motion

GAPS = (1, 5)
"""Warp errors are measured between frames this far apart."""

INVERTED_WITHOUT_TASK = "unconditional-texture"
"""The task whose model inverts frames to noise when a session has none of its own."""


@dataclass(frozen=True)
class TaskUse:
    """A diffusion task and the options that its sampler works with."""

    task: Task
    options: SamplerOptions

    @property
    def channels(self) -> int:
        """Channels of the initial noise and of every noise that the sampler injects, together."""
        return self.task.noise_channels * (1 + self.task.injections(self.options))

    def denoise(self, frame: torch.Tensor, noise: torch.Tensor, device: torch.device) -> Iterator[SamplerStep]:
        """The sampler on a frame (3, H, W) in [0, 1], a step at a time; closing it cancels. `noise` (channels, H, W) gives the
        initial noise and then, in groups of the task's channels, every noise that is injected."""
        width = self.task.noise_channels
        return self.task.sample(frame, lambda index: noise[index * width : (index + 1) * width], self.options, device)

    def invert(self, frame: torch.Tensor, device: torch.device) -> Iterator[torch.Tensor]:
        """The frame (3, H, W) inverted to noise by the task's model: yields after every step, the last is the result."""
        return self.task.invert(frame, self.options, device)


def inverting(use: TaskUse | None) -> TaskUse:
    """What inverts frames to noise: the session's own task, or the texture model where there is none."""
    if use is not None:
        return use
    task = TASKS.get(INVERTED_WITHOUT_TASK)
    return TaskUse(task, task.defaults)


class Reach(NamedTuple):
    """Where a frame's pixels were some frames earlier, (H, W, 2) absolute, and (H, W) where that is known."""

    positions: torch.Tensor
    valid: torch.Tensor


def reach(motion: Motion, t: int, gap: int) -> Reach:
    """Where frame t's pixels were in frame t - gap, by composing backward flows bilinearly."""
    first = motion.backward(t - 1)
    height, width = first.shape[:2]
    positions = maps.pixel_centres(height, width, first.device) + first
    valid = motion.valid(t - 1) & maps.inside(positions, height, width)
    for earlier in range(t - 2, t - gap - 1, -1):
        seen = maps.covered(motion.valid(earlier), positions)
        positions = positions + maps.sample(motion.backward(earlier), positions)
        valid = valid & seen & maps.inside(positions, height, width)
    return Reach(positions, valid)


def judge(
    outputs: Callable[[int], torch.Tensor | None],
    t: int,
    motion: Motion,
    truth: torch.Tensor | None,
    first: int = 0,
) -> tuple[quality.Quality, torch.Tensor | None]:
    """Measures of the output of frame t, and the (H, W) squared differences to the frame before along the motion, None
    without that frame. `outputs(t)` are (3, H, W) in [0, 1], None where there is none; nothing before frame `first`, where the
    shot begins, is compared with. `truth` is what a perfect output would be, None where nothing is known."""
    output = outputs(t)
    if output is None:
        raise ValueError(f"frame {t} has no output to judge")
    errors: dict[int, tuple[float, float]] = {}
    difference = None
    for gap in GAPS:
        before = outputs(t - gap) if t - gap >= first else None
        if before is None:
            errors[gap] = math.nan, math.nan
            continue
        was = reach(motion, t, gap)
        error, coverage, squares = quality.warp_error(output, before, was.positions, was.valid)
        errors[gap] = error, coverage
        if gap == 1:
            difference = squares
    judged = quality.Quality(
        *errors[1],
        *errors[5],
        psnr=math.nan if truth is None else quality.psnr(output, truth),
        sharpness=math.nan if truth is None else quality.sharpness(output, truth),
        laplacian=quality.laplacian_variance(output),
    )
    return judged, difference
