"""The panel at the bottom: transport, scrub bar, and the measures of every prior over time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look.theme import DARK, Theme, icon
from app.views.timeline.chosen_plot import ChosenPlot
from app.views.timeline.scrub_bar import ScrubBar
from app.views.widgets.drawing_queue import DrawingQueue
from app.views.widgets.once import once
from app.views.widgets.plot_files import Figure
from app.views.widgets.prior_lines import Legend
from app.views.widgets.words import Label

if TYPE_CHECKING:
    from gpu.engine.results import SourceInfo

REDRAW_MS = 33
"""Curves are redrawn at most 30 times a second, however fast frames arrive."""
PLAYING_MS = 120
"""And the mark of the frame moves so often in the curves while the clip runs; in the scrub bar it moves with every frame."""

BUTTONS = (
    ("first", "skip-back", "First frame", "Go to the first frame, or the loop's first (Home)"),
    ("back", "step-back", "Previous frame", "Go back one frame (Left)"),
    ("play", "play", "Play", "Play or pause (Space)"),
    ("forward", "step-forward", "Next frame", "Go forward one frame (Right)"),
    ("last", "skip-forward", "Last frame", "Go to the last frame, or the loop's last (End)"),
    ("loop", "repeat", "Loop", "Repeat a range of frames (L); drag its ends in the bar"),
)
DEFAULT_MEASURES = ("warp_error", "variance", "coherence_first")
PLOT_WIDTH = 300


class TimelinePanel(QWidget):
    """Shows where in the clip one is and what was measured there; emits what the person asks for."""

    frameRequested = Signal(int)
    playToggled = Signal(bool)
    loopChanged = Signal(object)
    """(first, last) or None."""
    saved = Signal(str)
    problem = Signal(str)
    measuresChanged = Signal(list)
    """Names of the measures of the plots, from left to right."""

    def __init__(self, parent: QWidget | None = None, colours: Theme = DARK) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Timeline")
        self._frames, self._frame = 0, 0
        self._clock: tuple[float, ...] = ()
        self._loop: tuple[int, int] | None = None
        self._playing = False
        self._colours = colours
        self._series: Mapping[str, Mapping[str, npt.NDArray[np.floating]]] = {}
        self._hidden: set[str] = set()
        self._series_stale = self._frame_stale = False
        self._turns = DrawingQueue(self)
        self._timer = once(self, REDRAW_MS, self._redraw)

        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for name, _, accessible, tip in BUTTONS:
            button = QToolButton()
            button.setIconSize(QSize(16, 16))
            button.setAutoRaise(True)
            button.setToolTip(tip)
            button.setAccessibleName(accessible)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.buttons[name] = button
            row.addWidget(button)
        self.buttons["loop"].setCheckable(True)
        self.number = QSpinBox()
        self.number.setKeyboardTracking(False)
        self.number.setFixedWidth(64)
        self.number.setAccessibleName("Frame")
        self.number.setToolTip("The frame that is shown, counted from 0; type a number to go there")
        self.clock = Label()
        self.clock.setObjectName("dim")
        self.clock.setAccessibleName("Number of frames and time")
        self.scrub = ScrubBar(colours)
        row.addSpacing(8)
        row.addWidget(self.number)
        row.addSpacing(4)
        row.addWidget(self.clock)
        row.addSpacing(8)
        row.addWidget(self.scrub, 1)

        self.plots = [ChosenPlot(series, colours) for series in DEFAULT_MEASURES]
        self.legend = Legend(colours, column=True)
        self._legend_area = QScrollArea()
        self._legend_area.setWidget(self.legend)
        self._legend_area.setWidgetResizable(True)
        self._legend_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._legend_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._legend_area.setFrameStyle(0)
        curves = QHBoxLayout()
        curves.setContentsMargins(0, 0, 0, 0)
        curves.setSpacing(8)
        for plot in self.plots:
            curves.addWidget(plot, 1)
        curves.addWidget(self._legend_area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addLayout(curves, 1)

        self.buttons["first"].clicked.connect(lambda: self._ask(self._ends()[0]))
        self.buttons["back"].clicked.connect(lambda: self._ask(self._frame - 1))
        self.buttons["forward"].clicked.connect(lambda: self._ask(self._frame + 1))
        self.buttons["last"].clicked.connect(lambda: self._ask(self._ends()[1]))
        self.buttons["play"].clicked.connect(lambda: self.playToggled.emit(not self._playing))
        self.buttons["loop"].toggled.connect(self._toggle_loop)
        self.number.valueChanged.connect(self._ask)
        self.scrub.frameRequested.connect(self._ask)
        self.scrub.loopChanged.connect(self._take_loop)
        for plot in self.plots:
            plot.plot.frameRequested.connect(self._ask)
            plot.plot.messenger.saved.connect(self.saved)
            plot.plot.messenger.problem.connect(self.problem)
            plot.measureChanged.connect(lambda: self.measuresChanged.emit(self.measures()))
        self.set_theme(colours)
        self._show_source(())

    # what is given to it

    def set_info(self, info: SourceInfo) -> None:
        """A new source. Frame, loop, curves and computed frames start empty."""
        self._frames, self._clock = max(0, info.frames), info.clock
        self._frame, self._loop = 0, None
        self._series = {}
        self._show_source(tuple(info.cuts))

    def _show_source(self, cuts: tuple[int, ...]) -> None:
        self.scrub.set_source(self._frames, self._clock, cuts)
        for plot in self.plots:
            plot.set_series({})
            plot.plot.set_source(self._frames, self._clock, cuts)
        with QSignalBlocker(self.number):
            self.number.setRange(0, max(0, self._frames - 1))
        with QSignalBlocker(self.buttons["loop"]):
            self.buttons["loop"].setChecked(False)
        for control in (*self.buttons.values(), self.number):
            control.setEnabled(self._frames > 0)
        self._series_stale = self._frame_stale = True
        self._redraw()

    def set_frame(self, t: int) -> None:
        """The frame that is shown."""
        self._frame = t
        self.scrub.set_frame(t)
        with QSignalBlocker(self.number):
            self.number.setValue(t)
        self._show_clock()
        self._frame_stale = True
        self._schedule()

    def set_computed(self, mask: npt.NDArray[np.bool_]) -> None:
        """(frames,) which frames are ready."""
        self.scrub.set_computed(mask)

    def set_series(self, series: Mapping[str, Mapping[str, npt.NDArray[np.floating]]]) -> None:
        """{prior: {name: (frames,)}} with names of gpu.engine.results.SERIES; NaN where not computed."""
        self._series = series
        self._series_stale = True
        self._schedule()

    def set_hidden_keys(self, hidden: set[str]) -> None:
        """Leave these priors out."""
        if set(hidden) != self._hidden:
            self._hidden = set(hidden)
            self._series_stale = True
            self._schedule()

    def set_playing(self, playing: bool) -> None:
        """Whether the clip is playing, which the play button shows."""
        self._playing = playing
        self._timer.setInterval(PLAYING_MS if playing else REDRAW_MS)
        button = self.buttons["play"]
        button.setIcon(icon("pause" if playing else "play", self._colours))
        button.setAccessibleName("Pause" if playing else "Play")

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """First and last frame of the loop, or None."""
        self._loop = loop
        self.scrub.set_loop(loop)
        with QSignalBlocker(self.buttons["loop"]):
            self.buttons["loop"].setChecked(loop is not None)

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        for name, symbol, _, _ in BUTTONS:
            self.buttons[name].setIcon(icon(symbol, colours))
        self.set_playing(self._playing)
        self.scrub.set_theme(colours)
        self.legend.set_theme(colours)
        for plot in self.plots:
            plot.plot.set_theme(colours)

    def set_measures(self, names: list[str]) -> None:
        """Choose what the plots draw, from left to right."""
        for plot, name in zip(self.plots, names):
            plot.choose(name)

    def measures(self) -> list[str]:
        """What the plots draw, from left to right."""
        return [plot.plot.curves.series for plot in self.plots]

    def figures(self) -> dict[str, Figure]:
        """The plots by name, for a report or an export of everything."""
        self._redraw()
        self._turns.finish()
        return {plot.plot.figure_name(): plot.plot for plot in self.plots}

    # what the person does

    def _ends(self) -> tuple[int, int]:
        return self._loop if self._loop is not None else (0, max(0, self._frames - 1))

    def _ask(self, t: int) -> None:
        t = min(max(t, 0), max(0, self._frames - 1))
        if self._frames and t != self._frame:
            self.set_frame(t)
            self.frameRequested.emit(t)

    def _toggle_loop(self, on: bool) -> None:
        self._take_loop((0, max(0, self._frames - 1)) if on else None)

    def _take_loop(self, loop: tuple[int, int] | None) -> None:
        self.set_loop(loop)
        self.loopChanged.emit(loop)

    # drawing

    def _show_clock(self) -> None:
        if not self._frames:
            self.clock.setText("no source")
            return
        seconds = f" · {self._clock[self._frame]:.2f} s" if self._frame < len(self._clock) else ""
        self.clock.setText(f"/ {self._frames}{seconds}")

    def _schedule(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        self._timer.stop()
        if self._series_stale:
            self._series_stale = False
            shown = {key: named for key, named in self._series.items() if key not in self._hidden}
            self.legend.set_keys(list(shown))
            self._legend_area.setVisible(bool(shown))
            self._legend_area.setFixedWidth(min(180, self.legend.sizeHint().width() + 12))
            for plot in self.plots:
                if not plot.isHidden():
                    self._turns.put(("series", plot), partial(plot.set_series, shown))
        if self._frame_stale:
            self._frame_stale = False
            for plot in self.plots:
                self._turns.put(("frame", plot), partial(plot.plot.set_frame, self._frame))
            self._show_clock()
        if not self.isVisible():
            self._turns.finish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fit = max(1, self.width() // PLOT_WIDTH)
        changed = False
        for number, plot in enumerate(self.plots):
            if plot.isHidden() != (number >= fit):
                plot.setHidden(number >= fit)
                changed = True
        if changed:
            self._series_stale = True
            self._schedule()

    def sizeHint(self) -> QSize:
        return QSize(900, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(360, 132)
