"""Keeps the pages on outputs and on one pixel up to date: asks the worker while they are seen, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from app.model.state import State
from app.views.compare.canvas import Canvas, Probe
from app.views.widgets.once import once, start_if_idle
from app.window.frame_display import FrameDisplay
from app.window.panels import Series
from app.worker.dispatch import Dispatch
from app.worker.worker import Worker

if TYPE_CHECKING:
    from app.views.statistics.panel import StatisticsPanel
    from gpu.engine import Engine
    from gpu.engine.results import Flickers
    from gpu.noise.inspection import Inspection

OUTPUTS_MS = 1500  # measures of outputs follow at most this often: the flicker takes a fraction of a second
PIXEL_MS = 40

Asked = tuple[int, int, str, int, int, int]
"""Numbers of the settings asked for and shown, column, frame, x, y."""


class PixelInspection(QObject):
    """Made with the statistics panel. The pixel it explains is the one clicked last, in whatever frame is shown."""

    def __init__(
        self,
        panel: StatisticsPanel,
        state: State,
        worker: Worker,
        dispatch: Dispatch,
        canvas: Canvas,
        display: FrameDisplay,
    ) -> None:
        super().__init__(panel)
        self._panel, self._state, self._worker = panel, state, worker
        self._dispatch, self._canvas, self._display = dispatch, canvas, display
        self._pixel: tuple[int, int, str] | None = None
        self._asked: Asked | None = None
        self._busy = False
        self._measure = once(self, OUTPUTS_MS, self._ask_measures)
        self._explain = once(self, PIXEL_MS, self._ask_pixel)
        panel.outputs.wanted.connect(lambda: self._measure.start(0))
        panel.inspector.wanted.connect(self._opened)
        panel.inspector.moved.connect(self._move)
        panel.subjects.currentChanged.connect(lambda _: self._mark())
        worker.told.connect(lambda *_: start_if_idle(self._measure, OUTPUTS_MS))
        worker.opened.connect(lambda *_: self._explain.start())
        canvas.picked.connect(self._pick)
        state.frame_changed.connect(self._explain.start)
        state.session_changed.connect(self._explain.start)

    # -- outputs

    def _ask_measures(self) -> None:
        if not self._panel.outputs.isVisible():
            return
        if self._busy:
            self._measure.start(OUTPUTS_MS)
            return
        self._busy = True
        self._dispatch.ask(_measures, self._show_measures, otherwise=lambda: self._show_measures(None))

    def _show_measures(self, measures: tuple[Series, Flickers] | None) -> None:
        self._busy = False
        if measures is not None:
            self._panel.outputs.show_measures(*measures)

    # -- the pixel

    @property
    def _on(self) -> bool:
        return self._panel.inspector.isVisible()

    def _opened(self) -> None:
        """The page is seen: start with the pixel under the pointer, else with the middle of the picture."""
        probe = self._canvas.probe
        info, keys = self._display.info, self._state.keys
        if probe is not None:
            self._take(probe.x, probe.y, probe.key)
        elif self._pixel is None and info is not None and keys:
            self._take(info.width // 2, info.height // 2, "integral" if "integral" in keys else keys[0])
        self._asked = None
        self._mark()
        self._explain.start()

    def _pick(self, probe: Probe) -> None:
        if self._on:
            self._take(probe.x, probe.y, probe.key)
            self._panel.inspector.drawing.setFocus(Qt.FocusReason.MouseFocusReason)

    def _move(self, right: int, down: int) -> None:
        if self._pixel is not None:
            self._take(self._pixel[0] + right, self._pixel[1] + down, self._pixel[2])

    def _take(self, x: int, y: int, key: str) -> None:
        info = self._display.info
        if info is not None:
            self._pixel = (min(max(x, 0), info.width - 1), min(max(y, 0), info.height - 1), key)
            self._mark()
            self._explain.start()

    def _mark(self) -> None:
        self._canvas.set_chosen(self._pixel if self._on else None)

    def _ask_pixel(self) -> None:
        info = self._display.info
        if not self._on or self._pixel is None or info is None:
            return
        x, y, key = self._pixel
        keys = self._state.keys
        if key not in keys:  # its column is gone
            key = keys[0] if keys else ""
        if not key:
            self._panel.inspector.show_inspection("", None)
            return
        x, y = min(x, info.width - 1), min(y, info.height - 1)
        self._pixel = (x, y, key)
        self._mark()
        t = self._state.view.frame
        asked = (self._worker.number, self._display.opened, key, t, x, y)
        if asked == self._asked:
            return
        self._asked = asked
        self._dispatch.ask(
            lambda engine: _explained(engine, key, t, x, y), lambda inspection: self._show_pixel(asked, inspection)
        )

    def _show_pixel(self, asked: Asked, inspection: Inspection | None) -> None:
        if inspection is not None and asked == self._asked:
            self._panel.inspector.show_inspection(asked[2], inspection)


def _measures(engine: Engine | None) -> tuple[Series, Flickers] | None:
    """Curves of every column and the flicker; in the worker."""
    if engine is None:
        return None
    return {prior.key: engine.series(prior.key) for prior in engine.session.priors}, engine.flicker()


def _explained(engine: Engine | None, key: str, t: int, x: int, y: int) -> Inspection | None:
    """What a pixel is made of; None when the settings have moved on meanwhile. In the worker."""
    if engine is None or key not in [prior.key for prior in engine.session.priors]:
        return None
    info = engine.info
    return engine.inspect(key, t, x, y) if t < info.frames and x < info.width and y < info.height else None
