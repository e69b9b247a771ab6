"""Draws what a pixel of noise is made of: its outline and owned sub-pixels in the anchor frame, the pixels it reads, or those
that it received shares of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look import theme
from app.look.theme import DARK, Theme, rgb
from app.views.statistics.measures import signed

if TYPE_CHECKING:
    from gpu.noise.inspection import Footprint, Inspection, Shares, Taps

RANGE = 2.5  # standard deviations of a value at which its colour is full
BAR = 26  # height of the colour scale at the bottom
MIN_ZOOM, MAX_ZOOM = 0.25, 16.0
STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class PixelDrawing(QWidget):
    """Holds the inspection it was given, and a zoom."""

    moved = Signal(int, int)

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._inspection: Inspection | None = None
        self._channel = 0
        self._zoom = 1.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 140)
        self.setAccessibleName("Drawing of the pixel")
        self.setToolTip(
            "<p>Thick: the pixel's outline in its anchor frame, and in colour the sub-pixels it owns. Thin: the outlines of "
            "the pixels beside it. Grid: the anchor frame's pixels. Arrow keys go to the next pixel, the wheel zooms.</p>"
        )

    def sizeHint(self) -> QSize:
        return QSize(300, 300)

    def show_inspection(self, inspection: Inspection | None, channel: int) -> None:
        """Draw this pixel, coloured by one channel of the noise."""
        self._inspection = inspection
        self._channel = 0 if inspection is None else min(channel, len(inspection.value) - 1)
        self.update()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        self.update()

    # -- the person

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if step is not None and self._inspection is not None:
            self.moved.emit(*step)
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self._set_zoom(self._zoom * (1.25 if event.key() == Qt.Key.Key_Plus else 0.8))
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._set_zoom(self._zoom * 1.0015 ** event.angleDelta().y())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()

    def _set_zoom(self, zoom: float) -> None:
        self._zoom = min(max(zoom, MIN_ZOOM), MAX_ZOOM)
        self.update()

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = self._colours
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.small(self.font()))
        inspection = self._inspection
        if inspection is not None and inspection.footprint is not None:
            self._draw_footprint(painter, inspection.footprint, colours)
        elif inspection is not None and inspection.taps is not None:
            self._draw_taps(painter, inspection.taps, colours)
        elif inspection is not None and inspection.shares is not None and len(inspection.shares.pixels):
            self._draw_shares(painter, inspection.shares, colours)
        else:
            painter.setPen(QColor(colours.dim))
            text = "Nothing chosen yet" if inspection is None else "This value has no outline in another frame"
            painter.drawText(QRectF(self.rect()).adjusted(16, 16, -16, -16), _CENTRE | Qt.TextFlag.TextWordWrap, text)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _view(self, low: np.ndarray, high: np.ndarray) -> tuple[float, QPointF]:
        """Scale and offset that bring the rectangle from `low` to `high`, in pixels of the anchor frame, into the middle."""
        room = QRectF(0, 0, self.width(), self.height() - BAR)
        extent = np.maximum(high - low, 0.05)
        scale = 0.9 * min(room.width() / extent[0], room.height() / extent[1]) * self._zoom
        middle = (low + high) / 2
        return scale, QPointF(room.center().x() - middle[0] * scale, room.center().y() - middle[1] * scale)

    def _draw_footprint(self, painter: QPainter, foot: Footprint, colours: theme.Theme) -> None:
        around = np.concatenate([foot.polygon, foot.polygon.mean(0) + 1.9 * (foot.polygon - foot.polygon.mean(0))])
        scale, offset = self._view(around.min(0), around.max(0))
        n = 1 << foot.level
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        side = scale / n
        for (x, y), value in zip(foot.subpixels.tolist(), foot.values[self._channel].tolist(), strict=True):
            painter.setBrush(self._colour(value * n))
            painter.drawRect(QRectF(offset.x() + x * side, offset.y() + y * side, side + 0.5, side + 0.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_grid(painter, scale, offset, colours)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.dim), 1.2))
        for neighbour in foot.neighbours:
            painter.drawPolygon(_placed(neighbour.polygon, scale, offset))
        painter.setPen(QPen(QColor(colours.text), 2.6))
        painter.drawPolygon(_placed(foot.polygon, scale, offset))
        self._draw_scale(painter, colours, 1 / n)

    def _draw_grid(self, painter: QPainter, scale: float, offset: QPointF, colours: theme.Theme) -> None:
        """The pixels of the frame that is read, with their numbers along the edges."""
        painter.setPen(QPen(QColor(colours.border), 1))
        left, right = int(np.floor(-offset.x() / scale)), int(np.ceil((self.width() - offset.x()) / scale))
        top, bottom = int(np.floor(-offset.y() / scale)), int(np.ceil((self.height() - BAR - offset.y()) / scale))
        if max(right - left, bottom - top) > 80:
            return
        for x in range(left, right + 1):
            at = offset.x() + x * scale
            painter.drawLine(QPointF(at, 0), QPointF(at, self.height() - BAR))
        for y in range(top, bottom + 1):
            at = offset.y() + y * scale
            if at < self.height() - BAR:
                painter.drawLine(QPointF(0, at), QPointF(self.width(), at))
        if scale < 28:
            return
        painter.setPen(QColor(colours.dim))
        for x in range(left, right + 1):
            box = QRectF(offset.x() + x * scale, 1, scale, 14)
            if box.left() > 24 and box.right() < self.width():
                painter.drawText(box, _CENTRE, f"x {x}")
        for y in range(top, bottom + 1):
            box = QRectF(2, offset.y() + (y + 0.5) * scale - 7, 40, 14)
            if box.top() > 16 and box.bottom() < self.height() - BAR:
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"y {y}")

    def _draw_taps(self, painter: QPainter, taps: Taps, colours: theme.Theme) -> None:
        scale, offset = self._view(taps.pixels.min(0) - 0.3, taps.pixels.max(0) + 1.3)
        values = taps.values[self._channel].tolist()
        self._draw_cells(painter, taps.pixels, values, scale, offset)
        self._draw_grid(painter, scale, offset, colours)
        if scale > 54:
            for place, weight, value in zip(taps.pixels.tolist(), taps.weights.tolist(), values, strict=True):
                lines = f"{signed(value, 2)}\n× {signed(weight, 3)}"
                self._draw_label(painter, place, lines, scale, offset, colours)
        self._draw_place(painter, QPointF(*taps.position) * scale + offset, colours)
        self._draw_scale(painter, colours, 1.0)

    def _draw_shares(self, painter: QPainter, shares: Shares, colours: theme.Theme) -> None:
        """The pixels, or cells of pixels, that handed out shares, and where the pixel was."""
        cells = shares.cells
        place = shares.position - 0.5
        around = np.concatenate([shares.pixels / cells, (shares.pixels + 1) / cells, [place, place + 1]])
        scale, offset = self._view(around.min(0) - 0.3, around.max(0) + 0.3)
        values = shares.values[self._channel].tolist()
        self._draw_cells(painter, shares.pixels, values, scale / cells, offset)
        self._draw_grid(painter, scale, offset, colours)
        if scale / cells > 54:
            for pixel, share, value in zip(shares.pixels.tolist(), shares.shares.tolist(), values, strict=True):
                self._draw_label(painter, pixel, f"{signed(value, 2)}\n{share:.0%}", scale / cells, offset, colours)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.text), 2.6))
        painter.drawRect(QRectF(offset.x() + place[0] * scale, offset.y() + place[1] * scale, scale, scale))
        self._draw_place(painter, QPointF(*shares.position) * scale + offset, colours)
        self._draw_scale(painter, colours, 1.0)

    def _draw_cells(
        self, painter: QPainter, places: np.ndarray, values: list[float], side: float, offset: QPointF
    ) -> None:
        """Squares of a grid, coloured by what they hold."""
        painter.setPen(Qt.PenStyle.NoPen)
        for (x, y), value in zip(places.tolist(), values, strict=True):
            painter.setBrush(self._colour(value))
            painter.drawRect(QRectF(offset.x() + x * side, offset.y() + y * side, side, side))

    def _draw_label(
        self, painter: QPainter, place: list[int], lines: str, side: float, offset: QPointF, colours: theme.Theme
    ) -> None:
        """Words in the middle of a square, on a plate that lets them be read."""
        box = QRectF(offset.x() + place[0] * side, offset.y() + place[1] * side, side, side)
        small = painter.fontMetrics().boundingRect(box.toRect(), _CENTRE, lines).adjusted(-5, -2, 5, 2)
        painter.setPen(Qt.PenStyle.NoPen)
        plate = QColor(colours.panel)
        plate.setAlpha(210)
        painter.setBrush(plate)
        painter.drawRoundedRect(small, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.drawText(box, _CENTRE, lines)

    def _draw_place(self, painter: QPainter, at: QPointF, colours: theme.Theme) -> None:
        """A cross where the pixel's centre was."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.text), 2.2))
        painter.drawLine(at - QPointF(7, 0), at + QPointF(7, 0))
        painter.drawLine(at - QPointF(0, 7), at + QPointF(0, 7))

    def _colour(self, sigmas: float) -> QColor:
        """Of a value in standard deviations of its kind."""
        part = min(abs(sigmas) / RANGE, 1.0)
        start, end = rgb(self._colours.field), rgb(self._colours.positive if sigmas >= 0 else self._colours.negative)
        mixed = [round(a + part * (b - a)) for a, b in zip(start, end, strict=True)]
        return QColor(*mixed)

    def _draw_scale(self, painter: QPainter, colours: theme.Theme, deviation: float) -> None:
        """The colour scale, in units of the noise's standard deviation."""
        strip = QRectF(0, self.height() - BAR, self.width(), BAR)
        painter.fillRect(strip, QColor(colours.panel))
        end = RANGE * deviation
        digits = 1 if end >= 1 else 2
        bar = QRectF(self.width() / 2 - 50, strip.top() + 9, 100, 8)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for at, sigmas in ((0.0, -RANGE), (0.5, 0.0), (1.0, RANGE)):
            gradient.setColorAt(at, self._colour(sigmas))
        painter.fillRect(bar, gradient)
        painter.setPen(QColor(colours.dim))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            QRectF(0, strip.top(), bar.left() - 6, BAR),
            middle | Qt.AlignmentFlag.AlignRight,
            f"{signed(-end, digits)} σ",
        )
        painter.drawText(
            QRectF(bar.right() + 6, strip.top(), 80, BAR),
            middle | Qt.AlignmentFlag.AlignLeft,
            f"{signed(end, digits)} σ",
        )


_CENTRE = Qt.AlignmentFlag.AlignCenter


def _placed(polygon: np.ndarray, scale: float, offset: QPointF) -> QPolygonF:
    return QPolygonF([QPointF(x * scale + offset.x(), y * scale + offset.y()) for x, y in polygon.tolist()])
