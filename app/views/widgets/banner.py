"""A strip above the pictures for what went wrong or was done: calm, one sentence, and it stays until it is read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.look import theme
from app.views.widgets.once import once
from app.views.widgets.words import Label, message, shown

NOTE_MS = 8000


class Banner(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._details = ""
        self._action: Callable[[], None] | None = None
        self._icon = Label()
        self._text = Label()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setAccessibleName("Message")
        self._more = QToolButton()
        self._more.setAccessibleName("More about this message")
        self._more.setToolTip("More about this message")
        self._more.clicked.connect(self._pressed)
        self._close = QToolButton()
        self._close.setToolTip("Close this message")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.clear)
        self._timer = once(self, NOTE_MS, self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        for widget, stretch in ((self._icon, 0), (self._text, 1), (self._more, 0), (self._close, 0)):
            layout.addWidget(widget, stretch)
        self._kind = ""
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if not self.isHidden() else ""

    def show_error(self, sentence: str, details: str = "") -> None:
        """A sentence on what went wrong; `details` are shown on demand."""
        self._details = details
        self._show(sentence, "error", "Details" if details else "", "Show what exactly went wrong", self._show_details)
        self._timer.stop()

    def show_note(self, sentence: str) -> None:
        """Something that was done; it goes by itself."""
        self._show(sentence, "note", "", "", None)
        self._timer.start()

    def offer(self, sentence: str, button: str, tip: str, action: Callable[[], None]) -> None:
        """A question with one answer; closing it is the other."""
        self._show(sentence, "offer", button, tip, action)
        self._timer.stop()

    def clear(self) -> None:
        """Hide a message; an offer stays until it is answered."""
        if self._kind != "offer" or self.sender() is self._close:
            self.hide()
            self._kind = ""

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._close.setIcon(theme.icon("x", colours))
        name = {"error": "triangle-alert", "note": "circle-check"}.get(self._kind, "info")
        self._icon.setPixmap(theme.icon(name, colours).pixmap(16, 16))

    def _show(self, sentence: str, kind: str, button: str, tip: str, action: Callable[[], None] | None) -> None:
        self._text.setText(sentence)
        self._kind, self._action = kind, action
        self._more.setVisible(bool(button))
        self._more.setText(button)
        self._more.setToolTip(tip)
        self._more.setAccessibleName(button)
        self.set_theme(theme.current())
        self.show()

    def _pressed(self) -> None:
        action = self._action
        if self._kind == "offer":
            self._kind = ""
            self.hide()
        if action is not None:
            action()

    def _show_details(self) -> None:
        more = "The same text is in the log file (Help, Open log folder)."
        box = message(self.window(), "Details", self._text.text(), more)
        box.setDetailedText(shown(self._details))
        box.exec()
        box.deleteLater()
