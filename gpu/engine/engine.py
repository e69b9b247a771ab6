"""A session at work: opens the source, runs the priors, the measures and the task, one frame at a time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from gpu.engine import output_quality, perceptual, pixel, sampling, task_settings
from gpu.engine.clip import Opened, seen_first
from gpu.engine.comparison import opened_anew, started
from gpu.engine.results import F32, U8, Column, Flickers, FrameResult, Mask, SourceInfo, Update
from gpu.engine.sampling import TaskUse
from gpu.errors import SessionError
from gpu.metrics import coherence, whiteness
from gpu.noise.inspection import Inspection
from gpu.noise.states import RENEWED, STATES
from gpu.priors import INHERITED, KEPT, NEW, PRIORS, UNDEFINED, Renewing, steps_of
from gpu.priors.kit.degrade import Degraded
from gpu.session import PriorSettings, Session
from gpu.source import Findings, Lit, Source, own_times
from gpu.source.trust import Trust


def _at_once(t: int) -> Iterator[tuple[int, int]]:
    """What a source that need not compute its frames does before frame t."""
    return iter(())


class Engine:
    """One session's frames by random access. Belongs to one thread, but for `cached`, `computed` and `series`.

    >>> from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings
    >>> source = SourceSettings("synthetic", name="translation", height=32, width=48, frames=3, parameters={"dx": 2.0})
    >>> session = Session(source, noise=NoiseSettings(backend="torch"), priors=(PriorSettings("integral"),))
    >>> engine = Engine(session)
    >>> noise, state = engine.noise("integral", 2)
    >>> noise.shape, round(float(noise.var()), 1)
    ((4, 32, 48), 1.0)
    >>> engine.close()
    """

    def __init__(self, session: Session, memory_limit: int = 2 << 30) -> None:
        """Opens the source; raises the NoisescopeError that says what is wrong with the session. At most `memory_limit` bytes
        of finished frames are kept."""
        self._limit = memory_limit
        self._comparison = opened_anew(session, memory_limit, None)
        self._trust = Trust(self.opened.source, self.opened.motion)

    @property
    def session(self) -> Session:
        """The settings at work."""
        return self._comparison.session

    @property
    def source(self) -> Source:
        """The opened source."""
        return self._comparison.opened.source

    @property
    def device(self) -> torch.device:
        """Where tensors live."""
        return self._comparison.device

    @property
    def opened(self) -> Opened:
        """The opened source, what computes its noise, and its motion."""
        return self._comparison.opened

    @property
    def info(self) -> SourceInfo:
        """What is known of the opened source."""
        source, opened = self._comparison.opened.source, self._comparison.opened
        return SourceInfo(
            source.title,
            source.height,
            source.width,
            source.frames,
            source.fps,
            tuple(source.cuts),
            opened.motion.label,
            source.truth is not None,
            opened.backend.name,
            str(self._comparison.device),
            own_times(source),
            source.exposure if isinstance(source, Lit) else None,
            source.layers if isinstance(source, Lit) else (),
        )

    def close(self) -> None:
        """Release the source and the graphics context, on the engine's thread."""
        self._comparison.opened.close()

    def update(self, session: Session) -> None:
        """Go on with other settings, keeping what they do not change. On an error the engine is as it was before."""
        now, old = self._comparison, self._comparison.session
        if (session.source, session.motion, session.noise) != (old.source, old.motion, old.noise):
            self._comparison = opened_anew(session, self._limit, now)
            now.opened.close(but=self._comparison.opened)
            if self._trust.source is not self.opened.source or self._trust.motion is not self.opened.motion:
                self._trust = Trust(self.opened.source, self.opened.motion)
            return
        use = task_settings.task_use(session)
        channels, same_task = task_settings.channels_of(session, use), use == now.use
        lasting = {p.key for p in session.priors if same_task or not PRIORS.get(p.name).info.uses_task}
        usable = lasting if channels == now.channels else set()
        runs = started(session, now.clip, use, {key: run for key, run in now.runs.items() if key in usable})
        self._comparison = dataclasses.replace(now, session=session, use=use, channels=channels, runs=runs)
        for name in [name for name in now.noises if name[0] not in usable]:
            del now.noises[name]
        now.cache.keep_columns(lasting, outputs=same_task)

    # Reading what is there: any thread.

    def cached(self, t: int) -> FrameResult | None:
        """Frame t as far as it has been computed, at once."""
        result = self._comparison.cache.get(t)
        if result is None:
            return None
        order = [prior.key for prior in self.session.priors if prior.key in result.columns]
        return dataclasses.replace(result, columns={key: result.columns[key] for key in order})

    def computed(self) -> Mask:
        """(frames,) which frames are complete and at hand."""
        return self._comparison.cache.computed()

    def series(self, key: str) -> dict[str, F32]:
        """Curves over time of one column: arrays (frames,) by the names in SERIES, NaN where not computed."""
        return self._comparison.cache.series(key)

    @property
    def cache_bytes(self) -> int:
        """Bytes of finished frames held in memory."""
        return self._comparison.cache.bytes

    @property
    def field_bytes(self) -> int:
        """Bytes of fine fields held in memory, which gpu.noise.field_limit bounds."""
        return self._comparison.clip.field_bytes

    def slice(self, key: str, kind: str, row: int) -> F32:
        """(frames, W, 3) in [0, 1]: row `row` of the `noise` (mid-grey is 0, range 3 sigma), `output` or `image` of every
        frame at hand, NaN elsewhere: the x-t slice."""
        out = np.full((self.info.frames, self.info.width, 3), np.nan, dtype=np.float32)
        row = min(max(row, 0), self.info.height - 1)
        for t in range(self.info.frames):
            result = self._comparison.cache.get(t)
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

    def findings(self) -> Findings:
        """What speaks against believing the source and its motion, as far as frames have been computed."""
        return self._trust.findings()

    def judged(self) -> Findings:
        """The same from a few steps all over the clip, whose motion is computed for it: whatever was computed before."""
        trust = Trust(self.opened.source, self.opened.motion)
        trust.sample()
        return trust.findings()

    def shot_start(self, t: int) -> int:
        """The first frame of the shot that frame t belongs to."""
        return self._comparison.clip.shot_start(t)

    def motion(self, t: int) -> tuple[F32, F32, Mask]:
        """Backward flow (H, W, 2) on the grid of frame t+1, forward flow on that of t, and validity (H, W) of the former."""
        parts = (self.opened.motion.backward(t), self.opened.motion.forward(t), self.opened.motion.valid(t))
        backward, forward, valid = (part.cpu().numpy() for part in parts)
        return backward, forward, valid

    def noise(self, key: str, t: int) -> tuple[F32, U8]:
        """(C, H, W) noise of one column, and its (H, W) state, without measures: for export."""
        frame = self._comparison.remembered(self._settings(key).key).frame(t)
        return frame.noise[: self.session.noise.channels].cpu().numpy(), frame.state.cpu().numpy()

    def inspect(self, key: str, t: int, x: int, y: int) -> Inspection:
        """What pixel (x, y) of one column's noise of frame t is made of. SizeError outside the frame."""
        info, shape = PRIORS.get(self._settings(key).name).info, (self.source.height, self.source.width)
        return pixel.pixel(self._comparison.runs[key], info, shape, t, x, y, self.session.noise.channels)

    def flicker(self) -> Flickers:
        """Temporal spectra of all columns' outputs, over the longest run of frames that are at hand."""
        keys = [prior.key for prior in self.session.priors]
        return output_quality.flickers(self._comparison.cache, keys, self.opened.motion, self.shot_start, self._truth)

    def perceive(self, weights: Path | None, reference: Path | None = None) -> perceptual.Steps:
        """LPIPS, FID and Improved Precision of all columns' outputs at hand: a generator of Updates that returns them."""
        keys = [prior.key for prior in self.session.priors]
        return perceptual.measure(self._comparison.cache, keys, self._truth, self.device, weights, reference)

    def compute(self, t: int) -> Generator[Update]:
        """Work on frame t, yielding after each column's noise and each sampler step. Closing the generator cancels; what
        was finished before stays. The last update's result is complete. IndexError outside the clip."""
        if not 0 <= t < self.info.frames:
            raise IndexError(f"frame {t} of {self.info.frames}")
        session, columns = self.session, len(self.session.priors)
        use = self._comparison.use
        steps = use.options.steps if use else 0
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
                for steps_done, _ in enumerate(self._prepare(prior.key, t), start=1):
                    yield Update(done, total, f"noise: {prior.name}, step {steps_done}", result)
                result = self._with(result, self._column(prior.key, t))
                yield Update(done + 1, total, f"noise: {prior.name}", result)
            done += 1
        if use:
            if result.input is None:
                shown = use.task.input_image(self._comparison.clip.image(t), use.options).cpu().numpy()
                result = dataclasses.replace(result, input=shown)
            for prior in session.priors:
                column = result.columns[prior.key]
                if column.output is None:
                    for update in self._denoise(use, prior.key, t, result, done, total):
                        yield update
                        assert update.result is not None
                        result = update.result
                done += steps
        result = dataclasses.replace(self.cached(t) or result, complete=True)
        self._comparison.cache.put(result)
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
                backward=self.opened.motion.backward(t - 1).cpu().numpy(),
                valid=self.opened.motion.valid(t - 1).cpu().numpy(),
                invalid=self.opened.motion.invalid(t - 1),
            )
            self._trust.see(t - 1)
        self._comparison.cache.put(result)
        return result

    def _with(self, result: FrameResult, column: Column) -> FrameResult:
        # Another frame's measures may have been added to the cached one meanwhile; columns only ever grow.
        columns = {**result.columns, column.key: column}
        result = dataclasses.replace(result, columns=columns)
        self._comparison.cache.put(result)
        return result

    def _truth(self, t: int) -> torch.Tensor | None:
        use = self._comparison.use
        return use.task.truth(self._comparison.clip.image(t)) if use else None

    def _prepare(self, key: str, t: int) -> Iterator[None]:
        """The slow part of the noises that a column's frame t needs: its own, the previous frame's and the first's."""
        for frame in sorted({self.shot_start(t), max(t - 1, self.shot_start(t)), t}):
            if (key, frame) not in self._comparison.noises:
                yield from steps_of(self._comparison.runs[key], frame)

    def _settings(self, key: str) -> PriorSettings:
        for prior in self.session.priors:
            if prior.key == key:
                return prior
        raise SessionError(
            f"The session has no column {key!r}; it has {', '.join(p.key for p in self.session.priors)}."
        )

    def _column(self, key: str, t: int) -> Column:
        frame = self._comparison.remembered(key).frame(t)
        noise = frame.noise[: self.session.noise.channels]
        measured = whiteness.measure(noise)
        along = self._coherence(key, t, noise)
        share = [
            count / frame.state.numel()
            for count in torch.bincount(frame.state.reshape(-1), minlength=len(STATES)).tolist()
        ]
        self._comparison.cache.note(
            key,
            t,
            variance=measured.variance,
            undefined=share[UNDEFINED],
            inherited=share[INHERITED],
            new=share[NEW],
            renewed=share[RENEWED],
            coherence_previous=along.previous if along else math.nan,
            coherence_first=along.first if along else math.nan,
            coherence_ceiling=along.ceiling if along else math.nan,
        )
        return Column(key, noise.cpu().numpy(), frame.state.cpu().numpy(), measured, along, None, None, None)

    def renews(self, key: str) -> bool:
        """Whether pixels of a column's noise may be taken over by new anchors."""
        return self.session.noise.renewal != "off" and self._renewing(key) is not None

    def renewals(self, key: str, t: int) -> dict[int, float]:
        """The frames up to t, of its shot, in which pixels of a column's noise were taken over by a new anchor, and what share
        of them. All frames before are looked at where that has not been done."""
        run = self._renewing(key)
        return {} if run is None else run.renewals(t)

    def _renewing(self, key: str) -> Renewing | None:
        run = self._comparison.runs[key]
        inner = run.run if isinstance(run, Degraded) else run
        return inner if isinstance(inner, Renewing) else None

    def _coherence(self, key: str, t: int, noise: torch.Tensor) -> coherence.Coherence | None:
        first = self.shot_start(t)
        if t == first:
            return None
        clip, channels = self._comparison.clip, self.session.noise.channels
        frames = self._comparison.remembered(key)
        step = sampling.reach(self.opened.motion, t, 1)
        previous, n = coherence.correlation(frames.frame(t - 1).noise[:channels], noise, *step)
        seen = seen_first(clip, t, self.session.noise, (KEPT, INHERITED))
        since_first, _ = coherence.correlation(frames.frame(first).noise[:channels], noise, *seen)
        return coherence.Coherence(previous, since_first, clip.ceiling("previous", t, step), n)

    def _denoise(self, use: TaskUse, key: str, t: int, result: FrameResult, done: int, total: int) -> Iterator[Update]:
        """Run the task's sampler on one column, yielding the estimate after each step."""
        name, column = self._settings(key).name, result.columns[key]
        output = self._twin(key, t, result)
        if output is None:
            noise = self._comparison.remembered(key).frame(t).noise
            for step in use.denoise(self._comparison.clip.image(t), noise, self.device):
                output = step.image.cpu().numpy()
                if step.index < step.total:
                    partly = dataclasses.replace(column, output=output)
                    shown = dataclasses.replace(result, columns={**result.columns, key: partly})
                    yield Update(done + step.index, total, f"{name}: step {step.index} of {step.total}", shown)
        result = self._with(result, dataclasses.replace(column, output=output))
        output_quality.around(self._comparison.cache, key, t, self.opened.motion, self.shot_start, self._truth)
        yield Update(done + use.options.steps, total, f"{name}: output", self.cached(t) or result)

    def _twin(self, key: str, t: int, result: FrameResult) -> F32 | None:
        """The output of another column that starts from the same noise, as all do where a shot begins."""
        noise = self._comparison.remembered(key).frame(t).noise
        for other, column in result.columns.items():
            if column.output is not None and torch.equal(self._comparison.remembered(other).frame(t).noise, noise):
                return column.output
        return None
