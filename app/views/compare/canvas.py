"""The pictures of the comparison grid under the pointer: zoom, pan, crosshair, wipe, the line of the slice."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.model.state import clamp_centre
from app.views.compare.cell_drawing import Drawing

CLICK = 4  # pixels that a click may move and still be one


@dataclass(frozen=True)
class Probe:
    """Where the pointer is: pixel (x, y) of the grid, the row and the column's key under it."""

    x: int
    y: int
    row: str
    key: str


class Canvas(Drawing):
    """Says where the person zoomed, panned, pointed, wiped or picked a frame or slice."""

    zoomed = Signal(float, float, float)  # factor, x, y in 0..1
    panned = Signal(float, float)  # new centre
    probed = Signal(object)  # Probe or None
    picked = Signal(object)  # Probe of a pixel that was clicked
    wiped = Signal(float)
    sliced = Signal(float)
    frame_picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self._drag = ""
        self._drag_from = (QPointF(), (0.5, 0.5))
        self._last: Probe | None = None

    def _at(self, point: QPointF) -> tuple[str, str, QRectF] | None:
        for row, (top, height) in self._layout.rows.items():
            for key, column in zip(self._keys, self._layout.columns, strict=True):
                cell = QRectF(column.x(), top, column.width(), height)
                if cell.contains(point):
                    return row, key, cell
        return None

    def _pixel(self, cell: QRectF, point: QPointF) -> tuple[float, float]:
        target, source = self._mapping(cell)
        scale = target.width() / max(source.width(), 1e-6)
        return source.x() + (point.x() - target.x()) / scale, source.y() + (point.y() - target.y()) / scale

    def wheelEvent(self, event: QWheelEvent) -> None:
        place = self._at(event.position())
        if place is None or place[0].startswith("xt-"):
            event.ignore()
            return
        x, y = self._pixel(place[2], event.position())
        factor = 1.0015 ** event.angleDelta().y()
        self.zoomed.emit(factor, x / self._size[1], y / self._size[0])
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            place = self._at(event.position())
            if place is not None:
                x, y = self._pixel(place[2], event.position())
                self.zoomed.emit(1 + event.value(), x / self._size[1], y / self._size[0])
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position())
        if place is None or event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        row, _, cell = place
        if row.startswith("xt-"):
            self._drag = "frame"
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or self._near_slice(cell, row, event.position()):
            self._drag = "slice"
        elif self._view.mode == "wipe" and event.button() == Qt.MouseButton.LeftButton:
            self._drag = "wipe"
        else:
            self._drag = "pan"
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._drag_from = (event.position(), self._view.centre)
        self._set_probe(self._probe_at(event.position()))
        self._dragged(event.position(), cell)

    def _probe_at(self, point: QPointF) -> Probe | None:
        place = self._at(point)
        if place is not None and not place[0].startswith("xt-"):
            x, y = self._pixel(place[2], point)
            if 0 <= x < self._size[1] and 0 <= y < self._size[0]:
                return Probe(int(x), int(y), place[0], place[1])
        return None

    def _near_slice(self, cell: QRectF, row: str, point: QPointF) -> bool:
        near_edge = min(point.x() - cell.left(), cell.right() - point.x()) < 12
        y = self._to_widget(cell, 0, self._view.slice * self._size[0]).y()
        return f"xt-{row}" in self._view.rows and near_edge and abs(point.y() - y) < 6

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position())
        if self._drag:
            self._dragged(event.position(), place[2] if place else None)
        if not self._drag:
            near = (
                place is not None
                and not place[0].startswith("xt-")
                and self._near_slice(place[2], place[0], event.position())
            )
            self.setCursor(Qt.CursorShape.SizeVerCursor if near else Qt.CursorShape.CrossCursor)
        self._set_probe(self._probe_at(event.position()))

    def _dragged(self, point: QPointF, cell: QRectF | None) -> None:
        height, width = self._size
        if self._drag == "pan":
            start, centre = self._drag_from
            column = self._layout.columns[0]
            target, source = self._mapping(QRectF(column.x(), 0, column.width(), self._layout.picture_height))
            scale = target.width() / max(source.width(), 1e-6)
            moved = (
                centre[0] - (point.x() - start.x()) / scale / width,
                centre[1] - (point.y() - start.y()) / scale / height,
            )
            self.panned.emit(*clamp_centre(moved, self._view.zoom))
        elif cell is None:
            return
        elif self._drag == "wipe":
            self.wiped.emit(min(max((point.x() - cell.x()) / cell.width(), 0.0), 1.0))
        elif self._drag == "slice":
            self.sliced.emit(min(max(self._pixel(cell, point)[1] / height, 0.0), 1.0))
        elif self._drag == "frame" and self._frames:
            self.frame_picked.emit(
                min(max(int((point.y() - cell.y()) / cell.height() * self._frames), 0), self._frames - 1)
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        apart = (event.position() - self._drag_from[0]).manhattanLength()
        if self._drag in ("pan", "wipe") and apart < CLICK and self._last is not None:
            self.picked.emit(self._last)
        self._drag = ""
        self.setCursor(Qt.CursorShape.CrossCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position())
        if place is not None and not place[0].startswith("xt-"):
            x, y = self._pixel(place[2], event.position())
            factor = 4.0 if self._view.zoom < 1.01 else 1e-6
            self.zoomed.emit(factor, x / self._size[1], y / self._size[0])

    @property
    def probe(self) -> Probe | None:
        """What is under the pointer."""
        return self._last

    def leaveEvent(self, event: QEvent) -> None:
        self._set_probe(None)

    def _set_probe(self, probe: Probe | None) -> None:
        if probe != self._last:
            self._last = probe
            self._probe = None if probe is None else (probe.x, probe.y)
            self.probed.emit(probe)
            self.update()
