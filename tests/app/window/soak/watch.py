"""What a soak watches: everything that goes wrong without anybody looking, and what the process holds on to."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import traceback
import warnings
from collections import Counter
from dataclasses import astuple, dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QMessageLogContext, QObject, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from app.window.main_window import Window
from app.worker.messages import Failure

HARMLESS = ("propagateSizeHints", "This plugin does not support")
"""Words in complaints of the off-screen platform alone."""


class Watch:
    """Collects, from `start` to `stop`, what would otherwise pass unseen: exceptions in slots, in threads and in destructors,
    warnings of Python and of Qt, and errors of the worker that nobody foresaw."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def start(self) -> None:
        self._hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning
        sys.excepthook = lambda kind, problem, trace: self.add("exception", problem)
        sys.unraisablehook = lambda args: self.add(f"unraisable in {args.object!r}", args.exc_value)
        threading.excepthook = lambda args: self.add("thread", args.exc_value)
        warnings.showwarning = self._warned  # type: ignore[assignment]
        warnings.simplefilter("always", RuntimeWarning)
        qInstallMessageHandler(self._qt_says)

    def stop(self) -> None:
        sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = self._hooks
        qInstallMessageHandler(None)

    def follow(self, window: Window) -> None:
        """Take the unforeseen errors of this window's worker as well."""
        window.worker.failed.connect(self._failed)

    def _failed(self, failure: Failure) -> None:
        missing = "RAFT" in failure.sentence  # its weights are no part of the program: to say so is right
        if failure.details or (failure.kind == "BackendError" and not missing):
            self.faults.append(f"worker ({failure.where}): {failure.details or failure.sentence}")

    def add(self, where: str, problem: BaseException | None) -> None:
        """Note an exception."""
        self.faults.append(f"{where}: {''.join(traceback.format_exception(problem)) if problem else ''}")

    def _warned(self, message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        if issubclass(category, RuntimeWarning):
            self.faults.append(f"warning: {category.__name__}: {message} ({filename}:{lineno})")

    def _qt_says(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            print(f"Qt: {text}", file=sys.stderr, flush=True)  # it may be the last that is heard
        if kind != QtMsgType.QtDebugMsg and not any(words in text for words in HARMLESS):
            self.faults.append(f"Qt: {text}")


@dataclass(frozen=True)
class Held:
    """What the process holds: memory in MB, QObjects that Qt knows below the application's widgets, those with a Python side,
    windows, dialogs, menus and main windows that Qt keeps, threads, and Python's objects."""

    memory: float
    below: int
    wrapped: int
    top: int
    dialogs: int
    menus: int
    windows: int
    threads: int
    python: int

    @classmethod
    def header(cls) -> str:
        return "memory MB  QObjects  wrapped  top-level  dialogs  menus  windows  threads  Python objects"

    def row(self) -> str:
        widths = (9, 8, 7, 9, 7, 5, 7, 7, 14)
        return "  ".join(f"{value:>{width}.0f}" for value, width in zip(astuple(self), widths, strict=True))


def held() -> Held:
    """Counted after everything that may go is gone: garbage in circles, what waits to be deleted, pages that malloc keeps."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
    release_memory()
    wrapped = [each for each in shiboken6.getAllValidWrappers() if isinstance(each, QObject)]
    top = QApplication.topLevelWidgets()
    below = sum(1 + len(widget.findChildren(QObject)) for widget in top if widget.parent() is None)
    return Held(
        psutil.Process().memory_info().rss / 2**20,
        below,
        len(wrapped),
        len(top),
        sum(isinstance(widget, QDialog) for widget in QApplication.allWidgets()),
        sum(isinstance(widget, QMenu) for widget in QApplication.allWidgets()),
        sum(isinstance(each, Window) for each in wrapped),
        threading.active_count(),
        len(gc.get_objects()),
    )


def release_memory() -> None:
    """Have malloc hand back what it keeps for later, which is no leak."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return


def kinds() -> Counter[str]:
    """How many QObjects there are of each class, for the difference between two times."""
    counted: Counter[str] = Counter()
    for widget in QApplication.topLevelWidgets():
        if widget.parent() is None:
            counted.update(type(each).__name__ for each in (widget, *widget.findChildren(QObject)))
    return counted
