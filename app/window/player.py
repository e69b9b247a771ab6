"""Playback: shows computed frames at the clip's speed and waits where a frame is not computed yet."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.model.frame_pictures import PictureCache
from app.model.state import State

SLOWEST, FASTEST = 1.0, 60.0  # frames per second


class Player(QObject):
    waiting = Signal(int)  # the frame that has to be computed first
    stopped = Signal()  # there is nothing to play

    def __init__(self, state: State, pictures: PictureCache) -> None:
        super().__init__()
        self._state, self._pictures = state, pictures
        self._period = 1 / 24
        self._times: tuple[float, ...] = ()
        self._due = 0.0
        self._waits_for = -1
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_clock(self, fps: float, times: tuple[float, ...]) -> None:
        """Frames a second, and where frames last differently long, when each is shown and the last one's time is over."""
        self._period = 1 / min(max(fps or 24.0, SLOWEST), FASTEST)
        self._times = times
        self._timer.setInterval(max(round(self._period * 500), 4))

    def play(self, on: bool) -> None:
        self._waits_for = -1
        if on and self._state.frames > 1:
            self._due = time.monotonic()
            self._timer.start()
        else:
            self._timer.stop()
            if on:
                self.stopped.emit()

    def _tick(self) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        t = self._state.next_frame()
        if self._pictures.get(t) is None:
            if self._waits_for != t:
                self._waits_for = t
                self.waiting.emit(t)
            return
        self._waits_for = -1
        # A late frame moves the schedule on instead of being made up for by a burst.
        lasts = self._lasts(t)
        self._due = max(self._due + lasts, now - lasts)
        self._state.set_frame(t)

    def _lasts(self, t: int) -> float:
        """Seconds that frame t is shown."""
        if t + 1 >= len(self._times):
            return self._period
        return min(max(self._times[t + 1] - self._times[t], 1 / FASTEST), 1 / SLOWEST)
