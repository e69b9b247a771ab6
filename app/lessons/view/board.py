"""The board: all panels of a scene, the numbers below them and the sentence on what is seen. What an export shows."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QRegion, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.lessons.compute.scene import Panel, Scene
from app.lessons.view import type_sizes
from app.lessons.view.facts import FactRow
from app.lessons.view.panel import PanelView
from app.look import theme
from app.views.widgets.words import Label


def _narrow(row: tuple[Panel, ...]) -> tuple[tuple[Panel, ...], ...]:
    """A row as it stands beside the mathematics, where the board is narrow: of three panels or more, a plot among pictures
    without axes gets a row of its own."""
    groups = [tuple(panels) for _, panels in groupby(row, key=lambda panel: bool(panel.label_x or panel.label_y))]
    return tuple(groups) if len(row) > 2 and len(groups) == 2 else (row,)


class Board(QWidget):
    """Draws scenes; widgets are made anew only when the arrangement changes."""

    moved = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("board")
        self.panels: dict[str, PanelView] = {}
        self._type = 14
        self._scene: Scene | None = None
        self._arrangement: tuple[object, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.GRID)
        self._rows = QWidget()
        self._caption = Label()
        self._caption.setWordWrap(True)
        self._facts = FactRow()
        self._with_facts = True
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

    def set_with_facts(self, on: bool) -> None:
        """Show the numbers, or, beside the mathematics, leave their room to pictures and plots."""
        self._with_facts = on
        if self._scene is not None:
            self.show_scene(self._scene)

    def restyle(self) -> None:
        """Take the colours of the application's theme."""
        for panel in self.panels.values():
            panel.restyle()
        if self._scene is not None:
            self._show_words(self._scene)

    def show_scene(self, scene: Scene) -> None:
        """Draw a scene."""
        self._scene = scene
        rows = scene.rows if self._with_facts or len(scene.rows) > 1 else _narrow(scene.rows[0])
        heights = scene.heights if rows == scene.rows else ()
        arrangement = (tuple(tuple((p.name, p.weight) for p in row) for row in rows), heights)
        anew = arrangement != self._arrangement
        if anew:
            self._arrangement = arrangement
            self._arrange(rows, heights)
        for row in scene.rows:
            for panel in row:
                self.panels[panel.name].show_panel(panel)
        self._show_words(scene, anew)

    def _arrange(self, rows: tuple[tuple[Panel, ...], ...], heights: tuple[float, ...]) -> None:
        old, self._rows = self._rows, QWidget()
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        self.panels = {}
        for index, row in enumerate(rows):
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
            column.addLayout(line, round((heights[index] if heights else 1.0) * 100))
        self._column.replaceWidget(old, self._rows)
        self._column.setStretchFactor(self._rows, 1)
        self._rows.show()
        old.hide()
        old.deleteLater()

    def _show_words(self, scene: Scene, anew: bool = True) -> None:
        self._facts.show_facts(scene.facts, self._type, anew)
        self._facts.setVisible(bool(scene.facts) and self._with_facts)
        self._show_caption(scene.caption, anew)

    def _show_caption(self, caption: str, anew: bool) -> None:
        """The sentence; its room never shrinks while the same panels are shown, so that plots do not jump."""
        type_sizes.words(self._caption, caption, self._type)
        height = self._caption.heightForWidth(self.width())
        self._caption.setMinimumHeight(height if anew else max(height, self._caption.minimumHeight()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width() and self._scene is not None:
            self._show_caption(self._scene.caption, True)

    def picture(self, scale: float = 1.0) -> QImage:
        """The board as it is drawn now, `scale` times as many pixels on a side."""
        # A scene that has just come may not have its places yet.
        for _ in range(2):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        size = QSize(round(self.width() * scale), round(self.height() * scale))
        image = QImage(size, QImage.Format.Format_RGB32)
        image.fill(QColor(theme.current().window))
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        self.render(painter, QPoint(0, 0), QRegion(), QWidget.RenderFlag.DrawChildren)
        painter.end()
        return image
