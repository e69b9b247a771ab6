"""Words from outside, such as names of files, show as they are: no tags, no mnemonics, every byte of a name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QMessageBox, QWidget

from app.views.widgets.words import Label, entry, message, shown, tooltip
from app.window.main_window import Window
from gpu import session as sessions
from gpu.session import SourceSettings
from tests.app.window.conftest import settle, wait_for

APP = Path(__file__).resolve().parents[3] / "app"
EVIL = os.fsdecode(b"<b>x<img src=y>&A\xff.mp4")
TAGS = re.compile(r"<(b|img)\b")


def test_words_are_shown_as_they_are(qapp: object) -> None:
    assert shown("ü🙂") == "ü🙂"
    assert shown(os.fsdecode(b"a\xff\xc3b")) == r"a\xff\xc3b"
    assert shown("\ud800") == r"\ud800"
    assert entry("a&b") == "a&&b"
    assert tooltip("<b>", "", "a\nb") == "<p>&lt;b&gt;<br><br>a<br>b</p>"
    assert tooltip("") == ""
    label = Label(EVIL)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == r"<b>x<img src=y>&A\xff.mp4"


def test_a_message_shows_words_as_they_are(qapp: object) -> None:
    parent = QWidget()
    box = message(parent, "Details", EVIL, EVIL)
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert box.text() == box.informativeText() == shown(EVIL)


RICH = {
    "views/widgets/words.py": "here they are made",
    "views/experiments/run_list.py": "a table of claims, whose words are escaped",
    "window/help_pages.py": "pages of our own",
    "window/menus.py": "the page of keys, of our own words",
    "views/statistics/pixel_drawing.py": "a tooltip of our own words",
}
"""Where rich text is written by hand, and what is in it."""


def test_labels_messages_and_rich_text_are_made_in_one_place() -> None:
    by_hand = re.compile(r"\bQLabel\(|\bQMessageBox(\.\w+)?\(|</?(p|br|b|i|span|table|td)\b[^>\n]*>|setHtml\(")
    outside = {
        str(path.relative_to(APP))
        for path in APP.rglob("*.py")
        if not path.is_relative_to(APP / "reports") and by_hand.search(path.read_text(encoding="utf-8"))
    }
    assert outside == set(RICH)


def _texts(window: QWidget) -> Iterator[tuple[QObject, str]]:
    """Everything in a window that Qt may take for HTML."""
    for part in [window, *window.findChildren(QObject)]:
        if isinstance(part, QLabel) and part.textFormat() != Qt.TextFormat.PlainText:
            yield part, part.text()
        if isinstance(part, QWidget | QAction):
            yield part, part.toolTip()


def _check(window: QWidget) -> None:
    wrong = [(part, text) for part, text in _texts(window) if TAGS.search(text)]
    assert not wrong


@pytest.mark.slow
def test_a_name_with_tags_and_other_bytes_shapes_nothing(window: Window, tmp_path: Path) -> None:
    """Opened, failed, remembered, saved: the window shows the name as it is and the session keeps it."""
    film = tmp_path / EVIL
    film.write_bytes(b"no film")
    source = SourceSettings("scene", path=str(film), name=window.state.session.source.name or "pose")
    window.banner.show_error(f"The video {film} cannot be read.", f"details of {film}")
    assert shown(str(film)) in window.banner.text
    window.status.say(str(film))
    window._note_written(str(film))
    for kind in ("video", "flow", "scene"):
        changed = replace(source, kind=kind, flow_path=str(film) if kind == "flow" else "")
        window.source.show_session(replace(window.state.session, source=changed))
        assert window.source._file.text() in ("", shown(str(film)))
        _check(window)
    window.user_folder.add_recent(str(film))
    assert window.user_folder.recent() == [str(film)]
    menu = QMenu()
    window.documents.fill_recent(menu)
    assert menu.actions()[0].text() == shown(EVIL).replace("&", "&&")
    assert not TAGS.search(menu.actions()[0].toolTip())
    saved = tmp_path / os.fsdecode(b"s\xff.json")
    sessions.save(replace(window.state.session, source=replace(source, kind="video")), saved)
    assert sessions.load(saved).source.path == str(film)
    window.documents.path = saved
    window._show_title()
    assert r"s\xff.json" in window.windowTitle()
    _check(window)


@pytest.mark.slow
def test_the_details_of_an_error_are_plain(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes: list[QMessageBox] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: boxes.append(box))
    window.banner.show_error(f"The video {EVIL} cannot be read.", "<b>where</b>")
    window.banner._show_details()
    assert boxes[0].textFormat() == Qt.TextFormat.PlainText
    assert boxes[0].detailedText() == "<b>where</b>"


@pytest.mark.slow
def test_leaving_the_field_of_a_scenes_file_keeps_its_bytes(window: Window, tmp_path: Path) -> None:
    settle(window)
    film = str(tmp_path / EVIL)
    asked: list[object] = []
    source = SourceSettings("scene", path=film, name="pose")
    window.source.show_session(replace(window.state.session, source=source))
    window.source.changed.connect(lambda *change: asked.append(change))
    window.source._take_file()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    wait_for(lambda: True)
    assert asked == []
