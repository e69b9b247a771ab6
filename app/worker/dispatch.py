"""Hands questions and exports to the worker, and their answers to whoever asked, on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from app.worker.requests import Steps
from app.worker.worker import Worker

if TYPE_CHECKING:
    from gpu.engine import Engine

T = TypeVar("T")


@dataclass(frozen=True)
class _Asker:
    """Who asked: what is done with the answer, what where there is none, and the widget that it is shown in."""

    then: Callable[[Any], None]
    otherwise: Callable[[], None] | None
    shown_in: QObject | None

    @property
    def listens(self) -> bool:
        return self.shown_in is None or shiboken6.isValid(self.shown_in)


class Dispatch(QObject):
    """One for each window. After `close` nobody is answered any more."""

    stopped = Signal(str)  # the name of an export that was cancelled, or failed

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._questions: dict[int, _Asker] = {}
        self._jobs: dict[int, tuple[str, Callable[[Any], None]]] = {}
        self._open = True
        worker.answered.connect(self._answer)
        worker.unanswered.connect(self._leave)
        worker.ended.connect(self._end)

    def ask(
        self,
        question: Callable[[Engine | None], T],
        then: Callable[[T], None],
        hurry: bool = True,
        otherwise: Callable[[], None] | None = None,
        shown_in: QObject | None = None,
    ) -> None:
        """Have the worker answer `question`, which is given the engine, then hand the answer to `then` on this thread.

        Without `hurry` the frame on the screen comes first. `otherwise` is called where an error kept it from an answer, which
        the person is told of. A dialog that may be closed before the answer comes is named in `shown_in`: then nobody is
        answered.
        """
        self._questions[self._worker.ask(question, hurry)] = _Asker(then, otherwise, shown_in)

    def run(self, what: str, make: Callable[[Engine], Steps], then: Callable[[Any], None]) -> None:
        """Run an export or the like in the worker; `then` is given what its generator returns, once it is done."""
        self._jobs[self._worker.run_job(what, make)] = (what, then)

    def close(self) -> None:
        """Answer nobody from now on: what they would show it in is going."""
        self._open = False

    def _answer(self, ticket: int, answer: Any) -> None:
        asker = self._questions.pop(ticket, None)
        if asker is not None and self._open and asker.listens:
            asker.then(answer)

    def _leave(self, ticket: int) -> None:
        asker = self._questions.pop(ticket, None)
        if asker is not None and self._open and asker.listens and asker.otherwise is not None:
            asker.otherwise()

    def _end(self, number: int, result: Any) -> None:
        job = self._jobs.pop(number, None)
        if job is None or not self._open:
            return
        what, then = job
        if result is None:
            self.stopped.emit(what)
        else:
            then(result)
