"""The lessons' thread: computes scenes step by step, so that it can turn to the newest settings between two of them.

As in app.worker.worker, what takes time is a generator that the thread advances. The first scene of a request is always shown,
else a slider that moves faster than the computing would show nothing until it rests; refining is given up for newer ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal

from app.lessons.compute.lesson import Compute, Lesson, Settings
from app.lessons.compute.scene import Scene
from app.worker.thread import Newest, WorkerThread, explain, leave_a_core


@dataclass(frozen=True)
class Drawn:
    """A scene, the number of its request, and whether it is that request's last."""

    number: int
    scene: Scene
    final: bool


@dataclass(frozen=True)
class _Request:
    """What computes a step's scenes, its settings, and whether the finest scene is wanted alone."""

    compute: Compute
    settings: Settings
    only_final: bool


class LessonWorker(WorkerThread):
    """Lives as long as the lessons' window. Methods are called from the GUI thread, signals arrive there."""

    arrived = Signal()  # there is a newer scene to `take`
    answered = Signal(int, object)  # number of the question, answer
    failed = Signal(str)  # a sentence

    def __init__(self) -> None:
        super().__init__("noisescope lessons")
        self._requests: Newest[_Request] = Newest()
        self._questions: deque[tuple[int, Callable[[], Any]]] = deque()
        self._drawn: Newest[Drawn] = Newest()
        # From here on only the thread itself writes.
        self._steps: Iterator[Scene] | None = None
        self._working = 0
        self._only_final = False
        self._held_back: Scene | None = None

    # -- asked by the GUI thread

    def request(self, compute: Compute, settings: Settings, only_final: bool = False) -> int:
        """Compute a step's scenes; the newest request wins. `only_final` shows the finest alone, for export."""
        with self._asking():
            return self._requests.put(_Request(compute, settings, only_final))

    def ask(self, question: Callable[[], Any]) -> int:
        """Run something short in the thread; the answer comes with the number returned here."""
        return self._ticket(self._questions, question)

    def take(self) -> Drawn | None:
        """The newest scene, once: the GUI thread draws no scene that a newer one has replaced."""
        with self._lock:
            return self._drawn.take()

    # -- the thread

    def _pending(self) -> bool:
        return bool(self._questions) or self._requests.waiting or self._steps is not None

    def _step(self) -> bool:
        with self._lock:
            question = self._questions.popleft() if self._questions else None
            request = self._requests.take() if question is None else None
            number = self._requests.number
        if question is not None:
            self._answer(*question)
        elif request is not None:
            self._begin_request(number, request)
        elif self._steps is not None:
            self._advance(self._steps)
        else:
            return False
        return True

    def _answer(self, ticket: int, question: Callable[[], Any]) -> None:
        try:
            answer = question()
        except Exception as problem:
            self._fail(problem)
            answer = None
        leave_a_core()
        self.answered.emit(ticket, answer)

    def _begin_request(self, number: int, request: _Request) -> None:
        self._working, self._only_final = number, request.only_final
        self._held_back = None
        try:
            self._steps = request.compute(request.settings)
        except Exception as problem:
            self._steps = None
            self._fail(problem)
            return
        self._advance(self._steps)  # at once: a newer request must not keep this one from showing its first scene

    def _advance(self, steps: Iterator[Scene]) -> None:
        """One scene more; which one is the last is known only when no other follows, so each is held back until then
        where a finer one is all that is wanted."""
        try:
            scene = next(steps, None)
        except Exception as problem:
            self._steps = None
            self._fail(problem)
            return
        if scene is None:
            self._steps = None
            if self._held_back is not None:
                self._show(self._held_back, True)
            return
        repeated = scene is self._held_back  # nothing new yet: it only gave us the chance to turn to something else
        self._held_back = scene
        if not (self._only_final or repeated):
            self._show(scene, False)

    def _show(self, scene: Scene, final: bool) -> None:
        with self._lock:
            self._drawn.put(Drawn(self._working, scene, final))
        self.arrived.emit()

    def _recover(self, problem: Exception) -> None:
        self._steps = self._held_back = None
        self._fail(problem)

    def _fail(self, problem: Exception) -> None:
        sentence, _ = explain(problem, "lesson")
        self.failed.emit(sentence)


def find(name: str) -> Lesson:
    """A lesson, asked for in the lessons' thread: the first look imports torch."""
    from app.lessons.models import LESSONS

    return LESSONS.get(name)
