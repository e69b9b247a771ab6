"""Curves over time by prior, one measure a plot, with a cursor at the current frame; a click goes to a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from app.look.theme import DARK, LIGHT, Theme, small
from app.views.widgets.plot_files import Table
from app.views.widgets.plots import Curve, CurvePlot, PlotSpec, from_zero, nice_ceiling
from app.views.widgets.prior_lines import LINE_WIDTH, pen

F32 = npt.NDArray[np.floating]
Series = Mapping[str, Mapping[str, F32]]

CEILING = 2 / 3
"""Coherence of a perfect transport under general motion. Where pixels meet at an offset (u, v), sampling the other frame
bilinearly gives a covariance and a variance that are both ((1−u)² + u²)((1−v)² + v²), (2/3)² on average over all offsets;
the correlation is the covariance over the root of the variance, 2/3."""

POINTS = 600
"""More points than this are thinned, and drawn as thin solid lines: dashes would not be seen, and cost much."""


NO_OUTPUT = "no output yet; it appears once a diffusion task has run"
NO_PAIR = "needs a diffusion task's outputs of two frames in a row"
NO_FIVE = "needs a diffusion task's outputs five frames apart"


@dataclass(frozen=True)
class Curves:
    """A measure over time: its name in the engine's series, what it is called, its unit, and how it is scaled."""

    series: str
    title: str
    unit: str
    tip: str
    scale: float = 1.0
    reference: float | None = None
    fixed: tuple[float, float] | None = None
    hint: str = "not computed yet"

    @property
    def label(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


CURVES: tuple[Curves, ...] = (
    Curves(
        "warp_error",
        "warp error, gap 1",
        "×10⁻³",
        "Mean squared difference between the output and the previous one carried along the motion, images in 0 … 1. "
        "Lower flickers less; a blurred output is low as well, so look at sharpness beside it.",
        scale=1e3,
        hint=NO_PAIR,
    ),
    Curves(
        "warp_error_5",
        "warp error, gap 5",
        "×10⁻³",
        "The same over five frames. Noise that sticks to the screen flatters itself at a gap of 1, but not here.",
        scale=1e3,
        hint=NO_FIVE,
    ),
    Curves(
        "variance",
        "noise variance",
        "",
        "Variance of the noise of each frame. White noise gives 1; interpolation loses it.",
        reference=1.0,
    ),
    Curves(
        "coherence_previous",
        "coherence with previous frame",
        "correlation",
        "Correlation of the noise with the previous frame's along the true motion. A perfect transport gives 1 where "
        "nothing moves or moves by whole pixels, and 2/3 on average for general motion: the grey line.",
        reference=CEILING,
        fixed=(-0.1, 1.05),
    ),
    Curves(
        "coherence_first",
        "coherence with first frame",
        "correlation",
        "Correlation of the noise with that of the shot's first frame along the true motion. Chained methods forget "
        "within a few frames. The grey line at 2/3 is the ceiling for general motion.",
        reference=CEILING,
        fixed=(-0.1, 1.05),
    ),
    Curves(
        "coherence_ceiling",
        "coherence ceiling",
        "correlation",
        "What perfect transport would reach with the previous frame for the motion of this frame: pixels that meet at an "
        "offset share only part of their area.",
        fixed=(-0.1, 1.05),
    ),
    Curves("undefined", "undefined pixels", "%", "Pixels that no noise could be carried to.", scale=100.0),
    Curves(
        "inherited", "inherited pixels", "%", "Pixels that took over a later anchor from the frame before.", scale=100.0
    ),
    Curves("new", "new pixels", "%", "Pixels that came into view and opened an anchor with fresh noise.", scale=100.0),
    Curves(
        "coverage",
        "coverage",
        "%",
        "Pixels whose motion passes the forward-backward check, over which the warp error is taken.",
        scale=100.0,
        fixed=(0.0, 105.0),
    ),
    Curves("coverage_5", "coverage, gap 5", "%", "The same over five frames.", scale=100.0, fixed=(0.0, 105.0)),
    Curves(
        "sharpness",
        "sharpness",
        "× true frame",
        "Variance of the output's Laplacian relative to that of the true frame. Well below 1 is blurred.",
        reference=1.0,
        hint=NO_OUTPUT,
    ),
    Curves(
        "laplacian",
        "Laplacian variance",
        "(0–255)²",
        "Variance of the output's Laplacian, on the 0 … 255 scale: what sharpness is a ratio of.",
        hint=NO_OUTPUT,
    ),
    Curves("psnr", "PSNR", "dB", "Peak signal-to-noise ratio of the output to the true frame.", hint=NO_OUTPUT),
)


def decimate(x: F32, y: F32, limit: int = POINTS) -> Curve:
    """At most about `limit` points that keep every bin's lowest and highest value, in order; NaN bins stay gaps."""
    n = len(y)
    if n <= limit:
        return x, y
    size = -(-n // (limit // 2))
    bins = -(-n // size)
    padded = np.full(bins * size, np.nan)
    padded[:n] = y
    padded = padded.reshape(bins, size)
    low, high = np.fmin.reduce(padded, axis=1), np.fmax.reduce(padded, axis=1)
    start = x[np.minimum(np.arange(bins) * size, n - 1)]
    middle = x[np.minimum(np.arange(bins) * size + size // 2, n - 1)]
    return np.stack([start, middle], 1).ravel(), np.stack([low, high], 1).ravel()


def lonely(x: F32, y: F32) -> Curve:
    """Points with no neighbour to draw a line to."""
    finite = np.isfinite(y)
    before = np.concatenate(([False], finite[:-1]))
    after = np.concatenate((finite[1:], [False]))
    alone = finite & ~before & ~after
    return x[alone], y[alone]


class TimePlot(CurvePlot):
    """One measure over the frames of the source."""

    frameRequested = Signal(int)

    def __init__(self, curves: Curves, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        self._frames, self._frame, self._fps = 0, 0, 0.0
        self._whole: dict[str, Curve] = {}
        self._dots: dict[str, pg.ScatterPlotItem] = {}
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cuts: list[pg.InfiniteLine] = []
        super().__init__(_spec(curves), colours, parent)
        self.curves = curves
        axis = self.getPlotItem().getAxis("bottom")
        usual = axis.tickSpacing
        # There is no frame half-way between two.
        axis.tickSpacing = lambda low, high, size: [(max(step, 1.0), at) for step, at in usual(low, high, size)]
        self.addItem(self._cursor, ignoreBounds=True)
        self._cursor.setZValue(20)
        self._hint = QLabel(self)
        self._hint.setObjectName("dim")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMinimumHeight(72)
        self.set_theme(colours)

    def set_measure(self, curves: Curves) -> None:
        """Draw another measure; the data follows with set_series."""
        self.curves = curves
        self.spec = _spec(curves)
        self.setAccessibleName(self.spec.title)
        self.setAccessibleDescription(self.spec.tip)
        self.set_labels(self.spec.label_x, self.spec.label_y)
        self._show_reference()

    def set_source(self, frames: int, fps: float, cuts: tuple[int, ...]) -> None:
        """A new source: its length, frames per second, and where shots start."""
        self._frames, self._fps = frames, fps
        for line in self._cuts:
            self.removeItem(line)
        self._cuts = [pg.InfiniteLine(cut - 0.5, angle=90, movable=False) for cut in cuts]
        for line in self._cuts:
            self.addItem(line, ignoreBounds=True)
            line.setZValue(-5)
        self.set_theme(self.colours)
        self._show_reference()
        self.set_series({})
        self._set_range()

    def _show_reference(self) -> None:
        level = self.curves.reference
        ends = self.ends_x()
        self.set_reference(None if level is None else (np.array(ends), np.array([level, level])))

    def set_series(self, series: Series) -> None:
        """Draw this plot's measure out of {prior: {name: (frames,)}}."""
        self._whole = {}
        for key, named in series.items():
            if self.curves.series in named:
                y = np.asarray(named[self.curves.series], dtype=np.float64) * self.curves.scale
                self._whole[key] = np.arange(len(y), dtype=np.float64), y
        self.set_curves({key: decimate(*curve) for key, curve in self._whole.items()})
        self._draw_dots()
        empty = not any(np.isfinite(y).any() for _, y in self._curves.values())
        self._hint.setText(self.curves.hint if self._frames else "")
        self._hint.setVisible(empty)

    def style_item(self, key: str) -> None:
        dense = len(self._curves[key][1]) >= POINTS - 1
        line = pen(key, self.colours, LINE_WIDTH * self.line_scale)
        if dense:
            line.setStyle(Qt.PenStyle.SolidLine)
            line.setWidthF(self.line_scale)
        self.set_pen(key, line)
        self._items[key].opts["antialias"] = not dense

    def _draw_dots(self) -> None:
        for key in [key for key in self._dots if key not in self._curves]:
            self.removeItem(self._dots.pop(key))
        for key, curve in self._curves.items():
            x, y = lonely(*curve)
            if key not in self._dots:
                if not len(x):
                    continue
                self._dots[key] = pg.ScatterPlotItem(size=4, pen=None, pxMode=True)
                self.addItem(self._dots[key], ignoreBounds=True)
            there = self._dots[key].getData()
            if not (np.array_equal(there[0], x) and np.array_equal(there[1], y)):
                self._dots[key].setData(x, y, brush=self._items[key].opts["pen"].color())

    def set_frame(self, t: int) -> None:
        """Move the cursor."""
        self._frame = t
        self._cursor.setValue(t)

    def set_theme(self, colours: Theme) -> None:
        super().set_theme(colours)
        cursor = QPen(QColor(colours.text), self.line_scale)
        cut = QPen(QColor(colours.dim), self.line_scale, Qt.PenStyle.DotLine)
        for one in (cursor, cut):
            one.setCosmetic(True)
        self._cursor.setPen(cursor)
        for line in self._cuts:
            line.setPen(cut)
        for key, dots in self._dots.items():
            dots.setBrush(self._items[key].opts["pen"].color())

    def ends_x(self) -> tuple[float, float]:
        frames = max(1, self._frames)
        return -0.5 - 0.012 * frames, frames - 0.5  # the room on the left is for the label of 0

    def ends_y(self) -> tuple[float, float]:
        if self.curves.fixed is not None:
            return self.curves.fixed
        if self.curves.series == "psnr":
            values = [y[np.isfinite(y)] for _, y in self._curves.values()]
            lowest = min((float(y.min()) for y in values if len(y)), default=20.0)
            return 5 * np.floor(lowest / 5 - 0.2), max(5 * np.ceil(self.highest() / 5 + 0.2), 25.0)
        return from_zero(nice_ceiling(1.08 * self.highest()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_hint"):  # pyqtgraph resizes itself while it is being built
            self._hint.setGeometry(52, 0, max(0, self.width() - 64), max(0, self.height() - 36))

    # a press or a drag goes to the frame under the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._ask(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def _frame_at(self, position: QPointF) -> int | None:
        """The frame under a point of the widget; None outside the axes."""
        box = self.getPlotItem().getViewBox()
        scene = self.mapToScene(position.toPoint())
        if not self._frames or not box.sceneBoundingRect().adjusted(-4, 0, 4, 0).contains(scene):
            return None
        return min(max(round(box.mapSceneToView(scene).x()), 0), self._frames - 1)

    def _ask(self, position: QPointF) -> None:
        t = self._frame_at(position)
        if t is not None and t != self._frame:
            self.frameRequested.emit(t)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            t = self._frame_at(QPointF(event.pos()))
            text = f"<p>{self.spec.tip}</p>" if t is None else self.value_text(t)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def value_text(self, t: int) -> str:
        """The values of all priors at a frame, for the tooltip."""
        lines = [f"frame {t}" + (f", {t / self._fps:.2f} s" if self._fps > 0 else "")]
        for key, (_, y) in self._whole.items():
            if t < len(y) and np.isfinite(y[t]):
                lines.append(f"{key}: {y[t]:.4g} {self.curves.unit}".rstrip())
        return "\n".join(lines)

    def figure_twin(self) -> QWidget:
        twin = TimePlot(self.curves, colours=LIGHT)
        cuts = tuple(round(line.value() + 0.5) for line in self._cuts)
        twin.set_source(self._frames, self._fps, cuts)
        twin.set_frame(self._frame)
        twin.set_series({key: {self.curves.series: y / self.curves.scale} for key, (_, y) in self._whole.items()})
        return twin

    def figure_table(self) -> Table:
        frames = np.arange(self._frames)
        headings, columns = ["frame"], [frames]
        if self._fps > 0:
            headings.append("time (s)")
            columns.append(frames / self._fps)
        headings += [f"{key}: {self.curves.label}" for key in self._whole]
        return Table(headings, [*columns, *(y for _, y in self._whole.values())])


def _spec(curves: Curves) -> PlotSpec:
    return PlotSpec(
        name=curves.series.replace("_", "-"),
        title=f"{curves.title[0].upper()}{curves.title[1:]} over time",
        label_x="frame",
        label_y=curves.unit or "variance",
        tip=curves.tip,
    )


FLAT = "QComboBox { background: transparent; border: 1px solid transparent; padding: 0 2px; min-height: 18px; }"


class ChosenPlot(QWidget):
    """A plot over time with a chooser of its measure."""

    measureChanged = Signal(str)

    def __init__(self, series: str, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        number = next(index for index, curves in enumerate(CURVES) if curves.series == series)
        self._series: Series = {}
        self.plot = TimePlot(CURVES[number], colours)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Measure of this plot")
        self.chooser.setFont(small(self.chooser.font(), bold=True))
        self.chooser.setStyleSheet(FLAT)
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for index, curves in enumerate(CURVES):
            self.chooser.addItem(curves.label, curves.series)
            self.chooser.setItemData(index, f"<p>{curves.tip}</p>", Qt.ItemDataRole.ToolTipRole)
        self.chooser.setCurrentIndex(number)
        self.chooser.setToolTip(f"<p>{CURVES[number].tip}</p>")
        self.chooser.currentIndexChanged.connect(self._choose)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.chooser)
        head.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

    def sizeHint(self) -> QSize:
        return QSize(360, 130)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 100)

    def set_series(self, series: Series) -> None:
        """{prior: {name: (frames,)}}; the plot takes its measure out of it."""
        self._series = series
        self.plot.set_series(series)

    def choose(self, series: str) -> None:
        """Draw the measure of this name."""
        self.chooser.setCurrentIndex(max(0, self.chooser.findData(series)))

    def _choose(self, index: int) -> None:
        self.plot.set_measure(CURVES[index])
        self.plot.set_series(self._series)
        self.chooser.setToolTip(f"<p>{CURVES[index].tip}</p>")
        self.measureChanged.emit(CURVES[index].series)
