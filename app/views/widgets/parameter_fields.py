"""Controls for the settings that a deformation, scene or task describes: sliders, choices, texts and paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QToolButton, QVBoxLayout, QWidget

from app.look import theme
from app.views.widgets.forms import Choices, beside, labelled, name
from app.views.widgets.sliders import ParameterSlider
from app.views.widgets.words import shown
from gpu.parameters import ParameterInfo

PATH = "path"
"""A text of this name is the place of a file or folder, and gets a button that looks for it."""


class Parameters(QWidget):
    """One control for every ParameterInfo. `changed` comes from the person alone."""

    changed = Signal(str, object)  # name, number or text
    browse_wanted = Signal(str)  # the name of a path

    def __init__(self, live: bool, parent: QWidget | None = None, nothing: str = "none") -> None:
        """`live`: texts are taken letter by letter; else when they are finished, because each costs a computation.
        `nothing`: what an empty text means."""
        super().__init__(parent)
        self.sliders: dict[str, ParameterSlider] = {}
        self.choices: dict[str, Choices] = {}
        self.texts: dict[str, QLineEdit] = {}
        self._colours = theme.current()
        self._live = live
        self._nothing = nothing
        self._built: tuple[ParameterInfo, ...] = ()
        self._browse: list[QToolButton] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.GRID - 2)

    def show_values(self, infos: tuple[ParameterInfo, ...], values: Mapping[str, Any]) -> None:
        """Controls for `infos`, set to `values`, or to their defaults where there is none."""
        if infos != self._built:
            self._build(infos)
        for info in infos:
            value = values.get(info.name, info.usual)
            if info.name in self.sliders:
                self.sliders[info.name].set_value(float(value))
            elif info.name in self.choices:
                self.choices[info.name].show_value(str(value))
            elif not self.texts[info.name].hasFocus() or not self._live:
                self.texts[info.name].setText(shown(str(value)))
                if info.name != PATH:  # of a path the end tells more
                    self.texts[info.name].setCursorPosition(0)
        self.setVisible(bool(infos))

    def show_wrong(self, wrong: bool) -> None:
        """Mark the texts as not understood, or no longer so."""
        for field in self.texts.values():
            field.setProperty("wrong", "true" if wrong else "false")
            field.style().unpolish(field)
            field.style().polish(field)

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._colours = colours
        for button in self._browse:
            button.setIcon(theme.icon("folder-open", colours))

    def _build(self, infos: tuple[ParameterInfo, ...]) -> None:
        self._built = infos
        for fields in (self.sliders, self.choices, self.texts):
            fields.clear()
        self._browse.clear()
        while (item := self._box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it is deleted a little later, and must not be seen until then
                widget.deleteLater()
        for info in infos:
            self._box.addWidget(self._field(info))
        self.set_theme(self._colours)

    def _field(self, info: ParameterInfo) -> QWidget:
        if not info.is_text:
            slider = self.sliders[info.name] = ParameterSlider(info, info.default)
            slider.changed.connect(lambda key, value: self.changed.emit(key, value))
            return slider
        if info.choices:
            combo = self.choices[info.name] = Choices([(choice, label, info.tip) for choice, label in info.options])
            combo.picked.connect(lambda value, key=info.name: self.changed.emit(key, value))
            return labelled(info.label, combo, info.tip)
        text = self.texts[info.name] = QLineEdit()
        text.setPlaceholderText(info.text or (self._nothing if info.name != PATH else "a folder, or owner/name"))
        name(text, info.label, info.tip)
        if self._live:
            text.textEdited.connect(lambda value, key=info.name: self.changed.emit(key, value))
        else:
            text.editingFinished.connect(lambda field=text, key=info.name: self.changed.emit(key, field.text()))
        if info.name != PATH:
            return labelled(info.label, text, info.tip)
        browse = QToolButton()
        name(browse, f"Choose {info.label.lower()}", f"Look for it on this machine: {info.tip}")
        browse.clicked.connect(lambda: self.browse_wanted.emit(info.name))
        self._browse.append(browse)
        return labelled(info.label, beside(text, browse), info.tip)
