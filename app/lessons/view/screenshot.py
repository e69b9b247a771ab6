"""A picture of the real window of the lessons, for documentation and tests."""

from __future__ import annotations

import time

from PySide6.QtCore import QEventLoop
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from app import stopping
from app.lessons.view.lesson_window import LessonWindow
from gpu.errors import BackendError, ChoiceError

SECONDS = 120.0
MATHEMATICS = "mathematics"


def grab(name: str, step: str, size: tuple[int, int], wait: float = SECONDS) -> QPixmap:
    """The window of `size` at a step (number from 1, beginning of its heading, or "mathematics"), once its finest scene
    and the formulas are drawn. ChoiceError for an unknown lesson or step, BackendError when nothing came in time."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    window = LessonWindow()
    maths = step.lower() == MATHEMATICS
    done: list[bool] = []
    try:
        window.resize(*size)
        window.show()
        window.settled.connect(lambda: done.append(True))
        window.open(name, "" if maths else step)
        end = time.monotonic() + wait
        while not done and not window.error and time.monotonic() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)
            stopping.check()
        if window.error:
            raise ChoiceError(window.error)
        if not done:
            raise BackendError("The lesson was not drawn in time for a picture of it.")
        if maths:
            done.clear()
            window.show_maths(True)
            while not done and time.monotonic() < end:
                app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
                time.sleep(0.005)
                stopping.check()
        for _ in range(5):  # layouts and axes follow a little later
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.02)
        return window.grab()
    finally:
        window.close()
