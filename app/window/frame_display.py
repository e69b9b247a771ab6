"""Frames from the worker to the views: what is kept, what is asked for, what is dropped because it came too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from app.model.frame_pictures import PictureCache
from app.worker.messages import Arrival
from gpu.engine.results import FrameResult, SourceInfo

if TYPE_CHECKING:
    from app.window.main_window import Window

RESULT_MS = 80  # plots follow the frame at most this often, the pictures at once
PLAYING_RESULT_MS = 240


class FrameDisplay(QObject):
    """The frame on the screen and the pictures of those that are at hand. Nothing older than `opened` is shown."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.opened = 0  # number of the settings whose results are shown
        self.info: SourceInfo | None = None
        self.result: FrameResult | None = None
        self.pictures = PictureCache()
        self.play_when_ready = False  # start to play with the first complete frame
        self.numbers = QTimer(self)
        self.numbers.setSingleShot(True)
        self.numbers.setInterval(RESULT_MS)
        self.numbers.timeout.connect(self.show_numbers)

    def clear(self) -> None:
        """Forget everything: another session is opened."""
        self.pictures.clear()
        self.result = None
        self._window.compare.show_pictures(None)
        self._window.compare.canvas.set_empty("Opening …")

    def set_playing(self, on: bool) -> None:
        """While playing, plots follow less often; afterwards the frame it stopped at is shown in full."""
        self.numbers.setInterval(PLAYING_RESULT_MS if on else RESULT_MS)
        if not on and self.info is not None:
            self.go(self._window.state.view.frame)

    def recolour(self, colours: str) -> None:
        """Noise is wanted in other colours: what was converted is of no use."""
        frame = self._window.state.view.frame
        shown = self.pictures.get(frame)
        if shown is not None and shown.colours != colours:
            self.pictures.clear()
            self._window.worker.request(frame, self._window.state.order())

    def go(self, t: int) -> None:
        """Show frame t at once if its pictures are at hand, else ask for it."""
        self._window.timeline.tell("set_frame", t)
        pictures = self.pictures.get(t)
        cached = self._window.worker.cached(t)
        if pictures is not None:
            self._window.compare.show_pictures(pictures)
            self._window.source.preview.set_image(pictures.image)
            self._window.compare.canvas.set_waiting("")
        else:
            self._window.compare.canvas.set_waiting(f"computing frame {t} …")
        if cached is not None and pictures is not None:
            self.result = cached
            if not self.numbers.isActive():
                self.numbers.start()
        if self._window.player.playing and pictures is not None:
            return  # what is computed ahead stays in order while the frame runs
        if cached is not None and cached.complete and pictures is not None and not pictures.older_than(cached):
            self._window.worker.follow(self._window.state.order())
        else:
            self._window.worker.request(t, self._window.state.order())

    def on_arrived(self, arrival: Arrival) -> None:
        if arrival.number < self.opened or arrival.pictures.colours != self._window.state.view.colours:
            return
        result = arrival.result
        noised = len(result.columns) == len(self._window.state.session.priors)
        if result.complete or (noised and self.pictures.get(result.t) is None):
            self.pictures.put(arrival.pictures)
        frame = self._window.state.view.frame
        if result.complete and result.t in (frame - 1, frame - 5):
            self._window.worker.request(frame, self._window.state.order())  # its warp errors are known now
        if self.play_when_ready and result.complete:
            self.play_when_ready = False
            self._window.play(True)
        if result.t == frame:
            self.result = result
            self._window.compare.show_pictures(arrival.pictures)
            self._window.compare.canvas.set_waiting("")
            self._window.source.preview.set_image(arrival.pictures.image)
            if not self.numbers.isActive():
                self.numbers.start()

    def is_settled(self) -> bool:
        """Whether the current frame is complete and everything shows it."""
        shown, result = self._window.compare.canvas.pictures, self.result
        return (
            result is not None
            and shown is not None
            and (result.t, shown.t) == (self._window.state.view.frame,) * 2
            and result.complete
            and shown.complete
            and not self.numbers.isActive()
        )

    def is_complete(self, t: int) -> bool:
        """Whether everything of frame t is computed and at hand."""
        result = self._window.worker.cached(t)
        return result is not None and result.complete

    def show_numbers(self) -> None:
        self._window.compare.show_result(self.result)
        self._window.statistics.tell("show_result", self.result)
        self._window.follow_probe()

    def on_opened(self, number: int, info: SourceInfo) -> None:
        if number < self._window.worker.number:
            return
        fresh = self.info is None or (info.title, info.height, info.width) != (
            self.info.title,
            self.info.height,
            self.info.width,
        )
        changed = info != self.info
        self.opened, self.info = number, info
        self.pictures.clear()
        self._window.banner.clear()
        self._window.source.show_wrong("")
        self._window.source.show_info(info)
        self._window.status.show_info(info)
        if changed:
            self._window.timeline.tell("set_info", info)
        self._window.compare.canvas.set_source(info.height, info.width, info.frames)
        self._window.compare.canvas.set_empty("computing …")
        if fresh:  # nothing of another source stays beside what is said of this one
            self._window.compare.canvas.set_slices({})
            self._window.compare.show_pictures(None)
            self._window.source.preview.set_image(None)
            self.result = None
            self.show_numbers()
        self._window.player.set_fps(info.fps)
        self._window.state.opened(info.frames)
        self._window.timeline.tell("set_frame", self._window.state.view.frame)
        self._window.worker.request(self._window.state.view.frame, self._window.state.order())
        self._window.show_title()

    def on_told(self, number: int, mask: Any, series: Any, cache: int) -> None:
        if number >= self.opened and number == self._window.worker.number:
            self._window.timeline.tell("set_computed", mask)
            self._window.timeline.tell("set_series", series)
            self._window.status.show_cache(cache)

    def on_sliced(self, number: int, slices: Any) -> None:
        if number >= self.opened:
            self._window.compare.show_slices(slices)
