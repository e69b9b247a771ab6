"""The Lessons menu of the main window has an entry for every text, and opens the window at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from app.lessons.compute import texts
from app.lessons.view.lesson_window import LessonWindow
from app.window import lessons_menu


@pytest.mark.slow
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
    (window,) = main.findChildren(LessonWindow)
    with qtbot.waitSignal(window.settled, timeout=60_000):
        pass
    assert texts.lessons()[0].title in window.windowTitle()
    entries[0].trigger()
    assert main.findChildren(LessonWindow) == [window], "one window for all lessons"
    window.close()


TOLD_TO_END = """
import os, signal, sys
from PySide6.QtCore import QTimer
from app import stopping
from app.window import start
app = start.application()
QTimer.singleShot(1000, lambda: os.kill(os.getpid(), signal.SIGTERM))
with stopping.listening():
    try:
        sys.exit(start.show_lesson("1"))
    except KeyboardInterrupt:
        sys.exit(stopping.code())
"""


@pytest.mark.slow
def test_a_lesson_ends_when_told_to(tmp_path: Path) -> None:
    """Also in its first seconds, while the thread still imports torch."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    ended = subprocess.run([sys.executable, "-c", TOLD_TO_END], env=environment, timeout=60, check=False)
    assert ended.returncode == 128 + signal.SIGTERM
