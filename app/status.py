"""The line at the bottom: values under the pointer, progress with time left and cancel, what computes, the cache."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from app import theme
from app.messages import Progress
from gpu.engine.results import SourceInfo


class Bar(QWidget):
    """A thin progress bar. QProgressBar paints at once whenever its value changes, and half the window with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(12 * theme.GRID, 2 * theme.GRID)
        self._share = 0.0

    def show_share(self, share: float) -> None:
        if round(share * self.width()) != round(self._share * self.width()):
            self._share = share
            self.setAccessibleDescription(f"{share:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour in ((1.0, colours.border), (min(max(self._share, 0.0), 1.0), colours.accent)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(0, self.height() / 2 - 2, self.width() * share, 4), 2, 2)
        painter.end()


class StatusLine(QStatusBar):
    cancelled = Signal(object)  # the number of an export, or None for computing ahead

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._job: int | None = None
        self._message = QLabel("Loading torch and OpenCV …")
        self._message.setMinimumWidth(40)
        self._work = QLabel()
        self._bar = Bar()
        self._cancel = QToolButton()
        self._cancel.setToolTip("Stop this; what is done is kept")
        self._cancel.setAccessibleName("Cancel")
        self._cancel.clicked.connect(lambda: self.cancelled.emit(self._job))
        self._machine = QLabel()
        self._machine.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        self._message.setContentsMargins(theme.GRID, 0, 0, 0)
        self.addWidget(self._message, 1)
        for widget in (self._work, self._bar, self._cancel, self._machine):
            self.addPermanentWidget(widget)
        self._machine.setToolTip("What rasterises the noise · what torch computes on · size of the cache of frames")
        self._bar.setAccessibleName("Progress")
        self._bar.setToolTip("How much of this is done")
        self._info: SourceInfo | None = None
        self._cache = 0
        self.show_progress(None)

    def set_theme(self, colours: theme.Theme) -> None:
        self._cancel.setIcon(theme.icon("x", colours))
        for label in (self._message, self._work, self._machine):
            label.setFont(theme.small(self.font()))

    def say(self, text: str) -> None:
        """A line at the left, until the next one."""
        self._message.setText(text)

    def show_progress(self, progress: Progress | None) -> None:
        for widget in (self._work, self._bar, self._cancel):
            widget.setVisible(progress is not None)
        if progress is None:
            return
        self._job = progress.job
        text = progress.what
        if progress.seconds is not None:
            text += f" · {_duration(progress.seconds)} left"
        self._work.setText(text)
        self._bar.show_share(progress.done / max(progress.total, 1))

    def show_info(self, info: SourceInfo) -> None:
        self._info = info
        self._show_machine()

    def show_cache(self, size: int) -> None:
        if size != self._cache:
            self._cache = size
            self._show_machine()

    def _show_machine(self) -> None:
        parts = []
        if self._info is not None:
            parts = list(dict.fromkeys([self._info.backend, f"torch {self._info.device.removeprefix('torch ')}"]))
        if self._cache:
            parts.append(f"cache {self._cache / 2**20:.0f} MB")
        self._machine.setText(" · ".join(parts))


def _duration(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
