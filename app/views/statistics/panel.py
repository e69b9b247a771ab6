"""The panel on the right: whether each prior's noise is white, as verdicts, plots and a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QHideEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QLabel,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.look.theme import DARK, Theme, small
from app.views.statistics.autocorrelation_maps import TIP as MAPS_TIP
from app.views.statistics.autocorrelation_maps import AutocorrelationMaps
from app.views.statistics.outputs_page import OutputsPage
from app.views.statistics.pixel_page import InspectorPage
from app.views.statistics.whiteness_table import WhitenessTable
from app.views.widgets.drawing_queue import DrawingQueue
from app.views.widgets.once import once
from app.views.widgets.plot_files import Figure
from app.views.widgets.plots import Curve, CurvePlot, PlotSpec, nice_ceiling, verdict_colour, verdict_text
from app.views.widgets.prior_lines import SAMPLE, draw_sample
from app.views.widgets.words import Label, tooltip

if TYPE_CHECKING:
    from gpu.engine.results import FrameResult
    from gpu.metrics.whiteness import Whiteness

EMPTY = "No noise to measure yet.\nOpen a clip or choose a deformation; statistics of its noise appear here."
TABLE_MS = 100
"""The table follows at most ten times a second: numbers that change faster cannot be read, and cost a third of a frame."""

PARTIAL_MS = 700
"""A frame of which fewer priors are computed than are shown is waited for so long: else the panel would empty and fill again
with every frame that a person goes through."""

ALL_HIDDEN = "Every prior is hidden.\nClick a prior's dot above its column to show it here."

HISTOGRAM = PlotSpec(
    name="histogram",
    title="Histogram of the noise over N(0, 1)",
    label_x="noise value (σ)",
    label_y="density",
    tip="How often each value occurs. White noise follows the grey area, the density of N(0, 1); "
    "a narrower, taller curve has lost variance.",
    range_x=(-4.5, 4.5),
    steps=True,
)
SPECTRUM = PlotSpec(
    name="spectrum",
    title="Power spectrum of the noise",
    label_x="frequency (cycles/px)",
    label_y="power (dB)",
    column="power relative to white noise (dB)",
    tip="Power at each spatial frequency, averaged over directions, relative to white noise. White noise stays on the "
    "grey line at 0 dB; blur falls off to the right.",
)
QUANTILES = PlotSpec(
    name="qq",
    title="Q-Q plot of the noise against N(0, 1)",
    label_x="normal quantile (σ)",
    label_y="noise quantile (σ)",
    tip="Quantiles of the noise against those of N(0, 1). White noise lies on the grey diagonal; "
    "the slope is the standard deviation.",
    range_x=(-5.0, 5.0),
    range_y=(-5.0, 5.0),
)


class SpectrumPlot(CurvePlot):
    """The spectrum in dB, with white noise at 0; its lower end follows the data in steps of 10 dB."""

    def set_curves(self, curves: Mapping[str, Curve]) -> None:
        """Curves by column, (frequencies, dB)."""
        super().set_curves(curves)
        self.set_reference((np.array(self.ends_x()), np.zeros(2)))

    def ends_y(self) -> tuple[float, float]:
        values = [y[np.isfinite(y)] for _, y in self._curves.values()]
        lowest = min((float(y.min()) for y in values if len(y)), default=0.0)
        return max(-80.0, min(-10.0, 10.0 * np.floor(lowest / 10.0))), max(5.0, nice_ceiling(self.highest()))


PAGES = ("noise", "outputs", "pixel")
NAME_AT = SAMPLE + 8


class VerdictList(QWidget):
    """Legend and verdict in one: line, name, and in words whether the prior's noise is white."""

    ROW = 20

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, bool | None, str]] = []
        self._colours = colours
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Verdicts")

    def set_rows(self, rows: list[tuple[str, bool | None, str]]) -> None:
        """Rows of (prior, white or not, words)."""
        if rows != self._rows:
            self._rows = rows
            self.setAccessibleDescription("; ".join(f"{key}: {words}" for key, _, words in rows))
            self.updateGeometry()
            self.update()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self.ROW * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.ROW * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = QFontMetrics(self.font())
        widest = max((metrics.horizontalAdvance(key) for key, _, _ in self._rows), default=0)
        words_at = NAME_AT + min(widest, int(self.width() * 0.36)) + 12
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for row, (key, ok, words) in enumerate(self._rows):
            top = row * self.ROW
            draw_sample(painter, QRectF(0, top, SAMPLE, self.ROW), key, self._colours)
            painter.setPen(QColor(self._colours.text))
            name = metrics.elidedText(key, Qt.TextElideMode.ElideRight, words_at - NAME_AT - 8)
            painter.drawText(QRectF(NAME_AT, top, words_at - NAME_AT, self.ROW), middle, name)
            painter.setPen(verdict_colour(ok, self._colours))
            room = max(0, self.width() - words_at)
            text = verdict_text(ok, words.removeprefix("not white: "))
            if metrics.horizontalAdvance(text) > room - 6:
                text = re.sub(r" \([^)]*\)", "", text)  # sizes and intervals stand in the table as well
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(words_at, top, room, self.ROW), middle, text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = event.pos().y() // self.ROW
            if 0 <= row < len(self._rows):
                key, ok, words = self._rows[row]
                QToolTip.showText(event.globalPos(), f"{key}: {verdict_text(ok, words)}", self)
            return True
        return super().event(event)


