"""Where the parts of the window of the lessons stand: a bar above, text beside the board, controls, the steps below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout

from app.lessons.compute import texts
from app.lessons.view import type_sizes
from app.lessons.view.board import Board
from app.lessons.view.controls import KEYS, ControlBar
from app.lessons.view.dots import Dots
from app.lessons.view.page import PageView
from app.look import theme

if TYPE_CHECKING:
    from app.lessons.view.lesson_window import LessonWindow


def build(window: LessonWindow) -> None:
    """Make the parts of the window and put them in their places."""
    _build_head(window)
    _build_middle(window)
    _build_foot(window)
    column = window.column = QVBoxLayout(window)
    column.setContentsMargins(16, 10, 16, 10)
    column.setSpacing(theme.GRID)
    column.addLayout(window.head)
    column.addLayout(window.middle, 1)
    column.addLayout(window.foot)


def _build_head(window: LessonWindow) -> None:
    window.chooser = QComboBox()
    window.chooser.setFocusPolicy(KEYS)
    window.chooser.setAccessibleName("Lesson")
    window.chooser.setToolTip("Which lesson is shown")
    for text in texts.lessons():
        window.chooser.addItem(text.title, text.name)
    window.maths_button = _button("Mathematics", "spline", "Statement, derivation, exercises and sources (M)", True)
    window.reset_button = _button("Reset", "rotate-ccw", "All controls of this lesson as at its start (R)")
    window.export_button = _button("Export", "download", "Write this step to a file (Ctrl+E)")
    menu = QMenu(window.export_button)
    menu.setToolTipsVisible(True)
    window.png_action = menu.addAction("Picture (PNG) …")
    window.png_action.setToolTip("The board as it is, at twice the resolution")
    window.gif_action = menu.addAction("Animation (GIF) …")
    window.gif_action.setToolTip("The board while the slider of this step runs through its range")
    window.export_button.setMenu(menu)
    window.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    window.glossary_button = _button("Glossary", "circle-question-mark", "What the words mean (G)")
    window.full_button = _button("Full screen", "maximize", "The whole screen for the lesson (F11)", True)
    window.head = QHBoxLayout()
    window.head.addWidget(window.chooser)
    window.head.addStretch(1)
    for button in (
        window.maths_button, window.glossary_button, window.reset_button, window.export_button, window.full_button
    ):  # fmt: skip
        window.head.addWidget(button)


def _build_middle(window: LessonWindow) -> None:
    window.text_view = PageView()
    window.board = Board()
    window.controls = ControlBar()
    window.message = QLabel(window)  # over the board, whose size stays as it is
    window.message.setObjectName("lesson_message")
    window.message.setWordWrap(True)
    window.message.setVisible(False)
    window.right = QVBoxLayout()
    window.right.setSpacing(theme.GRID)
    window.right.addWidget(window.board, 1)
    window.right.addWidget(window.controls)
    window.middle = QHBoxLayout()
    window.middle.addWidget(window.text_view)
    window.middle.addLayout(window.right, 1)


def place_controls(window: LessonWindow, below: bool) -> None:
    """Put the controls below the board, or below board and text: beside a wide text they have too little room, and would
    widen the window."""
    if below:
        window.column.insertWidget(window.column.indexOf(window.middle) + 1, window.controls)
    else:
        window.right.addWidget(window.controls)


def _build_foot(window: LessonWindow) -> None:
    window.back_button = _button("Back", "arrow-left", "The step before (Left, Page Up)")
    window.next_button = _button("Next", "arrow-right", "The next step (Right, Page Down)")
    window.next_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    window.dots = Dots()
    window.where = QLabel()
    balance = QLabel()
    for label in (window.where, balance):
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    window.foot = QHBoxLayout()
    window.foot.addWidget(window.where, 1)
    window.foot.addWidget(window.back_button)
    window.foot.addWidget(window.dots)
    window.foot.addWidget(window.next_button)
    window.foot.addWidget(balance, 1)


def _button(text: str, icon: str, tip: str, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setText(f" {text}")  # some room beside the icon
    button.setToolTip(tip)
    button.setAccessibleName(text)
    button.setCheckable(checkable)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setProperty("icon_name", icon)
    return button


def restyle(window: LessonWindow, type_: int) -> None:
    """Give the bars above and below this size of type and the theme's colours."""
    font = type_sizes.font(window.font(), type_)
    colours = theme.current()
    for button in (
        window.maths_button, window.glossary_button, window.reset_button, window.export_button, window.full_button,
        window.back_button, window.next_button,
    ):  # fmt: skip
        button.setFont(font)
        button.setIcon(theme.icon(button.property("icon_name"), colours))
        button.setIconSize(QSize(round(1.15 * type_), round(1.15 * type_)))
    window.export_button.menu().setFont(font)
    window.chooser.setFont(font)
    window.chooser.setMinimumHeight(round(1.9 * type_))
    type_sizes.words(window.where, window.where.text(), type_, "dim")
    window.middle.setSpacing(type_)
    window.foot.setSpacing(type_ // 2)
    place_message(window)


def place_message(window: LessonWindow) -> None:
    """Put the sentence at the top of the board."""
    board = window.board.geometry()
    height = window.message.heightForWidth(board.width())
    window.message.setGeometry(board.left(), board.top(), board.width(), max(height, 0))
    window.message.raise_()
