"""The line at the bottom: values under the pointer, progress with time left and cancel, what computes, the cache."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStatusBar, QToolButton, QWidget

from app.look import theme
from app.look.durations import duration
from app.views.widgets.progress_bar import Bar
from app.views.widgets.words import Label
from app.worker.messages import Memory, Progress
from gpu.engine.results import SourceInfo


class StatusLine(QStatusBar):
    cancelled = Signal(object)  # the Progress that is not to go on

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._progress: Progress | None = None
        self._message = Label("Loading torch and OpenCV …")
        self._message.setMinimumWidth(40)
        self._work = Label()
        self._bar = Bar()
        self._bar.setFixedWidth(12 * theme.GRID)
        self._cancel = QToolButton()
        self._cancel.setToolTip("Stop this; what is done is kept")
        self._cancel.setAccessibleName("Cancel")
        self._cancel.clicked.connect(lambda: self.cancelled.emit(self._progress))
        self._machine = Label()
        self._machine.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        self._message.setContentsMargins(theme.GRID, 0, 0, 0)
        self.addWidget(self._message, 1)
        for widget in (self._work, self._bar, self._cancel, self._machine):
            self.addPermanentWidget(widget)
        self._machine.setToolTip(
            "What rasterises the noise · what torch computes on · memory of finished frames · memory of fine fields, and "
            "how much they may take (panel at the left, Noise, Memory)"
        )
        self._bar.setAccessibleName("Progress")
        self._bar.setToolTip("How much of this is done")
        self._info: SourceInfo | None = None
        self._memory: Memory | None = None
        self.show_progress(None)

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._cancel.setIcon(theme.icon("x", colours))
        for label in (self._message, self._work):
            label.setFont(theme.small(theme.tabular(self.font())))
        self._machine.setFont(theme.small(self.font()))

    def say(self, text: str) -> None:
        """A line at the left, until the next one."""
        self._message.setText(text)

    @property
    def said(self) -> str:
        """What stands there now."""
        return self._message.text()

    def show_progress(self, progress: Progress | None) -> None:
        """What is being done and how far it is; None: nothing."""
        for widget in (self._work, self._bar, self._cancel):
            widget.setVisible(progress is not None)
        if progress is None:
            return
        self._progress = progress
        text = progress.what
        if progress.seconds is not None:
            text += f" · {duration(progress.seconds)} left"
        self._work.setText(text)
        self._bar.show_share(progress.done / max(progress.total, 1))

    def show_info(self, info: SourceInfo) -> None:
        """What computes, as the source was opened with it."""
        self._info = info
        self._show_machine()

    def show_memory(self, memory: Memory) -> None:
        """What finished frames and fine fields take."""
        if memory != self._memory:
            self._memory = memory
            self._show_machine()

    def _show_machine(self) -> None:
        parts = []
        if self._info is not None:
            parts = list(dict.fromkeys([self._info.backend, f"torch {self._info.device.removeprefix('torch ')}"]))
        if self._memory is not None and self._memory.frames:
            parts.append(f"cache {self._memory.frames / 2**20:.0f} MB")
        if self._memory is not None and self._memory.fields:
            parts.append(f"fields {self._memory.fields / 2**20:.0f} of {self._memory.most_fields / 2**20:.0f} MB")
        self._machine.setText(" · ".join(parts))
