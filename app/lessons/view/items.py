"""How each kind of item of a scene is drawn: made once, then given new data for as long as the kind stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainterPath, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem

from app.lessons.compute import scene as s
from app.lessons.view import type_sizes
from app.look import theme

Float64s = npt.NDArray[np.float64]

FILL = 70  # alpha of 255


class Canvas:
    """What items need to know of the panel that they are drawn in."""

    def __init__(self, log_x: bool, log_y: bool, type_: int, font: QFont, moved: Callable[[str, float], None]) -> None:
        self.log_x, self.log_y, self.type, self.font, self.moved = log_x, log_y, type_, font, moved
        self.line = type_ / 13.0

    def x(self, values: npt.ArrayLike) -> Float64s:
        """Values as the axis has them."""
        return _log(values) if self.log_x else np.asarray(values, np.float64)

    def y(self, values: npt.ArrayLike) -> Float64s:
        """Values as the axis has them."""
        return _log(values) if self.log_y else np.asarray(values, np.float64)


def _log(values: npt.ArrayLike) -> Float64s:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(np.asarray(values, np.float64)))


class _Path(QGraphicsPathItem):
    """A path that does not ask to be seen whole."""

    def dataBounds(self, *_: Any) -> tuple[None, None]:
        return None, None


class _Handle(pg.TargetItem):  # type: ignore[misc]  # pyqtgraph has no types
    """A point to drag; it tells its place while it is being dragged, and only then."""

    def __init__(self) -> None:
        super().__init__(movable=True, symbol="o")
        self.names = ("", "")
        self.tell: Callable[[str, float], None] = lambda name, value: None
        self.quiet = False
        self.held = False
        self.asked: tuple[float, float] | None = None
        self.sigPositionChanged.connect(self._said)
        self.sigPositionChangeFinished.connect(self._let_go)

    def place(self, x: float, y: float) -> None:
        self.asked = (x, y)
        if self.held:
            return  # the hand is ahead of what was computed
        self.quiet = True
        self.setPos(QPointF(x, y))
        self.quiet = False

    def _said(self) -> None:
        if not self.quiet:
            self.held = True
            place = self.pos()
            for name, value in zip(self.names, (place.x(), place.y()), strict=True):
                if name:
                    self.tell(name, float(value))

    def _let_go(self) -> None:
        self.held = False
        if self.asked is not None:
            self.place(*self.asked)


def make(item: s.Item) -> Any:
    """The graphics item for one item of a scene, empty."""
    if isinstance(item, (s.Curve, s.Bars, s.Band)):
        return pg.PlotCurveItem()
    if isinstance(item, s.Points):
        return pg.ScatterPlotItem()
    if isinstance(item, s.Rule):
        return pg.InfiniteLine(angle=90 if item.x is not None else 0)
    if isinstance(item, s.Image):
        return pg.ImageItem(axisOrder="row-major")
    if isinstance(item, (s.Outlines, s.Arrows)):
        return _Path()
    if isinstance(item, s.Text):
        return pg.TextItem()
    return _Handle()


def kind(item: s.Item) -> tuple[Any, ...]:
    """Items with the same kind can take over each other's graphics."""
    if isinstance(item, s.Rule):
        return s.Rule, item.x is not None
    if isinstance(item, s.Text):
        return s.Text, item.anchor
    return (type(item),)


def update(graphic: Any, item: s.Item, canvas: Canvas) -> None:
    """Give a graphics item what this item says."""
    _UPDATE[type(item)](graphic, item, canvas)


def _curve(graphic: Any, item: s.Curve, canvas: Canvas) -> None:
    tint = type_sizes.colour(item.ink)
    tint.setAlpha(FILL)
    graphic.setData(
        canvas.x(item.x), canvas.y(item.y), connect="finite", pen=type_sizes.pen(item.ink, item.width * canvas.line, item.dash),
        fillLevel=0.0 if item.fill else None, brush=tint if item.fill else None,
    )  # fmt: skip


def _bars(graphic: Any, item: s.Bars, canvas: Canvas) -> None:
    tint = type_sizes.colour(item.ink)
    tint.setAlpha(FILL)
    graphic.setData(
        canvas.x(item.edges), np.asarray(item.heights, np.float64), stepMode="center",
        pen=type_sizes.pen(item.ink, canvas.line, None), fillLevel=0.0 if item.fill else None,
        brush=tint if item.fill else None,
    )  # fmt: skip


