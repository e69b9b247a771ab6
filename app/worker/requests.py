"""What the window asks of its worker: settings, frames, questions and exports, as requests that wait to be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.worker.thread import Newest, WorkerThread
from gpu.engine.results import Update
from gpu.session import Session

if TYPE_CHECKING:
    from gpu.engine import Engine


Steps = Generator[Update, None, Any] | Iterator[Update]
Question = Callable[["Engine | None"], Any]


@dataclass(frozen=True)
class Job:
    """An export: what it is called, and what makes its steps."""

    what: str
    make: Callable[[Engine], Steps]


class Requests(WorkerThread):
    """A thread with the requests that wait for it. The methods are called from the GUI thread and return at once, but for
    `stop`; `app.worker.worker` does what they ask."""

    def __init__(self) -> None:
        super().__init__("noisescope worker")
        self._sessions: Newest[Session] = Newest()
        self._wanted: int | None = None
        self._order: Sequence[int] = ()
        self._colours = "grey"
        self._background = True
        self._retry = False  # frames that failed are tried again
        self._slices: tuple[tuple[str, ...], float] = ((), 0.5)
        self._slices_asked = False
        self._questions: deque[tuple[int, Question]] = deque()
        self._later: deque[tuple[int, Question]] = deque()
        self._jobs: deque[tuple[int, Job]] = deque()
        self._cancelled: set[int] = set()

    @property
    def number(self) -> int:
        """Of the newest settings."""
        return self._sessions.number

    def apply(self, session: Session) -> int:
        """New settings; the newest win. Their number comes back with everything that is computed with them."""
        with self._asking():
            self._background = True
            return self._sessions.put(session)

    def request(self, t: int, order: Sequence[int]) -> None:
        """Compute frame t now; afterwards the frames in `order`. An earlier request that is not done is forgotten."""
        with self._asking():
            self._wanted = t
            self._order = order

    def follow(self, order: Sequence[int]) -> None:
        """Fill frames in another order; nothing is asked for at once."""
        with self._asking():
            self._order = order

    def set_background(self, on: bool) -> None:
        """Whether frames nobody asked for are computed."""
        with self._asking():
            self._background = on
            self._retry = on

    def halt(self) -> None:
        """Give up the frame under way, in the middle of a step if need be, and compute nothing more unasked."""
        with self._asking():
            self._background = False
            self._wanted = None

    def set_colours(self, colours: str) -> None:
        self._colours = colours

    def set_slices(self, kinds: Sequence[str], height: float) -> None:
        """Send x-t slices of these kinds ("noise", "output") at `height` 0..1 of the picture, and as frames come."""
        with self._asking():
            self._slices = (tuple(kinds), height)
            self._slices_asked = True

    def ask(self, question: Question, hurry: bool = True) -> int:
        """Run something short that needs the worker's imports; the answer comes with the number returned here. Without
        `hurry` it waits until the frame on the screen is done."""
        return self._ticket(self._questions if hurry else self._later, question)

    def run_job(self, what: str, make: Callable[[Engine], Steps]) -> int:
        """Run an export: a generator of Updates, advanced between frames. It keeps the settings it started with."""
        return self._ticket(self._jobs, Job(what, make))

    def cancel(self, job: int) -> None:
        """Stop an export, in the middle of a step if a network is at work."""
        with self._asking():
            self._cancelled.add(job)


def close_steps(steps: Steps) -> None:
    """Give up what is left of a generator; a plain iterator, as some exports give, needs no closing."""
    if isinstance(steps, Generator):
        steps.close()
