"""Starts the window: the application, its look, the worker, and the picture of it for documentation and tests."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import shiboken6
from PySide6.QtCore import QEventLoop, QMessageLogContext, QSocketNotifier, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app import stopping
from app.look import theme
from app.model import samples
from app.model.user_folder import UserFolder
from app.window.garbage import Garbage
from app.window.main_window import Window
from app.worker.worker import Worker
from gpu import interrupt
from gpu.decoders.process import prepare
from gpu.errors import BackendError, OutputError
from gpu.leftovers import scratch_folder
from gpu.session import Session

SIZE = (1440, 900)
FRAME = (8, 44)  # pixels left for what window managers put around a window
SCREENSHOT_SECONDS = 300.0
SCREENSHOT_FRAME = 8  # where priors have come apart and gaps of five frames can be measured


def run(session: Session | None, screenshot: Path | None = None, size: tuple[int, int] | None = None) -> int:
    """The window on `session` (None: the bundled clip) until it is closed, or a picture of it; the exit code."""
    if screenshot is not None:
        take_screenshot(screenshot, session, size or (1280, 800))
        return 0
    return main(session, size)


def application() -> QApplication:
    """The one QApplication, dressed."""
    interrupt.watch(None)  # nothing may be raised in the middle of Qt: the window looks at the flag between events
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("noisescope")
    app.setApplicationDisplayName("Noisescope")
    app.setDesktopFileName("noisescope")
    theme.load_font(app)
    return app


def main(session: Session | None = None, size: tuple[int, int] | None = None, worker: Worker | None = None) -> int:
    """Show the window at once; torch, OpenCV and the engine are loaded by the worker after that."""
    app = application()
    user_folder = UserFolder()
    user_folder.start_log()
    window = Window(session or samples.start_session(), worker or Worker(), user_folder)
    garbage = Garbage(window)
    window.worker.catalogued.connect(garbage.spare)
    window.experiments.read_when_idle()
    window.frames.play_when_ready = session is None
    _place(window, user_folder, size)
    window.show()
    window.recovery.offer()
    stopping.check()
    _close_when_told(window, window.close_at_once)
    sys.excepthook = lambda kind, problem, trace: _unexpected(window, problem)
    prepare()
    # The worker starts once the window is drawn: importing torch would keep this thread from drawing it.
    QTimer.singleShot(10, window, window.worker.start)
    return _until_closed(app)


def take_screenshot(
    path: Path, session: Session | None, size: tuple[int, int], worker: Worker | None = None, wait: float | None = None
) -> None:
    """Draw the real window off screen at `size` into a PNG file, once the noise of all frames and the outputs of the
    first few are computed. A session that was saved at a later frame is shown there.

    Raises OutputError when the file cannot be written and BackendError when nothing was computed in time. Set
    QT_QPA_PLATFORM=offscreen before.
    """
    qInstallMessageHandler(_qt_says)
    app = application()
    with scratch_folder() as folder:
        stopping.check()
        window = Window(session or samples.start_session(), worker or Worker(), UserFolder(folder))
        try:
            window.layout_.fit(size[0])
            window.resize(*size)
            window.show()
            window.worker.start()
            end = time.monotonic() + (wait or SCREENSHOT_SECONDS)
            while time.monotonic() < end and not (window.banner.text or _worth_a_picture(window)):
                _turn(app)
            if window.state.view.frame == 0 and window.info is not None:
                window.state.set_frame(min(SCREENSHOT_FRAME, window.info.frames - 1))
            window.worker.set_background(False)
            while time.monotonic() < end and not window.banner.text and not window.frames.is_settled():
                _turn(app)
            calm = time.monotonic() + 1.0  # slices and the curves follow a little later
            while time.monotonic() < calm:
                _turn(app)
            computed, sentence = window.result is not None, window.banner.text
            picture = window.grab()
        finally:  # also when stopped: a thread that is still running would end the process in its own way
            window.close()
    if not computed:
        raise BackendError(sentence or "Nothing was computed in time for a picture of the window.")
    if not picture.save(str(path), "PNG"):
        raise OutputError(f"The picture cannot be written to {path}.")


def take_lesson_screenshot(path: Path, name: str, step: str, size: tuple[int, int], choice: str) -> None:
    """Draw the real window of the lessons off screen at `size` into a PNG file, in the dark or light theme. Errors as in
    `app.lessons.view.screenshot.grab`, and OutputError when the file cannot be written."""
    from app.lessons.view.screenshot import grab

    qInstallMessageHandler(_qt_says)
    theme.apply(application(), theme.chosen(choice))
    if not grab(name, step, size).save(str(path), "PNG"):
        raise OutputError(f"The picture cannot be written to {path}.")


def show_lesson(name: str, size: tuple[int, int] | None = None) -> int:
    """The window of the lessons alone until it is closed; the exit code."""
    from app.lessons.view.lesson_window import LessonWindow

    app = application()
    user_folder = UserFolder()
    user_folder.start_log()
    theme.apply(app, theme.chosen(user_folder.settings().get("theme", "system")))
    window = LessonWindow()
    if size is not None:
        window.resize(*size)
    window.show()
    window.open(name)
    _close_when_told(window, window.close)
    app.lastWindowClosed.connect(app.quit)  # closed in its first seconds, Qt alone would leave the program running
    return _until_closed(app)


def _close_when_told(window: QWidget, close: Callable[[], object]) -> None:
    """Close the window, and whatever dialog stands before it, when a signal tells the process to end."""
    told = stopping.wake()
    if told is None:
        return

    def end() -> None:
        notifier.setEnabled(False)
        close()
        QApplication.exit()  # also the loops of open dialogs and menus

    notifier = QSocketNotifier(told, QSocketNotifier.Type.Read, window)
    notifier.activated.connect(end)


def _until_closed(app: QApplication) -> int:
    """Run the window; the exit code. KeyboardInterrupt when a signal has closed it."""
    code = app.exec()
    stopping.check()
    return code


def _turn(app: QApplication) -> None:
    """Let the window live for a moment; KeyboardInterrupt when a signal came."""
    app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    time.sleep(0.01)
    stopping.check()


def _unexpected(window: Window, problem: BaseException) -> None:
    """An error that nobody foresaw in what the person just did: into the log, and a sentence in the window, which lives on."""
    details = "".join(traceback.format_exception(problem))
    print(details, file=sys.stderr, end="")
    logging.getLogger("noisescope").error("unexpected error (window)\n%s", details)
    if not shiboken6.isValid(window):
        return
    kind = type(problem).__name__
    window.banner.show_error(f"Something unexpected went wrong ({kind}); the details are in the log file.", details)


def _qt_says(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Qt's complaints, less the one of the off-screen platform about every change of the window's smallest size."""
    if "propagateSizeHints" not in text:
        print(text, file=sys.stderr)


def _worth_a_picture(window: Window) -> bool:
    """Whether the noise of all frames is there, and everything of the frames around the one shown."""
    if window.info is None:
        return False
    frames, shown = window.info.frames, window.state.view.frame
    last = min(max(shown, SCREENSHOT_FRAME), frames - 1)
    return window.worker.noised >= frames and all(
        window.frames.is_complete(t) for t in range(max(last - 8, 0), last + 1)
    )


def _place(window: Window, user_folder: UserFolder, size: tuple[int, int] | None) -> None:
    """The size asked for, else the last one, else one that fits the screen."""
    screen = QGuiApplication.primaryScreen().availableGeometry()
    if size is not None:
        window.resize(*size)
    elif "geometry" not in user_folder.settings():
        window.resize(min(SIZE[0], screen.width() - FRAME[0]), min(SIZE[1], screen.height() - FRAME[1]))
    window.layout_.fit(size[0] if size is not None else screen.width())
