"""The Lessons menu of the main window has an entry for every text, and opens the window at it."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from app import lessons_menu
from app.lessons import texts
from app.lessons.view.window import LessonWindow


def test_every_lesson_is_an_entry_and_opens(qtbot: QtBot) -> None:
    main = QMainWindow()
    qtbot.addWidget(main)
    main.menuBar().addMenu("&Help")
    menu = lessons_menu.build(main)
    assert [action.text().replace("&", "") for action in main.menuBar().actions()] == ["Lessons", "Help"]
    entries = [action for action in menu.actions() if action.objectName().startswith("lesson_")]
    assert [entry.text().replace("&", "") for entry in entries] == [text.title for text in texts.lessons()]
    assert all(entry.toolTip() for entry in entries)
    entries[0].trigger()
    window = main.lesson_window
    assert isinstance(window, LessonWindow)
    with qtbot.waitSignal(window.settled, timeout=60_000):
        pass
    assert texts.lessons()[0].title in window.windowTitle()
    entries[0].trigger()
    assert main.lesson_window is window, "one window for all lessons"
    window.close()
