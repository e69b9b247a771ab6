"""What the window asks of its worker: settings, frames, questions and exports, as requests that wait to be read."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread

from gpu.engine.results import Update
from gpu.session import Session

if TYPE_CHECKING:
    from gpu.engine import Engine


Steps = Generator[Update, None, Any] | Iterator[Update]


class Requests(QThread):
    """A thread with the requests that wait for it. The methods are called from the GUI thread and return at once, but for
    `stop`; `app.worker.worker` does what they ask."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0  # of the newest settings
        self._wake = threading.Condition()
        self._stop = False
        self._session: Session | None = None
        self._wanted: int | None = None
        self._order: Sequence[int] = ()
        self._colours = "grey"
        self._background = True
        self._slices: tuple[tuple[str, ...], float] = ((), 0.5)
        self._slices_asked = False
        self._questions: deque[tuple[int, Callable[[Engine | None], Any]]] = deque()
        self._later: deque[tuple[int, Callable[[Engine | None], Any]]] = deque()
        self._jobs: deque[tuple[int, str, Callable[[Engine], Steps]]] = deque()
        self._cancelled: set[int] = set()
        self._tickets = 0

    def apply(self, session: Session) -> int:
        """New settings; the newest win. Their number comes back with everything that is computed with them."""
        with self._wake:
            self.number += 1
            self._session = session
            self._background = True
            self._wake.notify()
            return self.number

    def request(self, t: int, order: Sequence[int]) -> None:
        """Compute frame t now; afterwards the frames in `order`. An earlier request that is not done is forgotten."""
        with self._wake:
            self._wanted = t
            self._order = order
            self._wake.notify()

    def follow(self, order: Sequence[int]) -> None:
        """Fill frames in another order; nothing is asked for at once."""
        with self._wake:
            self._order = order
            self._wake.notify()

    def set_background(self, on: bool) -> None:
        """Whether frames nobody asked for are computed."""
        with self._wake:
            self._background = on
            self._wake.notify()

    def halt(self) -> None:
        """Give up the frame under way, in the middle of a step if need be, and compute nothing more unasked."""
        with self._wake:
            self._background = False
            self._wanted = None
            self._wake.notify()

    def set_colours(self, colours: str) -> None:
        self._colours = colours

    def set_slices(self, kinds: Sequence[str], height: float) -> None:
        """Send x-t slices of these kinds ("noise", "output") at `height` 0..1 of the picture, and as frames come."""
        with self._wake:
            self._slices = (tuple(kinds), height)
            self._slices_asked = True
            self._wake.notify()

    def ask(self, question: Callable[[Engine | None], Any], hurry: bool = True) -> int:
        """Run something short that needs the worker's imports; the answer comes with the number returned here. Without
        `hurry` it waits until the frame on the screen is done."""
        with self._wake:
            self._tickets += 1
            (self._questions if hurry else self._later).append((self._tickets, question))
            self._wake.notify()
            return self._tickets

    def run_job(self, what: str, make: Callable[[Engine], Steps]) -> int:
        """Run an export: a generator of Updates, advanced between frames. It keeps the settings it started with."""
        with self._wake:
            self._tickets += 1
            self._jobs.append((self._tickets, what, make))
            self._wake.notify()
            return self._tickets

    def cancel(self, job: int) -> None:
        """Stop an export, in the middle of a step if a network is at work."""
        with self._wake:
            self._cancelled.add(job)
            self._wake.notify()

    def stop(self) -> None:
        """End as soon as it can, and wait for it."""
        with self._wake:
            self._stop = True
            self._wake.notify()
        self.wait()
