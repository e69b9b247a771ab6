"""The line of a prior: its pen, a sample of it, and the legend that lists them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look.palette import style
from app.look.theme import DARK, Theme, small
from app.views.widgets.words import tooltip

LINE_WIDTH = 1.6
SAMPLE = 34  # pixels of line in a legend: two periods of the longest dash


def pen(key: str, colours: Theme, width: float = LINE_WIDTH) -> QPen:
    """The pen that draws a prior: its colour on that background, and its dash."""
    look = style(key)
    result = QPen(QColor(colours.ink(look)), width)
    result.setCosmetic(True)
    result.setCapStyle(Qt.PenCapStyle.FlatCap)
    if look.dash:
        result.setDashPattern([float(length) for length in look.dash])
    return result


def draw_sample(painter: QPainter, area: QRectF, key: str, colours: Theme) -> None:
    """A short piece of the prior's line across the middle of `area`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen(key, colours, 1.8))
    middle = round(area.center().y()) + 0.5
    painter.drawLine(QPointF(area.left() + 1, middle), QPointF(area.right() - 1, middle))


class Legend(QWidget):
    """Line samples and names of priors, in rows that fill the width or one under the other."""

    GAP, ROW = 14, 18

    def __init__(self, colours: Theme = DARK, column: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[str] = []
        self._colours, self._column = colours, column
        self.setFont(small(self.font()))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(not column)
        self.setSizePolicy(policy)
        self.setAccessibleName("Legend")

    def set_keys(self, keys: Sequence[str]) -> None:
        """The priors to list, in order."""
        if list(keys) != self._keys:
            self._keys = list(keys)
            self.setToolTip(tooltip("\n".join(self._keys)))
            self.setAccessibleDescription(", ".join(self._keys))
            self.updateGeometry()
            self.update()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        self.update()

    def _places(self, width: int) -> list[tuple[int, int, str]]:
        metrics = QFontMetrics(self.font())
        places, x, y = [], 0, 0
        for key in self._keys:
            room = SAMPLE + 6 + metrics.horizontalAdvance(key)
            if x and (self._column or x + room > width):
                x, y = 0, y + self.ROW
            places.append((x, y, key))
            x += room + self.GAP
        return places

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        return places[-1][1] + self.ROW if places else 0

    def sizeHint(self) -> QSize:
        if not self._keys:
            return QSize(0, 0)
        metrics = QFontMetrics(self.font())
        widest = max(metrics.horizontalAdvance(key) for key in self._keys) + SAMPLE + 8
        return QSize(widest, self.ROW * len(self._keys)) if self._column else QSize(240, self.heightForWidth(240))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = QFontMetrics(self.font())
        for x, y, key in self._places(self.width()):
            draw_sample(painter, QRectF(x, y, SAMPLE, self.ROW), key, self._colours)
            painter.setPen(QColor(self._colours.text))
            left = x + SAMPLE + 6
            room = QRectF(left, y, max(0, self.width() - left), self.ROW)
            text = metrics.elidedText(key, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
