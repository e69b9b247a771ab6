"""The board: all panels of a scene, the numbers below them and the sentence on what is seen. What an export shows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.lessons.scene import Fact, Scene
from app.lessons.view import look
from app.lessons.view.panel import PanelView
from app.palette import SYMBOLS


class FactCard(QFrame):
    """One number in large type."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._parts = [QLabel(), QLabel(), QLabel()]
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(0)
        for part in self._parts:
            part.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
            column.addWidget(part)
        column.addStretch(1)

    def show_fact(self, fact: Fact, type_: int) -> None:
        """Draw this number."""
        sign = "" if fact.ok is None else f" {SYMBOLS[fact.ok]}"
        value_ink = fact.ink if fact.ok is None else "good" if fact.ok else "bad"
        rows = (
            (fact.label, 0.85, "dim", False), (fact.value + sign, 1.5, value_ink, True), (fact.note, 0.8, "dim", False)
        )  # fmt: skip
        for part, (text, size, ink, bold) in zip(self._parts, rows, strict=True):
            look.words(part, text, type_ * size, ink, bold)
        self.setAccessibleName(f"{fact.label}: {fact.value}{sign}, {fact.note}")


class Board(QWidget):
    """Draws scenes; widgets are made anew only when the arrangement changes."""

    moved = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("board")
        self.panels: dict[str, PanelView] = {}
        self._cards: list[FactCard] = []
        self._type = 14
        self._scene: Scene | None = None
        self._arrangement: tuple[object, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.GRID)
        self._rows = QWidget()
        self._caption = QLabel()
        self._caption.setWordWrap(True)
        self._facts = QWidget()
        self._fact_row = QHBoxLayout(self._facts)
        self._fact_row.setContentsMargins(0, 0, 0, 0)
        self._fact_row.setSpacing(theme.GRID)
        for widget, stretch in ((self._rows, 1), (self._facts, 0), (self._caption, 0)):
            self._column.addWidget(widget, stretch)

    @property
    def scene(self) -> Scene | None:
        """What is drawn now."""
        return self._scene

    def set_type(self, pixels: int) -> None:
        """Another size of type."""
        if pixels != self._type:
            self._type = pixels
            for panel in self.panels.values():
                panel.set_type(pixels)
            if self._scene is not None:
                self._show_words(self._scene)

    def restyle(self) -> None:
        """Take the colours of the application's theme."""
        for panel in self.panels.values():
            panel.restyle()
        if self._scene is not None:
            self._show_words(self._scene)

    def show_scene(self, scene: Scene) -> None:
        """Draw a scene."""
        self._scene = scene
        arrangement = (tuple(tuple((p.name, p.weight) for p in row) for row in scene.rows), scene.heights)
        if arrangement != self._arrangement:
            self._arrangement = arrangement
            self._arrange(scene)
        for row in scene.rows:
            for panel in row:
                self.panels[panel.name].show_panel(panel)
        self._show_words(scene)

    def _arrange(self, scene: Scene) -> None:
        old, self._rows = self._rows, QWidget()
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        self.panels = {}
        for index, row in enumerate(scene.rows):
            line = QHBoxLayout()
            line.setSpacing(theme.GRID)
            for panel in row:
                view = PanelView()
                view.setObjectName("panel")
                view.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
                view.set_type(self._type)
                view.moved.connect(self.moved)
                self.panels[panel.name] = view
                line.addWidget(view, round(panel.weight * 100))
            column.addLayout(line, round((scene.heights[index] if scene.heights else 1.0) * 100))
        self._column.replaceWidget(old, self._rows)
        self._column.setStretchFactor(self._rows, 1)
        old.hide()
        old.deleteLater()

    def _show_words(self, scene: Scene) -> None:
        while len(self._cards) < len(scene.facts):
            card = FactCard()
            self._cards.append(card)
            self._fact_row.addWidget(card, 1)
        for index, card in enumerate(self._cards):
            card.setVisible(index < len(scene.facts))
            if index < len(scene.facts):
                card.show_fact(scene.facts[index], self._type)
        self._facts.setVisible(bool(scene.facts))
        look.words(self._caption, scene.caption, self._type)

    def picture(self, scale: float = 1.0) -> QImage:
        """The board as it is drawn now, `scale` times as many pixels on a side."""
        size = QSize(round(self.width() * scale), round(self.height() * scale))
        image = QImage(size, QImage.Format.Format_RGB32)
        image.fill(QColor(theme.current().window))
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        self.render(painter, QPoint(0, 0), QRegion(), QWidget.RenderFlag.DrawChildren)
        painter.end()
        return image
