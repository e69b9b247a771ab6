"""Draws the pictures of the comparison grid: every column's rows in one widget, at one zoom and pan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look import theme
from app.model.frame_pictures import ERROR_COLOURS, STATE_COLOURS, U8, CellPictures, FramePictures, difference
from app.model.state import View
from app.views.compare.cell_layout import GAP, GUTTER, ROW_LABELS, arrange
from gpu.noise.states import STATES

ARROW_APART = 13.0  # screen pixels between arrows, at least
LEGEND_ROW = 15  # pixels of a line that explains a colour
NEAREST_FROM = 3.0  # screen pixels per picture pixel from which pixels are shown as squares


class Drawing(QWidget):
    """Draws what it is given. `arranged` comes when the columns have other places."""

    arranged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Comparison pictures")
        self.setToolTip("")
        self._view = View()
        self._keys: tuple[str, ...] = ()
        self._reference = ""
        self._flip = False
        self._pictures: FramePictures | None = None
        self._slices: Mapping[tuple[str, str], U8] = {}
        self._size = (144, 256)  # height, width of the grid
        self._frames = 0
        self._probe: tuple[int, int] | None = None
        self._chosen: tuple[int, int, str] | None = None
        self._empty = "Opening …"
        self._waiting = ""
        self._idle = False
        self._layout = arrange(QSize(0, 0), (), (), (1, 1))
        self._images: dict[tuple[str, str], tuple[object, object, QImage]] = {}

    # -- what to draw

    def set_view(self, view: View, keys: tuple[str, ...], reference: str) -> None:
        """What is drawn: rows, mode, zoom and place of `view`, for the columns `keys`, one of which is the `reference`."""
        self._view, self._keys, self._reference = view, keys, reference
        self._arrange()

    def set_source(self, height: int, width: int, frames: int) -> None:
        """Pixels and number of frames of the source: cells take its shape."""
        self._size, self._frames = (height, width), frames
        self._arrange()

    def set_pictures(self, pictures: FramePictures | None) -> None:
        """Draw a frame; None: there is none."""
        self._pictures = pictures
        self.update()

    def set_slices(self, slices: Mapping[tuple[str, str], U8]) -> None:
        """Draw x-t slices, (frames, W, 4) RGBA bytes by column and kind (noise, output)."""
        self._slices = slices
        self.update()

    def set_flip(self, on: bool) -> None:
        """While on, every column shows the reference."""
        self._flip = on
        self.update()

    def set_chosen(self, chosen: tuple[int, int, str] | None) -> None:
        """Mark the pixel (x, y) that is inspected, most of all in the column of that key."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.update()

    def set_waiting(self, sentence: str) -> None:
        """A note over pictures that are not those of the current frame yet; empty when they are."""
        if sentence != self._waiting:
            self._waiting = sentence
            self.update()

    def set_idle(self, on: bool) -> None:
        """Whether nothing is being computed: then what is missing stays missing."""
        if on != self._idle:
            self._idle = on
            self.update()

    def set_empty(self, sentence: str) -> None:
        """What to say where there is no picture."""
        self._empty = sentence
        self.update()

    @property
    def pictures(self) -> FramePictures | None:
        """What is shown now."""
        return self._pictures

    @property
    def columns(self) -> list[QRect]:
        """Where the columns are, for the widgets above and below them."""
        return self._layout.columns

    def picture(self) -> QImage:
        """What is drawn now, for the clipboard."""
        return self.grab().toImage()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _arrange(self) -> None:
        self._layout = arrange(self.size(), self._keys, self._view.rows, self._size, self._view.zoom)
        self.arranged.emit()
        self.update()

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.window))
        if not self._keys:
            self._say(painter, QRectF(self.rect()), "Add a prior with + to see its noise here.", colours)
            return
        for row, (top, height) in self._layout.rows.items():
            self._draw_label(painter, row, top, height, colours)
            for key, column in zip(self._keys, self._layout.columns, strict=True):
                cell = QRectF(column.x(), top, column.width(), height)
                painter.fillRect(cell, QColor(colours.canvas))
                if self._pictures is not None:
                    painter.save()
                    painter.setClipRect(cell)
                    self._draw_cell(painter, row, key, cell, colours)
                    painter.restore()
        if self._pictures is None or self._waiting:
            self._draw_note(painter, self._waiting if self._pictures is not None else self._empty, colours)
        painter.end()

    def _draw_note(self, painter: QPainter, sentence: str, colours: theme.Theme) -> None:
        """A sentence over the first picture."""
        painter.setFont(theme.small(self.font()))
        wide = painter.fontMetrics().horizontalAdvance(sentence) + 2 * GAP
        box = QRectF(GUTTER + GAP, GAP, wide, 22)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.field))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, sentence)

    def _draw_label(self, painter: QPainter, row: str, top: int, height: int, colours: theme.Theme) -> None:
        painter.setFont(theme.small(self.font()))
        painter.setPen(QColor(colours.dim))
        box = QRectF(0, top, GUTTER - GAP, height)
        label = ROW_LABELS[row]
        if row == "motion" and self._pictures is not None and self._view.motion == "arrows" and self._pictures.gain > 1:
            label += f"\narrows × {self._pictures.gain}"
        if row == "noise" and self._view.overlay and height >= LEGEND_ROW * len(STATES):
            box.setHeight(LEGEND_ROW)
            box.moveTop(top + (height - LEGEND_ROW * len(STATES)) / 2)
            self._draw_states(painter, box, colours)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)

    def _draw_states(self, painter: QPainter, box: QRectF, colours: theme.Theme) -> None:
        """What the colours over the noise mean, under the row's label in `box`."""
        for number, (state, colour) in enumerate(zip(STATES[1:], STATE_COLOURS[1:], strict=True), start=1):
            line = box.translated(0, LEGEND_ROW * number)
            mark = QRectF(line.right() - 8, line.center().y() - 4, 8, 8)
            painter.fillRect(mark, QColor.fromRgb(colour & 0xFFFFFF))
            painter.drawRect(mark)
            painter.drawText(
                line.adjusted(0, 0, -12, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, state
            )

    def _draw_cell(self, painter: QPainter, row: str, key: str, cell: QRectF, colours: theme.Theme) -> None:
        shown = self._reference if self._flip else key
        if row.startswith("xt-"):
            self._draw_slice(painter, row, key, cell, colours)
            return
        image = self._image(row, shown)
        if image is None:
            self._say(painter, cell, self._why_empty(row, shown), colours)
            return
        mode = self._view.mode
        if mode == "difference" and not self._flip and key != self._reference and row in ("noise", "output"):
            image = self._difference(row, key) or image
        self._draw_image(painter, image, cell, row)
        if mode == "wipe" and not self._flip and key != self._reference and row != "motion":
            self._draw_wipe(painter, row, cell, colours)
        pictures = self._pictures
        assert pictures is not None
        if row == "motion" and self._view.motion == "arrows" and pictures.arrows is not None:
            self._draw_arrows(painter, pictures, cell)
        if self._view.overlay and row in ("noise", "motion"):
            state = self._state(shown)
            if state is not None:
                self._draw_image(painter, state, cell, "state")
        if row in ("noise", "output"):
            self._draw_slice_line(painter, row, cell, colours)
        self._draw_chosen(painter, key, cell, colours)
        self._draw_crosshair(painter, cell)

    def _draw_chosen(self, painter: QPainter, key: str, cell: QRectF, colours: theme.Theme) -> None:
        if self._chosen is None:
            return
        x, y, of = self._chosen
        box = QRectF(self._to_widget(cell, x, y), self._to_widget(cell, x + 1, y + 1))
        box = box.adjusted(-2, -2, 2, 2) if box.width() >= 4 else QRectF(box.center() - QPointF(4, 4), QSize(8, 8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for width, colour in ((3.0, QColor(0, 0, 0, 150)), (1.4, QColor(colours.accent if key == of else "#ffffff"))):
            painter.setPen(QPen(colour, width))
            painter.drawRect(box)

    def _why_empty(self, row: str, key: str) -> str:
        pictures = self._pictures
        assert pictures is not None
        missing = "not computed" if self._idle else "computing …"
        if key not in pictures.columns:
            return missing
        if row == "error":
            first = "needs an output of the\nframe before" if pictures.arrows is not None else "the shot starts here"
            return first if pictures.complete else missing
        if row == "output":
            return missing if not pictures.complete else "no task chosen"
        if row == "motion":
            return "the shot starts here"
        return ""

    def _say(self, painter: QPainter, box: QRectF, sentence: str, colours: theme.Theme) -> None:
        painter.setFont(theme.small(self.font()))
        painter.setPen(QColor(colours.dim))
        painter.drawText(
            box.adjusted(GAP, GAP, -GAP, -GAP), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, sentence
        )

    def _draw_image(self, painter: QPainter, image: QImage, cell: QRectF, row: str) -> None:
        target, source = self._mapping(cell)
        scale = target.width() / max(source.width(), 1e-6)
        smooth = row in ("output", "error", "motion") and scale < NEAREST_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, image, source)

    def _mapping(self, cell: QRectF) -> tuple[QRectF, QRectF]:
        """The rectangle of the widget that the picture covers inside the cell, and the part of the picture in it."""
        height, width = self._size
        scale = min(cell.width() / width, cell.height() / height) * self._view.zoom
        covered_w, covered_h = min(cell.width(), width * scale), min(cell.height(), height * scale)
        target = QRectF(cell.center().x() - covered_w / 2, cell.center().y() - covered_h / 2, covered_w, covered_h)
        part_w, part_h = covered_w / scale, covered_h / scale
        x = min(max(self._view.centre[0] * width - part_w / 2, 0), width - part_w)
        y = min(max(self._view.centre[1] * height - part_h / 2, 0), height - part_h)
        return target, QRectF(x, y, part_w, part_h)

    def _draw_wipe(self, painter: QPainter, row: str, cell: QRectF, colours: theme.Theme) -> None:
        reference = self._image(row, self._reference)
        if reference is None:
            return
        x = cell.x() + cell.width() * self._view.wipe
        painter.save()
        painter.setClipRect(QRectF(cell.x(), cell.y(), x - cell.x(), cell.height()))
        self._draw_image(painter, reference, cell, row)
        painter.restore()
        painter.setPen(QPen(QColor(colours.accent), 1))
        painter.drawLine(QPointF(x, cell.top()), QPointF(x, cell.bottom()))

    def _draw_slice(self, painter: QPainter, row: str, key: str, cell: QRectF, colours: theme.Theme) -> None:
        """The x-t slice: x as in the pictures above, time downwards, the current frame marked."""
        data = self._slices.get((self._reference if self._flip else key, row.removeprefix("xt-")))
        if data is None:
            self._say(painter, cell, "not computed" if self._idle else "computing …", colours)
            return
        # As wide as the pictures, so that x means the same in all of a column.
        tall = self._layout.picture_height if self._layout.has_pictures else 1e6
        target, source = self._mapping(QRectF(cell.x(), cell.y(), cell.width(), tall))
        scale = target.width() / max(source.width(), 1e-6)
        smooth = row == "xt-output" and scale < NEAREST_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        frames = data.shape[0]
        image = QImage(data.data, data.shape[1], frames, data.strides[0], QImage.Format.Format_RGBA8888)
        painter.drawImage(
            QRectF(target.x(), cell.y(), target.width(), cell.height()),
            image,
            QRectF(source.x(), 0, source.width(), frames),
        )
        if self._pictures is not None:
            y = cell.y() + (self._pictures.t + 0.5) / frames * cell.height()
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawLine(QPointF(cell.left(), y), QPointF(cell.left() + 6, y))
            painter.drawLine(QPointF(cell.right() - 6, y), QPointF(cell.right(), y))

    def _draw_slice_line(self, painter: QPainter, row: str, cell: QRectF, colours: theme.Theme) -> None:
        if f"xt-{row}" not in self._view.rows:
            return
        y = self._to_widget(cell, 0, self._view.slice * self._size[0]).y()
        painter.setPen(QPen(QColor(colours.accent), 1))
        painter.drawLine(QPointF(cell.left(), y), QPointF(cell.left() + 6, y))
        painter.drawLine(QPointF(cell.right() - 6, y), QPointF(cell.right(), y))

    def _draw_arrows(self, painter: QPainter, pictures: FramePictures, cell: QRectF) -> None:
        assert pictures.arrows is not None
        target, source = self._mapping(cell)
        scale = target.width() / max(source.width(), 1e-6)
        x, y, dx, dy = pictures.thinned(ARROW_APART / max(scale, 1e-6)).T
        x1, y1 = target.x() + (x - source.x()) * scale, target.y() + (y - source.y()) * scale
        ends = np.stack([x1 - dx * scale, y1 - dy * scale, x1, y1], axis=1).tolist()
        lines = [QLineF(*end) for end in ends]
        heads = [QPointF(end[2], end[3]) for end in ends]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width, head in ((QColor(0, 0, 0, 150), 2.6, 4.6), (QColor(255, 255, 255), 1.1, 3.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLines(lines)
            painter.setPen(QPen(colour, head, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(heads)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _draw_crosshair(self, painter: QPainter, cell: QRectF) -> None:
        if self._probe is None:
            return
        at = self._to_widget(cell, self._probe[0] + 0.5, self._probe[1] + 0.5)
        for width, colour in ((3, QColor(0, 0, 0, 110)), (1, QColor(255, 255, 255, 210))):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(at + QPointF(3 * dx, 3 * dy), at + QPointF(9 * dx, 9 * dy))

    def _to_widget(self, cell: QRectF, x: float, y: float) -> QPointF:
        """Where the point (x, y) of the picture, in its pixels, lies on the widget."""
        target, source = self._mapping(cell)
        scale = target.width() / max(source.width(), 1e-6)
        return QPointF(target.x() + (x - source.x()) * scale, target.y() + (y - source.y()) * scale)

    # -- images, made once for each picture

    def _image(self, row: str, key: str) -> QImage | None:
        pictures = self._pictures
        if pictures is None:
            return None
        if row == "motion":
            return self._wrap("", "motion", pictures.motion if self._view.motion == "wheel" else pictures.image)
        cell: CellPictures | None = pictures.columns.get(key)
        return None if cell is None else self._wrap(key, row, getattr(cell, row))

    def _state(self, key: str) -> QImage | None:
        cell = self._pictures.columns.get(key) if self._pictures is not None else None
        return None if cell is None else self._wrap(key, "state", cell.state)

    def _wrap(self, key: str, row: str, data: U8 | None) -> QImage | None:
        """`data` as an image that borrows its memory."""
        if data is None:
            return None
        kept = self._images.get((key, row))
        if kept is not None and kept[0] is data:
            return kept[2]
        kinds = {"error": QImage.Format.Format_Indexed8, "state": QImage.Format.Format_Indexed8}
        plain = QImage.Format.Format_Grayscale8 if data.ndim == 2 else QImage.Format.Format_RGB888
        image = QImage(data.data, data.shape[1], data.shape[0], data.strides[0], kinds.get(row, plain))
        if row == "error":
            image.setColorTable(ERROR_COLOURS)
        elif row == "state":
            image.setColorTable(list(STATE_COLOURS))
        self._images[key, row] = (data, None, image)
        return image

    def _difference(self, row: str, key: str) -> QImage | None:
        assert self._pictures is not None
        mine, other = self._pictures.columns.get(key), self._pictures.columns.get(self._reference)
        first = None if mine is None else getattr(mine, row)
        second = None if other is None else getattr(other, row)
        if first is None or second is None:
            return None
        kept = self._images.get((key, f"difference {row}"))
        if kept is not None and kept[0] is first and kept[1] is second:
            return kept[2]
        image = self._wrap(key, f"difference {row}", difference(first, second))
        assert image is not None
        self._images[key, f"difference {row}"] = (first, second, image.copy())
        return self._images[key, f"difference {row}"][2]
