"""The live controls of a step, in large type: sliders that can run by themselves, choices, switches."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.lessons.compute.lesson import Running
from app.lessons.view import type_sizes
from app.look import theme
from app.views.widgets.sliders import ParameterSlider
from app.views.widgets.words import Label
from gpu.parameters import ParameterInfo, Value

KEYS = Qt.FocusPolicy.TabFocus  # what is clicked does not take the keys, which go through the steps
TICKS = 96  # in which a slider with finer steps than these runs through its range
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

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset.emit()


class SliderRow(QWidget):
    """A number with the slider of the main window in larger type, and a button that lets it run."""

    changed = Signal(str, object)

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self.info = info
        bar = _Bar()
        self.slider = ParameterSlider(info, info.default, bar=bar, number=QDoubleSpinBox())
        self.slider.label.setWordWrap(False)
        self.slider.label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.slider.number.lineEdit().returnPressed.connect(lambda: self.window().setFocus())
        bar.setPageStep(max(bar.maximum() // 10, 1))
        self._play = QToolButton()
        self._play.setCheckable(True)
        self._play.setVisible(isinstance(info, Running))
        self._play.setToolTip(f"Let {info.label} run by itself (Space)")
        self._play.setAccessibleName(f"Play {info.label}")
        self.slider.put_before(self._play)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.slider)
        for widget in (self.slider.label, self.slider.number, bar):
            widget.setToolTip((info.tip or info.label) + ". Double click: back to its start")
        bar.setAccessibleName(f"{info.label}, slider")
        self.slider.label.setBuddy(self.slider.number)
        self.slider.changed.connect(lambda name, value: self.changed.emit(name, value))
        bar.reset.connect(lambda: self.slider.number.setValue(info.default))
        self._play.toggled.connect(self.play)

    @property
    def value(self) -> float:
        return float(self.slider.value)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        self.slider.set_value(float(value))

    def play(self, on: bool) -> None:
        """Let it run, or stop it. At its end it starts over."""
        with QSignalBlocker(self._play):
            self._play.setChecked(on)
        self._play.setIcon(theme.icon("pause" if on else "play", theme.current()))
        if on and isinstance(self.info, Running):
            if self.value >= self.info.high:
                self.slider.number.setValue(self.info.low)
            self._timer.start(round(1000 / self.info.rate))
        else:
            self._timer.stop()

    def restyle(self, type_: int) -> None:
        """Take the theme's colours and this size of type."""
        label, number, bar, info = self.slider.label, self.slider.number, self.slider.bar, self.info
        type_sizes.words(label, info.label, type_)
        number.setFont(type_sizes.font(theme.tabular(self.font()), type_))
        for widget in (label, number):
            widget.setFixedHeight(round(UPPER * type_))
        ends = (f"{min(info.low, -1.0 if info.low < 0 else 0.0):.{info.decimals}f}", f"{info.high:.{info.decimals}f}")
        widest = max(ends, key=len) + number.suffix()
        number.setFixedWidth(number.fontMetrics().horizontalAdvance(widest) + 2 * type_)
        self._play.setIcon(theme.icon("pause" if self.playing else "play", theme.current()))
        self._play.setIconSize(QSize(round(1.2 * type_), round(1.2 * type_)))
        self._play.setFixedHeight(round(LOWER * type_))
        bar.setMinimumWidth(4 * type_)
        colours = theme.current()
        groove = 2 * max(round(type_ / 8), 2)
        margin = round(0.42 * type_)
        size = groove + 2 * margin  # even, so that half of it is the radius: a larger one draws a square
        bar.setStyleSheet(
            f"QSlider::groove:horizontal {{ height: {groove}px; background: {colours.border}; }}"
            f"QSlider::sub-page:horizontal {{ background: {colours.accent}; }}"
            f"QSlider::handle:horizontal {{ width: {size}px; height: {size}px; margin: -{margin}px 0;"
            f" border-radius: {size // 2}px; background: {colours.text}; }}"
            f"QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {colours.accent}; }}"
        )
        bar.setFixedHeight(round(LOWER * type_))

    def _tick(self) -> None:
        info = self.info
        after = self.value + info.step * max(round((info.high - info.low) / info.step / TICKS), 1)
        self.slider.number.setValue(info.low if after > info.high + 1e-9 else after)


class ChoiceRow(QWidget):
    """One of several, in a list."""

    changed = Signal(str, object)

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self.info = info
        self._label = Label(info.label)
        self.field = QComboBox()
        self.field.setFocusPolicy(KEYS)
        for value, shown in info.options:
            self.field.addItem(shown, value)
        self.field.setAccessibleName(info.label)
        self._label.setBuddy(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._label)
        column.addWidget(self.field)
        for widget in (self._label, self.field):
            widget.setToolTip(info.tip or info.label)
        self.set_value(info.text)
        self.field.currentIndexChanged.connect(lambda: self.changed.emit(info.name, self.field.currentData()))

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self.field):
            self.field.setCurrentIndex(max(self.field.findData(value), 0))

    def restyle(self, type_: int) -> None:
        """Take this size of type."""
        type_sizes.words(self._label, self.info.label, type_)
        self._label.setFixedHeight(round(UPPER * type_))
        self.field.setFont(type_sizes.font(self.font(), type_))
        self.field.setFixedHeight(round(LOWER * type_))
        metrics = self.field.fontMetrics()
        widest = max(metrics.horizontalAdvance(shown) for _, shown in self.info.options)
        self.field.setMinimumWidth(min(widest + 3 * type_, 20 * type_))


class SwitchRow(QWidget):
    """On or off."""

    changed = Signal(str, object)

    def __init__(self, info: ParameterInfo) -> None:
        super().__init__()
        self.info = info
        self.field = QCheckBox(info.label)
        self.field.setFocusPolicy(KEYS)
        self.field.setToolTip(info.tip or info.label)
        self.field.setAccessibleName(info.label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.field)
        self.set_value(info.default)
        self.field.toggled.connect(lambda on: self.changed.emit(info.name, on))

    def set_value(self, value: Value) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self.field):
            self.field.setChecked(bool(value))

    def restyle(self, type_: int) -> None:
        """Take this size of type."""
        self.field.setFont(type_sizes.font(self.font(), type_))
        self.field.setStyleSheet(
            f"QCheckBox::indicator {{ width: {round(BOX * type_)}px; height: {round(BOX * type_)}px; }}"
        )
        self.field.setMinimumHeight(round(LOWER * type_))


Row = SliderRow | ChoiceRow | SwitchRow


def make(info: ParameterInfo) -> Row:
    """The widget of a control."""
    if info.is_number:
        return SliderRow(info)
    return SwitchRow(info) if info.is_switch else ChoiceRow(info)


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

    def set_controls(self, controls: list[ParameterInfo], values: dict[str, Value], draws: bool) -> None:
        """Show these controls with these values."""
        while (item := self._line.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self.again_button:
                widget.hide()
                widget.deleteLater()
        self.rows = {}
        for control in controls:
            row = make(control)
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

    def show_number(self, name: str, value: float) -> None:
        """Show a value of a slider, where there is one, without saying that it changed."""
        row = self.rows.get(name)
        if isinstance(row, SliderRow):
            row.set_value(value)

    def stop(self) -> None:
        """Stop every slider that runs."""
        for row in self.rows.values():
            if isinstance(row, SliderRow) and row.playing:
                row.play(False)

    def toggle_play(self) -> None:
        """Start or stop the first slider that can run."""
        for row in self.rows.values():
            if isinstance(row, SliderRow) and isinstance(row.info, Running):
                row.play(not row.playing)
                return
