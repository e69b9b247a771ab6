"""The Lessons menu: an entry for every lesson's text under assets/lessons, and the glossary."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from app.lessons.compute import texts

TITLE = "&Lessons"


def build(window: QMainWindow, before: str = "&Help") -> QMenu:
    """Make the menu and put it before the one of that title. What a lesson needs is loaded when it is opened."""
    menu = QMenu(TITLE, window)
    menu.setToolTipsVisible(True)
    for number, text in enumerate(texts.lessons(), start=1):
        action = menu.addAction(("&" if number < 10 else "") + text.title)
        action.setObjectName(f"lesson_{text.name}")
        action.setToolTip(text.about)
        action.triggered.connect(lambda _=False, name=text.name: open_lesson(window, name))
    menu.addSeparator()
    glossary = menu.addAction("&Glossary")
    glossary.setObjectName("glossary")
    glossary.setToolTip("What the words of the lessons and of the program mean")
    glossary.triggered.connect(lambda: open_glossary(window))
    place = next((action for action in window.menuBar().actions() if action.text() == before), None)
    if isinstance(place, QAction):
        window.menuBar().insertMenu(place, menu)
    else:
        window.menuBar().addMenu(menu)
    return menu


def open_lesson(window: QMainWindow, name: str) -> None:
    """Open the window of the lessons at a lesson."""
    from app.lessons.view.opening import show_lesson

    show_lesson(window, name)


def open_glossary(window: QMainWindow) -> None:
    """Open the glossary."""
    from app.lessons.view.glossary import show_glossary

    show_glossary(window)
