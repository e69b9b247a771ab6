"""The page that explains one pixel of noise: a drawing of what it is made of, the numbers, and keys to go to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QSpinBox,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.look.theme import DARK, Theme
from app.views.statistics.pixel_drawing import PixelDrawing
from app.views.statistics.pixel_text import numbers
from app.views.widgets.words import Label

if TYPE_CHECKING:
    from gpu.noise.inspection import Inspection

EMPTY = (
    "Click a pixel of any picture to see what its noise is made of.\n"
    "Arrow keys in the drawing go to the pixel beside it, the wheel zooms."
)


class InspectorPage(QWidget):
    """Shows an inspection and says where the person goes on to. `wanted` comes when it is seen."""

    wanted = Signal()
    moved = Signal(int, int)  # pixels to the right and down

    def __init__(self, colours: Theme = DARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Pixel inspector")
        self._inspection: Inspection | None = None
        self._key = ""
        self._title = Label()
        self._title.setWordWrap(True)
        self._sentence = Label(EMPTY)
        self._sentence.setObjectName("dim")
        self._sentence.setWordWrap(True)
        self.channel = QSpinBox()
        self.channel.setPrefix("channel ")
        self.channel.setAccessibleName("Channel of the noise")
        self.channel.setToolTip("The channel of the noise whose values are shown")
        self.channel.valueChanged.connect(lambda _: self._show())
        self.copy = QToolButton()
        self.copy.setText("Copy")
        self.copy.setToolTip("Copy the numbers as text, sub-pixels and weights included")
        self.copy.setAccessibleName("Copy the numbers")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text(full=True)))
        self.drawing = PixelDrawing(colours)
        self.drawing.moved.connect(self.moved)
        self.figures = QPlainTextEdit()
        self.figures.setReadOnly(True)
        self.figures.setFrameStyle(0)
        self.figures.setFont(theme.small(theme.tabular(self.figures.font())))
        self.figures.setAccessibleName("Numbers of the pixel")
        self.figures.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.channel)
        head.addWidget(self.copy)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(1)
        splitter.addWidget(self.drawing)
        splitter.addWidget(self.figures)
        splitter.setSizes([300, 180])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._sentence)
        layout.addWidget(splitter, 1)
        self._show()

    def showEvent(self, event: object) -> None:
        self.wanted.emit()

    def show_inspection(self, key: str, inspection: Inspection | None) -> None:
        """What pixel of column `key` is made of; None while nothing is chosen."""
        self._key, self._inspection = key, inspection
        if inspection is not None and self.channel.maximum() != len(inspection.value) - 1:
            self.channel.setRange(0, len(inspection.value) - 1)
        self._show()

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self.drawing.set_theme(colours)

    def text(self, full: bool = False) -> str:
        """The numbers as text; `full` lists every sub-pixel."""
        if self._inspection is None:
            return ""
        return "\n".join(numbers(self._key, self._inspection, self.channel.value(), full))

    def _show(self) -> None:
        inspection = self._inspection
        for part in (self.channel, self.copy):
            part.setVisible(inspection is not None)
        self.figures.setVisible(inspection is not None)
        self.drawing.show_inspection(inspection, self.channel.value())
        if inspection is None:
            self._title.setText("PIXEL")
            self._title.setFont(theme.small(self._title.font(), bold=True))
            self._sentence.setText(EMPTY)
            return
        self._title.setText(f"{self._key}\nframe {inspection.t}, x {inspection.x}, y {inspection.y}")
        self._sentence.setText(inspection.sentence)
        self.figures.setPlainText(self.text())
