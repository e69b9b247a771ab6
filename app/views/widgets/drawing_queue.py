"""Spreads drawing over turns of the event loop, so that no event of a person waits for all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PySide6.QtCore import QObject, QTimer

PAUSE_MS = 4
"""Between two turns: time for what was drawn to be painted, and for whatever the person did meanwhile."""


class DrawingQueue(QObject):
    """One action a turn. An action that waits already under the same key is replaced, and keeps its place."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[Hashable, Callable[[], None]] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._next)

    @property
    def busy(self) -> bool:
        """Whether something is still to be drawn."""
        return bool(self._waiting)

    def put(self, key: Hashable, action: Callable[[], None]) -> None:
        """Do this in a turn of its own."""
        self._waiting[key] = action
        if not self._timer.isActive():
            self._timer.start()

    def finish(self) -> None:
        """Do all that waits, at once."""
        self._timer.stop()
        while self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()

    def _next(self) -> None:
        if self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()
        if self._waiting:
            self._timer.start()
