"""The keyframes of a pose sequence on a line of time: choose one, drag it in time, move the playhead."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.look import theme
from app.model.pose_document import PoseDocument

MARGIN = 14
GRAB = 8
MARK = 6.5  # pixels from the middle of a keyframe's mark to its corners


class PoseStrip(QWidget):
    """Keyframes are diamonds; the line is the time that is shown."""

    play_wanted = Signal()

    def __init__(self, editing: PoseDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editing = editing
        self._held: int | None = None
        self._scrubs = False
        self.setFont(theme.small(self.font()))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Keyframes")
        editing.changed.connect(self._follow)
        self._follow()

    def sizeHint(self) -> QSize:
        return QSize(400, 46)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 46)

    def _follow(self) -> None:
        key = self.editing.key
        where = f"Keyframe {key + 1}" if key is not None else "Between keyframes"
        self.setAccessibleDescription(
            f"{where} of {len(self.editing.sequence.times)}, frame {self.editing.time:.1f}. Left and Right go to the next "
            "keyframe, with Ctrl they move it in time; Up and Down step by a frame."
        )
        self.update()

    # -- geometry

    def _span(self) -> float:
        return max(1.0, self.width() - 2.0 * MARGIN)

    def x_of(self, time: float) -> float:
        return MARGIN + self._span() * time / max(self._last(), 1e-9)

    def time_at(self, x: float) -> float:
        return (x - MARGIN) / self._span() * self._last()

    def _last(self) -> float:
        return max(self.editing.end, 1.0)

    def key_at(self, x: float) -> int | None:
        """The keyframe at x; the one that is shown first, where several are as near."""
        distances = np.abs(np.array([self.x_of(float(time)) for time in self.editing.sequence.times]) - x)
        key = self.editing.key
        if key is not None and distances[key] <= GRAB:
            return key
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= GRAB else None

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = 16.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.field))
        painter.drawRoundedRect(QRectF(MARGIN - 8, middle - 10, self._span() + 16, 20), 4, 4)
        self._ruler(painter, middle + 12, colours)
        for key, time in enumerate(self.editing.sequence.times):
            chosen = key == self.editing.key
            self._mark(painter, self.x_of(float(time)), middle, chosen, colours)
        if self.editing.sequence.loop:  # where the loop closes, its first keyframe again
            painter.setOpacity(0.4)
            self._mark(painter, self.x_of(self.editing.sequence.length), middle, False, colours)
            painter.setOpacity(1.0)
        x = self.x_of(self.editing.time)
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.text), 1.6))
        painter.drawLine(QPointF(x, middle - 14), QPointF(x, middle + 14))

    def _mark(self, painter: QPainter, x: float, y: float, chosen: bool, colours: theme.Theme) -> None:
        painter.setPen(QPen(QColor(colours.text if chosen else colours.panel), 1.5))
        painter.setBrush(QColor(colours.accent if chosen else colours.dim))
        corners = [QPointF(x, y - MARK), QPointF(x + MARK, y), QPointF(x, y + MARK), QPointF(x - MARK, y)]
        painter.drawPolygon(QPolygonF(corners))

    def _ruler(self, painter: QPainter, top: float, colours: theme.Theme) -> None:
        """Frame numbers, as close as they can be read."""
        step = next(
            step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if self._span() * step / self._last() > 34
        )
        painter.setPen(QColor(colours.dim))
        for frame in range(0, int(self._last() + 1e-6) + 1, step):
            x = self.x_of(frame)
            painter.drawText(QRectF(x - 20, top, 40, 16), Qt.AlignmentFlag.AlignHCenter, str(frame))

    # -- what the person does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        key = self.key_at(event.position().x())
        if key is not None:
            self._held = key
            self.editing.end_drag()
            self.editing.go_key(key)
        else:
            self._scrubs = True
            self.editing.go(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._held is not None:
            if abs(x - self.x_of(float(self.editing.sequence.times[self._held]))) >= 2:
                self.editing.retime(self._held, round(self.time_at(x) * 2) / 2)
        elif self._scrubs:
            self.editing.go(self.time_at(x))
        else:
            over = self.key_at(x) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held, self._scrubs = None, False
        self.editing.end_drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.key_at(event.position().x()) is None:
            self.editing.go(round(self.time_at(event.position().x())))
            self.editing.add()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        editing, key = self.editing, event.key()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            by = 1 if key == Qt.Key.Key_Right else -1
            if control and editing.key is not None:
                editing.retime(editing.key, float(editing.sequence.times[editing.key]) + by)
            elif not control:
                editing.step_key(by)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            editing.go(round(editing.time) + (1 if key == Qt.Key.Key_Up else -1))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            editing.go_key(0 if key == Qt.Key.Key_Home else len(editing.sequence.times) - 1)
        elif key == Qt.Key.Key_Space:
            self.play_wanted.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            key = self.key_at(event.pos().x())
            text = "Click or drag to move through time; double-click for a new keyframe."
            if key is not None:
                time = float(self.editing.sequence.times[key])
                drag = "the first one stays at 0" if key == 0 else "drag it to move it in time"
                text = f"Keyframe {key + 1} at frame {time:g}; {drag}."
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
