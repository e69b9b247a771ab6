"""Frames from the worker to the views: what is kept, what is asked for, what is dropped because it came too late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.model.frame_pictures import U8, PictureCache
from app.model.state import State
from app.views.compare.grid import CompareView
from app.views.source.panel import SourcePanel
from app.views.widgets.once import once, start_if_idle
from app.window.panels import Series, Statistics, Timeline
from app.worker.messages import Arrival, Memory
from app.worker.worker import Worker
from gpu.engine.results import FrameResult, SourceInfo

RESULT_MS = 80  # plots follow the frame at most this often, the pictures at once
PLAYING_RESULT_MS = 240


class FrameDisplay(QObject):
    """The frame on the screen and the pictures of those that are at hand. Nothing older than `opened` is shown."""

    source_opened = Signal(object)  # SourceInfo: before anything of it is shown
    numbers_shown = Signal()
    memory_told = Signal(object)  # Memory
    first_complete = Signal()  # the first frame is complete, where `play_when_ready` asks for that

    def __init__(
        self,
        state: State,
        worker: Worker,
        compare: CompareView,
        source: SourcePanel,
        statistics: Statistics,
        timeline: Timeline,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._worker = state, worker
        self._compare, self._source = compare, source
        self._statistics, self._timeline = statistics, timeline
        self._playing = False
        self.opened = 0  # number of the settings whose results are shown
        self.info: SourceInfo | None = None
        self.result: FrameResult | None = None
        self.pictures = PictureCache()
        self.play_when_ready = False  # start to play with the first complete frame
        self.numbers = once(self, RESULT_MS, self.show_numbers)
        worker.opened.connect(self.on_opened)
        worker.arrived.connect(self.on_arrived)
        worker.told.connect(self.on_told)
        worker.sliced.connect(self.on_sliced)

    def clear(self) -> None:
        """Forget everything: another session is opened."""
        self.pictures.clear()
        self.result = None
        self._compare.show_pictures(None)
        self._compare.canvas.set_empty("Opening …")

    def set_playing(self, on: bool) -> None:
        """While playing, plots follow less often; afterwards the frame it stopped at is shown in full."""
        self._playing = on
        self.numbers.setInterval(PLAYING_RESULT_MS if on else RESULT_MS)
        if not on and self.info is not None:
            self.go(self._state.view.frame)

    def recolour(self, colours: str) -> None:
        """Noise is wanted in other colours: what was converted is of no use."""
        frame = self._state.view.frame
        shown = self.pictures.get(frame)
        if shown is not None and shown.colours != colours:
            self.pictures.clear()
            self._worker.request(frame, self._state.order())

    def go(self, t: int) -> None:
        """Show frame t at once if its pictures are at hand, else ask for it."""
        self._timeline.set_frame(t)
        pictures = self.pictures.get(t)
        cached = self._worker.cached(t)
        if pictures is not None:
            self._compare.show_pictures(pictures)
            self._source.preview.set_image(pictures.image)
            self._compare.canvas.set_waiting("")
        else:
            self._compare.canvas.set_waiting(f"computing frame {t} …")
        if cached is not None and pictures is not None:
            self.result = cached
            start_if_idle(self.numbers)
        if self._playing and pictures is not None:
            return  # what is computed ahead stays in order while the frame runs
        if cached is not None and cached.complete and pictures is not None and not pictures.older_than(cached):
            self._worker.follow(self._state.order())
        else:
            self._worker.request(t, self._state.order())

    def on_arrived(self, arrival: Arrival) -> None:
        if arrival.number < self.opened or arrival.pictures.colours != self._state.view.colours:
            return
        result = arrival.result
        noised = len(result.columns) == len(self._state.session.priors)
        if result.complete or (noised and self.pictures.get(result.t) is None):
            self.pictures.put(arrival.pictures)
        frame = self._state.view.frame
        if result.complete and result.t in (frame - 1, frame - 5):
            self._worker.request(frame, self._state.order())  # its warp errors are known now
        if self.play_when_ready and result.complete:
            self.play_when_ready = False
            self.first_complete.emit()
        if result.t == frame:
            self.result = result
            self._compare.show_pictures(arrival.pictures)
            self._compare.canvas.set_waiting("")
            self._source.preview.set_image(arrival.pictures.image)
            start_if_idle(self.numbers)

    def is_settled(self) -> bool:
        """Whether the current frame is complete and everything shows it."""
        shown, result = self._compare.canvas.pictures, self.result
        return (
            result is not None
            and shown is not None
            and (result.t, shown.t) == (self._state.view.frame,) * 2
            and result.complete
            and shown.complete
            and not self.numbers.isActive()
        )

    def is_complete(self, t: int) -> bool:
        """Whether everything of frame t is computed and at hand."""
        result = self._worker.cached(t)
        return result is not None and result.complete

    def show_numbers(self) -> None:
        """The figures below the columns, and the statistics, of the frame on the screen."""
        self._compare.show_result(self.result)
        self._statistics.show_result(self.result)
        self.numbers_shown.emit()

    def on_opened(self, number: int, info: SourceInfo) -> None:
        if number < self._worker.number:
            return
        before, self.opened, self.info = self.info, number, info
        fresh = before is None or (info.title, info.height, info.width) != (before.title, before.height, before.width)
        self.pictures.clear()
        self._source.show_wrong("")
        self._source.show_info(info)
        self.source_opened.emit(info)
        if info != before:
            self._timeline.set_info(info)
        self._compare.canvas.set_source(info.height, info.width, info.frames)
        self._compare.canvas.set_empty("computing …")
        if fresh:  # nothing of another source stays beside what is said of this one
            self._compare.canvas.set_slices({})
            self._compare.show_pictures(None)
            self._source.preview.set_image(None)
            self.result = None
            self.show_numbers()
        self._state.opened(info.frames)
        self._timeline.set_frame(self._state.view.frame)
        self._worker.request(self._state.view.frame, self._state.order())

    def on_told(self, number: int, mask: npt.NDArray[np.bool_], series: Series, memory: Memory) -> None:
        if number >= self.opened and number == self._worker.number:
            self._timeline.set_computed(mask)
            self._timeline.set_series(series)
            self.memory_told.emit(memory)

    def on_sliced(self, number: int, slices: Mapping[Any, U8]) -> None:
        if number >= self.opened:
            self._compare.show_slices(slices)
