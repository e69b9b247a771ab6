"""What the keys do in the window of the lessons: those of a presenter's remote among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


@dataclass(frozen=True)
class KeyActions:
    """What a window does for its keys. `leave_full_screen` says whether there was one to leave."""

    back: Callable[[], object]
    forward: Callable[[], object]
    first: Callable[[], object]
    last: Callable[[], object]
    play: Callable[[], object]
    draw_again: Callable[[], object]
    reset: Callable[[], object]
    mathematics: Callable[[], object]
    glossary: Callable[[], object]
    full_screen: Callable[[], object]
    leave_full_screen: Callable[[], bool]
    export: Callable[[], object]

    def pressed(self, event: QKeyEvent) -> bool:
        """Do what this key asks for; whether it asks for anything."""
        key = Qt.Key
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == key.Key_Escape:
            return self.leave_full_screen()
        if event.key() == key.Key_E and control:
            self.export()
            return True
        action = None if control else self._actions().get(event.key())
        if action is not None:
            action()
        return action is not None

    def _actions(self) -> dict[int, Callable[[], object]]:
        key = Qt.Key
        return {
            key.Key_Right: self.forward,
            key.Key_PageDown: self.forward,
            key.Key_Left: self.back,
            key.Key_PageUp: self.back,
            key.Key_Home: self.first,
            key.Key_End: self.last,
            key.Key_Space: self.play,
            key.Key_D: self.draw_again,
            key.Key_R: self.reset,
            key.Key_M: self.mathematics,
            key.Key_G: self.glossary,
            key.Key_F11: self.full_screen,
            key.Key_F: self.full_screen,
        }
