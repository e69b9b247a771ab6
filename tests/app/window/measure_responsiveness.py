"""Measures how long the window lets a person wait while it computes: `python -m tests.app.window.measure_responsiveness`.

A timer that should fire every few milliseconds says how late the GUI thread comes to it: that is what an event would
have waited. The processor time that the thread used since the time before tells its own work from waiting for Python's
lock or for a core, and does not depend on what else runs on the machine. A control, the same timer in a process that does
nothing else, says how late the machine is by itself. With --stacks, faulthandler writes what every thread was doing
whenever the timer was late, also while a C function held the lock.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.model.samples import start_session
from app.model.user_folder import UserFolder
from app.window import start
from app.window.garbage import Garbage
from app.window.main_window import Window
from app.worker.worker import Worker

PERIOD = 0.005
LATE = 0.05
"""Seconds that an event may wait (issue 3)."""


CONTROL = """
import sys, time
from PySide6.QtCore import QCoreApplication, Qt, QTimer
app, late, due = QCoreApplication([]), [], time.perf_counter() + float(sys.argv[1])
def fire():
    global due
    now = time.perf_counter()
    late.append(max(now - due, 0.0))
    due = max(due + float(sys.argv[1]), now)
timer = QTimer()
timer.setTimerType(Qt.TimerType.PreciseTimer)
timer.timeout.connect(fire)
timer.start(round(float(sys.argv[1]) * 1e3))
QTimer.singleShot(round(float(sys.argv[2]) * 1e3), app.quit)
app.exec()
print(*late)
"""


@dataclass
class Delays:
    """In seconds, for every time the timer fired: how late it was, and the processor time that the thread had used since the
    time before."""

    late: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def text(self) -> str:
        late = np.array(self.late)
        over = float((late > LATE).mean())
        own = f" · own work {_percentiles(self.work)}" if self.work else ""
        return f"n {len(late):>5} · late {_percentiles(self.late)}{own} · {over:.2%} over {LATE * 1e3:.0f} ms"


def _percentiles(seconds: list[float]) -> str:
    values = np.array(seconds) * 1e3
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f}, max {values.max():.0f} ms"


@contextmanager
def watched(stacks: Path | None = None, limit: float = LATE) -> Iterator[Delays]:
    """Measure while the block runs the event loop. `stacks`: a file for what the threads did when the timer was late."""
    delays = Delays()
    file = stacks.open("w") if stacks is not None else None
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    due, used = time.perf_counter() + PERIOD, time.thread_time()

    def fire() -> None:
        nonlocal due, used
        now, spent = time.perf_counter(), time.thread_time()
        delays.late.append(max(now - due, 0.0))
        delays.work.append(spent - used)
        due, used = max(due + PERIOD, now), spent
        if file is not None:
            faulthandler.dump_traceback_later(limit, file=file)

    timer.timeout.connect(fire)
    timer.start(round(PERIOD * 1e3))
    try:
        yield delays
    finally:
        timer.stop()
        if file is not None:
            faulthandler.cancel_dump_traceback_later()
            file.close()


def run_loop(seconds: float, act: Callable[[float], None] | None = None, every: float = 0.03) -> None:
    """The event loop for so long, as the program runs it; `act(elapsed)` is called again and again meanwhile."""
    loop = QEventLoop()
    began = time.monotonic()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    timer = QTimer()
    if act is not None:
        timer.timeout.connect(lambda: act(time.monotonic() - began))
        timer.start(round(every * 1e3))
    loop.exec()
    timer.stop()


def point(window: Window, elapsed: float) -> None:
    """Move the pointer over the pictures."""
    canvas = window.compare.canvas
    at = QPointF(canvas.width() * (0.5 + 0.4 * np.sin(elapsed)), canvas.height() * (0.5 + 0.4 * np.cos(1.7 * elapsed)))
    event = QMouseEvent(
        QMouseEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def scrub(window: Window, elapsed: float) -> None:
    """Drag through the frames."""
    window.state.set_frame(int((0.5 - 0.5 * np.cos(elapsed)) * (window.state.frames - 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each part")
    parser.add_argument(
        "--switch", type=float, default=0.0, help="sys.setswitchinterval in seconds; 0: as the program does"
    )
    parser.add_argument("--stacks", type=Path, help="folder for what the threads did when an event was late")
    parser.add_argument("--limit", type=float, default=LATE, help="seconds from which that is written")
    parser.add_argument(
        "--frames", type=int, default=48, help="of the clip; with few of them most of the time is spent on outputs"
    )
    parser.add_argument("--page", default="", help="noise, outputs or pixel")
    arguments = parser.parse_args()
    app = start.application()
    control = subprocess.Popen(
        [sys.executable, "-c", CONTROL, str(PERIOD), str(arguments.seconds * 5)], stdout=subprocess.PIPE, text=True
    )
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        session = start_session()
        session = replace(session, source=replace(session.source, frames=arguments.frames))
        window = Window(session, Worker(), UserFolder(Path(folder)))
        garbage = Garbage(window)
        window.worker.catalogued.connect(garbage.spare)
        window.resize(1440, 900)
        window.show()
        parts = (
            ("start", None),
            ("computing", None),
            ("pointing", lambda elapsed: point(window, elapsed)),
            ("scrubbing", lambda elapsed: scrub(window, elapsed)),
            ("playing", None),
        )
        QTimer.singleShot(10, window.worker.start)
        for name, act in parts:
            if arguments.switch:
                sys.setswitchinterval(arguments.switch)
            if name == "computing":
                while window.result is None or not window.result.complete:
                    app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
                if arguments.page:
                    window.statistics.open_page(arguments.page)
            if name == "playing":
                window.playback.play(True)
            stacks = arguments.stacks / f"{name}.txt" if arguments.stacks else None
            with watched(stacks, arguments.limit) as delays:
                run_loop(arguments.seconds, act)
            engine = window.worker._engine
            print(f"{name:<10} {delays.text()} · {engine.computed().sum() if engine else 0} frames", flush=True)
        window.close()
    print(f"control    {Delays([float(late) for late in control.communicate()[0].split()]).text()}")


if __name__ == "__main__":
    main()
