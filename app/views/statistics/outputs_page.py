"""The page on outputs: measures of every prior's video as a table, and the flicker spectrum of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.look.theme import DARK, Theme, small, tabular
from app.views.statistics.measures import signed
from app.views.statistics.perceptual_cells import PERCEPTUAL, PerceptualButton, perceptual_cell
from app.views.widgets.plot_files import Figure
from app.views.widgets.plots import Curve, CurvePlot, PlotSpec
from app.views.widgets.prior_lines import Legend
from app.views.widgets.words import Label, tooltip

if TYPE_CHECKING:
    from gpu.engine.perceptual import Perception
    from gpu.engine.results import F32, Flickers
    from gpu.metrics.flicker import Flicker

Series = Mapping[str, Mapping[str, "F32"]]

NO_TASK = (
    "No outputs to measure yet.\nTheir measures appear here as soon as a task, chosen at the left, has computed some."
)
ALL_HIDDEN = "Every prior is hidden.\nClick a prior's dot above its column to show it here."
NO_RUN = "The flicker needs four outputs in a row."
FLOOR = -40.0
"""dB below which nothing is drawn: a hundredth of a grey level."""

UNITS = (
    "In dB re (1 grey level of 0 … 255)² per cycle/frame: what is independent from frame to frame lies flat, what stands still "
    "has none. The grey line is the true video."
)
ALONG = PlotSpec(
    name="flicker-along-motion",
    title="Flicker spectrum of the outputs along the true motion",
    label_x="frequency (cycles/frame)",
    label_y="power (dB)",
    column="power density (dB re (grey level)² per cycle/frame)",
    tip=f"How the brightness of one place on a moving thing changes over time. {UNITS}",
    range_x=(0.0, 0.5),
)
FIXED = PlotSpec(
    name="flicker-fixed",
    title="Flicker spectrum of the outputs at fixed pixels",
    label_x="frequency (cycles/frame)",
    label_y="power (dB)",
    column="power density (dB re (grey level)² per cycle/frame)",
    tip=f"How the brightness of one pixel of the screen changes over time; motion alone changes it as well. {UNITS}",
    range_x=(0.0, 0.5),
)


@dataclass(frozen=True)
class Row:
    """One measure: heading, explanation, name of the curve it is the mean of, factor and decimals."""

    heading: str
    tip: str
    series: str
    scale: float = 1.0
    digits: int = 2


@dataclass(frozen=True)
class Line:
    """One row of the table as it is shown: a text by prior, and a tip where it is another than the row's."""

    heading: str
    tip: str
    texts: Mapping[str, str]
    tips: Mapping[str, str] = field(default_factory=dict)


ROWS = (
    Row(
        "warp ×10⁻³",
        "Warp error: mean squared difference from the previous output moved along the motion, images in 0 … 1.",
        "warp_error",
        1e3,
    ),
    Row("  coverage %", "Share of the pixels that the warp error rests on.", "coverage", 100.0, 0),
    Row(
        "warp, gap 5",
        "The same over a gap of five frames, ×10⁻³, where noise that sticks to the screen can no longer hide.",
        "warp_error_5",
        1e3,
    ),
    Row("  coverage %", "Share of the pixels that the warp error over five frames rests on.", "coverage_5", 100.0, 0),
    Row("PSNR dB", "Peak signal-to-noise ratio to the true frames, where they are known.", "psnr", 1.0, 1),
    Row(
        "sharpness",
        "Variance of the Laplacian relative to the true frames'. Far below 1 is blurred: a low warp error is then no merit.",
        "sharpness",
    ),
    Row(
        "Laplacian",
        "Variance of the Laplacian of the luma on the 0 … 255 scale: sharpness where no true frame is known.",
        "laplacian",
        1.0,
        0,
    ),
)
FLICKER_TIP = (
    "Root mean square change of brightness over time along the motion, in grey levels of 0 … 255: the square root of the area "
    "under the flicker spectrum."
)


