"""What the keys do in the window of the lessons: those of a presenter's remote among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.lessons.view.glossary import show_glossary

if TYPE_CHECKING:
    from app.lessons.view.lesson_window import LessonWindow


def pressed(window: LessonWindow, event: QKeyEvent) -> bool:
    """Do what this key asks for; whether it asks for anything."""
    key = Qt.Key
    control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    if event.key() == key.Key_Escape and window.isFullScreen():
        window.full_button.setChecked(False)
    elif event.key() == key.Key_E and control:
        window.export_button.showMenu()
    elif not control and event.key() in (actions := _actions(window)):
        actions[event.key()]()
    else:
        return False
    return True


def _actions(window: LessonWindow) -> dict[int, Callable[[], Any]]:
    key = Qt.Key
    return {
        key.Key_Right: lambda: window.go(window.index + 1),
        key.Key_PageDown: lambda: window.go(window.index + 1),
        key.Key_Left: lambda: window.go(window.index - 1),
        key.Key_PageUp: lambda: window.go(window.index - 1),
        key.Key_Home: lambda: window.go(0),
        key.Key_End: lambda: window.go(len(window.lesson.steps) - 1) if window.lesson is not None else None,
        key.Key_Space: window.controls.toggle_play,
        key.Key_D: window.draw_again,
        key.Key_R: window.reset,
        key.Key_M: window.maths_button.toggle,
        key.Key_G: lambda: show_glossary(window),
        key.Key_F11: window.full_button.toggle,
        key.Key_F: window.full_button.toggle,
    }
