"""Noise of many frames of one column, in their order, made on all processors where its frames do not need each other.

A frame of an anchored prior follows from the motion and from where its pixels were, not from the noise of the frame before.
Workers (gpu.processes) each open the clip, follow the pixels through all frames, and make the noise of those frames that
they are asked for; motion is worked out once, by whoever has nothing else to do, and shared through a file. Values are those
that one process makes, bit for bit. Priors that are chained from frame to frame stay in this process.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from gpu import leftovers, processes
from gpu.engine import frame_worker, memory
from gpu.engine.frame_worker import Frame, Made, Step
from gpu.errors import BackendError, SessionError
from gpu.priors import PRIORS
from gpu.source.pair_file import PairFile, discard, file_bytes

if TYPE_CHECKING:
    from gpu.engine.engine import Engine

WORTH_SECONDS = 8.0
"""Workers are started where one process would still need so long: each takes two or three seconds of a processor to start."""

WAIT_SECONDS = 0.05
"""So long an answer is waited for before whoever asked may look after other things."""

AHEAD = 4
"""Steps of motion that are estimated ahead for each worker, and frames that may wait for one that is still being made."""

MOST = 64
"""Workers, whatever is asked for."""


def independent(engine: Engine, key: str) -> bool:
    """Whether the column's frames can be made without the noise of others."""
    prior = next(prior for prior in engine.session.priors if prior.key == key)
    info = PRIORS.get(prior.name).info
    mode = prior.mode or (info.modes[0] if info.modes else "")
    return mode == "anchored" or not info.remembers


def workers(engine: Engine, key: str, frames: int, asked: int = 0) -> int:
    """How many processes make so many frames: as many as are `asked` for, 0 for as many as torch may use threads (the window
    leaves a processor to itself), as far as frames, memory and the prior allow. SessionError for a number that makes no sense,
    SizeError for more than the machine has memory for."""
    if not 0 <= asked <= MOST:
        raise SessionError(f"{asked} workers are asked for, but there can be 1 to {MOST}.")
    if asked == 1 or not independent(engine, key):
        return 1
    info, noise = engine.info, engine.session.noise
    if asked:
        memory.check(info.height, info.width, noise, len(engine.session.priors), info.frames, asked)
        return min(asked, frames)
    if info.device != "cpu":  # one process keeps a graphics processor busy
        return 1
    return (
        min(torch.get_num_threads(), frames, MOST, memory.processes(info.height, info.width, noise, info.frames) - 1)
        or 1
    )


@contextmanager
def making(
    engine: Engine, key: str, chosen: range, asked: int = 0, beside: Path | None = None
) -> Iterator[Iterator[Made | None]]:
    """Within the block, the frames `chosen` of the column `key` in their order, with None now and then while one is waited for.

    `asked` is the number of workers, 1 for none: all is done here; 0 for as many as there are processors where the work is
    worth starting them. `beside` is a path beside which they may keep a file of motion, which the engine uses as well while
    the block lasts. Errors are those of the engine, and BackendError when a worker dies.
    """
    count = workers(engine, key, len(chosen), asked)
    with ExitStack() as stack:
        frames = _frames(engine, key, chosen, count, asked > 0, stack, beside)
        stack.callback(frames.close)
        yield frames


def _frames(
    engine: Engine, key: str, chosen: range, count: int, at_once: bool, stack: ExitStack, beside: Path | None
) -> Generator[Made | None]:
    """The frames; workers are started `at_once`, or when it shows that they are worth it. Until they are ready, frames are made
    here."""
    crew: _Crew | None = None
    if at_once and count > 1:
        crew = stack.enter_context(_Crew(engine, key, count, _shared(engine, key, stack, beside)))
    began, first = time.monotonic(), 0.0
    for index, t in enumerate(chosen):
        if crew is not None and crew.is_ready():
            yield from crew.frames(chosen[index:])
            crew.close()
            return
        yield Made(t, *engine.noise(key, t), None)
        spent = time.monotonic() - began
        first = first or spent  # the first frame opens things
        left = (spent - first) / max(index, 1) * (len(chosen) - index - 1)
        if crew is None and count > 1 and index > 1 and left > WORTH_SECONDS:
            crew = stack.enter_context(_Crew(engine, key, count, _shared(engine, key, stack, beside)))


