"""The scrub bar: which frames are computed, where shots change, the loop range, and the frame that is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.look.palette import WARN
from app.look.theme import DARK, Theme, small, tabular

Mask = npt.NDArray[np.bool_]

MARGIN = 8
GRAB = 6
TRACK = 10


class ScrubBar(QWidget):
    """A track of frames 0 … frames-1. A press or drag asks for a frame; the handles of the loop can be dragged."""

    frameRequested = Signal(int)
    loopChanged = Signal(object)

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._frames = 0
        self._clock: tuple[float, ...] = ()
        self._cuts: tuple[int, ...] = ()
        self._computed: Mask = np.zeros(0, dtype=bool)
        self._frame = 0
        self._loop: tuple[int, int] | None = None
        self._held = ""
        self.setFont(small(tabular(self.font())))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Scrub bar")
        self.setAccessibleDescription("Drag to choose a frame; arrow keys step; drag the loop's ends to change it.")

    def sizeHint(self) -> QSize:
        return QSize(300, 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 30)

    def set_source(self, frames: int, clock: tuple[float, ...], cuts: tuple[int, ...]) -> None:
        """A new source: its length, the seconds at which frames are shown (may be empty), the frames at which a shot starts."""
        self._frames, self._clock, self._cuts = frames, clock, tuple(cuts)
        self._computed = np.zeros(frames, dtype=bool)
        self._frame, self._loop = 0, None
        self.update()

    def set_frame(self, t: int) -> None:
        """The frame that is shown."""
        self._frame = t
        self.update()

    def set_computed(self, computed: Mask) -> None:
        """(frames,) which frames are ready."""
        self._computed = np.asarray(computed, dtype=bool)
        self.update()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """First and last frame of the loop, or None."""
        self._loop = loop
        self.update()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        self.update()

    # geometry: a frame is a stretch of the track, so that a single frame fills it

    def _span(self) -> float:
        return max(1.0, self.width() - 2.0 * MARGIN)

    def left_of(self, t: float) -> float:
        """The x at which frame t begins; its middle is left_of(t + 0.5)."""
        return MARGIN + self._span() * t / max(1, self._frames)

    def frame_at(self, x: float) -> int:
        """The frame under x, the nearest one beyond the ends."""
        t = int((x - MARGIN) / self._span() * max(1, self._frames))
        return min(max(t, 0), max(0, self._frames - 1))

    def _runs(self) -> list[tuple[int, int]]:
        """Stretches (first, one past last) of computed frames."""
        edges = np.flatnonzero(np.diff(np.concatenate(([0], self._computed.astype(np.int8), [0]))))
        return list(zip(edges[::2].tolist(), edges[1::2].tolist()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._colours
        track = QRectF(MARGIN, (self.height() - TRACK) / 2, self._span(), TRACK)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.field))
        painter.drawRoundedRect(track, 3, 3)
        if not self._frames:
            return
        fill = QColor(colours.accent)
        fill.setAlpha(110)
        last = -1.0
        for first, end in self._runs():
            left, right = max(self.left_of(first), last), self.left_of(end)
            if right - last >= 0.5:  # thousands of stretches in hundreds of pixels: draw what can be seen
                painter.fillRect(QRectF(left, track.top(), max(right - left, 0.5), TRACK), fill)
                last = right
        if self._loop is not None:
            self._paint_loop(painter, track, *self._loop)
        painter.setPen(QPen(QColor(self._colours.ink(WARN)), 1.5))
        for cut in self._cuts:
            x = self.left_of(cut)
            painter.drawLine(QPointF(x, track.top() - 4), QPointF(x, track.bottom() + 4))
        self._paint_head(painter, track)

    def _paint_loop(self, painter: QPainter, track: QRectF, first: int, last: int) -> None:
        colours = self._colours
        left, right = self.left_of(first), self.left_of(last + 1)
        veil = QColor(colours.panel)
        veil.setAlpha(170)
        painter.fillRect(QRectF(track.left(), track.top(), left - track.left(), TRACK), veil)
        painter.fillRect(QRectF(right, track.top(), track.right() - right, TRACK), veil)
        painter.setPen(QPen(QColor(colours.accent), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x, inward in ((left, 5.0), (right, -5.0)):
            top, bottom = track.top() - 4, track.bottom() + 4
            painter.drawPolyline(
                [QPointF(x + inward, top), QPointF(x, top), QPointF(x, bottom), QPointF(x + inward, bottom)]
            )

    def _paint_head(self, painter: QPainter, track: QRectF) -> None:
        x = self.left_of(self._frame + 0.5)
        colour = QColor(self._colours.accent if self.hasFocus() else self._colours.text)
        painter.setPen(QPen(colour, 2.0))
        painter.drawLine(QPointF(x, track.top() - 3), QPointF(x, track.bottom() + 7))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        top = track.top() - 8
        head = [
            QPointF(x - 5, top),
            QPointF(x + 5, top),
            QPointF(x + 5, top + 4),
            QPointF(x, top + 9),
            QPointF(x - 5, top + 4),
        ]
        painter.drawPolygon(QPolygonF(head))

    # what the person does

    def _handle_at(self, x: float) -> str:
        if self._loop is None:
            return ""
        near = [(abs(x - self.left_of(self._loop[0])), "first"), (abs(x - self.left_of(self._loop[1] + 1)), "last")]
        distance, which = min(near)
        return which if distance <= GRAB and abs(x - self.left_of(self._frame + 0.5)) > 3 else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self._frames:
            return
        x = event.position().x()
        self._held = self._handle_at(x) or "frame"
        self._drag(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._held:
            self._drag(x)
        else:
            over = self._handle_at(x)
            self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = ""

    def _drag(self, x: float) -> None:
        t = self.frame_at(x)
        if self._held == "frame":
            if t != self._frame:
                self.set_frame(t)
                self.frameRequested.emit(t)
            return
        first, last = self._loop or (0, self._frames - 1)
        edge = round((x - MARGIN) / self._span() * self._frames)
        loop = (
            (min(max(edge, 0), last), last)
            if self._held == "first"
            else (first, min(max(edge - 1, first), self._frames - 1))
        )
        if loop != self._loop:
            self.set_loop(loop)
            self.loopChanged.emit(loop)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._frames and event.angleDelta().y():
            self._step(-1 if event.angleDelta().y() > 0 else 1)
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps: dict[int, int] = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageDown: -10,
            Qt.Key.Key_PageUp: 10,
        }
        if event.key() in steps:
            self._step(steps[event.key()])
        elif event.key() == Qt.Key.Key_Home:
            self._step(-self._frame)
        elif event.key() == Qt.Key.Key_End:
            self._step(self._frames - 1 - self._frame)
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        t = min(max(self._frame + by, 0), max(0, self._frames - 1))
        if t != self._frame:
            self.set_frame(t)
            self.frameRequested.emit(t)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.text_at(event.pos().x()), self)
            return True
        return super().event(event)

    def text_at(self, x: float) -> str:
        """What the tooltip says at x: the frame, its time, whether it is computed, whether a shot starts there."""
        if not self._frames:
            return "Frames appear here once a source is open."
        handle = self._handle_at(x)
        if handle:
            return f"{handle.capitalize()} frame of the loop; drag to change it."
        t = self.frame_at(x)
        parts = [f"Frame {t}"]
        if t < len(self._clock):
            parts.append(f"{self._clock[t]:.2f} s")
        ready = t < len(self._computed) and self._computed[t]
        parts.append("computed" if ready else "not computed yet")
        if t in self._cuts:
            parts.append("a new shot starts here")
        return ", ".join(parts)
