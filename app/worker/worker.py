"""The one place with threads: a worker that creates, uses and releases the engine, and with it the GL context.

Everything that takes time is a generator that the worker advances one step at a time, so that between two steps it can turn
to what matters most now: new settings, questions, the frame on the screen, exports, the other frames. Settings are numbered;
what belongs to older ones than the newest is dropped. Networks ask every few milliseconds whether anybody still waits for what
they compute (`gpu.interrupt`), and give up in the middle when nobody does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import Signal

from app.model import catalogue
from app.model.frame_pictures import Converter, slice_bytes
from app.worker.making import MakeEngine, real_engine
from app.worker.messages import Arrival, Failure, Memory, Progress, Unfilled
from app.worker.requests import Question, Requests, Steps, close_steps
from app.worker.thread import explain, leave_a_core
from gpu import interrupt, progress
from gpu.engine.results import FrameResult, Update
from gpu.noise import field_limit
from gpu.session import Session

if TYPE_CHECKING:
    from gpu.engine import Engine

TELL_SECONDS = 0.3  # curves are sent at most this often
REPORT_SECONDS = 0.1  # and progress
FIRST_SECONDS = (
    0.5  # that newer settings wait at most until these have shown the noise of a frame: else a slider shows none
)
SLICE_SECONDS = 0.4  # and x-t slices, which take longer to cut, unless they are asked for
BAD_IN_A_ROW = 3
"""After so many frames that failed one after the other nothing more is computed unasked: the others would fail as well."""


class Worker(Requests):
    """Lives as long as the window. Methods are called from the GUI thread, signals arrive there."""

    catalogued = Signal(object)  # Catalogue
    opened = Signal(int, object)  # number of the settings, SourceInfo
    arrived = Signal(object)  # Arrival
    told = Signal(int, object, object, object)  # number, mask of computed frames, {key: {name: series}}, Memory
    trusted = Signal(int, object)  # number, gpu.source.trust.Findings: when there are others than before
    sliced = Signal(int, object)  # number, {(key, kind): RGBA bytes (frames, W, 4)}
    progressed = Signal(object)  # Progress, or None when there is nothing left to do
    failed = Signal(object)  # Failure
    halted = Signal(int)  # number of the settings with which errors ended computing unasked
    answered = Signal(int, object)  # number of the question, answer
    unanswered = Signal(int)  # number of a question that ended in an error
    ended = Signal(int, object)  # number of the job, its result (None: cancelled or failed)

    def __init__(self, make_engine: MakeEngine = real_engine, catalogue_: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self._make_engine = make_engine
        self._collect = catalogue_ or catalogue.collect
        # Only the worker's own thread writes these.
        self._engine: Engine | None = None
        self._engine_number = 0
        self._frame: tuple[int, Iterator[Update]] | None = None
        self._filled: set[int] = set()  # frames that were complete once
        self._noised: set[int] = set()  # frames whose noise is there in every column
        self._doing: Literal["", "settings", "frame", "background", "job"] = ""  # what the step under way works for
        self._job: tuple[int, str, Steps, Engine] | None = None
        self._job_started = 0.0
        self._bad: set[int] = set()  # frames that failed
        self._bad_in_a_row = 0
        self._said: set[str] = set()  # sentences about frames of these settings: each is said once
        self._converter = Converter()
        self._told = 0.0
        self._findings: Any = None
        self._tell_due = False
        self._sliced = 0.0
        self._reported = 0.0
        self._slices_stale = False
        self._pace: list[float] = []
        self._paced = False
        self._frame_started = 0.0
        self._unseen_since = -math.inf  # when the settings were taken of which no frame's noise was shown yet

    # -- read by the GUI thread

    def cached(self, t: int) -> FrameResult | None:
        """Frame t if it is at hand; safe from the GUI thread, at once."""
        engine = self._engine
        return engine.cached(t) if engine is not None and self._engine_number == self.number else None

    @property
    def noised(self) -> int:
        """How many frames have their noise in every column."""
        return len(self._noised)

    # -- the worker's thread

    def _begin(self) -> bool:
        interrupt.watch(self._unwanted)
        progress.watch(self._report_opening)
        return self._try("start", self._send_catalogue)

    def _send_catalogue(self) -> None:
        self.catalogued.emit(self._collect())
        leave_a_core()

    def _rest(self) -> None:
        self.progressed.emit(None)

    def _end(self) -> None:
        self._try("start", self._release)

    def _release(self) -> None:
        self._drop_frame()
        if self._job is not None:
            self._end_job(None)
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _shows_first(self) -> bool:
        """Whether newer settings wait: while a slider is dragged they come faster than noise."""
        return self._wanted is not None and time.monotonic() - self._unseen_since < FIRST_SECONDS

    def _unwanted(self) -> bool:
        """Whether the step under way is worth nothing any more: it is left unlocked, for it is asked all the time, and what
        it reads is written whole."""
        if self._stop:
            return True
        if self._doing == "job":
            return self._job is not None and self._job[0] in self._cancelled
        if self._doing and self._sessions.waiting and not self._shows_first():
            return True
        under_way = self._frame[0] if self._frame is not None else None
        if self._doing == "frame":
            return self._wanted != under_way
        if self._doing == "background":
            return not self._background or self._wanted not in (None, under_way)
        return False

    def _pending(self) -> bool:
        return bool(
            self._sessions.waiting
            or self._questions
            or (self._later and self._engine is not None)
            or (self._wanted is not None and self._engine is not None)
            or self._jobs
            or (self._slices_asked and self._engine is not None)
            or (self._background and self._next_unfilled() is not None)
        )

    def _step(self) -> bool:
        try:
            return self._advance()
        except interrupt.Interrupted:  # there is something newer to do
            self._doing = ""
            return True

    def _advance(self) -> bool:
        """Do one step of what matters most; False when there is nothing to do."""
        with self._lock:
            session = self._sessions.take() if not self._shows_first() else None
            number = self.number
            question = self._questions.popleft() if session is None and self._questions else None
            wanted = self._wanted
            if self._retry:
                self._retry = False
                self._bad.clear()
        if session is not None:
            self._doing = "settings"
            self._try("settings", lambda: self._apply(session, number))
            self._doing = ""
            self._engine_number = number  # after a failure the frames of the last good settings stay in use
        elif question is not None:
            self._answer(*question)
        elif self._engine is None:
            self._refuse_jobs()
            return False
        elif self._slices_asked or (self._slices_stale and time.monotonic() - self._sliced > SLICE_SECONDS):
            self._try("frame", self._send_slices)
        elif wanted is not None:
            self._advance_frame(wanted, True)
        elif self._job is not None or self._jobs:
            self._advance_job()
        elif self._later:
            self._answer(*self._later.popleft())
        else:
            if self._tell_due:
                self._tell(force=True)
            unfilled = self._next_unfilled() if self._background else None
            if unfilled is not None:
                self._advance_frame(unfilled.t, False, unfilled.noise_only)
            elif self._slices_stale:
                self._try("frame", self._send_slices)
            else:
                self._drop_frame()
                return False
        return True

    def _try(self, where: str, action: Callable[[], None]) -> bool:
        try:
            action()
        except interrupt.Interrupted:
            raise
        except Exception as problem:  # the window must outlive whatever happens here
            self._fail(where, problem)
            return False
        return True

    def _recover(self, problem: Exception) -> None:
        self._doing = ""
        self._drop_frame()
        with self._lock:
            self._wanted = None
        self._slices_asked = self._slices_stale = self._tell_due = False
        self._halt()
        self._fail("frame", problem)

    def _halt(self) -> None:
        """Compute nothing more unasked, and say so; the next settings try again, and so does the person who asks for it."""
        with self._lock:
            if self._sessions.waiting:
                return
            self._background = False
        self.halted.emit(self.number)

    def _fail(self, where: str, problem: Exception) -> None:
        sentence, details = explain(problem, where)
        if where == "frame" and sentence in self._said:
            return
        self._said.add(sentence)
        self.failed.emit(Failure(sentence, type(problem).__name__, where, self.number, details))

    def _apply(self, session: Session, number: int) -> None:
        self._drop_frame()
        self._bad.clear()
        self._bad_in_a_row = 0
        self._said.clear()
        self._noised.clear()
        self._filled.clear()
        self._pace.clear()
        if self._engine is None or (self._job is not None and self._job[3] is self._engine):
            self._engine = self._make_engine(session)  # an export goes on with the engine and settings it began with
        else:
            self._engine.update(session)
        self._engine_number = number
        self._unseen_since = time.monotonic()
        self._slices_stale = True
        self.opened.emit(number, self._engine.info)
        # Soon, not now: while a slider is dragged there are many settings a second.
        self._told, self._tell_due = time.monotonic(), True

    def _answer(self, ticket: int, question: Question) -> None:
        answer: list[Any] = [None]
        if self._try("question", lambda: answer.__setitem__(0, question(self._engine))):
            self.answered.emit(ticket, answer[0])
        else:
            self.unanswered.emit(ticket)

    # -- frames

    def _next_unfilled(self) -> Unfilled | None:
        """What to compute unasked: the noise of all frames first, which is quick and can be played, then the outputs."""
        engine = self._engine
        if engine is None:
            return None
        mask = engine.computed()
        # A frame that fell out of the cache is not computed again unasked, else a long clip would never come to rest.
        done = self._bad | self._filled
        left = [t for t in self._order if t < len(mask) and not mask[t] and t not in done]
        if not left:
            return None
        if engine.session.task.name:
            for t in left:
                if t not in self._noised:
                    return Unfilled(t, noise_only=True)
        return Unfilled(left[0], noise_only=False)

    def _drop_frame(self) -> None:
        frame, self._frame = self._frame, None
        if frame is not None:
            close_steps(frame[1])

    def _advance_frame(self, t: int, asked: bool, noise_only: bool = False) -> None:
        engine = self._engine
        assert engine is not None
        if t >= engine.info.frames:  # of longer settings: the window asks anew when it hears how many frames there are
            self._frame_done(t)
            return
        if self._frame is None or self._frame[0] != t:
            self._drop_frame()
            self._frame_started = time.monotonic()
            self._frame = (t, engine.compute(t))
        steps = self._frame[1]
        updates: list[Update] = []
        self._doing = "frame" if asked else "background"
        try:
            good = self._try("frame", lambda: updates.extend(islice(steps, 1)))
        except interrupt.Interrupted:
            self._drop_frame()  # nothing is wrong with it; whatever is wanted instead comes next
            return
        finally:
            self._doing = ""
        if not good:
            self._bad.add(t)
            self._unseen_since = -math.inf
            self._bad_in_a_row += 1
            self._frame_done(t)
            if self._bad_in_a_row >= BAD_IN_A_ROW:
                self._halt()
            return
        self._bad_in_a_row = 0
        if not updates:
            self._frame_done(t)
            return
        if self._tell_due:
            self._tell()
        update = updates[0]
        result = update.result
        if result is None:  # a scene is being computed up to this frame
            self._report(t, update, noise_only)
            return
        if result.t != t:
            return
        noised = len(result.columns) == len(engine.session.priors)
        if asked or result.complete or (noise_only and noised):
            self._try("frame", lambda: self._send(result))
        if noised:
            self._noised.add(t)
            self._unseen_since = -math.inf
        if result.complete:
            self._filled.add(t)
        if result.complete or (noise_only and noised):
            before = self._pace[-7:] if self._paced == noise_only else []
            self._paced, self._pace = noise_only, [*before, time.monotonic() - self._frame_started]
            self._tell_due = True
            self._tell()
            self._frame_done(t)
        self._report(t, update, noise_only)

    def _frame_done(self, t: int) -> None:
        self._drop_frame()
        self._slices_stale = True
        with self._lock:
            if self._wanted == t:
                self._wanted = None

    def _send(self, result: FrameResult) -> None:
        pictures = self._converter.convert(result, self._colours)
        self.arrived.emit(Arrival(self._engine_number, result, pictures))

    def _report_opening(self, done: int, total: int, what: str) -> None:
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self._reported = time.monotonic()
            words = f"{what} · {done}" + (f" of {total}" if total else "")
            self.progressed.emit(Progress(words, done, total, opening=True))

    def _report(self, t: int, update: Update, noise_only: bool) -> None:
        assert self._engine is not None
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        mask = self._engine.computed()
        done = len(self._noised) if noise_only else int(mask.sum())
        paced = self._pace if self._paced == noise_only else []  # noise alone is no measure of how long outputs take
        seconds = sum(paced) / len(paced) * (len(mask) - done) if paced else None
        self.progressed.emit(Progress(f"frame {t} · {update.what}", done, len(mask), seconds))

    def _tell(self, force: bool = False) -> None:
        now = time.monotonic()
        if self._engine is None or (not force and now - self._told < TELL_SECONDS):
            return
        self._told, self._tell_due, engine = now, False, self._engine
        series = {prior.key: engine.series(prior.key) for prior in engine.session.priors}
        memory = Memory(engine.cache_bytes, engine.field_bytes, field_limit.limit())
        self.told.emit(self._engine_number, engine.computed(), series, memory)
        if (findings := (self._engine_number, engine.findings())) != self._findings:
            self._findings = findings
            self.trusted.emit(*findings)

    def _send_slices(self) -> None:
        self._slices_asked = self._slices_stale = False
        self._sliced, engine = time.monotonic(), self._engine
        assert engine is not None
        kinds, height = self._slices
        row = min(int(height * engine.info.height), engine.info.height - 1)
        slices = {}
        for prior in engine.session.priors:
            for kind in kinds:
                grey = kind == "noise" and self._colours == "grey"
                slices[prior.key, kind] = slice_bytes(engine.slice(prior.key, kind, row), grey=grey)
        self.sliced.emit(self._engine_number, slices)

    # -- exports

    def _advance_job(self) -> None:
        assert self._engine is not None
        if self._job is None:
            ticket, job = self._jobs.popleft()
            engine = self._engine
            made: list[Steps] = []
            if not self._try("job", lambda: made.append(job.make(engine))):
                self.ended.emit(ticket, None)
                return
            self._drop_frame()
            self._job = (ticket, job.what, made[0], engine)
            self._job_started = time.monotonic()
        ticket, what, steps, _ = self._job
        if ticket in self._cancelled:
            self._end_job(None)
            return
        self._doing = "job"
        try:
            update = next(steps)
        except interrupt.Interrupted:
            self._end_job(None)
            return
        except StopIteration as end:
            self._end_job(end.value if end.value is not None else what)
            return
        except Exception as problem:
            self._end_job(None)
            self._fail("job", problem)
            return
        finally:
            self._doing = ""
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        spent = self._reported - self._job_started
        left = spent / update.done * (update.total - update.done) if update.done > 0 and spent > 1 else None
        self.progressed.emit(Progress(f"{what} · {update.what}", update.done, update.total, left, ticket))

    def _end_job(self, result: Any) -> None:
        assert self._job is not None
        ticket, _, steps, engine = self._job
        self._job = None
        self._cancelled.discard(ticket)
        close_steps(steps)
        if engine is not self._engine:
            engine.close()
        self.ended.emit(ticket, result)

    def _refuse_jobs(self) -> None:
        while self._jobs:
            self.ended.emit(self._jobs.popleft()[0], None)
