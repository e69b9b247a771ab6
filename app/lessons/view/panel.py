"""One panel of a scene: title, legend, a plot or picture, and a line below. It draws what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.lessons.compute import scene as s
from app.lessons.view import items, type_sizes
from app.look import theme
from app.views.widgets import graph
from app.views.widgets.words import Label

AXIS_SIZE, LEGEND_SIZE, NOTE_SIZE = 0.82, 0.88, 0.82
"""Type of ticks and axes, of the legend and of the note, relative to the body's."""

BEHIND = -1000  # of a plot: its grid, which else cuts through marks
NARROW = 6  # of the type, below which a panel has not got its width yet
AREA = 0.43  # of 1, how strong a tinted area of the legend is at least
ENDS = 80  # pixels that a label may stand out beyond its axis


class LegendBar(QWidget):
    """Samples and names of the labelled items, in rows that fill the width."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[tuple[str, s.Item]] = []
        self._type = 14
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Legend")

    def set_entries(self, entries: list[tuple[str, s.Item]], type_: int) -> None:
        """What is drawn and what it is called."""
        names = [name for name, _ in entries]
        changed = names != [name for name, _ in self._entries] or type_ != self._type
        self._entries, self._type = entries, type_
        self.setFont(type_sizes.font(self.font(), type_ * LEGEND_SIZE))
        if changed:
            self.setVisible(bool(entries))
            self.setAccessibleDescription(", ".join(names))
            self.setFixedHeight(self.heightForWidth(max(self.width(), 1)))  # a resize before may have found no entries
        self.update()

    def _places(self, width: int) -> list[tuple[int, int, int]]:
        """Left, top and height of the entries. A name that is wider than the panel takes two lines."""
        metrics, places, x, y, height = QFontMetrics(self.font()), [], 0, 0, self._row()
        for name, _ in self._entries:
            wide = metrics.horizontalAdvance(name)
            room = self._sample() + wide + self._type
            if x and x + room > width:
                x, y, height = 0, y + height, self._row()
            if not x and NARROW * self._type < width < self._sample() + wide:
                height = self._row() + metrics.lineSpacing()
            places.append((x, y, height))
            x += room + self._type // 2
        return places

    def _sample(self) -> int:
        return round(2.6 * self._type)

    def _row(self) -> int:
        return round(1.35 * self._type)

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        return places[-1][1] + places[-1][2] if places else 0

    def sizeHint(self) -> QSize:
        return QSize(10 * self._type, self.heightForWidth(max(self.width(), 10 * self._type)))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.heightForWidth(max(self.width(), 1)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setFixedHeight(self.heightForWidth(self.width()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetrics(self.font())
        for (x, y, height), (name, item) in zip(self._places(self.width()), self._entries, strict=True):
            area = QRectF(x, y, self._sample() - 6, self._row())
            self._draw(painter, area, item)
            painter.setPen(type_sizes.colour("text"))
            left = x + self._sample()
            room = QRectF(left, y, max(self.width() - left, 0), height)
            lines = 1 if height == self._row() else 2
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(lines * room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, text)

    def _draw(self, painter: QPainter, area: QRectF, item: s.Item) -> None:
        middle = area.center().y()
        line = self._type / 13.0
        if isinstance(item, s.Points):
            size = min(max(item.size * self._type, 7), 0.75 * area.height())
            mark = pg.graphicsItems.ScatterPlotItem.Symbols[item.symbol]
            painter.save()
            painter.translate(area.center())
            painter.scale(size, size)
            painter.fillPath(mark, type_sizes.colour(item.ink))
            painter.restore()
        elif isinstance(item, s.Band) or (isinstance(item, s.Curve | s.Bars | s.Outlines) and item.fill):
            tint = type_sizes.colour(item.ink)
            tint.setAlphaF(max(item.fill, AREA) if isinstance(item, s.Outlines) else AREA)
            edge = "dim" if item.ink.startswith("#") else item.ink  # a hue may be as pale as the panel
            painter.setPen(type_sizes.pen(edge, line, s.SOLID) if not isinstance(item, s.Band) else QColor(0, 0, 0, 0))
            painter.setBrush(tint)
            painter.drawRect(area.adjusted(1, 0.26 * area.height(), -1, -0.26 * area.height()))
        elif not isinstance(item, s.Image):
            width = item.width if isinstance(item, s.Curve | s.Outlines) else 1.0
            dash = item.dash if isinstance(item, s.Curve | s.Outlines | s.Rule) else None
            pen = type_sizes.pen(item.ink, width * line, dash)
            length = _fit_dash(pen, area.width())
            painter.setPen(pen)
            painter.drawLine(QPointF(area.left(), middle), QPointF(area.left() + length, middle))


def _fit_dash(pen: QPen, room: float) -> float:
    """How much of `room` pixels a sample of a line takes: whole dashes, two of the longest at least, for which a long
    pattern is shortened. A sample that ends within a dash looks like another pattern."""
    dash = pen.dashPattern()
    if not dash:
        return room
    period, gap = sum(dash) * pen.widthF(), dash[-1] * pen.widthF()
    times = max(int((room + gap) / period), 2)
    share = min(room / (times * period - gap), 1.0)
    pen.setDashPattern([share * length for length in dash])
    return share * (times * period - gap)


class _Axis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """An axis with room for the labels at its ends, also where it draws a grid; minus signs as they are printed."""

    def boundingRect(self) -> QRectF:
        rect = QRectF(super().boundingRect())
        return rect.adjusted(0, -ENDS, 0, ENDS) if self.orientation == "left" else rect.adjusted(-ENDS, 0, ENDS, 0)

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        return [text.replace("-", "−") for text in super().tickStrings(values, scale, spacing)]

    def logTickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        return [text.replace("-", "−") for text in super().logTickStrings(values, scale, spacing)]


class _Plot(graph.PlotView):
    """A plot that leaves the wheel to the page."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__(axisItems={side: _Axis(side) for side in ("left", "bottom")})
        # An export draws into a picture of another size, after which items know their bounds wrongly for a while: painting
        # but these again would leave remains of curves behind.
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


