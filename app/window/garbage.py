"""Collects Python's garbage on the GUI thread, in small portions.

Left to itself Python collects on whatever thread makes the next object. From the worker that would destroy widgets on the
wrong thread, which Qt does not survive, and it stops every thread for up to 0.2 s, most of it spent on modules that never
become garbage.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 500
OLDEST_EVERY = 60
"""Rounds between two collections of everything: half a minute."""


class Garbage(QObject):
    """While it lives, garbage is collected here alone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._round = 0
        timer = QTimer(self)
        timer.timeout.connect(self._collect)
        timer.start(EVERY_MS)
        self.destroyed.connect(_collect_as_usual)

    def spare(self) -> None:
        """Never look again at what there is now: modules, classes, functions."""
        gc.freeze()

    def _collect(self) -> None:
        self._round += 1
        young, old, _ = gc.get_threshold()
        counts = gc.get_count()
        if self._round % OLDEST_EVERY == 0:
            gc.collect(2)
        elif counts[1] >= old:
            gc.collect(1)
        elif counts[0] >= young:
            gc.collect(0)


def _collect_as_usual() -> None:
    """Python looks again at everything, also at what was spared: parts of a window that is gone are among it."""
    gc.unfreeze()
    gc.enable()
