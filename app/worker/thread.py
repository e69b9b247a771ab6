"""What every worker thread is made of: it waits until it is asked, takes tickets, lets the newest win, and stops when told."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QThread

from gpu.errors import NoisescopeError

log = logging.getLogger("noisescope")

T = TypeVar("T")


class Newest(Generic[T]):
    """Room for one request: a newer one replaces one that was not taken yet. Each gets a number, counted from 1.

    Used while the thread's lock is held; `number` and `waiting` may be read without it.
    """

    def __init__(self) -> None:
        self.number = 0
        self._request: T | None = None

    @property
    def waiting(self) -> bool:
        return self._request is not None

    def put(self, request: T) -> int:
        """Leave a request; its number."""
        self.number += 1
        self._request = request
        return self.number

    def take(self) -> T | None:
        """The request, once; None when none is waiting."""
        request, self._request = self._request, None
        return request


class WorkerThread(QThread):
    """Does one step after another while there is something to do, and sleeps while there is not.

    The GUI thread leaves requests `with self._asking()`, which wakes it. A subclass has `_step`, which does one step of what
    matters most, and `_pending`, which says whether there is anything to do.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._lock = threading.Condition()
        self._stop = False
        self._tickets = 0

    # -- called from the GUI thread

    def belong_to(self, owner: QObject) -> None:
        """Be deleted with `owner`, after the thread has ended: Qt ends the process where one still runs."""
        self.setParent(owner)
        owner.destroyed.connect(self._stop_with_owner)

    def _stop_with_owner(self) -> None:
        self.stop()

    def stop(self) -> None:
        """End after the step under way and wait for it."""
        with self._asking():
            self._stop = True
        self.wait()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Holds the lock while requests are left; the thread looks at them afterwards."""
        with self._lock:
            yield
            self._lock.notify()

    def _ticket(self, queue: deque[tuple[int, T]], request: T) -> int:
        """Put a request at the end of a queue, with a number that no other has; that number comes with its answer."""
        with self._asking():
            self._tickets += 1
            queue.append((self._tickets, request))
            return self._tickets

    # -- the thread

    def run(self) -> None:
        if self._begin():
            while not self._stop:
                if self._guarded_step():
                    continue
                self._rest()
                self._sleep()
        self._end()

    def _guarded_step(self) -> bool:
        """One step. Whatever goes wrong in it, the thread lives on: else nothing would ever be answered again."""
        try:
            return self._step()
        except Exception as problem:
            self._recover(problem)
            return True

    def _sleep(self) -> None:
        with self._lock:
            if not (self._stop or self._pending()):
                self._lock.wait()

    def _begin(self) -> bool:
        """Comes first in the thread; False when it is of no use and ends at once."""
        return True

    def _step(self) -> bool:
        """Do one step of what matters most; False when there is nothing to do."""
        raise NotImplementedError

    def _pending(self) -> bool:
        """Whether `_step` has something to do. The lock is held."""
        raise NotImplementedError

    def _recover(self, problem: Exception) -> None:
        """A step ended with an error that it did not handle: say so, and put down what would end the next step like it."""
        raise NotImplementedError

    def _rest(self) -> None:
        """There is nothing left to do."""

    def _end(self) -> None:
        """Comes last in the thread."""


def leave_a_core() -> None:
    """Keep torch, if it is imported, off one core: on two cores a second thread of it gains little and makes the window
    stutter."""
    if "OMP_NUM_THREADS" not in os.environ and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(max((os.cpu_count() or 2) - 1, 1))


def explain(problem: Exception, where: str) -> tuple[str, str]:
    """A sentence for the person, and for what was not foreseen its details, which are logged too; else ""."""
    if isinstance(problem, NoisescopeError):
        return str(problem), ""
    details = "".join(traceback.format_exception(problem))
    log.error("unexpected error (%s)\n%s", where, details)
    kind = type(problem).__name__
    return f"Something unexpected went wrong ({kind}); the details are in the log file.", details
