"""Short videos that a bundled diffusion model makes of several noise priors, sampled step by step as they are looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Bytes
from gpu.assets import asset
from gpu.diffusion.tasks import TASKS, SamplerOptions, SamplerStep, Task
from gpu.engine.sampling import GAPS, TaskUse, judge
from gpu.metrics import quality
from gpu.priors import Run
from gpu.session import MotionSettings, SourceSettings
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

SIZE, FRAMES, STEPS = 64, 16, 6
PRIORS = ("random", "fixed", "integral")
STILL = "stills/picos.jpg"


@dataclass(frozen=True)
class Measured:
    """Means over the frames of a video: warp errors ×10⁻³ over gaps of 1 and 5 frames, sharpness (variance of the Laplacian of
    the luma on the 0-255 scale), and how many frames went in. NaN where there are too few."""

    warp_error: float
    warp_error_5: float
    laplacian: float
    frames: int


@dataclass
class Video:
    """One clip and task. `outputs` and `noises` hold, by prior, what is there so far: (3, H, W) in [0, 1] and (C, H, W)."""

    clip: tuple[torch.Tensor, ...]
    motion: SourceMotion
    task: Task
    options: SamplerOptions
    seed: int
    runs: dict[str, Run] = field(default_factory=dict)
    noises: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    outputs: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    errors: dict[tuple[str, int], list[float]] = field(default_factory=dict)  # by prior and gap
    details: dict[str, list[float]] = field(default_factory=dict)
    going: tuple[str, Iterator[SamplerStep]] | None = None
    preview: torch.Tensor | None = None

    def known(self, priors: Sequence[str] = PRIORS) -> int:
        """How many frames are there of all these priors."""
        return min(len(self.outputs.get(prior, ())) for prior in priors)

    def noise(self, prior: str, t: int) -> torch.Tensor:
        """(C, H, W) noise of frame t."""
        if prior not in self.runs:
            height, width = self.clip[0].shape[1:]
            self.runs[prior] = motions.run(
                prior, self.motion, (height, width), len(self.clip), self.task.noise_channels, self.seed, k=2
            )
        noises = self.noises.setdefault(prior, [])
        while len(noises) <= t:
            noises.append(self.runs[prior].frame(len(noises)).noise)
        return noises[t]

    def advance(self, priors: Sequence[str] = PRIORS, frames: int = FRAMES) -> bool:
        """One step of the sampler for the frame that is missing first; whether there was one to do. What was begun is kept, so
        that no step is done twice however often the settings change in between."""
        if self.going is None:
            missing = [(len(self.outputs.get(prior, ())), prior) for prior in priors]
            t, prior = min(missing, key=lambda pair: pair[0])
            if t >= min(frames, len(self.clip)):
                return False
            noise = self.noise(prior, t)
            self.going = prior, TaskUse(self.task, self.options).denoise(self.clip[t], noise, CPU)
        prior, steps = self.going
        step = next(steps)
        self.preview = step.image
        if step.index == step.total:
            self.going = self.preview = None
            self.outputs.setdefault(prior, []).append(step.image)
            self._measure(prior)
        return True

    def _measure(self, prior: str) -> None:
        outputs = self.outputs[prior]
        t = len(outputs) - 1
        judged, _ = judge(lambda frame: outputs[frame], t, self.motion, None)
        self.details.setdefault(prior, []).append(judged.laplacian)
        for gap, error in zip(GAPS, (judged.warp_error, judged.warp_error_5), strict=True):
            if t >= gap:
                self.errors.setdefault((prior, gap), []).append(1e3 * error)

    def measured(self, prior: str) -> Measured:
        """The means so far."""
        near, far, detail = self.errors.get((prior, 1)), self.errors.get((prior, 5)), self.details.get(prior)
        return Measured(_mean(near), _mean(far), _mean(detail), len(detail or ()))

    def detail_of_clip(self) -> float:
        """The same sharpness of the clip itself."""
        return _mean([quality.laplacian_variance(frame) for frame in self.clip])

    def row(self, prior: str, y: int) -> Bytes:
        """(T, W, 3) bytes: row y of every frame that is there; grey where there is none yet."""
        lines = np.full((len(self.clip), self.clip[0].shape[2], 3), 128, np.uint8)
        for t, output in enumerate(self.outputs.get(prior, ())):
            lines[t] = picture(output)[y]
        return lines


def _mean(values: list[float] | None) -> float:
    return sum(values) / len(values) if values else math.nan


def picture(image: torch.Tensor) -> Bytes:
    """(3, H, W) in [0, 1] as (H, W, 3) bytes."""
    return np.ascontiguousarray((image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).numpy())


def colours(noise: torch.Tensor) -> Bytes:
    """The first three channels of noise as a picture: values from -3 to 3."""
    return picture(noise[:3] / 6 + 0.5)


@lru_cache(maxsize=24)
def video(task: str, name: str, parameters: tuple[tuple[str, float], ...], seed: int, frames: int = FRAMES) -> Video:
    """The video of a bundled still under the deformation `name`, for the task of that name; nothing is sampled yet."""
    clip, motion = moving(name, parameters, frames)
    chosen = TASKS.get(task)
    return Video(clip, motion, chosen, replace(chosen.defaults, steps=STEPS), seed)


@lru_cache(maxsize=48)
def moving(
    name: str, parameters: tuple[tuple[str, float], ...], frames: int = FRAMES
) -> tuple[tuple[torch.Tensor, ...], SourceMotion]:
    """The still's frames (3, SIZE, SIZE) in [0, 1] under a deformation, and its true motion."""
    settings = SourceSettings(
        "synthetic", str(asset(STILL)), name, dict(parameters), height=SIZE, width=SIZE, frames=frames
    )
    source = open_source(settings)
    clip = tuple(torch.from_numpy(source.frame(t)).permute(2, 0, 1).float() / 255 for t in range(frames))
    return clip, SourceMotion(source, MotionSettings("truth"), CPU)