class StatisticsPanel(QWidget):
    """Statistics of one frame's noise. Only what is visible is redrawn, so that it keeps up with playback."""

    saved = Signal(str)
    """The path of a plot that was written."""
    problem = Signal(str)
    """A sentence that says why one could not be."""

    def __init__(self, parent: QWidget | None = None, colours: Theme = DARK) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Statistics")
        self._result: FrameResult | None = None
        self._hidden: set[str] = set()
        self._shown: dict[str, Whiteness] = {}
        self._stale: set[QWidget] = set()
        self._turns = DrawingQueue(self)
        self._calm = once(self, TABLE_MS, self._refresh)
        self._partial = once(self, PARTIAL_MS, self._take)

        self.verdicts = VerdictList(colours)
        self.histogram = CurvePlot(HISTOGRAM, colours)
        self.spectrum = SpectrumPlot(SPECTRUM, colours)
        self.quantiles = CurvePlot(QUANTILES, colours)
        self.maps = AutocorrelationMaps(colours)
        self.table = WhitenessTable(colours)
        normal = np.linspace(-4.5, 4.5, 181)
        self.histogram.set_reference((normal, np.exp(-(normal**2) / 2) / np.sqrt(2 * np.pi)))
        self.quantiles.set_reference((np.array([-5.0, 5.0]), np.array([-5.0, 5.0])))
        for plot in (self.histogram, self.spectrum, self.quantiles, self.maps):
            plot.messenger.saved.connect(self.saved)
            plot.messenger.problem.connect(self.problem)

        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Which plot")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.stack = QStackedWidget()
        for title, plot, tip in (
            ("Spectrum", self.spectrum, SPECTRUM.tip),
            ("Q-Q", self.quantiles, QUANTILES.tip),
            ("Autocorrelation", self.maps, MAPS_TIP),
        ):
            number = self.tabs.addTab(title)
            self.tabs.setTabToolTip(number, tooltip(tip))
            self.stack.addWidget(plot)
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        self.tabs.currentChanged.connect(lambda: self._refresh())

        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(_section(_heading("HISTOGRAM", HISTOGRAM.tip), self.histogram))
        self._splitter.addWidget(_section(self.tabs, self.stack))
        self._splitter.addWidget(
            _section(_heading("TABLE", "Whiteness statistics of this frame, with verdicts."), self.table)
        )
        self._splitter.setSizes([150, 165, 185])
        self._splitter.splitterMoved.connect(lambda: self._refresh())
        self._empty = Label(EMPTY)
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setContentsMargins(24, 24, 24, 24)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(8, 8, 8, 0)
        inside.setSpacing(8)
        inside.addWidget(self.verdicts)
        inside.addWidget(self._splitter, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(content)
        self.outputs = OutputsPage(colours)
        self.inspector = InspectorPage(colours)
        for figure in self.outputs.plots():
            figure.messenger.saved.connect(self.saved)
            figure.messenger.problem.connect(self.problem)
        self.subjects = QTabBar()
        self.subjects.setAccessibleName("Statistics of the noise, of the outputs, or one pixel")
        self.subjects.setExpanding(True)
        self.subjects.setDrawBase(False)
        self._subjects = QStackedWidget()
        for title, page, tip in (
            ("Noise", self._pages, "Whether the noise of this frame is white"),
            ("Outputs", self.outputs, "Measures of the outputs computed so far, and their flicker"),
            ("Pixel", self.inspector, "What the noise of one pixel is made of (I)"),
        ):
            self.subjects.setTabToolTip(self.subjects.addTab(title), tip)
            self._subjects.addWidget(page)
        self.subjects.currentChanged.connect(self._subjects.setCurrentIndex)
        self.subjects.currentChanged.connect(lambda _: self._refresh())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.subjects)
        layout.addWidget(self._subjects, 1)

    def hideEvent(self, event: QHideEvent) -> None:
        """Folded away, the panel forgets the pixel: it opens on the noise again."""
        if not event.spontaneous() and self.subjects.currentIndex() == PAGES.index("pixel"):
            self.subjects.setCurrentIndex(PAGES.index("noise"))
        super().hideEvent(event)

    def open_page(self, name: str) -> None:
        """Show one of the pages: noise, outputs or pixel."""
        self.subjects.setCurrentIndex(PAGES.index(name))

    def show_result(self, result: FrameResult | None) -> None:
        """Show the whiteness of a frame's columns; None shows what to do to get one."""
        self._result = result
        if result is not None and not result.complete and not self._shown.keys() <= result.columns.keys():
            if not self._partial.isActive():
                self._partial.start()
            return
        self._take()

    def set_hidden_keys(self, hidden: set[str]) -> None:
        """Leave these priors out."""
        if set(hidden) != self._hidden:
            self._hidden = set(hidden)
            self.outputs.set_hidden_keys(self._hidden)
            self._calm.stop()
            self._take()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        noise = (self.verdicts, self.histogram, self.spectrum, self.quantiles, self.maps, self.table)
        for part in (*noise, self.outputs, self.inspector):
            part.set_theme(colours)

    def _take(self) -> None:
        self._partial.stop()
        columns = self._result.columns if self._result is not None else {}
        self._shown = {key: column.whiteness for key, column in columns.items() if key not in self._hidden}
        self._empty.setText(ALL_HIDDEN if columns and not self._shown else EMPTY)
        self._pages.setCurrentIndex(1 if self._shown else 0)
        if not self._shown:
            return
        self.verdicts.set_rows([(key, w.verdict.ok, w.verdict.text) for key, w in self._shown.items()])
        self._stale = {self.histogram, self.spectrum, self.quantiles, self.maps, self.table}
        self._refresh()

    def _refresh(self) -> None:
        """Give the parts that can be seen their data; the others get it when they are."""
        for part, fill in self._fillers():
            if part is self.table and self._calm.isActive():
                continue
            if part in self._stale and (part.isVisible() or not self.isVisible()) and self._unfolded(part):
                self._stale.discard(part)
                self._turns.put(part, fill)
                if part is self.table:
                    self._calm.start()
        if not self.isVisible():
            self._turns.finish()

    def _unfolded(self, part: QWidget) -> bool:
        return part not in (self.spectrum, self.quantiles, self.maps) or self.stack.currentWidget() is part

    def _fillers(self) -> list[tuple[QWidget, Callable[[], None]]]:
        return [
            (
                self.histogram,
                lambda: self.histogram.set_curves({k: (w.edges, w.density) for k, w in self._shown.items()}),
            ),
            (self.spectrum, lambda: self.spectrum.set_curves({k: _decibels(w) for k, w in self._shown.items()})),
            (
                self.quantiles,
                lambda: self.quantiles.set_curves({k: _pairs(w.quantiles) for k, w in self._shown.items()}),
            ),
            (self.maps, lambda: self.maps.set_maps({k: w.autocorrelation_map for k, w in self._shown.items()})),
            (self.table, lambda: self.table.whiteness.set_data(self._shown)),
        ]

    def figures(self) -> dict[str, Figure]:
        """The plots by name, with all data, for a report or an export of everything."""
        self._turns.finish()
        for part, fill in self._fillers():
            if part in self._stale:
                fill()
        self._stale = set()
        drawn: tuple[Figure, ...] = (self.histogram, self.spectrum, self.quantiles, self.maps, *self.outputs.plots())
        return {figure.figure_name(): figure for figure in drawn}


def _pairs(points: np.ndarray) -> Curve:
    return points[:, 0], points[:, 1]


def _decibels(whiteness: Whiteness) -> Curve:
    frequency, power = _pairs(whiteness.spectrum)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 10 * np.log10(power)
    return frequency, np.where(np.isfinite(level), np.maximum(level, -80.0), np.where(power <= 0, -80.0, np.nan))


def _heading(text: str, about: str) -> QLabel:
    label = Label(text)
    label.setObjectName("heading")
    label.setFont(small(label.font(), bold=True))
    label.setToolTip(tooltip(about))
    return label


def _section(head: QWidget, body: QWidget) -> QWidget:
    section = QWidget()
    layout = QVBoxLayout(section)
    layout.setContentsMargins(0, 4, 0, 4)
    layout.setSpacing(2)
    layout.addWidget(head)
    layout.addWidget(body, 1)
    return section
