"""Curves over time by prior, one measure a plot, with a cursor at the current frame; a click goes to a frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.look.theme import DARK, LIGHT, Theme
from app.views.timeline.measures import Curves
from app.views.widgets import graph
from app.views.widgets.plot_files import Table
from app.views.widgets.plots import Curve, CurvePlot, PlotSpec, from_zero, nice_ceiling
from app.views.widgets.prior_lines import LINE_WIDTH, pen
from app.views.widgets.words import Label, tooltip

F32 = npt.NDArray[np.floating]
Series = Mapping[str, Mapping[str, F32]]

POINTS = 600
"""More points than this are thinned, and drawn as thin solid lines: dashes would not be seen, and cost much."""


def decimate(x: F32, y: F32, limit: int = POINTS) -> Curve:
    """At most about `limit` points that keep every bin's lowest and highest value, in order; NaN bins stay gaps."""
    n = len(y)
    if n <= limit:
        return x, y
    size = -(-n // (limit // 2))
    bins = -(-n // size)
    padded = np.full(bins * size, np.nan)
    padded[:n] = y
    by_bin = padded.reshape(bins, size)
    low, high = np.fmin.reduce(by_bin, axis=1), np.fmax.reduce(by_bin, axis=1)
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


class FrameAxis(graph.Axis):
    """Numbers of frames: there is none half-way between two."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        return [(max(step, 1.0), start) for step, start in super().tickSpacing(low, high, size)]


class TimePlot(CurvePlot):
    """One measure over the frames of the source."""

    frameRequested = Signal(int)

    def __init__(self, curves: Curves, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        self._frames, self._frame = 0, 0
        self._clock: tuple[float, ...] = ()
        self._whole: dict[str, Curve] = {}
        self._dots: dict[str, graph.Dots] = {}
        self._cursor = graph.Rule(angle=90, movable=False)
        self._cuts: list[graph.Rule] = []
        self._hint = Label()  # here already, because pyqtgraph resizes the plot while it is being built
        super().__init__(_spec(curves), colours, parent)
        self.curves = curves
        self.addItem(self._cursor, ignoreBounds=True)
        self._cursor.setZValue(20)
        self._hint.setParent(self)
        self._hint.setObjectName("dim")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMinimumHeight(72)
        self.set_theme(colours)

    def own_axes(self) -> dict[str, graph.Axis]:
        return {"bottom": FrameAxis("bottom")}

    def set_measure(self, curves: Curves) -> None:
        """Draw another measure; the data follows with set_series."""
        self.curves = curves
        self.spec = _spec(curves)
        self.setAccessibleName(self.spec.title)
        self.setAccessibleDescription(self.spec.tip)
        self.set_labels(self.spec.label_x, self.spec.label_y)
        self._show_reference()

    def set_source(self, frames: int, clock: tuple[float, ...], cuts: tuple[int, ...]) -> None:
        """A new source: its length, the seconds at which its frames are shown (may be empty), and where shots start."""
        self._frames, self._clock = frames, clock
        for line in self._cuts:
            self.removeItem(line)
        self._cuts = [graph.Rule(cut - 0.5, angle=90, movable=False) for cut in cuts]
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
                self._dots[key] = graph.Dots(size=4, pen=None, pxMode=True)
                self.addItem(self._dots[key], ignoreBounds=True)
            there = self._dots[key].getData()
            if not (np.array_equal(there[0], x) and np.array_equal(there[1], y)):
                self._dots[key].setData(x, y, brush=self._items[key].opts["pen"].color())

    def set_frame(self, t: int) -> None:
        """Move the cursor."""
        self._frame = t
        self._cursor.setValue(t)

    def set_theme(self, colours: Theme) -> None:
        """Take the colours of a theme."""
        super().set_theme(colours)
        cursor = QPen(QColor(colours.text), self.line_scale)
        cut = QPen(QColor(colours.dim), self.line_scale, Qt.PenStyle.DotLine)
        for line_pen in (cursor, cut):
            line_pen.setCosmetic(True)
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
        self._hint.setGeometry(52, 0, max(0, self.width() - 64), max(0, self.height() - 36))

    # a press or a drag goes to the frame under the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def _frame_at(self, position: QPointF) -> int | None:
        """The frame under a point of the widget; None outside the axes."""
        box = self.getPlotItem().getViewBox()
        scene = self.mapToScene(position.toPoint())
        if not self._frames or not box.sceneBoundingRect().adjusted(-4, 0, 4, 0).contains(scene):
            return None
        return min(max(round(box.mapSceneToView(scene).x()), 0), self._frames - 1)

    def _go_to(self, position: QPointF) -> None:
        t = self._frame_at(position)
        if t is not None and t != self._frame:
            self.frameRequested.emit(t)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            t = self._frame_at(QPointF(event.pos()))
            text = tooltip(self.spec.tip) if t is None else self.value_text(t)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def value_text(self, t: int) -> str:
        """The values of all priors at a frame, for the tooltip."""
        lines = [f"frame {t}" + (f", {self._clock[t]:.2f} s" if t < len(self._clock) else "")]
        for key, (_, y) in self._whole.items():
            if t < len(y) and np.isfinite(y[t]):
                lines.append(f"{key}: {y[t]:.4g} {self.curves.unit}".rstrip())
        return "\n".join(lines)

    def figure_twin(self, scale: float) -> QWidget:
        twin = TimePlot(self.curves, colours=LIGHT)
        cuts = tuple(round(line.value() + 0.5) for line in self._cuts)
        twin.set_source(self._frames, self._clock, cuts)
        twin.set_frame(self._frame)
        twin.set_series({key: {self.curves.series: y / self.curves.scale} for key, (_, y) in self._whole.items()})
        twin.set_on_paper(scale)
        return twin

    def figure_table(self) -> Table:
        frames = np.arange(self._frames)
        headings = ["frame"]
        columns: list[npt.NDArray[np.generic]] = [frames]
        if len(self._clock) >= len(frames) > 0:
            headings.append("time (s)")
            columns.append(np.asarray(self._clock[: len(frames)]))
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
