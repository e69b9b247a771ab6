"""The window of the lessons, off screen, opened at a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.lessons.view.lesson_window import LessonWindow
from app.look import theme

OpenLesson = Callable[..., LessonWindow]
SECONDS = 60_000


@pytest.fixture
def open_lesson(qtbot: QtBot) -> Iterator[OpenLesson]:
    """open_lesson(name, step): the window at 1280 x 800 once it has settled there."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.load_font(app)
    theme.apply(app, theme.DARK)
    windows: list[LessonWindow] = []

    def opened(name: str = "1", step: str = "") -> LessonWindow:
        window = LessonWindow()
        windows.append(window)
        window.show()
        with qtbot.waitSignal(window.settled, timeout=SECONDS):
            window.open(name, step)
        return window

    yield opened
    for window in windows:
        window.close()
        window.deleteLater()
    app.setStyleSheet("")
