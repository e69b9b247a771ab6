"""The steps of a lesson as dots: which there are, which is shown, a click to go there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.lessons.view import type_sizes


class Dots(QWidget):
    """A row of dots, the current one filled. `chosen` says which was clicked."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._headings: tuple[str, ...] = ()
        self._current = 0
        self._type = 14
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_steps(self, headings: tuple[str, ...], current: int) -> None:
        """The headings of all steps, and the number of the one shown."""
        self._headings, self._current = headings, current
        self.setAccessibleName("Steps")
        shown = headings[current] if headings else ""
        self.setAccessibleDescription(f"step {current + 1} of {len(headings)}: {shown}")
        self.updateGeometry()
        self.update()

    def set_type(self, pixels: int) -> None:
        """Another size of type."""
        self._type = pixels
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(len(self._headings) * 1.7 * self._type), round(1.8 * self._type))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _centre(self, index: int) -> QPointF:
        pitch = 1.7 * self._type
        left = (self.width() - len(self._headings) * pitch) / 2
        return QPointF(left + (index + 0.5) * pitch, self.height() / 2)

    def _at(self, x: float) -> int | None:
        for index in range(len(self._headings)):
            if abs(self._centre(index).x() - x) <= 0.85 * self._type:
                return index
        return None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = 0.42 * self._type
        for index in range(len(self._headings)):
            centre = self._centre(index)
            area = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
            current = index == self._current
            painter.setPen(QPen(type_sizes.colour("accent" if current else "dim"), max(self._type / 9, 1.5)))
            painter.setBrush(type_sizes.colour("accent") if current else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(area)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().x())
        if index is not None:
            self.chosen.emit(index)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._at(event.pos().x())
            if index is not None:
                QToolTip.showText(event.globalPos(), f"{index + 1}. {self._headings[index]}", self)
            return True
        return super().event(event)
