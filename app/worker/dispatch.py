"""Hands questions and exports to the worker, and their answers to whoever asked, on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.worker.requests import Steps
from app.worker.worker import Worker

if TYPE_CHECKING:
    from gpu.engine import Engine

T = TypeVar("T")


class Dispatch(QObject):
    """One for each window. After `close` nobody is answered any more."""

    stopped = Signal(str)  # the name of an export that was cancelled, or failed

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._questions: dict[int, Callable[[Any], None]] = {}
        self._jobs: dict[int, tuple[str, Callable[[Any], None]]] = {}
        self._open = True
        worker.answered.connect(self._answer)
        worker.ended.connect(self._end)

    def ask(self, question: Callable[[Engine | None], T], then: Callable[[T], None], hurry: bool = True) -> None:
        """Have the worker answer `question`, which is given the engine, then hand the answer to `then` on this thread.
        Without `hurry` the frame on the screen comes first."""
        self._questions[self._worker.ask(question, hurry)] = then

    def run(self, what: str, make: Callable[[Engine], Steps], then: Callable[[Any], None]) -> None:
        """Run an export or the like in the worker; `then` is given what its generator returns, once it is done."""
        self._jobs[self._worker.run_job(what, make)] = (what, then)

    def close(self) -> None:
        """Answer nobody from now on: what they would show it in is going."""
        self._open = False

    def _answer(self, ticket: int, answer: Any) -> None:
        then = self._questions.pop(ticket, None)
        if then is not None and self._open:
            then(answer)

    def _end(self, number: int, result: Any) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        what, then = job
        if result is None:
            self.stopped.emit(what)
        else:
            then(result)
