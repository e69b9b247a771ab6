"""Autocorrelation maps: one small picture a prior, shifts of up to 16 pixels, all on one symmetric colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QImage, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.look.palette import style
from app.look.theme import DARK, LIGHT, Theme, rgb, small
from app.views.statistics.measures import signed
from app.views.widgets.plot_files import Figure, Table
from app.views.widgets.plots import nice_ceiling

F32 = npt.NDArray[np.float32]

LEFT, TITLE, TICKS, BAR, GAP = 27, 15, 14, 58, 8
TIP = (
    "How much the noise resembles itself when shifted: the correlation of every pixel with the one (x, y) pixels away, "
    "averaged over channels. White noise gives 1 at no shift and nearly 0 everywhere else."
)


class AutocorrelationMaps(QWidget, Figure):
    """Small multiples of autocorrelation maps (2R+1, 2R+1), shift 0 in the middle, with a common colour bar."""

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._maps: dict[str, F32] = {}
        self._images: dict[str, QImage] = {}
        self._scale = 1.0
        self._colours = colours
        self.setFont(small(self.font()))
        self.setMinimumSize(120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Autocorrelation maps")
        self.setAccessibleDescription(TIP)
        self.figure_menu()

    def sizeHint(self) -> QSize:
        return QSize(320, 170)

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self._colours = colours
        self._paint_images()
        self.update()

    def set_maps(self, maps: Mapping[str, F32]) -> None:
        """Show these maps. The scale ends at a round number above the largest value off the centre."""
        self._maps = dict(maps)
        largest = 0.0
        for values in self._maps.values():
            off = np.abs(values)
            off[off.shape[0] // 2, off.shape[1] // 2] = 0
            if np.isfinite(off).any():
                largest = max(largest, float(np.nanmax(off)))
        self._scale = nice_ceiling(max(largest, 0.01))
        self._paint_images()
        self.update()

    def _paint_images(self) -> None:
        middle = np.array(rgb(self._colours.field), dtype=np.float32)
        low = np.array(rgb(self._colours.negative), dtype=np.float32)
        high = np.array(rgb(self._colours.positive), dtype=np.float32)
        self._images = {}
        for key, values in self._maps.items():
            part = np.clip(np.nan_to_num(values / self._scale), -1, 1)[..., None]
            mixed = middle + np.abs(part) * (np.where(part < 0, low, high) - middle)
            pixels = np.ascontiguousarray(np.rint(mixed), dtype=np.uint8)
            height, width = values.shape
            self._images[key] = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()

    def _places(self) -> dict[str, QRectF]:
        """Where each map goes: as many side by side as makes them largest."""
        count = len(self._maps)
        if not count:
            return {}
        best, columns = 0.0, 1
        for across in range(1, count + 1):
            down = math.ceil(count / across)
            side = min((self.width() - LEFT - BAR) / across - GAP, (self.height() - 2 * TICKS - 3) / down - TITLE - 3)
            if side > best:
                best, columns = side, across
        best = max(8.0, math.floor(best))
        return {
            key: QRectF(
                LEFT + index % columns * (best + GAP), TITLE + index // columns * (best + TITLE + 3), best, best
            )
            for index, key in enumerate(self._maps)
        }

    def paintEvent(self, event: QPaintEvent) -> None:
        places = self._places()
        if not places:
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        colours = self._colours
        metrics = QFontMetricsF(self.font())
        right = max(place.right() for place in places.values())
        bottom = max(place.bottom() for place in places.values())
        for key, place in places.items():
            painter.drawImage(place, self._images[key])
            painter.setPen(QColor(colours.border))
            painter.drawRect(place)
            dot = place.width() / self._maps[key].shape[1]
            centre = QRectF(0, 0, dot, dot)
            centre.moveCenter(place.center())
            painter.fillRect(centre, QColor(colours.text))
            painter.setPen(QColor(self._colours.ink(style(key))))
            name = metrics.elidedText(key, Qt.TextElideMode.ElideRight, place.width() + GAP - 4)
            painter.drawText(QPointF(place.left(), place.top() - 4), name)
            painter.setPen(QColor(colours.dim))
            if place.left() == LEFT:
                self._paint_ticks(painter, place, self._maps[key].shape[0], below=place.bottom() == bottom)
        label = QRectF(LEFT, bottom + TICKS + 1, self.width() - LEFT, TICKS)
        painter.drawText(label, Qt.AlignmentFlag.AlignLeft, "shift in x and y (px); white noise: 0 but at the centre")
        self._paint_bar(painter, right + 12, bottom)

    @staticmethod
    def _paint_ticks(painter: QPainter, place: QRectF, size: int, below: bool) -> None:
        reach = size // 2
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        under = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        for part, shift in ((0.5 / size, -reach), (0.5, 0), (1 - 0.5 / size, reach)):
            across = QPointF(part * place.width(), part * place.height())
            painter.drawText(QRectF(0, place.top() + across.y() - 8, LEFT - 4, 16), side, signed(shift, 0))
            if below and (place.width() > 50 or shift):
                painter.drawText(
                    QRectF(place.left() + across.x() - 20, place.bottom() + 2, 40, TICKS), under, signed(shift, 0)
                )

    def _paint_bar(self, painter: QPainter, left: float, bottom: float) -> None:
        colours = self._colours
        bar = QRectF(left, TITLE, 9, bottom - TITLE)
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for part, colour in ((0.0, self._colours.negative), (0.5, colours.field), (1.0, self._colours.positive)):
            gradient.setColorAt(part, QColor(colour))
        painter.fillRect(bar, gradient)
        painter.setPen(QColor(colours.border))
        painter.drawRect(bar)
        painter.setPen(QColor(colours.dim))
        digits = max(0, 1 - math.floor(math.log10(self._scale)))
        for part, value in ((0.0, self._scale), (0.5, 0.0), (1.0, -self._scale)):
            y = bar.top() + part * bar.height()
            text = f"{'+' if value > 0 else ''}{signed(value, digits if value else 0)}"
            spot = QRectF(bar.right() + 4, min(max(y - 8, bar.top() - 4), bar.bottom() - 12), BAR, 16)
            painter.drawText(spot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.value_text(QPointF(event.pos())) or TIP, self)
            return True
        return super().event(event)

    def value_text(self, point: QPointF) -> str:
        """What the map shows at a point of the widget: prior, shift and correlation; empty outside the maps."""
        for key, place in self._places().items():
            if place.contains(point):
                values = self._maps[key]
                row = min(int((point.y() - place.top()) / place.height() * values.shape[0]), values.shape[0] - 1)
                column = min(int((point.x() - place.left()) / place.width() * values.shape[1]), values.shape[1] - 1)
                dy, dx = row - values.shape[0] // 2, column - values.shape[1] // 2
                value = signed(float(values[row, column]), 4)
                return f"{key}: shift ({signed(dx, 0)}, {signed(dy, 0)}) px, correlation {value}"
        return ""

    def figure_name(self) -> str:
        return "autocorrelation"

    def figure_title(self) -> str:
        return "Autocorrelation of the noise"

    def figure_keys(self) -> list[str]:
        return []

    def figure_twin(self, scale: float) -> QWidget:
        twin = AutocorrelationMaps(colours=LIGHT)
        twin.set_maps(self._maps)
        return twin

    def figure_table(self) -> Table:
        if not self._maps:
            return Table(["shift x (px)", "shift y (px)"], [[], []])
        height, width = next(iter(self._maps.values())).shape
        dy, dx = np.mgrid[:height, :width]
        columns = [
            (dx - width // 2).ravel(),
            (dy - height // 2).ravel(),
            *(values.ravel() for values in self._maps.values()),
        ]
        return Table(["shift x (px)", "shift y (px)", *(f"{key}: correlation" for key in self._maps)], columns)
