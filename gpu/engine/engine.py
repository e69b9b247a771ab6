"""A session at work: opens the source, runs the priors, the measures and the task, one frame at a time."""

from __future__ import annotations

import dataclasses
import math
import os
from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from gpu import devices
from gpu.engine import output_quality, perceptual, pixel, task_settings
from gpu.engine.cache import Cache
from gpu.engine.results import F32, U8, Column, Flickers, FrameResult, Mask, SourceInfo, Update
from gpu.errors import SessionError, SizeError
from gpu.metrics import coherence, whiteness
from gpu.noise import backends, transport
from gpu.noise.inspect import Inspection
from gpu.parameters import resolve
from gpu.priors import INHERITED, NEW, PRIORS, UNDEFINED, NoiseFrame, PriorContext, Run, steps_of
from gpu.priors.kit.degrade import degrade
from gpu.session import PriorSettings, Session
from gpu.source import Source
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

NOISE_CACHE_BYTES = 256 << 20

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


def _at_once(t: int) -> Iterator[tuple[int, int]]:
    """What a source that need not compute its frames does before frame t."""
    return iter(())


class Engine:
    """One session's frames by random access. Belongs to one thread, but for `cached`, `computed` and `series`."""

    def __init__(self, session: Session, memory_limit: int = 2 << 30, reuse: Engine | None = None) -> None:
        """Opens the source; raises the NoisescopeError that says what is wrong with the session. Of the engine `reuse` the
        parts are taken over that the same settings would make again."""
        self.source: Source
        self.backend: backends.Backend
        self._motion: SourceMotion
        self._limit = memory_limit
        self.session = session
        self._task, self._options = task_settings.task_of(session), task_settings.options_of(session)
        self._channels = task_settings.channels_of(session, self._task, self._options)
        self.device = devices.device(session.noise.device)
        _check_memory(session.source.height, session.source.width)
        old = reuse.session if reuse else None
        opened: list[Source | backends.Backend] = []
        try:
            if reuse and old and old.source == session.source:
                self.source = reuse.source
            else:
                self.source = open_source(session.source)
                opened.append(self.source)
            if reuse and old and (old.noise.backend, reuse.device) == (session.noise.backend, self.device):
                self.backend = reuse.backend
            else:
                self.backend = backends.Backend(session.noise.backend, self.device)
                opened.append(self.backend)
            same = reuse is not None and (reuse.source, reuse.device) == (self.source, self.device)
            if reuse and old and same and old.motion == session.motion:
                self._motion = reuse._motion
            else:
                self._motion = SourceMotion(self.source, session.motion, self.device)
            self._start()
        except BaseException:
            for part in opened:
                part.close()
            raise

    def _start(self) -> None:
        _check_memory(self.source.height, self.source.width)
        self._cuts = (0, *self.source.cuts)
        self._transports: dict[str, transport.Transport] = {}
        self._runs: dict[str, Run] = {}
        self._noises: OrderedDict[tuple[str, int], NoiseFrame] = OrderedDict()
        self._noise_bytes = 0
        self._cache = Cache(self.source.frames, self._limit)
        source = self.source
        self.info = SourceInfo(
            source.title,
            source.height,
            source.width,
            source.frames,
            source.fps,
            tuple(source.cuts),
            self._motion.label,
            source.truth is not None,
            self.backend.name,
            str(self.device),
        )
        for prior in self.session.priors:
            self._run(prior)

    def close(self) -> None:
        """Release the source and the graphics context, on the engine's thread."""
        self.backend.close()
        self.source.close()

    def update(self, session: Session) -> None:
        """Go on with other settings, keeping what they do not change. On an error the engine is as it was before."""
        old = self.session
        if (session.source, session.motion, session.noise) != (old.source, old.motion, old.noise):
            fresh = Engine(session, self._limit, reuse=self)
            if fresh.backend is not self.backend:
                self.backend.close()
            if fresh.source is not self.source:
                self.source.close()
            self.__dict__.update(fresh.__dict__)
            return
        before = (self.session, self._task, self._options, self._channels, self._runs)
        try:
            self._task, self._options = task_settings.task_of(session), task_settings.options_of(session)
            self._channels = task_settings.channels_of(session, self._task, self._options)
            same, same_task = self._channels == before[3], (self._task, self._options) == before[1:3]
            lasting = [p.key for p in session.priors if same_task or not PRIORS.get(p.name).info.uses_task]
            self._runs = {key: run for key, run in self._runs.items() if key in lasting} if same else {}
            self.session = session
            for prior in session.priors:
                self._run(prior)
        except Exception:
            self.session, self._task, self._options, self._channels, self._runs = before
            raise
        self._forget_noises(set(lasting) if same else set())
        self._cache.keep_columns(lasting, outputs=same_task)

    # Reading what is there: any thread.

    def cached(self, t: int) -> FrameResult | None:
        """Frame t as far as it has been computed, at once."""
        result = self._cache.get(t)
        if result is None:
            return None
        order = [prior.key for prior in self.session.priors if prior.key in result.columns]
        return dataclasses.replace(result, columns={key: result.columns[key] for key in order})

    def computed(self) -> Mask:
        """(frames,) which frames are complete and at hand."""
        return self._cache.computed()

    def series(self, key: str) -> dict[str, F32]:
        """Curves over time of one column: arrays (frames,) by the names in SERIES, NaN where not computed."""
        return self._cache.series(key)

    @property
    def cache_bytes(self) -> int:
        """Bytes of finished frames held in memory."""
        return self._cache.bytes

    def slice(self, key: str, kind: str, row: int) -> F32:
        """(frames, W, 3) in [0, 1]: row `row` of the `noise` (mid-grey is 0, range 3 sigma), `output` or `image` of every
        frame at hand, NaN elsewhere: the x-t slice."""
        out = np.full((self.info.frames, self.info.width, 3), np.nan, dtype=np.float32)
        row = min(max(row, 0), self.info.height - 1)
        for t in range(self.info.frames):
            result = self._cache.get(t)
            if result is None:
                continue
            if kind == "image":
                out[t] = result.image[row].astype(np.float32) / 255
                continue
            column = result.columns.get(key)
            if column is None:
                continue
            if kind == "noise":
                channels = column.noise[:3, row] if len(column.noise) >= 3 else column.noise[:1, row].repeat(3, 0)
                out[t] = np.clip(0.5 + channels.T / 6, 0, 1)
            elif column.output is not None:
                out[t] = column.output[:, row].T
        return out

    # Computing: the engine's own thread.

    def shot_start(self, t: int) -> int:
        """The first frame of the shot that frame t belongs to."""
        return max(cut for cut in self._cuts if cut <= t)

    def motion(self, t: int) -> tuple[F32, F32, Mask]:
        """Backward flow (H, W, 2) on the grid of frame t+1, forward flow on that of t, and validity (H, W) of the former."""
        parts = (self._motion.backward(t), self._motion.forward(t), self._motion.valid(t))
        backward, forward, valid = (part.cpu().numpy() for part in parts)
        return backward, forward, valid

    def noise(self, key: str, t: int) -> tuple[F32, U8]:
        """(C, H, W) noise of one column, and its (H, W) state, without measures: for export."""
        frame = self._noise(self._settings(key), t)
        return frame.noise[: self.session.noise.channels].cpu().numpy(), frame.state.cpu().numpy()

    def inspect(self, key: str, t: int, x: int, y: int) -> Inspection:
        """What pixel (x, y) of one column's noise of frame t is made of. SizeError outside the frame."""
        prior, shape = self._settings(key), (self.source.height, self.source.width)
        info = PRIORS.get(prior.name).info
        return pixel.pixel(self._run(prior), info, shape, t, x, y, self.session.noise.channels)

    def flicker(self) -> Flickers:
        """Temporal spectra of all columns' outputs, over the longest run of frames that are at hand."""
        keys = [prior.key for prior in self.session.priors]
        return output_quality.flickers(self._cache, keys, self._motion, self.shot_start, self._truth)

    def perceive(self, weights: Path | None, reference: Path | None = None) -> perceptual.Steps:
        """LPIPS, FID and Improved Precision of all columns' outputs at hand: a generator of Updates that returns them."""
        keys = [prior.key for prior in self.session.priors]
        return perceptual.measure(self._cache, keys, self._truth, self.device, weights, reference)

    def compute(self, t: int) -> Generator[Update]:
        """Work on frame t, yielding after each column's noise and each sampler step. Closing the generator cancels; what
        was finished before stays. The last update's result is complete. IndexError outside the clip."""
        if not 0 <= t < self.info.frames:
            raise IndexError(f"frame {t} of {self.info.frames}")
        session, columns = self.session, len(self.session.priors)
        steps = self._options.steps if self._task else 0
        total, done = columns * (1 + steps), 0
        result = self.cached(t)
        if result is None:
            # A source that is computed may have far to go to frame t.
            for step, last in getattr(self.source, "prepare", _at_once)(t):
                yield Update(done, total, f"scene: step {step} of {last}")
            result = self._bare(t)
        if result.complete:
            yield Update(total, total, "ready", result)
            return
        yield Update(done, total, "motion", result)
        for prior in session.priors:
            if prior.key not in result.columns:
                for steps_done, _ in enumerate(self._prepare(prior, t), start=1):
                    yield Update(done, total, f"noise: {prior.name}, step {steps_done}", result)
                result = self._with(result, self._column(prior, t))
                yield Update(done + 1, total, f"noise: {prior.name}", result)
            done += 1
        if self._task:
            frame = self._image(t)
            if result.input is None:
                shown = self._task.input_image(frame, self._options).cpu().numpy()
                result = dataclasses.replace(result, input=shown)
            for prior in session.priors:
                column = result.columns[prior.key]
                if column.output is None:
                    for update in self._denoise(prior, t, frame, result, done, total):
                        yield update
                        assert update.result is not None
                        result = update.result
                done += steps
        result = dataclasses.replace(self.cached(t) or result, complete=True)
        self._cache.put(result)
        yield Update(total, total, "ready", self.cached(t))

    def fill(self, frames: Iterable[int] | None = None) -> Generator[Update]:
        """Compute many frames (all: None) in the order given; `done` and `total` count sampler steps and columns."""
        wanted = list(range(self.info.frames) if frames is None else frames)
        for number, t in enumerate(wanted):
            for update in self.compute(t):
                done = number * update.total + update.done
                yield Update(done, len(wanted) * update.total, f"frame {t + 1}: {update.what}", update.result)

    def _bare(self, t: int) -> FrameResult:
        result = FrameResult(t, self.source.frame(t), None, None, None, {}, False)
        if t > self.shot_start(t):
            result = dataclasses.replace(
                result,
                backward=self._motion.backward(t - 1).cpu().numpy(),
                valid=self._motion.valid(t - 1).cpu().numpy(),
                invalid=self._motion.invalid(t - 1),
            )
        self._cache.put(result)
        return result

    def _with(self, result: FrameResult, column: Column) -> FrameResult:
        # Another frame's measures may have been added to the cached one meanwhile; columns only ever grow.
        columns = {**result.columns, column.key: column}
        result = dataclasses.replace(result, columns=columns)
        self._cache.put(result)
        return result

    def _image(self, t: int) -> torch.Tensor:
        return torch.from_numpy(self.source.frame(t).copy()).to(self.device).permute(2, 0, 1).to(torch.float32) / 255

    def _truth(self, t: int) -> torch.Tensor | None:
        return self._task.truth(self._image(t)) if self._task else None

    def _invert(self, t: int) -> Iterator[torch.Tensor]:
        return task_settings.invert(self._task, self._options, self._image(t), self.device)

    def _prepare(self, prior: PriorSettings, t: int) -> Iterator[None]:
        """The slow part of the noises that column t needs: its own, the previous frame's and the first's."""
        for frame in sorted({self.shot_start(t), max(t - 1, self.shot_start(t)), t}):
            if (prior.key, frame) not in self._noises:
                yield from steps_of(self._run(prior), frame)

    def _settings(self, key: str) -> PriorSettings:
        for prior in self.session.priors:
            if prior.key == key:
                return prior
        raise SessionError(
            f"The session has no column {key!r}; it has {', '.join(p.key for p in self.session.priors)}."
        )

    def _run(self, prior: PriorSettings) -> Run:
        if prior.key not in self._runs:
            kind = PRIORS.get(prior.name)
            if prior.mode and prior.mode not in kind.info.modes:
                raise SessionError(f"The prior {prior.name} cannot be {prior.mode}.")
            noise = self.session.noise
            if noise.fill not in self._transports:
                self._transports[noise.fill] = transport.Transport(
                    self._motion, self.source.height, self.source.width, self.shot_start, noise.seed, self.backend,
                    self.device, noise.k, noise.s, noise.fill,
                )  # fmt: skip
            context = PriorContext(
                self.source.height, self.source.width, self._channels, self.source.frames, noise.seed, self.device,
                self._motion, self._image, self.shot_start, self._transports[noise.fill], self._invert,
                prior.mode or (kind.info.modes[0] if kind.info.modes else ""),
                resolve("prior", prior.name, kind.info.parameters, prior.parameters),
            )  # fmt: skip
            self._runs[prior.key] = degrade(kind.start(context), context, prior.gamma)
        return self._runs[prior.key]

    def _forget_noises(self, but: set[str]) -> None:
        for name in [name for name in self._noises if name[0] not in but]:
            self._noise_bytes -= self._noises.pop(name).noise.numel() * 4

    def _noise(self, prior: PriorSettings, t: int) -> NoiseFrame:
        name = (prior.key, t)
        if name not in self._noises:
            frame = self._run(prior).frame(t)
            self._noises[name] = frame
            self._noise_bytes += frame.noise.numel() * 4
            while self._noise_bytes > NOISE_CACHE_BYTES and len(self._noises) > 2:
                self._noise_bytes -= self._noises.popitem(last=False)[1].noise.numel() * 4
        self._noises.move_to_end(name)
        return self._noises[name]

    def _column(self, prior: PriorSettings, t: int) -> Column:
        frame = self._noise(prior, t)
        noise = frame.noise[: self.session.noise.channels]
        measured = whiteness.measure(noise)
        along = self._coherence(prior, t, noise)
        pixels = frame.state.numel()
        share = {state: float((frame.state == state).sum()) / pixels for state in (INHERITED, NEW, UNDEFINED)}
        self._cache.note(
            prior.key,
            t,
            variance=measured.variance,
            undefined=share[UNDEFINED],
            inherited=share[INHERITED],
            new=share[NEW],
            coherence_previous=along.previous if along else math.nan,
            coherence_first=along.first if along else math.nan,
            coherence_ceiling=along.ceiling if along else math.nan,
        )
        return Column(
            prior.key, noise.cpu().numpy(), frame.state.cpu().numpy(), measured, along, None, None, None
        )  # fmt: skip

    def _coherence(self, prior: PriorSettings, t: int, noise: torch.Tensor) -> coherence.Coherence | None:
        first = self.shot_start(t)
        if t == first:
            return None
        channels = self.session.noise.channels
        step = output_quality.reach(self._motion, t, 1)
        before = self._noise(prior, t - 1).noise[:channels]
        previous, n = coherence.correlation(before, noise, step.positions, step.valid)
        track = self._transports[self.session.noise.fill].track(t)
        origin = self._noise(prior, first).noise[:channels]
        known = (track.label == first) & (track.state != NEW) & (track.state != UNDEFINED)
        since_first, _ = coherence.correlation(origin, noise, track.position, known)
        return coherence.Coherence(previous, since_first, coherence.ceiling(step.positions, step.valid), n)

    def _denoise(
        self, prior: PriorSettings, t: int, frame: torch.Tensor, result: FrameResult, done: int, total: int
    ) -> Iterator[Update]:
        """Run the task's sampler on one column, yielding the estimate after each step."""
        task = self._task
        assert task is not None
        noise, width = self._noise(prior, t).noise, task.noise_channels

        def feed(index: int) -> torch.Tensor:
            return noise[index * width : (index + 1) * width]

        column = result.columns[prior.key]
        twin = self._twin(prior, t, result)
        if twin is not None:
            result = self._with(result, dataclasses.replace(column, output=twin))
            output_quality.around(self._cache, prior.key, t, self._motion, self.shot_start, self._truth)
            yield Update(done + self._options.steps, total, f"{prior.name}: output", self.cached(t) or result)
            return
        for step in task.sample(frame, feed, self._options, self.device):
            output = step.image.cpu().numpy()
            column = dataclasses.replace(column, output=output)
            if step.index < step.total:
                shown = dataclasses.replace(result, columns={**result.columns, prior.key: column})
                yield Update(done + step.index, total, f"{prior.name}: step {step.index} of {step.total}", shown)
        result = self._with(result, column)
        output_quality.around(self._cache, prior.key, t, self._motion, self.shot_start, self._truth)
        yield Update(done + self._options.steps, total, f"{prior.name}: output", self.cached(t) or result)

    def _twin(self, prior: PriorSettings, t: int, result: FrameResult) -> F32 | None:
        """The output of another column that starts from the same noise, as all do where a shot begins."""
        noise = self._noise(prior, t).noise
        for other in self.session.priors:
            column = result.columns.get(other.key)
            if column and column.output is not None and torch.equal(self._noise(other, t).noise, noise):
                return column.output
        return None
