"""Writes small files off the window's thread: bringing one to the disk can take longer than a picture may wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from PySide6.QtCore import QObject, Signal

from gpu.errors import NoisescopeError
from gpu.files import reason


class Background(QObject):
    """One thread for the writing of one thing: of several writes that wait, the newest is done alone."""

    failed = Signal(str)  # why the last write could not be done

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "writing")
        self._last: Future[bool] | None = None

    def put(self, write: Callable[[], None]) -> None:
        """Have `write` done; it may raise OSError or a NoisescopeError."""
        if self._last is not None:
            self._last.cancel()
        self._last = self._thread.submit(self._do, write)

    def wait(self) -> bool:
        """Until the newest write is done; whether it could be."""
        return self._last is None or self._last.result()

    def close(self) -> None:
        """End the thread, with what it was given done."""
        self._thread.shutdown()

    def _do(self, write: Callable[[], None]) -> bool:
        try:
            write()
            return True
        except NoisescopeError as problem:
            self.failed.emit(str(problem))
        except OSError as problem:
            self.failed.emit(f"{reason(problem)}.".capitalize())
        return False
