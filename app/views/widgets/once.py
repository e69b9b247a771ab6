"""Timers that run once: what follows soon, but not for every change."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def once(parent: QObject, milliseconds: int, action: Callable[[], object]) -> QTimer:
    """A timer that calls `action` that long after its last `start`: many changes in a row are followed by one action."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(action)
    return timer


def start_if_idle(timer: QTimer, milliseconds: int | None = None) -> None:
    """Let it run unless it does: many changes in a row are followed by an action at most that often."""
    if not timer.isActive():
        timer.start(timer.interval() if milliseconds is None else milliseconds)
