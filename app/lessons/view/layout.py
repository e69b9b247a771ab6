"""The parts of the window of the lessons and where they stand: a bar above, text beside the board, controls, steps below."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.lessons.compute import texts
from app.lessons.view import type_sizes
from app.lessons.view.board import Board
from app.lessons.view.controls import KEYS, ControlBar
from app.lessons.view.dots import Dots
from app.lessons.view.page import PageView
from app.look import theme
from app.views.widgets.words import Label


class HeadBar(QHBoxLayout):
    """Which lesson, and what one can do with it."""

    def __init__(self) -> None:
        super().__init__()
        self.chooser = QComboBox()
        self.chooser.setFocusPolicy(KEYS)
        self.chooser.setAccessibleName("Lesson")
        self.chooser.setToolTip("Which lesson is shown")
        for text in texts.lessons():
            self.chooser.addItem(text.title, text.name)
        self.maths_button = _button("Mathematics", "Statement, derivation, exercises and sources (M)", True)
        self.glossary_button = _button("Glossary", "What the words mean (G)")
        self.reset_button = _button("Reset", "All controls of this lesson as at its start (R)")
        self.export_button = _button("Export", "Write this step to a file (Ctrl+E)")
        self.full_button = _button("Full screen", "The whole screen for the lesson (F11)", True)
        self.export_menu = QMenu(self.export_button)
        self.export_menu.setToolTipsVisible(True)
        self.png_action = QAction("Picture (PNG) …", self.export_menu)
        self.png_action.setToolTip("The board as it is, at twice the resolution")
        self.gif_action = QAction("Animation (GIF) …", self.export_menu)
        self.gif_action.setToolTip("The board while the slider of this step runs through its range")
        self.export_menu.addActions([self.png_action, self.gif_action])
        self.export_button.setMenu(self.export_menu)
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._icons = {
            self.maths_button: "spline", self.glossary_button: "circle-question-mark", self.reset_button: "rotate-ccw",
            self.export_button: "download", self.full_button: "maximize",
        }  # fmt: skip
        self.addWidget(self.chooser)
        self.addStretch(1)
        for button in self._icons:
            self.addWidget(button)

    def restyle(self, font: QFont, type_: int) -> None:
        """Take this type and the theme's colours."""
        _restyle_buttons(self._icons, font, type_)
        self.export_menu.setFont(font)
        self.chooser.setFont(font)
        self.chooser.setMinimumHeight(round(1.9 * type_))


class FootBar(QHBoxLayout):
    """The steps, and the way through them."""

    def __init__(self) -> None:
        super().__init__()
        self.back_button = _button("Back", "The step before (Left, Page Up)")
        self.next_button = _button("Next", "The next step (Right, Page Down)")
        self.next_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.dots = Dots()
        self._where = Label()
        balance = Label()  # as wide as the label on the other side, so that the dots stand in the middle
        for label in (self._where, balance):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._icons = {self.back_button: "arrow-left", self.next_button: "arrow-right"}
        self.addWidget(self._where, 1)
        self.addWidget(self.back_button)
        self.addWidget(self.dots)
        self.addWidget(self.next_button)
        self.addWidget(balance, 1)

    def say_where(self, sentence: str, type_: int) -> None:
        """Which step this is, in words."""
        type_sizes.words(self._where, sentence, type_, "dim")

    def restyle(self, font: QFont, type_: int) -> None:
        """Take this type and the theme's colours."""
        _restyle_buttons(self._icons, font, type_)
        type_sizes.words(self._where, self._where.text(), type_, "dim")
        self.dots.set_type(type_)
        self.setSpacing(type_ // 2)


class LessonLayout:
    """All parts of a window of lessons, in their places."""

    def __init__(self, window: QWidget) -> None:
        self.head = HeadBar()
        self.foot = FootBar()
        self.text_view = PageView()
        self.board = Board()
        self.controls = ControlBar()
        self.message = Label(parent=window)  # over the board, whose size stays as it is
        self.message.setObjectName("lesson_message")
        self.message.setWordWrap(True)
        self.message.setVisible(False)
        self._right = QVBoxLayout()
        self._right.setSpacing(theme.GRID)
        self._right.addWidget(self.board, 1)
        self._right.addWidget(self.controls)
        self._middle = QHBoxLayout()
        self._middle.addWidget(self.text_view)
        self._middle.addLayout(self._right, 1)
        self._column = QVBoxLayout(window)
        self._column.setContentsMargins(16, 10, 16, 10)
        self._column.setSpacing(theme.GRID)
        self._column.addLayout(self.head)
        self._column.addLayout(self._middle, 1)
        self._column.addLayout(self.foot)

    def place_controls(self, below: bool) -> None:
        """Put the controls below the board, or below board and text: beside a wide text they have too little room, and would
        widen the window."""
        if below:
            self._column.insertWidget(self._column.indexOf(self._middle) + 1, self.controls)
        else:
            self._right.addWidget(self.controls)

    def place_message(self) -> None:
        """Put the sentence at the top of the board."""
        board = self.board.geometry()
        height = self.message.heightForWidth(board.width())
        self.message.setGeometry(board.left(), board.top(), board.width(), max(height, 0))
        self.message.raise_()

    def say(self, sentence: str, type_: int) -> None:
        """Show a sentence over the top of the board; an empty one takes it away."""
        type_sizes.words(self.message, sentence, type_, "warn", panel=True)
        self.place_message()

    def restyle(self, font: QFont, type_: int) -> None:
        """Give all parts this size of type and the theme's colours."""
        self.head.restyle(font, type_)
        self.foot.restyle(font, type_)
        self._middle.setSpacing(type_)
        self.place_message()
        self.text_view.set_type(type_)
        self.text_view.restyle()
        self.board.set_type(type_)
        self.board.restyle()
        self.controls.restyle(type_)


def _button(text: str, tip: str, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setText(f" {text}")  # some room beside the icon
    button.setToolTip(tip)
    button.setAccessibleName(text)
    button.setCheckable(checkable)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button


def _restyle_buttons(icons: dict[QToolButton, str], font: QFont, type_: int) -> None:
    for button, icon in icons.items():
        button.setFont(font)
        button.setIcon(theme.icon(icon, theme.current()))
        button.setIconSize(QSize(round(1.15 * type_), round(1.15 * type_)))