class FlickerPlot(CurvePlot):
    """A spectrum in dB whose ends follow the data in steps of 10 dB."""

    def ends_y(self) -> tuple[float, float]:
        values = [y[np.isfinite(y)] for _, y in self._curves.values()]
        values += [self._reference[1][np.isfinite(self._reference[1])]] if self._reference else []
        flat = np.concatenate([*values, np.zeros(0)])
        if not len(flat):
            return 0.0, 40.0
        return 10 * math.floor(flat.min() / 10 + 1e-4), 10 * math.ceil((flat.max() + 1) / 10)


class OutputsPage(QWidget):
    """Means over the computed frames, and flicker. `wanted` asks for numbers when the page is seen."""

    wanted = Signal()
    perception_wanted = Signal()
    weights_wanted = Signal()
    reference_wanted = Signal()

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Measures of the outputs")
        self._series: Series = {}
        self._flickers: Flickers | None = None
        self._perception: Perception | None = None
        self._missing: Mapping[str, str] = {}
        self._hidden: set[str] = set()
        self._legend = Legend(colours)
        self.perceptual = PerceptualButton()
        self.perceptual.set_theme(colours)
        self.perceptual.measure_wanted.connect(self.perception_wanted)
        self.perceptual.weights_wanted.connect(self.weights_wanted)
        self.perceptual.reference_wanted.connect(self.reference_wanted)
        self._note = Label()
        self._note.setObjectName("dim")
        self._note.setWordWrap(True)
        self.table = QTableWidget()
        self.table.setAccessibleName("Measures of the outputs of every prior")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setCornerButtonEnabled(False)
        self.table.setStyleSheet(
            "QTableCornerButton::section { background: transparent; border: none; } QHeaderView { background: transparent; }"
        )
        self.table.setFont(small(tabular(self.table.font())))
        for header in (self.table.horizontalHeader(), self.table.verticalHeader()):
            header.setFont(small(header.font()))
            header.setHighlightSections(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setMinimumSectionSize(54)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(20)
        self.along, self.fixed = FlickerPlot(ALONG, colours), FlickerPlot(FIXED, colours)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Which flicker spectrum")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self._stack = QStackedWidget()
        for title, plot in (("Flicker along the motion", self.along), ("At fixed pixels", self.fixed)):
            self.tabs.setTabToolTip(self.tabs.addTab(title), tooltip(plot.spec.tip))
            self._stack.addWidget(plot)
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        plots = QWidget()
        below = QVBoxLayout(plots)
        below.setContentsMargins(0, 4, 0, 4)
        below.setSpacing(2)
        below.addWidget(self.tabs)
        below.addWidget(self._legend)
        below.addWidget(self._stack, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(1)
        splitter.addWidget(self.table)
        splitter.addWidget(plots)
        splitter.setSizes([200, 260])
        self._empty = Label(NO_TASK)
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setContentsMargins(24, 24, 24, 24)
        content = QWidget()
        self._content = QVBoxLayout(content)
        self._content.setContentsMargins(8, 8, 8, 0)
        self._content.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(self._note, 1)
        head.addWidget(self.perceptual, 0, Qt.AlignmentFlag.AlignTop)
        self._content.addLayout(head)
        self._content.addWidget(splitter, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def showEvent(self, event: object) -> None:
        self.wanted.emit()

    def plots(self) -> list[Figure]:
        """The plots, for their messages and for export."""
        return [self.along, self.fixed]

    def show_measures(self, series: Series, flickers: Flickers | None) -> None:
        """Curves over time by prior, of which the means are shown, and the flicker."""
        self._series, self._flickers = series, flickers
        self._show()

    def show_perception(self, perception: Perception | None) -> None:
        """What networks say of the outputs; None where it was not measured, or for other settings."""
        self._perception = perception
        self._show()

    def show_missing(self, missing: Mapping[str, str]) -> None:
        """By measure the sentence that says which of its weights are not there, empty where all are."""
        self._missing = missing
        self.perceptual.show_missing(missing)
        self._show()

    def set_hidden_keys(self, hidden: set[str]) -> None:
        """Leave these priors out."""
        if hidden != self._hidden:
            self._hidden = set(hidden)
            self._show()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        for part in (self.along, self.fixed, self._legend, self.perceptual):
            part.set_theme(colours)

    def _show(self) -> None:
        made = {key: names for key, names in self._series.items() if np.isfinite(names["laplacian"]).any()}
        shown = [key for key in made if key not in self._hidden]
        self._empty.setText(ALL_HIDDEN if made and not shown else NO_TASK)
        self._pages.setCurrentIndex(1 if shown else 0)
        if not shown:
            return
        frames = max(int(np.isfinite(made[key]["laplacian"]).sum()) for key in shown)
        self._note.setText(f"Means over the {frames} output{'s' * (frames != 1)} computed so far. {self._of_flicker()}")
        self._fill(shown)
        self._legend.set_keys(shown)
        for plot, take in ((self.along, lambda flicker: flicker.along), (self.fixed, lambda flicker: flicker.fixed)):
            self._draw(plot, shown, take)

    def _of_flicker(self) -> str:
        flickers = self._flickers
        if flickers is None or not flickers.columns:
            return NO_RUN
        first = next(iter(flickers.columns.values()))
        last, stretch = first.start + first.frames - 1, 2 * len(first.frequency)
        return (
            f"Flicker over frames {first.start} … {last}, in stretches of {stretch} frames; "
            f"{first.coverage:.0%} of the points stay in view."
        )

    def _fill(self, keys: list[str]) -> None:
        rows = [row for row in ROWS if any(math.isfinite(_mean(self._series[key][row.series])) for key in keys)]
        if any(row.series == "sharpness" for row in rows):
            rows = [row for row in rows if row.series != "laplacian"]
        lines = [
            Line(
                row.heading,
                row.tip,
                {key: signed(_mean(self._series[key][row.series]) * row.scale, row.digits) for key in keys},
            )
            for row in rows
        ]
        columns = self._flickers.columns if self._flickers is not None else {}
        if columns:
            rms = {key: signed(_rms(columns[key]), 2) for key in keys if key in columns}
            lines.append(Line("flicker rms", FLICKER_TIP, rms))
        for measure in PERCEPTUAL:
            cells = {key: perceptual_cell(measure, key, self._perception, self._missing) for key in keys}
            tips = {key: tip for key, (_, tip) in cells.items()}
            lines.append(Line(measure.heading, measure.tip, {key: text for key, (text, _) in cells.items()}, tips))
        self._show_lines(keys, lines)

    def _show_lines(self, keys: list[str], lines: list[Line]) -> None:
        self.table.setRowCount(len(lines))
        self.table.setColumnCount(len(keys))
        for column, key in enumerate(keys):
            self.table.setHorizontalHeaderItem(column, _head(key, tooltip(key)))
        for number, line in enumerate(lines):
            self.table.setVerticalHeaderItem(number, _head(line.heading, tooltip(line.tip)))
            for column, key in enumerate(keys):
                self._cell(number, column, line.texts.get(key, "–"), line.tips.get(key) or line.tip)

    def _cell(self, row: int, column: int, text: str, about: str) -> None:
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setToolTip(tooltip(about))
        self.table.setItem(row, column, item)

    def _draw(self, plot: FlickerPlot, keys: list[str], take: Callable[[Flicker], F32]) -> None:
        flickers = self._flickers
        truth = flickers.truth if flickers is not None else None
        plot.set_reference(None if truth is None else _decibels(truth, take))
        columns = flickers.columns if flickers is not None else {}
        plot.set_curves({key: _decibels(columns[key], take) for key in keys if key in columns})


def _head(text: str, tip: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(tip)
    return item


def _mean(values: F32) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def _rms(flicker: Flicker) -> float:
    """Square root of the area under the spectrum: frequencies stand 1/N apart, the last one for half as much."""
    weights = np.full(len(flicker.frequency), float(flicker.frequency[0]))
    if flicker.frequency[-1] == 0.5:
        weights[-1] /= 2
    return float(np.sqrt((flicker.along * weights).sum()))


def _decibels(flicker: Flicker, take: Callable[[Flicker], F32]) -> Curve:
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 10 * np.log10(take(flicker))
    return flicker.frequency, np.where(np.isnan(level), np.nan, np.maximum(level, FLOOR))
