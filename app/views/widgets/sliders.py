"""A labelled slider with its number: the one control for every quantity a person can set."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QWidget,
)

from app.look import theme
from app.views.widgets.words import Label
from gpu.parameters import ParameterInfo

STEPS = 1000
NUMBER_WIDTH = 92
LONG = 8  # letters of a unit beside the number; a longer one stands in the label


class _Slider(QSlider):
    def __init__(self, orientation: Qt.Orientation) -> None:
        super().__init__(orientation)
        # The wheel scrolls past it, and leaves the keys where they were.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the panel; it must not change a setting in passing."""
        event.ignore()


class _Number(QDoubleSpinBox):
    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ParameterSlider(QWidget):
    """Label and number above, slider below. `changed` comes while dragging."""

    changed = Signal(str, float)

    def __init__(
        self,
        info: ParameterInfo,
        value: float,
        least: str = "",
        first: float = 0.0,
        parent: QWidget | None = None,
        *,
        bar: QSlider | None = None,
        number: QDoubleSpinBox | None = None,
    ) -> None:
        """`least`: words that stand for the lowest value, where it means a default. With `first` the slider is logarithmic
        from `first` on, and its left end is the lowest value. `bar` and `number` are widgets that answer keys and wheel in
        another way than those of the main window, which leave the wheel to the panel that scrolls."""
        super().__init__(parent)
        self._info = info
        self._first = first
        long_unit = len(info.unit) > LONG
        self.label = Label(f"{info.label} ({info.unit})" if long_unit else info.label)
        self.label.setWordWrap(True)  # a long label must not make the panel wider than it is, and its numbers cut
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.number = number or _Number()
        self.number.setRange(info.low, info.high)
        self.number.setSingleStep(info.step)
        self.number.setDecimals(info.decimals)
        self.number.setSuffix(f" {info.unit}" if info.unit and not long_unit else "")
        self.number.setSpecialValueText(least)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        texts = [least, *(self.number.textFromValue(end) + self.number.suffix() for end in (info.low, info.high))]
        widest = max(self.number.fontMetrics().horizontalAdvance(text) for text in texts)
        self.number.setFixedWidth(max(NUMBER_WIDTH, widest + 2 * theme.GRID))
        self.number.setKeyboardTracking(False)
        self.bar = bar or _Slider(Qt.Orientation.Horizontal)
        self._count = STEPS if first else max(min(round((info.high - info.low) / info.step), STEPS), 1)
        if first:
            self.number.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.bar.setRange(0, self._count)
        self.bar.setPageStep(max(self._count // 20, 1))
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.addWidget(self.label, 0, 0)
        layout.addWidget(self.number, 0, 1)
        self._below = QHBoxLayout()
        self._below.setSpacing(2)
        self._below.addWidget(self.bar, 1)
        layout.addLayout(self._below, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        tip = info.tip or info.label
        for widget in (self, self.label, self.number, self.bar):
            widget.setToolTip(tip)
        self.number.setAccessibleName(info.label)
        self.bar.setAccessibleName(f"{info.label} slider")
        self.set_value(value)
        self.number.valueChanged.connect(self._typed)
        self.bar.valueChanged.connect(self._slid)

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def value(self) -> float:
        return float(self.number.value())

    def set_value(self, value: float) -> None:
        """Show a value without saying that it changed."""
        with QSignalBlocker(self.number), QSignalBlocker(self.bar):
            self.number.setValue(value)
            self.bar.setValue(self._to_slider(value))

    def put_before(self, widget: QWidget) -> None:
        """Place a widget, such as a button, to the left of the bar."""
        self._below.insertWidget(0, widget)

    def set_least(self, text: str) -> None:
        """Other words for the lowest value."""
        self.number.setSpecialValueText(text)

    def _to_slider(self, value: float) -> int:
        if self._first:
            share = math.log(max(value, self._first) / self._first) / math.log(self._info.high / self._first)
            return 0 if value <= self._info.low else max(round(share * self._count), 1)
        span = self._info.high - self._info.low
        return round((value - self._info.low) / span * self._count) if span > 0 else 0

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self.bar):
            self.bar.setValue(self._to_slider(value))
        self.changed.emit(self._info.name, float(value))

    def _slid(self, position: int) -> None:
        value = self._info.low + (self._info.high - self._info.low) * position / self._count
        if self._first:
            value = self._first * (self._info.high / self._first) ** (position / self._count) if position else 0.0
            value = float(f"{value:.2g}")
        elif self._info.step > 0:
            value = round(value / self._info.step) * self._info.step
        value = self._info.clamped(value)
        with QSignalBlocker(self.number):
            self.number.setValue(value)
        self.changed.emit(self._info.name, float(self.number.value()))
