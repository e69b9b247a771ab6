"""A thin progress bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.look import theme


class Bar(QWidget):
    """QProgressBar paints at once whenever its value changes, and half the window with it; this one waits its turn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(2 * theme.GRID)
        self._share = 0.0

    @property
    def share(self) -> float:
        return self._share

    def show_share(self, share: float) -> None:
        """Show that a share of 0..1 is done."""
        if round(share * self.width()) != round(self._share * self.width()):
            self._share = share
            self.setAccessibleDescription(f"{share:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour in ((1.0, colours.border), (min(max(self._share, 0.0), 1.0), colours.accent)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(0, self.height() / 2 - 2, self.width() * share, 4), 2, 2)
        painter.end()
