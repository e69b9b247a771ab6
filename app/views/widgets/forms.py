"""Small parts that panels are built of: foldable sections, labelled rows, choices, whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.views.widgets.words import Label

LABEL_WIDTH = 70


class Section(QWidget):
    """A heading that folds what stands under it."""

    folded = Signal(bool)

    def __init__(self, title: str, tip: str, open_: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = theme.current()
        self._head = QToolButton()
        self._head.setObjectName("heading")
        self._head.setText(title)
        self._head.setToolTip(tip)
        self._head.setAccessibleName(f"{title}: fold or unfold")
        self._head.setCheckable(True)
        self._head.setChecked(open_)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._head.toggled.connect(self._fold)
        self.body = QWidget()
        self.form = QFormLayout(self.body)
        self.form.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID)
        self.form.setVerticalSpacing(theme.GRID - 2)
        self.form.setHorizontalSpacing(theme.GRID)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._head)
        layout.addWidget(self.body)
        self.body.setVisible(open_)

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._colours = colours
        self._fold(self._head.isChecked())

    def _fold(self, open_: bool) -> None:
        self.body.setVisible(open_)
        self._head.setIcon(theme.icon("chevron-down" if open_ else "chevron-right", self._colours))
        self.folded.emit(not open_)

    def row(self, label: str, field: QWidget, tip: str) -> QWidget:
        """Add a labelled field; tip and accessible name go to both."""
        text = Label(label)
        text.setFixedWidth(LABEL_WIDTH)
        text.setBuddy(field)
        text.setToolTip(tip)
        name(field, label, tip)
        self.form.addRow(text, field)
        return field

    def wide(self, field: QWidget) -> QWidget:
        """Add a field over the whole width."""
        self.form.addRow(field)
        return field


class Scroll(QScrollArea):
    """A scroll area that leaves the arrow keys to the window, where they step through the frames."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


def name(field: QWidget, label: str, tip: str) -> None:
    """Tooltip and accessible name of a field."""
    field.setToolTip(tip)
    field.setAccessibleName(label)
    field.setAccessibleDescription(tip)


def beside(field: QWidget, button: QWidget) -> QWidget:
    """A field with a small button at its right."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    layout.addWidget(field, 1)
    layout.addWidget(button)
    box.setFocusProxy(field)
    return box


def labelled(label: str, field: QWidget, tip: str) -> QWidget:
    """A field with its label at the left, as a row that can be hidden as a whole."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.GRID)
    text = Label(label)
    text.setFixedWidth(LABEL_WIDTH)
    text.setWordWrap(True)
    text.setToolTip(tip)
    text.setBuddy(field)
    if not field.accessibleName():
        name(field, label, tip)
    field.setSizePolicy(QSizePolicy.Policy.Expanding, field.sizePolicy().verticalPolicy())
    layout.addWidget(text)
    layout.addWidget(field, 1)
    return box


class Paragraph(Label):
    """Text over several lines that always gets the height it needs: a form gives a wrapped label what it needed at another
    width, and the rest is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fit()  # a hidden one has neither its width nor its font

    def fit(self) -> None:
        """Ask for the height of the text at the present width, no more and no less."""
        self.setMinimumHeight(0)  # else it says that it needs at least what the text before did
        self.setFixedHeight(max(self.heightForWidth(self.width()), 0))


def note(kind: str = "dim") -> Paragraph:
    """A paragraph in the small type size; `kind` is dim, or wrong for what is wrong. Hidden until it has a text."""
    label = Paragraph()
    label.setObjectName(kind)
    label.hide()
    return label


def show_note(label: Paragraph, text: str) -> None:
    label.setText(text)
    label.fit()
    label.setVisible(bool(text))


class Choices(QComboBox):
    """A combo box of (value, text, tip); `picked` gives the value and comes only from the person."""

    picked = Signal(object)

    def __init__(self, choices: Sequence[tuple[object, str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        # The wheel scrolls past it, and leaves the keys where they were.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_choices(choices)
        self.activated.connect(lambda index: self.picked.emit(self.itemData(index)))

    def set_choices(self, choices: Sequence[tuple[object, str, str]]) -> None:
        """Offer other (value, text, tip); nothing is emitted."""
        with QSignalBlocker(self):
            self.clear()
            for index, (value, text, tip) in enumerate(choices):
                self.addItem(text, value)
                self.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)

    def show_value(self, value: object) -> None:
        """Show a value; one that is not among the choices is added, so that nothing is hidden or lost."""
        index = next((index for index in range(self.count()) if self.itemData(index) == value), -1)
        with QSignalBlocker(self):
            if index < 0:
                self.addItem(str(value), value)
                index = self.count() - 1
            self.setCurrentIndex(index)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the panel; it must not change a setting in passing."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """As Qt draws it, but a text that is too long ends in an ellipsis instead of being cut."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, room - theme.GRID // 2
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class WholeNumber(QSpinBox):
    """A whole number; `picked` comes from the person alone. `nothing` is what the lowest number is shown as."""

    picked = Signal(int)

    def __init__(self, low: int, high: int, nothing: str = "", suffix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.setSpecialValueText(nothing)
        self.setSuffix(suffix)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self.picked)

    def show_value(self, value: int) -> None:
        """Show a value without saying that it changed."""
        if value != self.value():
            with QSignalBlocker(self):
                self.setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