def _shared(engine: Engine, key: str, stack: ExitStack, beside: Path | None) -> PairFile | None:
    """The file of motion, where there is room for it."""
    info = engine.info
    prior = next(prior for prior in engine.session.priors if prior.key == key)
    if not (beside and PRIORS.get(prior.name).info.uses_motion):
        return None
    if file_bytes(info.height, info.width, info.frames) > shutil.disk_usage(beside.absolute().parent).free // 2:
        return None
    path = leftovers.temporary(beside.with_suffix(".motion"))
    stack.enter_context(leftovers.begun(path))
    pairs = PairFile(path, info.height, info.width)
    stack.callback(discard, pairs)
    stack.callback(engine.opened.motion.share, None)
    engine.opened.motion.share(pairs)
    return pairs


class _Crew:
    """Workers on one column, and what each of them is at."""

    def __init__(self, engine: Engine, key: str, count: int, pairs: PairFile | None) -> None:
        self._shot_start, self._pairs = engine.shot_start, pairs
        self._free: deque[processes.Worker] = deque()
        self._at: dict[processes.Worker, Step | Frame] = {}
        self._steps: deque[int] = deque()  # of motion, that nobody was asked for
        self._open: set[int] = set()  # those that are not there yet
        session = engine.session
        # What `auto` has chosen here is what the workers take.
        backend: Literal["gl", "torch"] = "torch" if engine.info.backend.startswith("torch") else "gl"
        noise = dataclasses.replace(session.noise, backend=backend)
        column = tuple(prior for prior in session.priors if prior.key == key)
        alone = dataclasses.replace(session, priors=column, noise=noise, view={})
        arguments = (alone, key, pairs and pairs.path)
        self._team = processes.Team(f"{frame_worker.__name__}:work", arguments, count)

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        self._team.close()

    def is_ready(self) -> bool:
        """Whether one of the workers has opened the clip."""
        for worker, message in self._team.messages(0):
            self._answer(worker, message)
        return bool(self._free)

    def frames(self, chosen: range) -> Iterator[Made | None]:
        """These frames, in their order; None now and then."""
        if self._pairs is not None:
            self._steps.extend(range(self._shot_start(chosen[0]), chosen[-1]))
            self._open.update(self._steps)
        waiting, done = deque(chosen), dict[int, Made]()
        for t in chosen:
            while t not in done:
                self._hand_out(waiting, t + AHEAD * len(self._team.workers))
                for worker, message in self._team.messages(WAIT_SECONDS):
                    answer = self._answer(worker, message)
                    if isinstance(answer, Made):
                        done[answer.t] = answer
                    elif isinstance(answer, Step):
                        self._open.discard(answer.t)
                if t not in done:
                    yield None
            yield done.pop(t)

    def _hand_out(self, waiting: deque[int], end: int) -> None:
        """Give everybody who is free the next frame, if it comes before `end` and its motion is there, or else a step of motion
        to estimate."""
        while self._free:
            while self._steps and self._pairs is not None and self._pairs.has(self._steps[0]):
                self._open.discard(self._steps.popleft())
            request: Step | Frame
            if waiting and waiting[0] < end and waiting[0] <= min(self._open, default=waiting[0]):
                request = Frame(waiting.popleft())
            elif self._steps:
                request = Step(self._steps.popleft())
            else:
                return
            worker = self._free.popleft()
            self._at[worker] = request
            worker.ask(request)

    def _answer(self, worker: processes.Worker, message: processes.Message) -> Step | Made | None:
        """What a worker has answered. BackendError when it is there no more, its own error when it has failed."""
        at = self._at.pop(worker, None)
        if isinstance(message, processes.Failed):
            raise message.problem
        if isinstance(message, processes.Ended):
            while_at = f" at frame {at.t}" if at is not None else ""
            raise BackendError(
                f"A process that makes frames ended early{while_at} ({message.how}), as happens when memory runs out. "
                "Fewer of them take less (--workers)."
            )
        self._free.append(worker)
        answer: Step | Made | None = message.value
        return answer
