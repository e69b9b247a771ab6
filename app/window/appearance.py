"""Dark or light: what the person chose, what the system says, and the application dressed in it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication

from app.look import theme
from app.look.theme import Theme
from app.model.user_folder import UserFolder

CHOICES = ("system", "dark", "light")


class Appearance(QObject):
    """The theme of one window; `changed` is called after every change."""

    def __init__(self, changed: Callable[[], None], user_folder: UserFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changed, self._user_folder = changed, user_folder
        self.choice = "system"
        self.theme: Theme = theme.DARK
        # No lambda: the application would keep it, and the window with it, for ever.
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def _follow_system(self) -> None:
        self.show(self.choice)

    def start(self) -> None:
        """Show what was chosen last."""
        self.show(self._user_folder.settings().get("theme", "system"))

    def choose(self, choice: str) -> None:
        """Show a theme, and remember it."""
        self._user_folder.set(theme=choice)
        self.show(choice)

    def show(self, choice: str) -> None:
        """Dress the application: `system`, `dark` or `light`; anything else is taken as system."""
        self.choice = choice if choice in CHOICES else "system"
        self.theme = theme.chosen(self.choice)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if app.property("theme") != self.theme.name:
            theme.apply(app, self.theme)
            app.setProperty("theme", self.theme.name)
        self._changed()

    def show_playing(self, action: QAction, on: bool) -> None:
        """The icon of the action that plays, or pauses."""
        action.setIcon(theme.icon("pause" if on else "play", self.theme))