class PanelView(QWidget):
    """Draws one `Panel`. `moved` says name and value when a handle is dragged."""

    moved = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: s.Panel | None = None
        self._graphics: list[tuple[tuple[Any, ...], Any]] = []
        self._type = 14
        self._frame: tuple[Any, ...] = ()
        self.title = Label()
        self.title.setWordWrap(True)
        self.legend = LegendBar()
        self.note = Label()
        self.note.setWordWrap(True)
        self.plot = _Plot()
        self.plot.resized.connect(self._fit)
        self._room = (0.0, 2.0, 0.0, 0.0)  # left, top, right, bottom of the axes
        self.plot.setFrameStyle(0)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.plot.setMinimumSize(60, 60)
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.disableAutoRange()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(2)
        for widget, stretch in ((self.title, 0), (self.legend, 0), (self.plot, 1), (self.note, 0)):
            column.addWidget(widget, stretch)

    @property
    def panel(self) -> s.Panel | None:
        """What is drawn now."""
        return self._shown

    def set_type(self, pixels: int) -> None:
        """Another size of type."""
        if pixels != self._type:
            self._type = pixels
            if self._shown is not None:
                self.show_panel(self._shown)

    def restyle(self) -> None:
        """Take the colours of the application's theme."""
        if self._shown is not None:
            self.show_panel(self._shown)

    def show_panel(self, panel: s.Panel) -> None:
        """Draw this panel, with as little made anew as can be."""
        self._shown = panel
        self._set_frame(panel)
        self._set_words(panel)
        canvas = items.Canvas(panel.log_x, panel.log_y, self._type, self.font(), self.moved.emit)
        kinds = [items.kind(item) for item in panel.items]
        same = 0
        while same < min(len(kinds), len(self._graphics)) and kinds[same] == self._graphics[same][0]:
            same += 1
        for _, graphic in self._graphics[same:]:
            self.plot.removeItem(graphic)
        del self._graphics[same:]
        for index, item in enumerate(panel.items):
            if index >= same:
                graphic = items.make(item)
                graphic.setZValue(index)
                self.plot.addItem(graphic, ignoreBounds=True)
                self._graphics.append((kinds[index], graphic))
            items.update(self._graphics[index][1], item, canvas)
        self._set_range(panel, canvas)

    def _set_words(self, panel: s.Panel) -> None:
        type_sizes.words(self.title, panel.title, self._type, bold=True)
        type_sizes.words(self.note, panel.note, self._type * NOTE_SIZE, "dim")
        labelled = (item for item in panel.items if not isinstance(item, s.Image | s.Arrows | s.Text | s.Handle))
        entries: list[tuple[str, s.Item]] = [(item.label, item) for item in labelled if item.label]
        self.legend.set_entries(entries, self._type)
        self.plot.setAccessibleName(panel.title)
        self.plot.setAccessibleDescription(panel.tip)
        self.plot.setToolTip(panel.tip)

    def _set_frame(self, panel: s.Panel) -> None:
        """Axes, their labels and colours; only where something of them changed."""
        colours = theme.current()
        frame = (
            panel.label_x, panel.label_y, panel.square, panel.log_x, panel.log_y, self._type, colours.name
        )  # fmt: skip
        if frame == self._frame:
            return
        self._frame = frame
        self.plot.setBackground(QColor(colours.panel))
        item = self.plot.getPlotItem()
        item.getViewBox().setAspectLocked(panel.square)
        item.getViewBox().invertY(panel.square)
        size = self._type * AXIS_SIZE
        type_ = type_sizes.font(self.font(), size)
        for side, label, log in (("left", panel.label_y, panel.log_y), ("bottom", panel.label_x, panel.log_x)):
            axis = item.getAxis(side)
            if not label:
                item.hideAxis(side)
                continue
            item.showAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setLogMode(False, False)
            axis.setLogMode(y=log) if side == "left" else axis.setLogMode(x=log)
            axis.setStyle(tickFont=type_, tickLength=-5, maxTickLevel=0, hideOverlappingLabels=ENDS)
            axis.setStyle(tickTextOffset=max(3, round(size * 0.25)))
            axis.setZValue(BEHIND)
            axis.setPen(pg.mkPen(colours.border, width=1))
            axis.setTextPen(QColor(colours.dim))
            axis.setLabel(label, **{"color": colours.dim, "font-size": f"{round(size)}px"})
            if side == "left":
                axis.setWidth(round(size * 4.4))
            else:
                axis.setHeight(round(size * 3.0))
        with_axes = bool(panel.label_x or panel.label_y)
        item.showGrid(x=with_axes, y=with_axes, alpha=0.3)
        self._room = (0, round(size * 0.5) if with_axes else 2, round(size * 0.9) if with_axes else 0, 0)
        self._fit()

    def _fit(self) -> None:
        """Room around a square panel, so that its axes end where its range does."""
        left, top, right, bottom = self._room
        panel = self._shown
        if panel is not None and panel.square:
            item = self.plot.getPlotItem()
            (x0, x1), (y0, y1) = item.getViewBox().state["targetRange"]
            axes = [item.getAxis(side) for side in ("left", "bottom")]
            width = self.plot.width() - left - right - (axes[0].width() if axes[0].isVisible() else 0)
            height = self.plot.height() - top - bottom - (axes[1].height() if axes[1].isVisible() else 0)
            if width > 0 and height > 0 and x1 > x0 and y1 > y0:
                shape = (x1 - x0) / (y1 - y0)
                across, down = max(width - height * shape, 0) / 2, max(height - width / shape, 0) / 2
                left, top, right, bottom = left + across, top + down, right + across, bottom + down
        whole = self.plot.getPlotItem()
        whole.setContentsMargins(left, top, right, bottom)
        whole.resize(self.plot.width(), self.plot.height())  # larger margins may have made it grow out of the view

    def _set_range(self, panel: s.Panel, canvas: items.Canvas) -> None:
        ends = []
        for given, axis, scaled in ((panel.range_x, "x", canvas.x), (panel.range_y, "y", canvas.y)):
            if given is not None:
                low, high = (float(value) for value in scaled(given))
            else:
                low, high = _extent(panel, axis, scaled)
            ends.append((low, high if high > low else low + 1))
        box = self.plot.getPlotItem().getViewBox()
        shown = box.state["targetRange"]
        if [list(pair) for pair in ends] != [list(pair) for pair in shown]:
            box.setRange(xRange=ends[0], yRange=ends[1], padding=0, disableAutoRange=True)
            if panel.square:
                self._fit()


