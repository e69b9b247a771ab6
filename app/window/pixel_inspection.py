"""Keeps the pages on outputs and on one pixel up to date: asks the worker while they are seen, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer

from app.window import layout

if TYPE_CHECKING:
    from app.views.compare.canvas import Probe
    from app.window.main_window import Window
    from gpu.engine import Engine

OUTPUTS_MS = 1500  # measures of outputs follow at most this often: the flicker takes a fraction of a second
PIXEL_MS = 40


class PixelInspection(QObject):
    """Made with the statistics panel. The pixel it explains is the one clicked last, in whatever frame is shown."""

    def __init__(self, window: Window, panel: Any) -> None:
        super().__init__(panel)
        self._window, self._panel = window, panel
        self._pixel: tuple[int, int, str] | None = None
        self._asked: tuple[Any, ...] = ()
        self._busy = False
        self._measure = self._timer(OUTPUTS_MS, self._ask_measures)
        self._explain = self._timer(PIXEL_MS, self._ask_pixel)
        panel.outputs.wanted.connect(lambda: self._measure.start(0))
        panel.inspector.wanted.connect(self._opened)
        panel.inspector.moved.connect(self._move)
        panel.subjects.currentChanged.connect(lambda _: self._mark())
        window.worker.told.connect(lambda *_: self._soon(self._measure, OUTPUTS_MS))
        window.worker.opened.connect(lambda *_: self._explain.start())
        window.compare.canvas.picked.connect(self._pick)
        window.state.listen(lambda name: self._explain.start() if name in ("frame", "session") else None)

    def _timer(self, milliseconds: int, action: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(action)
        return timer

    def _soon(self, timer: QTimer, milliseconds: int) -> None:
        if not timer.isActive():
            timer.start(milliseconds)

    # -- outputs

    def _ask_measures(self) -> None:
        if not self._panel.outputs.isVisible():
            return
        if self._busy:
            self._measure.start(OUTPUTS_MS)
            return
        self._busy = True
        self._window.ask(_measures, self._show_measures)

    def _show_measures(self, found: Any) -> None:
        self._busy = False
        if found is not None:
            self._panel.outputs.show_measures(*found)

    # -- the pixel

    @property
    def _on(self) -> bool:
        return bool(self._panel.inspector.isVisible())

    def _opened(self) -> None:
        """The page is seen: start with the pixel under the pointer, else with the middle of the picture."""
        probe = self._window.compare.canvas.probe
        if probe is not None:
            self._take(probe.x, probe.y, probe.key)
        elif self._pixel is None and self._window.info is not None and self._window.state.keys:
            info, keys = self._window.info, self._window.state.keys
            self._take(info.width // 2, info.height // 2, "integral" if "integral" in keys else keys[0])
        self._asked = ()
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
        info = self._window.info
        if info is not None:
            self._pixel = (min(max(x, 0), info.width - 1), min(max(y, 0), info.height - 1), key)
            self._mark()
            self._explain.start()

    def _mark(self) -> None:
        self._window.compare.canvas.set_chosen(self._pixel if self._on else None)

    def _ask_pixel(self) -> None:
        if not self._on or self._pixel is None or self._window.info is None:
            return
        x, y, key = self._pixel
        keys = self._window.state.keys
        if key not in keys:  # its column is gone
            key = keys[0] if keys else ""
        if not key:
            self._panel.inspector.show_inspection("", None)
            return
        x, y = min(x, self._window.info.width - 1), min(y, self._window.info.height - 1)
        self._pixel = (x, y, key)
        self._mark()
        asked = (self._window.worker.number, self._window.frames.opened, key, self._window.state.view.frame, x, y)
        if asked == self._asked:
            return
        self._asked = asked
        self._window.ask(lambda engine: _explained(engine, *asked[2:]), lambda found: self._show_pixel(asked, found))

    def _show_pixel(self, asked: tuple[Any, ...], found: Any) -> None:
        if found is not None and asked == self._asked:
            self._panel.inspector.show_inspection(asked[2], found)


def _measures(engine: Engine | None) -> Any:
    """Curves of every column and the flicker; in the worker."""
    if engine is None:
        return None
    return {prior.key: engine.series(prior.key) for prior in engine.session.priors}, engine.flicker()


def _explained(engine: Engine | None, key: str, t: int, x: int, y: int) -> Any:
    """What a pixel is made of; None when the settings have moved on meanwhile. In the worker."""
    if engine is None or key not in [prior.key for prior in engine.session.priors]:
        return None
    info = engine.info
    return engine.inspect(key, t, x, y) if t < info.frames and x < info.width and y < info.height else None


def open_page(window: Window, name: str) -> None:
    """Unfold the statistics and show one of their pages."""
    layout.fold(window, "statistics", True)
    window.statistics.tell_once("open_page", name)
