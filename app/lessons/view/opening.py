"""Opens the window of the lessons at a lesson, from the program's menu or from a page that refers to one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.lessons.view.lesson_window import LessonWindow


def show_lesson(parent: QWidget, name: str) -> LessonWindow:
    """Open the window of the lessons, or bring it to the front, at a lesson."""
    windows = (window for window in parent.findChildren(LessonWindow) if window.isVisible())  # others are being closed
    window = next(windows, None) or LessonWindow(parent)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.show()
    window.raise_()
    window.activateWindow()
    window.open(name)
    return window
