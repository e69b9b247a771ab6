"""A strip above the pictures for what went wrong or was done: calm, one sentence, and it stays until it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.look import theme
from app.views.widgets.once import once
from app.views.widgets.words import Label, message, shown

NOTE_MS = 8000
ICONS = {"error": "triangle-alert", "notice": "triangle-alert", "note": "circle-check", "offer": "info"}


class Answer(NamedTuple):
    """A button beside a sentence."""

    text: str
    tip: str
    action: Callable[[], None]


class _Message(NamedTuple):
    sentence: str
    kind: str
    answers: tuple[Answer, ...] = ()
    close_tip: str = "Close this message"
    tip: str = ""


class Banner(QWidget):
    """Errors and notes come and go; notices and offers stand until they are answered, and wait while an error is shown."""

    closed = Signal(str)  # the sentence of a notice or offer that was closed or answered

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._details = ""
        self._passing: _Message | None = None
        self._standing: list[_Message] = []
        self._shown: _Message | None = None
        self._icon = Label()
        self._text = Label()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setAccessibleName("Message")
        self._buttons = [QToolButton(), QToolButton()]
        for button in self._buttons:
            button.setAccessibleName("Answer")
            button.setToolTip("Answer this message")
        self._buttons[0].clicked.connect(self._press_first)
        self._buttons[1].clicked.connect(self._press_second)
        self._more = self._buttons[0]
        self._close = QToolButton()
        self._close.setAccessibleName("Close this message")
        self._close.setToolTip("Close this message")
        self._close.clicked.connect(self._closed)
        self._timer = once(self, NOTE_MS, self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        for widget, stretch in ((self._icon, 0), (self._text, 1), *((button, 0) for button in self._buttons)):
            layout.addWidget(widget, stretch)
        layout.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if not self.isHidden() else ""

    def show_error(self, sentence: str, details: str = "") -> None:
        """A sentence on what went wrong; `details` are shown on demand."""
        self._details = details
        answers = (Answer("Details", "Show what exactly went wrong", self._show_details),) if details else ()
        self._pass(_Message(sentence, "error", answers))

    def show_note(self, sentence: str) -> None:
        """Something that was done; it goes by itself."""
        self._pass(_Message(sentence, "note"))
        self._timer.start()

    def show_notice(self, sentence: str, tip: str = "") -> None:
        """What a person should know whatever comes next: it stands until it is closed. The tip has more of it."""
        self._stand(_Message(sentence, "notice", tip=tip))

    def offer(self, sentence: str, answers: tuple[Answer, ...], close_tip: str) -> None:
        """A question with up to two answers; closing it is another, which `close_tip` explains."""
        self._stand(_Message(sentence, "offer", answers, close_tip), before="notice")

    def withdraw(self, sentence: str) -> None:
        """Take back a notice or an offer that was answered elsewhere."""
        self._standing = [standing for standing in self._standing if standing.sentence != sentence]
        self._show()

    def clear(self) -> None:
        """Hide an error or a note; what stands stays until it is answered."""
        self._passing = None
        self._show()

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._close.setIcon(theme.icon("x", colours))
        if self._shown is not None:
            self._icon.setPixmap(theme.icon(ICONS[self._shown.kind], colours).pixmap(16, 16))

    def _pass(self, new: _Message) -> None:
        self._passing = new
        self._timer.stop()
        self._show()

    def _stand(self, new: _Message, before: str = "") -> None:
        """Behind all that stands, less those of the kind that may wait for it."""
        ahead = [standing for standing in self._standing if standing.kind != before]
        self._standing.insert(len(ahead), new)
        self._show()

    def _show(self) -> None:
        now = self._passing or next(iter(self._standing), None)
        self._shown = now
        if now is None:
            self.hide()
            return
        self._text.setText(now.sentence)
        self._text.setToolTip(now.tip)
        for number, button in enumerate(self._buttons):
            answer = now.answers[number] if number < len(now.answers) else None
            button.setVisible(answer is not None)
            if answer is not None:
                button.setText(answer.text)
                button.setToolTip(answer.tip)
                button.setAccessibleName(answer.text)
        self._close.setToolTip(now.close_tip)
        self.set_theme(theme.current())
        self.show()

    def _press_first(self) -> None:
        self._pressed(0)

    def _press_second(self) -> None:
        self._pressed(1)

    def _pressed(self, number: int) -> None:
        pressed = self._shown
        if pressed is None:
            return
        if pressed.kind == "offer":
            self._closed()
        pressed.answers[number].action()

    def _closed(self) -> None:
        """Done with the message that is shown."""
        if self._passing is not None:
            self._passing = None
        elif self._standing:
            self.closed.emit(self._standing.pop(0).sentence)
        self._show()

    def _show_details(self) -> None:
        more = "The same text is in the log file (Help, Open log folder)."
        box = message(self.window(), "Details", self._text.text(), more)
        box.setDetailedText(shown(self._details))
        box.exec()
        box.deleteLater()