def _extent(panel: s.Panel, axis: str, scaled: Callable[[s.Floats], s.Floats]) -> tuple[float, float]:
    """Both ends of the data of a panel along an axis; heights of histograms and filled curves start at 0."""
    low, high = np.inf, -np.inf
    for item in panel.items:
        parts: list[s.Floats] = []
        if isinstance(item, s.Bars):
            parts = [item.edges] if axis == "x" else [item.heights, np.zeros(1)]
        elif isinstance(item, (s.Curve, s.Points)):
            parts = [item.x if axis == "x" else item.y]
            if axis == "y" and isinstance(item, s.Curve) and item.fill:
                parts.append(np.zeros(1))
        elif isinstance(item, s.Band):
            parts = [item.x] if axis == "x" else [item.low, item.high]
        elif isinstance(item, s.Outlines):
            parts = [shape[:, 0 if axis == "x" else 1] for shape in item.shapes]
        elif isinstance(item, s.Image):
            at = 0 if axis == "x" else 1
            parts = [np.array([item.area[at], item.area[at] + item.area[at + 2]])]
        for part in parts:
            values = np.asarray(scaled(part), np.float64)
            values = values[np.isfinite(values)]
            if len(values):
                low, high = min(low, float(values.min())), max(high, float(values.max()))
    if not np.isfinite(low):
        return 0.0, 1.0
    room = 0.0 if panel.square or axis == "x" else 0.06 * (high - low or 1.0)
    return low - room * (low != 0 or panel.log_y), high + room
