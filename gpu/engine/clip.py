"""Noise without an engine: any prior along any motion of an opened clip: the true one, an estimate, or one with errors."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from gpu import devices
from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.tasks import Task
from gpu.engine import output_quality, task_settings
from gpu.engine.results import Update
from gpu.metrics import coherence
from gpu.noise import backends, transport
from gpu.priors import KEPT, PRIORS, Motion, PriorContext, Run
from gpu.priors.kit.degrade import degrade
from gpu.session import MotionSettings, PriorSettings, SourceSettings
from gpu.source import Source
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

T = TypeVar("T")
IMAGES = 8
"""Frames of a clip that are kept."""


@dataclass
class Clip:
    """An opened source without cuts, the motion that everything is measured along, and what computes noise.

    `motion` is the source's true motion where it is known. `carriers` are transports by motion, seed and grid.
    """

    source: Source
    motion: SourceMotion
    device: torch.device
    backend: backends.Backend
    carriers: dict[tuple[int, int, int, int, str], transport.Transport] = field(default_factory=dict)
    motions: list[Motion] = field(default_factory=list)  # keeps what `carriers` knows by its identity
    images: dict[int, torch.Tensor] = field(default_factory=dict)  # the last few
    ceilings: dict[tuple[str, int], float] = field(default_factory=dict)  # of the coherence, by what with and frame

    def image(self, t: int) -> torch.Tensor:
        """Frame t as (3, H, W) float32 in [0, 1]."""
        if t not in self.images:
            while len(self.images) >= IMAGES:
                self.images.pop(next(iter(self.images)))
            frame = torch.from_numpy(self.source.frame(t).copy()).to(self.device)
            self.images[t] = frame.permute(2, 0, 1).to(torch.float32) / 255
        return self.images[t]

    def carrier(
        self, motion: Motion | None = None, seed: int = 7, k: int = 3, s: int = 4, fill: str = "two-stage"
    ) -> transport.Transport:
        """The transport along `motion` (None: the clip's own), the same object for the same settings."""
        along = self.motion if motion is None else motion
        name = (id(along), seed, k, s, fill)
        if name not in self.carriers:
            self.motions.append(along)
            self.carriers[name] = transport.Transport(
                along, self.source.height, self.source.width, lambda t: 0, seed, self.backend, self.device, k, s, fill
            )
        return self.carriers[name]

    def estimated(self, name: str) -> Motion:
        """What the flow estimator `name` makes of the frames. ChoiceError when there is none of that name."""
        return SourceMotion(self.source, MotionSettings(name), self.device)


@contextmanager
def opened(settings: SourceSettings, backend: str = "auto") -> Iterator[Clip]:
    """The clip of `settings`, closed when the block is left, also by cancelling. What is wrong with them is raised as the
    NoisescopeError that says so."""
    device = devices.device("auto")
    source = open_source(settings)
    try:
        computing = backends.Backend(backend, device)
        try:
            yield Clip(source, SourceMotion(source, MotionSettings(), device), device, computing)
        finally:
            computing.close()
    finally:
        source.close()


def start(
    clip: Clip,
    prior: PriorSettings,
    seed: int,
    channels: int,
    motion: Motion | None = None,
    k: int = 3,
    s: int = 4,
    task: Task | None = None,
    options: SamplerOptions | None = None,
) -> Run:
    """`prior` at work on the clip along `motion` (None: the clip's own). `task` and `options` are what a prior inverts the
    frames with that does so."""
    kind, source = PRIORS.get(prior.name), clip.source
    chosen = options or SamplerOptions()
    context = PriorContext(
        source.height, source.width, channels, source.frames, seed, clip.device, motion or clip.motion, clip.image,
        lambda t: 0, clip.carrier(motion, seed, k, s),
        lambda t: task_settings.invert(task, chosen if task else SamplerOptions(), clip.image(t), clip.device),
        prior.mode or (kind.info.modes[0] if kind.info.modes else ""), dict(prior.parameters),
    )  # fmt: skip
    return degrade(kind.start(context), context, prior.gamma)


def with_previous(clip: Clip, run: Run, t: int, channels: int) -> tuple[float, float]:
    """Correlation of frame t's noise with frame t-1's along the clip's motion, and its ceiling (gpu.metrics.coherence)."""
    step = output_quality.reach(clip.motion, t, 1)
    before, here = run.frame(t - 1).noise[:channels], run.frame(t).noise[:channels]
    found, _ = coherence.correlation(before, here, step.positions, step.valid)
    return found, _ceiling(clip, "previous", t, step.positions, step.valid)


def with_first(clip: Clip, run: Run, t: int, channels: int) -> tuple[float, float]:
    """Correlation of frame t's noise with frame 0's along the clip's motion, over the pixels that were seen there; ceiling."""
    track = clip.carrier().track(t)
    known = (track.label == 0) & (track.state == KEPT)
    first, here = run.frame(0).noise[:channels], run.frame(t).noise[:channels]
    found, _ = coherence.correlation(first, here, track.position, known)
    return found, _ceiling(clip, "first", t, track.position, known)


def _ceiling(clip: Clip, which: str, t: int, positions: torch.Tensor, valid: torch.Tensor) -> float:
    """The ceiling belongs to the motion alone, so that it is worked out once for all noises."""
    if (which, t) not in clip.ceilings:
        clip.ceilings[which, t] = coherence.ceiling(positions, valid)
    return clip.ceilings[which, t]


def within(
    steps: Generator[Update, None, T], number: float, total: float, prefix: str = "", weight: float = 1
) -> Generator[Update, None, T]:
    """Pass the updates on of a job of `weight` that begins after `number` of `total`; returns what the job returns. Closing it
    closes the job."""
    try:
        while True:
            try:
                update = next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            share = weight * update.done / max(update.total, 1)
            yield Update(round(1000 * (number + share)), round(1000 * total), prefix + update.what)
    finally:
        steps.close()