def _band(graphic: Any, item: s.Band, canvas: Canvas) -> None:
    tint = type_sizes.colour(item.ink)
    tint.setAlpha(FILL)
    x, low, high = canvas.x(item.x), canvas.y(item.low), canvas.y(item.high)
    graphic.setData(
        np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]), pen=None, brush=tint, fillLevel="enclosed"
    )


def _points(graphic: Any, item: s.Points, canvas: Canvas) -> None:
    graphic.setData(
        x=canvas.x(item.x), y=canvas.y(item.y), size=item.size * canvas.type, symbol=item.symbol, pen=None,
        brush=type_sizes.colour(item.ink),
    )  # fmt: skip


def _rule(graphic: Any, item: s.Rule, canvas: Canvas) -> None:
    graphic.setPos(canvas.x(item.x) if item.x is not None else canvas.y(0.0 if item.y is None else item.y))
    graphic.setPen(type_sizes.pen(item.ink, canvas.line, item.dash))


def _image(graphic: Any, item: s.Image, canvas: Canvas) -> None:
    values = np.asarray(item.values)
    if values.ndim == 2:
        span = item.high - item.low
        with np.errstate(invalid="ignore"):
            share = np.nan_to_num((values - item.low) / span, nan=0.5).clip(0, 1)
        index = np.round(share * 255).astype(np.uint8)
        table = np.array(type_sizes.diverging(theme.current()), np.uint8) if item.colours == "diverging" else None
        values = index if table is None else table[index]
    graphic.setImage(np.ascontiguousarray(values), autoLevels=False, levels=(0, 255))
    graphic.setRect(QRectF(*item.area))


def _outlines(graphic: Any, item: s.Outlines, canvas: Canvas) -> None:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    for shape in item.shapes:
        polygon = QPolygonF([QPointF(float(x), float(y)) for x, y in zip(canvas.x(shape[:, 0]), canvas.y(shape[:, 1]))])
        path.addPolygon(polygon)
        path.closeSubpath()
    graphic.setPath(path)
    graphic.setPen(type_sizes.pen(item.ink, item.width * canvas.line, item.dash) if item.width else QColor(0, 0, 0, 0))
    tint = type_sizes.colour(item.ink)
    tint.setAlphaF(item.fill)
    graphic.setBrush(tint if item.fill else Qt.BrushStyle.NoBrush)


def _arrows(graphic: Any, item: s.Arrows, canvas: Canvas) -> None:
    path = QPainterPath()
    for (x0, y0), (x1, y1) in zip(np.asarray(item.start, float), np.asarray(item.end, float), strict=True):
        path.moveTo(x0, y0)
        path.lineTo(x1, y1)
        dx, dy = (x1 - x0) * 0.28, (y1 - y0) * 0.28
        for side in (0.5, -0.5):
            path.moveTo(x1, y1)
            path.lineTo(x1 - dx + side * dy, y1 - dy - side * dx)
    graphic.setPath(path)
    graphic.setPen(type_sizes.pen(item.ink, item.width * canvas.line, s.SOLID))


def _text(graphic: Any, item: s.Text, canvas: Canvas) -> None:
    graphic.anchor = pg.Point(item.anchor)
    graphic.setFont(type_sizes.font(canvas.font, canvas.type * item.size))
    graphic.setColor(type_sizes.colour(item.ink))
    if graphic.toPlainText() != item.text:
        graphic.setPlainText(item.text)
    fill = QColor(theme.current().panel)
    fill.setAlpha(200 if item.backed else 0)
    graphic.fill = pg.mkBrush(fill)
    graphic.setPos(float(canvas.x(item.x)), float(canvas.y(item.y)))
    graphic.updateTextPos()


def _handle(graphic: Any, item: s.Handle, canvas: Canvas) -> None:
    graphic.names, graphic.tell = (item.name_x, item.name_y), canvas.moved
    graphic.setPen(type_sizes.pen(item.ink, canvas.line, s.SOLID))
    tint = type_sizes.colour(item.ink)
    tint.setAlpha(110)
    graphic.setBrush(tint)
    if graphic.scale != canvas.type:
        graphic.scale = canvas.type
        graphic.viewTransformChanged()
    graphic.setToolTip(item.tip)
    graphic.setCursor(Qt.CursorShape.SizeAllCursor)
    graphic.place(item.x, item.y)


_UPDATE: dict[type, Callable[[Any, Any, Canvas], None]] = {
    s.Curve: _curve, s.Bars: _bars, s.Band: _band, s.Points: _points, s.Rule: _rule, s.Image: _image,
    s.Outlines: _outlines, s.Arrows: _arrows, s.Text: _text, s.Handle: _handle,
}  # fmt: skip
