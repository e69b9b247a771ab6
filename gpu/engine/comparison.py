"""A session at work, as one value: what it opened, the priors, and what has been computed so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from gpu import devices
from gpu.cache import ByteCache
from gpu.engine import memory, task_settings
from gpu.engine.clip import Clip, Opened
from gpu.engine.frame_cache import FrameCache
from gpu.engine.sampling import TaskUse
from gpu.noise.backends import Backend
from gpu.priors import NoiseFrame, Run
from gpu.session import Session
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source


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
    columns = len(session.priors)
    memory.check(session.source.height, session.source.width, session.noise, columns, session.source.frames or 2)
    with ExitStack() as undo:
        if old and old.session.source == session.source:
            source = old.opened.source
        else:
            source = open_source(session.source)
            undo.callback(source.close)
        memory.check(source.height, source.width, session.noise, columns, source.frames)
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
        clip = opened.clip(device, old.clip if old else None)
        runs = started(session, clip, use, {})
    except BaseException:
        opened.close(but=old.opened if old else None)
        raise
    source = opened.source
    kept = memory.kept_noise(source.height, source.width, channels, len(session.priors))
    noises: ByteCache[tuple[str, int], NoiseFrame] = ByteCache(kept, _noise_bytes)
    return Comparison(session, device, opened, use, channels, clip, runs, noises, FrameCache(source.frames, limit))
