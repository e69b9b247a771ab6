"""Words from outside, such as names of files, as they are: no tags, no mnemonics, and every byte of a name to be seen.

Qt takes a text that looks like HTML for HTML, in labels, messages and tooltips, and drops without a word what stands for the
bytes of a name that is not UTF-8.
"""

from __future__ import annotations

import html
import os

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget


def shown(text: str) -> str:
    r"""`text` with the bytes of a name that is not UTF-8, which Python keeps as lone surrogates, written as \xNN."""
    try:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tooltip(*paragraphs: str) -> str:
    """A tooltip of these paragraphs. It is HTML, for Qt breaks the lines of no other; the words show as they are."""
    told = (html.escape(shown(paragraph), quote=False).replace("\n", "<br>") for paragraph in paragraphs if paragraph)
    text = "<br><br>".join(told)
    return f"<p>{text}</p>" if text else ""


def entry(text: str) -> str:
    """`text` for a menu, button or tab, where & would underline the letter after it."""
    return shown(text).replace("&", "&&")


class Label(QLabel):
    """A label that shows its text as it is."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(shown(text))


def message(parent: QWidget, title: str, text: str, more: str = "") -> QMessageBox:
    """A box with a message and an explanation below it, not yet shown."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)  # of the explanation too
    box.setWindowTitle(title)
    box.setText(shown(text))
    box.setInformativeText(shown(more))
    return box
