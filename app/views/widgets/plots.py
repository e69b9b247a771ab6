"""Plots of curves by prior, in our colours, with axes and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsItem, QSizePolicy, QWidget

from app.look.palette import SYMBOLS, style, verdict_style
from app.look.theme import DARK, LIGHT, SMALL, Theme, small
from app.views.widgets import graph
from app.views.widgets.plot_files import Figure, Table
from app.views.widgets.prior_lines import LINE_WIDTH, pen

F32 = npt.NDArray[np.float32]
Curve = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]


def airiness(key: str) -> float:
    """The part of a prior's line that is gap, 0 to 1: drawn in this order, curves that coincide are seen through it."""
    dash = style(key).dash
    return sum(dash[1::2]) / sum(dash) if dash else 0.0


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 5, 7 × 10^n that is at least `value` > 0: an axis end that does not jitter."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0):
        if value <= step * power * (1 + 1e-9):
            return float(step * power)
    return float(10 * power)


def from_zero(top: float) -> tuple[float, float]:
    """The range from 0 to `top`, with room below for the label of 0 and for curves that lie on it."""
    return -0.06 * top, top


@dataclass(frozen=True)
class PlotSpec:
    """What a plot shows. Labels name the quantity and, in brackets, its unit; `range_x` of None follows the data.

    `steps` draws a histogram: x holds one edge more than y has values. `column` heads the values in a CSV file where the
    axis has too little room to say it all.
    """

    name: str
    title: str
    label_x: str
    label_y: str
    tip: str
    range_x: tuple[float, float] | None = None
    range_y: tuple[float, float] | None = None
    steps: bool = False
    column: str = ""


