"""The heads of the columns: colour, name and mode of a prior, a menu of what can be done with it, and dragging."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from app.look import palette, theme
from app.model.catalogue import Catalogue
from app.views.widgets.sliders import ParameterSlider
from app.views.widgets.words import tooltip
from gpu.parameters import ParameterInfo
from gpu.session import PriorSettings

GAMMA = ParameterInfo(
    "gamma", "Degradation γ", 0.0, 0.0, 1.0, 0.01, "", "Share of fresh noise mixed in: 0 keeps the prior, 1 is random."
)


def dot(key: str, colours: theme.Theme, size: int = 16) -> QIcon:
    """The colour of a prior as an icon for menus."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.ink(palette.style(key))))
    painter.drawEllipse(QRectF(size * 0.2, size * 0.2, size * 0.6, size * 0.6))
    painter.end()
    return QIcon(pixmap)


class Chip(QToolButton):
    """One column's head. A click opens its menu, dragging it sideways moves the column."""

    removed = Signal(str)
    replaced = Signal(str, object, str)  # key, PriorSettings, merge
    referenced = Signal(str)
    hidden_toggled = Signal(str)
    moved = Signal(str, int)  # key, by how many places
    dropped = Signal(str, QPoint)  # key, where on the screen

    def __init__(self, prior: PriorSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prior = prior
        self._reference = False
        self._hidden = False
        self._catalogue: Catalogue | None = None
        self._press: QPoint | None = None
        self._dragging = False
        self.clicked.connect(self.open_menu)

    def show_state(self, prior: PriorSettings, reference: bool, hidden: bool, catalogue: Catalogue | None) -> None:
        """Name and menu of `prior`, and whether it is the reference, or hidden in the plots."""
        self.prior, self._reference, self._hidden, self._catalogue = prior, reference, hidden, catalogue
        about = catalogue.priors.get(prior.name) if catalogue else None
        summary = f"\n{about.summary}" if about else ""
        self.setToolTip(
            tooltip(
                f"{prior.key}{' · the reference' if reference else ''}{summary}\n"
                "Click for its menu, drag to move the column."
            )
        )
        self.setAccessibleName(f"Column {prior.key}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(128, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        style = palette.style(self.prior.key)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus() or self._dragging:
            painter.setPen(QPen(QColor(colours.accent), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.hover))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        colour = QColor(colours.ink(style))
        middle = self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(3, middle - 5, 10, 10))
        name, _, extras = self.prior.key.partition(" (")
        right = self.width() - (22 if self._reference else 4)
        font = self.font()
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colours.dim if self._hidden else colours.text))
        metrics = painter.fontMetrics()
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(right - 20))
        painter.drawText(QRectF(20, 0, right - 20, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        if extras:
            left = 20 + metrics.horizontalAdvance(text) + 6
            painter.setFont(theme.small(self.font()))
            painter.setPen(QColor(colours.dim))
            note = painter.fontMetrics().elidedText(extras.rstrip(")"), Qt.TextElideMode.ElideRight, int(right - left))
            painter.drawText(QRectF(left, 0, right - left, self.height()), Qt.AlignmentFlag.AlignVCenter, note)
        if self._reference:
            star = theme.icon("star", colours).pixmap(14, 14)
            painter.drawPixmap(int(self.width() - 18), int(middle - 7), 14, 14, star)
        painter.end()

    def open_menu(self) -> None:
        """What can be done with this column."""
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)  # it is made anew every time
        menu.setToolTipsVisible(True)
        colours = theme.current()
        key = self.prior.key
        reference = _action(menu, "Compare the others with this", "Make this column the reference", "star", colours)
        reference.setCheckable(True)
        reference.setChecked(self._reference)
        reference.triggered.connect(lambda: self.referenced.emit(key))
        shown = _action(menu, "Show in the plots", "Draw this prior's curves in the plots", "activity", colours)
        shown.setCheckable(True)
        shown.setChecked(not self._hidden)
        shown.triggered.connect(lambda: self.hidden_toggled.emit(key))
        about = self._catalogue.priors.get(self.prior.name) if self._catalogue else None
        if about is not None and len(about.modes) > 1:
            menu.addSeparator()
            for index, mode in enumerate(about.modes):
                tip = {
                    "anchored": "Every frame is transported from the frame where what it shows first came into sight",
                    "chained": "Every frame is transported from the frame before it",
                }.get(mode, mode)
                action = _action(menu, mode.capitalize(), tip, "", colours)
                action.setCheckable(True)
                action.setChecked(self.prior.mode == mode or (not self.prior.mode and index == 0))
                chosen = "" if index == 0 else mode
                action.triggered.connect(
                    lambda _=False, chosen=chosen: self.replaced.emit(key, replace(self.prior, mode=chosen), "")
                )
        menu.addSeparator()
        sliders = [(GAMMA, self.prior.gamma)]
        for info in about.parameters if about is not None else ():
            if info.is_switch:
                self._switch(menu, info, colours)
            elif not info.text:
                sliders.append((info, float(self.prior.parameters.get(info.name, info.default))))
        for info, value in sliders:
            menu.addAction(self._slider(menu, info, value))
        menu.addSeparator()
        for text, icon, step in (("Move left", "arrow-left", -1), ("Move right", "arrow-right", 1)):
            action = _action(menu, text, "Or drag the column's head", icon, colours)
            action.triggered.connect(lambda _=False, step=step: self.moved.emit(key, step))
        remove = _action(menu, "Remove", "Take this column away (undo brings it back)", "x", colours)
        remove.triggered.connect(lambda: self.removed.emit(key))
        menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    def _switch(self, menu: QMenu, info: ParameterInfo, colours: theme.Theme) -> None:
        key, on = self.prior.key, bool(self.prior.parameters.get(info.name, info.default))
        others = {name: value for name, value in self.prior.parameters.items() if name != info.name}
        changed = others if on != info.default else {**others, info.name: not on}
        action = _action(menu, info.label, info.tip, "", colours)
        action.setCheckable(True)
        action.setChecked(on)
        action.triggered.connect(lambda: self.replaced.emit(key, replace(self.prior, parameters=changed), ""))

    def _slider(self, menu: QMenu, info: ParameterInfo, value: float) -> QWidgetAction:
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(12, 4, 12, 4)
        slider = ParameterSlider(info, value)
        slider.setMinimumWidth(208)
        layout.addWidget(slider)
        slider.changed.connect(self._tuned)
        action = QWidgetAction(menu)
        action.setText(info.label)
        action.setToolTip(info.tip)
        action.setDefaultWidget(box)
        return action

    def _tuned(self, name: str, value: float) -> None:
        key = self.prior.key
        if name == "gamma":
            prior = replace(self.prior, gamma=round(value, 4))
        else:
            prior = replace(self.prior, parameters={**self.prior.parameters, name: value})
        self.prior = prior  # the menu stays open over several steps, each of which renames the column
        self.replaced.emit(key, prior, f"prior {name}")

    # -- dragging

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is not None and event.buttons() & Qt.MouseButton.LeftButton:
            apart = (event.position().toPoint() - self._press).manhattanLength()
            if not self._dragging and apart > QApplication.startDragDistance():
                self._dragging = True
                self.raise_()
            if self._dragging:
                self.move(self.x() + event.position().toPoint().x() - self._press.x(), self.y())
                return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None
        if self._dragging:
            self._dragging = False
            self.setDown(False)
            self.dropped.emit(self.prior.key, event.globalPosition().toPoint())
            return
        super().mouseReleaseEvent(event)


def _action(menu: QMenu, text: str, tip: str, icon: str, colours: theme.Theme) -> QAction:
    action = menu.addAction(text)
    action.setToolTip(tip)
    if icon:
        action.setIcon(theme.icon(icon, colours))
    return action
