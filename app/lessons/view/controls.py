"""The live controls of a step, in large type: sliders that can run by themselves, choices, switches."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.lessons.compute.lesson import Choice, Control, Slider, Switch, Value
from app.lessons.view import type_sizes
from app.look import theme

KEYS = Qt.FocusPolicy.TabFocus  # what is clicked does not take the keys, which go through the steps
STEPS = 1000  # most positions of a slider
UPPER = 1.5
BOX = 0.75  # of the type's size, as the next
LOWER = 1.9  # heights of the lines of a control, of the type's size: controls stand beside each other


class _Bar(QSlider):
    """A slider whose handle goes where one clicks, and back to its start on a double click."""

    reset = Signal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(KEYS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            event.ignore()  # a presenter's clicker turns pages, whatever has the focus
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        self.reset.emit()


class SliderRow(QWidget):
    """A number: label and field above, slider below, and a button that lets it run."""

    changed = Signal(str, object)

    def __init__(self, info: Slider) -> None:
        super().__init__()
        self.info = info
        self._label = QLabel(info.label)
        self._number = QDoubleSpinBox()
        self._number.setRange(info.low, info.high)
        self._number.setSingleStep(info.step)
        self._decimals = next(n for n in range(5) if n == 4 or abs(round(info.step, n) - info.step) < 1e-9)
        self._number.setDecimals(self._decimals)
        self._number.setSuffix(f" {info.unit}" if info.unit else "")
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.setKeyboardTracking(False)
        self._number.lineEdit().returnPressed.connect(lambda: self.window().setFocus())
        self._bar = _Bar()
        self._count = max(min(round((info.high - info.low) / info.step), STEPS), 1)
        self._bar.setRange(0, self._count)
        self._bar.setPageStep(max(self._count // 10, 1))
        self._play = QToolButton()
        self._play.setCheckable(True)
        self._play.setVisible(info.play)
        self._play.setToolTip(f"Let {info.label} run by itself (Space)")
        self._play.setAccessibleName(f"Play {info.label}")
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        head = QHBoxLayout()
        head.addWidget(self._label, 1)
        head.addWidget(self._number)
        low = QHBoxLayout()
        low.addWidget(self._play)
        low.addWidget(self._bar, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addLayout(low)
        tip = (info.tip or info.label) + ". Double click: back to its start"
        for widget in (self._label, self._number, self._bar):
            widget.setToolTip(tip)
        self._number.setAccessibleName(info.label)
        self._bar.setAccessibleName(f"{info.label}, slider")
        self._label.setBuddy(self._number)
        self.set_value(info.default)
        self._number.valueChanged.connect(self._typed)
        self._bar.valueChanged.connect(self._slid)
        self._bar.reset.connect(lambda: self._number.setValue(info.default))
        self._play.toggled.connect(self.play)

    @property
    def value(self) -> float:
        return float(self._number.value())

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self._number), QSignalBlocker(self._bar):
            self._number.setValue(float(value))
            self._bar.setValue(self._position(float(value)))

    def play(self, on: bool) -> None:
        """Let it run, or stop it. At its end it starts over."""
        with QSignalBlocker(self._play):
            self._play.setChecked(on)
        self._play.setIcon(theme.icon("pause" if on else "play", theme.current()))
        if on:
            if self.value >= self.info.high:
                self._number.setValue(self.info.low)
            self._timer.start(round(1000 / self.info.rate))
        else:
            self._timer.stop()

    def restyle(self, type_: int) -> None:
        """Take the theme's colours and this size of type."""
        type_sizes.words(self._label, self.info.label, type_)
        self._number.setFont(type_sizes.font(theme.tabular(self.font()), type_))
        for widget in (self._label, self._number):
            widget.setFixedHeight(round(UPPER * type_))
        widest = f"{min(self.info.low, -1.0 if self.info.low < 0 else 0.0):.{self._decimals}f}"
        widest = max(widest, f"{self.info.high:.{self._decimals}f}", key=len) + self._number.suffix()
        self._number.setFixedWidth(self._number.fontMetrics().horizontalAdvance(widest) + 2 * type_)
        self._play.setIcon(theme.icon("pause" if self.playing else "play", theme.current()))
        self._play.setIconSize(QSize(round(1.2 * type_), round(1.2 * type_)))
        self._play.setFixedHeight(round(LOWER * type_))
        self._bar.setMinimumWidth(4 * type_)
        colours = theme.current()
        groove = 2 * max(round(type_ / 8), 2)
        margin = round(0.42 * type_)
        size = groove + 2 * margin  # even, so that half of it is the radius: a larger one draws a square
        self._bar.setStyleSheet(
            f"QSlider::groove:horizontal {{ height: {groove}px; background: {colours.border}; }}"
            f"QSlider::sub-page:horizontal {{ background: {colours.accent}; }}"
            f"QSlider::handle:horizontal {{ width: {size}px; height: {size}px; margin: -{margin}px 0;"
            f" border-radius: {size // 2}px; background: {colours.text}; }}"
            f"QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {colours.accent}; }}"
        )
        self._bar.setFixedHeight(round(LOWER * type_))

    def _position(self, value: float) -> int:
        span = self.info.high - self.info.low
        return round((value - self.info.low) / span * self._count) if span > 0 else 0

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self._bar):
            self._bar.setValue(self._position(value))
        self.changed.emit(self.info.name, float(value))

    def _slid(self, position: int) -> None:
        value = self.info.low + (self.info.high - self.info.low) * position / self._count
        value = min(max(round(value / self.info.step) * self.info.step, self.info.low), self.info.high)
        with QSignalBlocker(self._number):
            self._number.setValue(value)
        self.changed.emit(self.info.name, self.value)

    def _tick(self) -> None:
        after = self.value + self.info.step * max(round((self.info.high - self.info.low) / self.info.step / 96), 1)
        self._number.setValue(self.info.low if after > self.info.high + 1e-9 else after)


