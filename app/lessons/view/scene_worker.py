"""The lessons' thread: computes scenes step by step, so that it can turn to the newest settings between two of them.

As in app.worker.worker, what takes time is a generator that the thread advances. The first scene of a request is always shown,
else a slider that moves faster than the computing would show nothing until it rests; refining is given up for newer ones.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QThread, Signal

from app.lessons.compute.lesson import Compute, Lesson, Settings
from app.lessons.compute.scene import Scene
from gpu.errors import NoisescopeError

log = logging.getLogger("noisescope")


@dataclass(frozen=True)
class Drawn:
    """A scene, the number of its request, and whether it is that request's last."""

    number: int
    scene: Scene
    final: bool


class LessonWorker(QThread):
    """Lives as long as the lessons' window. Methods are called from the GUI thread, signals arrive there."""

    arrived = Signal()  # there is a newer scene to `take`
    answered = Signal(int, object)  # number of the question, answer
    failed = Signal(str)  # a sentence

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("noisescope lessons")
        self._wake = threading.Condition()
        self._stop = False
        self._number = 0
        self._request: tuple[int, Compute, Settings, bool] | None = None
        self._questions: deque[tuple[int, Callable[[], Any]]] = deque()
        self._tickets = 0
        self._newest: Drawn | None = None
        # From here on only the thread itself writes.
        self._steps: Iterator[Scene] | None = None
        self._working = 0
        self._only_final = False
        self._pending: Scene | None = None

    # -- asked by the GUI thread

    def request(self, compute: Compute, settings: Settings, only_final: bool = False) -> int:
        """Compute a step's scenes; the newest request wins. `only_final` shows the finest alone, for export."""
        with self._wake:
            self._number += 1
            self._request = self._number, compute, settings, only_final
            self._wake.notify()
            return self._number

    def ask(self, question: Callable[[], Any]) -> int:
        """Run something short in the thread; the answer comes with the number returned here."""
        with self._wake:
            self._tickets += 1
            self._questions.append((self._tickets, question))
            self._wake.notify()
            return self._tickets

    def take(self) -> Drawn | None:
        """The newest scene, once: the GUI thread draws no scene that a newer one has replaced."""
        with self._wake:
            newest, self._newest = self._newest, None
            return newest

    def stop(self) -> None:
        """End at the next step and wait for it."""
        with self._wake:
            self._stop = True
            self._wake.notify()
        self.wait()

    # -- the thread

    def run(self) -> None:
        while True:
            with self._wake:
                while not (self._stop or self._questions or self._request or self._steps is not None):
                    self._wake.wait()
                if self._stop:
                    return
                question = self._questions.popleft() if self._questions else None
                request = None
                if question is None and self._request is not None:
                    request, self._request = self._request, None
            if question is not None:
                self._answer(*question)
            else:
                self._advance(request)

    def _answer(self, ticket: int, question: Callable[[], Any]) -> None:
        try:
            answer = question()
        except Exception as problem:
            self._fail(problem)
            answer = None
        if "OMP_NUM_THREADS" not in os.environ and "torch" in sys.modules:
            # As in app.worker.worker: a core is left to the window.
            sys.modules["torch"].set_num_threads(max((os.cpu_count() or 2) - 1, 1))
        self.answered.emit(ticket, answer)

    def _advance(self, request: tuple[int, Compute, Settings, bool] | None) -> None:
        """One scene more; which one is the last is known only when no other follows, so each is held back until then
        where a finer one is all that is wanted."""
        try:
            if request is not None:
                self._working, compute, settings, self._only_final = request
                self._pending = None
                self._steps = compute(settings)
            assert self._steps is not None
            scene = next(self._steps, None)
        except Exception as problem:
            self._steps = None
            self._fail(problem)
            return
        if scene is None:
            self._steps = None
            if self._pending is not None:
                self._show(self._pending, True)
            return
        repeated = scene is self._pending  # nothing new yet: it only gave us the chance to turn to something else
        self._pending = scene
        if not (self._only_final or repeated):
            self._show(scene, False)

    def _show(self, scene: Scene, final: bool) -> None:
        with self._wake:
            self._newest = Drawn(self._working, scene, final)
        self.arrived.emit()

    def _fail(self, problem: Exception) -> None:
        if isinstance(problem, NoisescopeError):
            self.failed.emit(str(problem))
            return
        log.error("unexpected error (lesson)\n%s", "".join(traceback.format_exception(problem)))
        self.failed.emit(
            f"Something unexpected went wrong ({type(problem).__name__}); the details are in the log file."
        )


def find(name: str) -> Lesson:
    """A lesson, asked for in the lessons' thread: the first look imports torch."""
    from app.lessons.models import LESSONS

    return LESSONS.get(name)