class CurvePlot(graph.PlotView, Figure):
    """Curves by prior over a common axis, with a reference. It draws what it is given and keeps that for export."""

    def __init__(self, spec: PlotSpec, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, axisItems=self.own_axes())
        self.spec = spec
        self.colours = colours
        self.line_scale = 1.0
        self._curves: dict[str, Curve] = {}
        self._items: dict[str, graph.Line] = {}
        self._reference: Curve | None = None
        self._reference_item = graph.Shape()
        self._reference_item.setZValue(-10)
        self._range: tuple[float, ...] = ()
        self.setFrameStyle(0)
        self.setMinimumSize(120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(spec.title)
        self.setAccessibleDescription(spec.tip)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.setContentsMargins(0, 4, 10, 0)
        item.disableAutoRange()
        item.addItem(self._reference_item, ignoreBounds=True)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickFont=small(self.font()), tickLength=-4, maxTickLevel=0)
            axis.setStyle(hideOverlappingLabels=12)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        item.getAxis("left").setWidth(44)
        item.getAxis("bottom").setHeight(34)
        self.figure_menu()
        self.set_labels(spec.label_x, spec.label_y)
        self.set_theme(colours)

    def own_axes(self) -> dict[str, graph.Axis]:
        """Axes by side ("left", "bottom") where pyqtgraph's will not do."""
        return {}

    def set_labels(self, label_x: str, label_y: str) -> None:
        """Name the axes, units in brackets."""
        colours = self.colours
        size = f"{SMALL}px"
        for side, label in (("bottom", label_x), ("left", label_y)):
            self.getPlotItem().getAxis(side).setLabel(label, **{"color": colours.dim, "font-size": size})

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self.colours = colours
        self.setBackground(QColor(colours.panel))
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(graph.line_pen(colours.border, width=1))
            axis.setTextPen(QColor(colours.dim))
        self.getPlotItem().showGrid(x=True, y=True, alpha=0.35)
        self.set_labels(self.spec.label_x, self.spec.label_y)
        for key in self._items:
            self.style_item(key)
        self._style_reference()

    def set_on_paper(self, scale: float) -> None:
        """Draw on white for a file, lines `scale` times as wide, for pictures with more pixels than points."""
        self.line_scale = scale
        for side in ("left", "bottom"):  # a kept picture of an axis would stand in the file as pixels
            self.getPlotItem().getAxis(side).setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self.set_theme(self.colours)
        self.setBackground(QColor("white"))

    def _style_reference(self) -> None:
        grey = QColor(self.colours.dim)
        line = QPen(grey, self.line_scale)
        line.setCosmetic(True)
        fill = QColor(grey)
        fill.setAlpha(55)
        self._reference_item.setPen(None if self.spec.steps else line)
        if self.spec.steps:
            self._reference_item.setFillLevel(0.0)
            self._reference_item.setBrush(fill)

    def set_reference(self, curve: Curve | None) -> None:
        """What white noise gives: a grey line, or a grey area behind a histogram."""
        self._reference = curve
        empty = np.empty(0)
        self._reference_item.setData(*(curve if curve is not None else (empty, empty)))

    def set_curves(self, curves: Mapping[str, Curve]) -> None:
        """Draw these curves, in this order, and no others; NaN leaves a gap."""
        before, self._curves = self._curves, dict(curves)
        for key in [key for key in self._items if key not in curves]:
            self.removeItem(self._items.pop(key))
        for key, (x, y) in self._curves.items():
            item = self._items.get(key)
            if item is None:
                options = {"stepMode": "center"} if self.spec.steps else {"connect": "finite"}
                item = self._items[key] = graph.Line(skipFiniteCheck=False, **options)
                item.setZValue(airiness(key))
                self.addItem(item, ignoreBounds=True)
            self.style_item(key)
            if key not in before or not _same(before[key], (x, y)):  # drawing is what costs
                item.setData(x, y)
        self._set_range()

    def style_item(self, key: str) -> None:
        """Give the curve of a prior its pen."""
        self.set_pen(key, pen(key, self.colours, LINE_WIDTH * self.line_scale))

    def set_pen(self, key: str, line: QPen) -> None:
        """Give a curve a pen, unless it has it already: pyqtgraph would draw it anew."""
        if self._items[key].opts["pen"] != line:
            self._items[key].setPen(line)

    def _set_range(self) -> None:
        ends = self.ends_x() + self.ends_y()
        if ends != self._range:
            self._range = ends
            self.getPlotItem().setRange(xRange=ends[:2], yRange=ends[2:], padding=0)

    def ends_x(self) -> tuple[float, float]:
        """Both ends of the x axis for the curves as they are."""
        if self.spec.range_x is not None:
            return self.spec.range_x
        highest = max((float(x[-1]) for x, _ in self._curves.values() if len(x)), default=1.0)
        return 0.0, highest if highest > 0 else 1.0

    def ends_y(self) -> tuple[float, float]:
        """Both ends of the y axis for the curves as they are: from 0 to a round number above them all."""
        if self.spec.range_y is not None:
            return self.spec.range_y
        return from_zero(nice_ceiling(1.05 * self.highest()))

    def highest(self) -> float:
        """The highest finite value of all curves and the reference; 0 where there is none."""
        groups = [y for _, y in self._curves.values()] + ([self._reference[1]] if self._reference else [])
        return max((float(y[np.isfinite(y)].max()) for y in groups if np.isfinite(y).any()), default=0.0)

    # what Figure asks for

    def figure_name(self) -> str:
        return self.spec.name

    def figure_title(self) -> str:
        return self.spec.title

    def figure_keys(self) -> list[str]:
        return list(self._curves)

    def figure_twin(self, scale: float) -> QWidget:
        twin = type(self)(self.spec, colours=LIGHT)
        twin.set_reference(self._reference)
        twin.set_curves(self._curves)
        twin.set_on_paper(scale)
        return twin

    def figure_table(self) -> Table:
        return curves_table(self.spec.label_x, self.spec.column or self.spec.label_y, self._curves, self.spec.steps)


def _same(first: Curve, second: Curve) -> bool:
    return all(a is b or np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def curves_table(label_x: str, label_y: str, curves: Mapping[str, Curve], steps: bool = False) -> Table:
    """Curves as columns with units in the headings. Curves on the same x share its column; histograms give bin ends.
    Without any curve the headings alone say what would stand there."""
    if not curves:
        return Table([label_x, label_y], [])
    headings: list[str] = []
    columns: list[npt.NDArray[np.floating]] = []
    last: npt.NDArray[np.floating] | None = None
    for key, (x, y) in curves.items():
        if last is None or len(last) != len(x) or not np.array_equal(last, x):
            columns += [x[:-1], x[1:]] if steps else [x]
            headings += [f"{label_x}, bin from", f"{label_x}, bin to"] if steps else [label_x]
            last = x
        columns.append(y)
        headings.append(f"{key}: {label_y}")
    return Table(headings, columns)


def verdict_text(ok: bool | None, words: str) -> str:
    """A verdict as symbol and words."""
    return f"{SYMBOLS[ok]} {words}" if words else SYMBOLS[ok]


def verdict_colour(ok: bool | None, colours: Theme) -> QColor:
    """The colour of a verdict on that background."""
    return QColor(colours.ink(verdict_style(ok)))