class ChoiceRow(QWidget):
    """One of several, in a list."""

    changed = Signal(str, object)

    def __init__(self, info: Choice) -> None:
        super().__init__()
        self.info = info
        self._label = QLabel(info.label)
        self._list = QComboBox()
        self._list.setFocusPolicy(KEYS)
        for value, shown in info.options:
            self._list.addItem(shown, value)
        self._list.setAccessibleName(info.label)
        self._label.setBuddy(self._list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._label)
        column.addWidget(self._list)
        for widget in (self._label, self._list):
            widget.setToolTip(info.tip or info.label)
        self.set_value(info.default)
        self._list.currentIndexChanged.connect(lambda: self.changed.emit(info.name, self._list.currentData()))

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self._list):
            self._list.setCurrentIndex(max(self._list.findData(value), 0))

    def restyle(self, type_: int) -> None:
        """Take this size of type."""
        type_sizes.words(self._label, self.info.label, type_)
        self._label.setFixedHeight(round(UPPER * type_))
        self._list.setFont(type_sizes.font(self.font(), type_))
        self._list.setFixedHeight(round(LOWER * type_))
        metrics = self._list.fontMetrics()
        widest = max(metrics.horizontalAdvance(shown) for _, shown in self.info.options)
        self._list.setMinimumWidth(min(widest + 3 * type_, 20 * type_))


class SwitchRow(QWidget):
    """On or off."""

    changed = Signal(str, object)

    def __init__(self, info: Switch) -> None:
        super().__init__()
        self.info = info
        self._box = QCheckBox(info.label)
        self._box.setFocusPolicy(KEYS)
        self._box.setToolTip(info.tip or info.label)
        self._box.setAccessibleName(info.label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._box)
        self.set_value(info.default)
        self._box.toggled.connect(lambda on: self.changed.emit(info.name, on))

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self._box):
            self._box.setChecked(bool(value))

    def restyle(self, type_: int) -> None:
        """Take this size of type."""
        self._box.setFont(type_sizes.font(self.font(), type_))
        self._box.setStyleSheet(
            f"QCheckBox::indicator {{ width: {round(BOX * type_)}px; height: {round(BOX * type_)}px; }}"
        )
        self._box.setMinimumHeight(round(LOWER * type_))


Row = SliderRow | ChoiceRow | SwitchRow


def make(control: Control) -> Row | None:
    """The widget of a control; None where it has none."""
    if isinstance(control, Slider):
        return SliderRow(control)
    if isinstance(control, Choice):
        return ChoiceRow(control)
    if isinstance(control, Switch):
        return SwitchRow(control)
    return None


class ControlBar(QWidget):
    """All controls of a step beside each other, and "draw again"."""

    changed = Signal(str, object)
    again = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Row] = {}
        self._type = 14
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self.again_button = QToolButton()
        self.again_button.setText(" Draw again")
        self.again_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.again_button.setToolTip("Draw other random numbers (D)")
        self.again_button.setAccessibleName("Draw again")
        self.again_button.clicked.connect(lambda: self.again.emit())

    def set_controls(self, controls: list[Control], values: dict[str, Value], draws: bool) -> None:
        """Show these controls with these values."""
        while self._line.count():
            widget = self._line.takeAt(0).widget()
            if widget is not None and widget is not self.again_button:
                widget.hide()
                widget.deleteLater()
        self.rows = {}
        for control in controls:
            row = make(control)
            if row is not None:
                row.set_value(values[control.name])
                row.changed.connect(self.changed)
                self.rows[control.name] = row
                self._line.addWidget(row, 1 if isinstance(row, SliderRow) else 0, Qt.AlignmentFlag.AlignBottom)
        if not any(isinstance(row, SliderRow) for row in self.rows.values()):
            self._line.addStretch(1)
        self.again_button.setVisible(draws)
        self._line.addWidget(self.again_button, 0, Qt.AlignmentFlag.AlignBottom)
        self.restyle(self._type)

    def restyle(self, type_: int) -> None:
        """Take the theme's colours and this size of type."""
        self._type = type_
        self._line.setSpacing(round(1.2 * type_))
        for row in self.rows.values():
            row.restyle(type_)
        self.again_button.setFont(type_sizes.font(self.font(), type_))
        self.again_button.setIcon(theme.icon("dices", theme.current()))
        self.again_button.setIconSize(QSize(round(1.2 * type_), round(1.2 * type_)))
        self.again_button.setFixedHeight(round(LOWER * type_))

    def stop(self) -> None:
        """Stop every slider that runs."""
        for row in self.rows.values():
            if isinstance(row, SliderRow) and row.playing:
                row.play(False)

    def toggle_play(self) -> None:
        """Start or stop the first slider that can run."""
        for row in self.rows.values():
            if isinstance(row, SliderRow) and row.info.play:
                row.play(not row.playing)
                return
