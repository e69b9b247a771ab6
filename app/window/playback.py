"""Playing: the player, and what is shown and asked for while it runs or waits."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.model.state import State
from app.views.compare.canvas import Canvas
from app.window.frame_display import FrameDisplay
from app.window.panels import Timeline
from app.window.player import Player
from app.worker.worker import Worker


class Playback(QObject):
    """Starts and stops the player of one window. `changed` says whether it plays."""

    changed = Signal(bool)

    def __init__(
        self,
        state: State,
        worker: Worker,
        display: FrameDisplay,
        canvas: Canvas,
        timeline: Timeline,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._worker, self._display = state, worker, display
        self._canvas, self._timeline = canvas, timeline
        self._computes_ahead = True
        self.player = Player(state, display.pictures)
        self.player.setParent(self)
        self.player.waiting.connect(self._wait)
        self.player.stopped.connect(lambda: self.play(False))
        display.source_opened.connect(lambda info: self.player.set_clock(info.fps, info.times))
        display.first_complete.connect(lambda: self.play(True))

    @property
    def playing(self) -> bool:
        return self.player.playing

    def set_computing_ahead(self, on: bool) -> None:
        """Whether frames nobody asked for are computed: then one that playing waits for comes in its turn."""
        self._computes_ahead = on

    def play(self, on: bool) -> None:
        """Play, or stop and show the frame it stopped at in full."""
        if on != self.player.playing:
            self.player.play(on)
            self._display.set_playing(self.player.playing)
        on = self.player.playing
        self._timeline.set_playing(on)
        self.changed.emit(on)
        if not on:
            self._canvas.set_waiting("")

    def _wait(self, t: int) -> None:
        self._canvas.set_waiting(f"computing frame {t} …")
        if self._computes_ahead:
            self._worker.follow(self._state.order())  # its noise is next
        else:
            self._worker.request(t, self._state.order())
