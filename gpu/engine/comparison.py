"""A session at work, as one value: what it opened, the priors, and what has been computed so far."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from gpu import devices
from gpu.cache import ByteCache
from gpu.engine import task_settings
from gpu.engine.clip import Clip, Opened
from gpu.engine.frame_cache import FrameCache
from gpu.engine.sampling import TaskUse
from gpu.errors import SizeError
from gpu.noise.backends import Backend
from gpu.priors import NoiseFrame, Run
from gpu.session import Session
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

NOISE_CACHE_BYTES = 64 << 20
"""Of noise of the last frames of all columns; more where one frame of all of them takes it."""

PIXEL_BYTES = 600
"""Memory that working on one frame takes a pixel, beside the bounded caches: measured for integral, k = 3, 4 channels."""


def _check_memory(height: int, width: int) -> None:
    """SizeError when frames of that size cannot be worked on in this machine's memory."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return
    if height * width * PIXEL_BYTES > there:
        raise SizeError(
            f"Frames of {height} × {width} pixels need about {height * width * PIXEL_BYTES / 1e9:.0f} GB of memory; "
            f"this machine has {there / 1e9:.0f} GB. Choose a smaller size."
        )


@dataclass(frozen=True)
class Comparison:
    """A session at work: what changing its settings replaces, as one value."""

    session: Session
    device: torch.device
    opened: Opened
    use: TaskUse | None
    channels: int
    clip: Clip
    runs: dict[str, Run]
    noises: ByteCache[tuple[str, int], NoiseFrame]
    cache: FrameCache

    def remembered(self, key: str) -> Remembered:
        """The prior at work in one column, with its last frames kept."""
        return Remembered(self.runs[key], key, self.noises)


@dataclass(frozen=True)
class Remembered:
    """gpu.priors.Run with its last frames at hand."""

    run: Run
    key: str
    noises: ByteCache[tuple[str, int], NoiseFrame]

    def frame(self, t: int) -> NoiseFrame:
        if (self.key, t) not in self.noises:
            self.noises[self.key, t] = self.run.frame(t)
        return self.noises[self.key, t]


def _noise_bytes(frame: NoiseFrame) -> int:
    return frame.noise.nbytes + frame.state.nbytes


def _open(session: Session, device: torch.device, old: Comparison | None) -> Opened:
    """What the session's source, backend and motion ask for; of `old` the parts that the same settings would make again. On an
    error everything is closed that was opened here."""
    _check_memory(session.source.height, session.source.width)
    with ExitStack() as undo:
        if old and old.session.source == session.source:
            source = old.opened.source
        else:
            source = open_source(session.source)
            undo.callback(source.close)
        _check_memory(source.height, source.width)
        same_device = old is not None and old.device == device
        if old and same_device and old.session.noise.backend == session.noise.backend:
            backend = old.opened.backend
        else:
            backend = Backend(session.noise.backend, device)
            undo.callback(backend.close)
        if old and same_device and old.opened.source is source and old.session.motion == session.motion:
            motion = old.opened.motion
        else:
            motion = SourceMotion(source, session.motion, device)
        undo.pop_all()
    return Opened(source, backend, motion)


def started(session: Session, clip: Clip, use: TaskUse | None, runs: Mapping[str, Run]) -> dict[str, Run]:
    """Every prior of the session at work, those of `runs` as they are."""
    noise = dataclasses.replace(session.noise, channels=task_settings.channels_of(session, use))
    return {
        prior.key: runs[prior.key] if prior.key in runs else clip.start(prior, noise, use=use)
        for prior in session.priors
    }


def opened_anew(session: Session, limit: int, old: Comparison | None) -> Comparison:
    """The session at work with nothing computed yet. On an error `old` and all that it holds are as they were."""
    use, device = task_settings.task_use(session), devices.device(session.noise.device)
    channels = task_settings.channels_of(session, use)
    opened = _open(session, device, old)
    try:
        clip = opened.clip(device)
        runs = started(session, clip, use, {})
    except BaseException:
        opened.close(but=old.opened if old else None)
        raise
    source = opened.source
    # Every column's frame is compared with the one before and with the shot's first: so many are kept however large they are.
    frame = (4 * channels + 1) * source.height * source.width
    kept = max(NOISE_CACHE_BYTES, 3 * len(session.priors) * frame)
    noises: ByteCache[tuple[str, int], NoiseFrame] = ByteCache(kept, _noise_bytes)
    return Comparison(session, device, opened, use, channels, clip, runs, noises, FrameCache(source.frames, limit))
