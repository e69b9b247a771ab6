"""The canvas of the pose editor: the skeleton on its body, joints that can be dragged, the keyframes before and after."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look import theme
from app.model.pose_document import BONES, JOINTS, PoseDocument, body

GRAB = 12.0  # pixels from a joint at which it is caught
STEP = 0.01  # body heights that an arrow key moves a joint
RIGHT, LEFT = "#e69f00", "#56b4e9"  # the figure's own sides (Okabe and Ito)
GROUND = 0.545  # body heights below the middle: where the soles of a standing figure are
EXTENT = (1.45, 1.3)  # body heights that fit on the canvas at least, across and down


class PoseCanvas(QWidget):
    """Draws what `editing` shows and tells it what is dragged."""

    play_wanted = Signal()

    def __init__(self, editing: PoseDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editing = editing
        self.onion, self.filled, self.playing = True, True, False
        self._held: int | None = None
        self._extent = EXTENT
        self._grip = QPointF()
        self._hover: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Skeleton")
        self.setToolTip("")
        editing.changed.connect(self._follow)
        self._follow()

    def sizeHint(self) -> QSize:
        return QSize(560, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 260)

    def _follow(self) -> None:
        if self._held is None:  # the view stays where it is while a joint is dragged
            far = np.abs(self.editing.sequence.joints).max(axis=(0, 1)) + 0.12
            self._extent = max(EXTENT[0], 2 * float(far[0])), max(EXTENT[1], 2 * float(far[1]))
        x, y = self.editing.joints[self.editing.joint]
        self.setAccessibleDescription(
            f"{JOINTS[self.editing.joint]} at {x:.2f}, {y:.2f} body heights. Arrow keys move it, with Shift alone; "
            "Page Up and Page Down choose another joint."
        )
        self.update()

    # -- geometry

    def _scale(self) -> float:
        return min(self.width() / self._extent[0], (self.height() - 30) / self._extent[1])

    def to_screen(self, place: np.ndarray) -> QPointF:
        """Body heights to pixels of the widget."""
        scale = self._scale()
        return QPointF(self.width() / 2 + float(place[0]) * scale, self.height() / 2 + float(place[1]) * scale)

    def to_body(self, point: QPointF) -> np.ndarray:
        scale = self._scale()
        return np.array([(point.x() - self.width() / 2) / scale, (point.y() - self.height() / 2) / scale])

    def joint_at(self, point: QPointF) -> int | None:
        """The joint that is nearest to a point, of those seen, if it is near enough."""
        seen = self.editing.sequence.seen()
        best, nearest = GRAB, None
        for joint, place in enumerate(self.editing.joints):
            at = self.to_screen(place)
            distance = float(np.hypot(at.x() - point.x(), at.y() - point.y()))
            if seen[joint] and distance < best:
                best, nearest = distance, joint
        return nearest

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(colours.canvas))
        floor = self.to_screen(np.array([0.0, GROUND])).y()
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.drawLine(QPointF(0, floor), QPointF(self.width(), floor))
        seen = self.editing.sequence.seen()
        joints = self.editing.joints
        if self.filled:
            self._body(painter, joints, seen)
        if self.onion and not self.playing:
            before, after = self.editing.neighbours()
            for other, style in ((before, Qt.PenStyle.DashLine), (after, Qt.PenStyle.DotLine)):
                if other is not None:
                    painter.setPen(QPen(QColor(colours.text), 1.4, style))
                    self._bones(painter, other, seen)
        self._skeleton(painter, joints, seen)
        self._words(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _bones(self, painter: QPainter, joints: np.ndarray, seen: np.ndarray) -> None:
        for a, b in BONES:
            if seen[a] and seen[b]:
                painter.drawLine(self.to_screen(joints[a]), self.to_screen(joints[b]))

    def _body(self, painter: QPainter, joints: np.ndarray, seen: np.ndarray) -> None:
        colours = theme.current()
        for name, outline in body(joints, seen):
            shade = theme.rgb(RIGHT if name.startswith("right") else LEFT if name.startswith("left") else colours.dim)
            field = theme.rgb(colours.field)
            mixed = QColor.fromRgbF(*(0.22 * a / 255 + 0.78 * b / 255 for a, b in zip(shade, field, strict=True)))
            painter.setBrush(mixed)
            painter.setPen(QPen(QColor(colours.canvas), 1))
            painter.drawPolygon(QPolygonF([self.to_screen(place) for place in outline]))

    def _skeleton(self, painter: QPainter, joints: np.ndarray, seen: np.ndarray) -> None:
        colours = theme.current()
        for a, b in BONES:
            if seen[a] and seen[b]:
                painter.setPen(QPen(QColor(self._side(b, colours)), 3))
                painter.drawLine(self.to_screen(joints[a]), self.to_screen(joints[b]))
        if self.playing:
            return
        for joint in range(len(JOINTS)):
            if not seen[joint]:
                continue
            chosen = joint == self.editing.joint
            radius = 6.0 if chosen or joint == self._hover else 3.2 if joint >= 14 else 4.5
            painter.setPen(QPen(QColor(colours.text if chosen else colours.canvas), 2 if chosen else 1))
            painter.setBrush(QColor(self._side(joint, colours)))
            painter.drawEllipse(self.to_screen(joints[joint]), radius, radius)

    @staticmethod
    def _side(joint: int, colours: theme.Theme) -> str:
        name = JOINTS[joint]
        return RIGHT if name.startswith("right") else LEFT if name.startswith("left") else colours.text

    def _words(self, painter: QPainter) -> None:
        colours, editing = theme.current(), self.editing
        painter.setFont(theme.small(self.font()))
        painter.setPen(QColor(colours.dim))
        box = QRectF(self.rect()).adjusted(10, 8, -10, -8)
        key = editing.key
        where = f"keyframe {key + 1} of {len(editing.sequence.times)}" if key is not None else "between keyframes"
        top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        painter.drawText(
            box, Qt.AlignmentFlag.AlignLeft | top, f"{where} · frame {editing.time:.1f} of {editing.end:g}"
        )
        if self.onion and not self.playing:
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | top, "dashes: keyframe before · dots: after")
        if not self.playing:
            shown = self._hover if self._hover is not None else editing.joint
            x, y = editing.joints[shown]
            text = f"{JOINTS[shown]} · x {x:+.3f} y {y:+.3f} body heights".replace("-", "\N{MINUS SIGN}")
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | bottom, text)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | bottom, "orange: the figure's right · blue: its left")

    # -- what the person does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        joint = self.joint_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or joint is None or self.playing:
            return
        self._held = joint
        self._grip = self.to_screen(self.editing.joints[joint]) - event.position()
        self.editing.end_drag()
        self.editing.choose(joint)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            keep = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.editing.drag(self._held, self.to_body(event.position() + self._grip), keep)
            return
        hover = None if self.playing else self.joint_at(event.position())
        if hover != self._hover:
            self._hover = hover
            self.setCursor(Qt.CursorShape.OpenHandCursor if hover is not None else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held = None
            self.editing.end_drag()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (-STEP, 0.0), Qt.Key.Key_Right: (STEP, 0.0),
            Qt.Key.Key_Up: (0.0, -STEP), Qt.Key.Key_Down: (0.0, STEP),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in moves and not self.playing:
            keep = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.editing.nudge(*moves[key], keep)
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.editing.choose(self.editing.joint + (1 if key == Qt.Key.Key_PageDown else -1))
        elif key == Qt.Key.Key_Space:
            self.play_wanted.emit()
        else:
            super().keyPressEvent(event)
