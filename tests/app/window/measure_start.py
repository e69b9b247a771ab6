"""Measures how soon the window can be used: `python -m tests.app.window.measure_start`.

Every start is a process of its own, from the command to the window painted, to the first picture with its statistics drawn
beside it, and to the first frame with its outputs. It uses the display that there is (under Xvfb: `xvfb-run -a -s "-screen 0
1920x1080x24" ...`), or none with QT_QPA_PLATFORM=offscreen. With --profile the GUI thread's time goes into a file for
pstats; with --gaps it says when the thread did not come back to its events for 50 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

WHAT = ("shown", "picture", "statistics", "output")
SECONDS = 60.0


def child(began: float, profile: str) -> None:
    """Start the window as `noisescope` does, and print when what was there (seconds since `began`)."""
    times: dict[str, float] = {}
    gaps: list[tuple[float, float]] = []
    from PySide6.QtCore import QEvent, QObject, QTimer

    from app import display
    from app.model.user_folder import UserFolder
    from app.window import main_window, start
    from app.worker.worker import Worker
    from gpu.session import Session

    display.require_window()
    times["imported"] = time.time() - began

    class Watched(main_window.Window):
        def __init__(self, session: Session, worker: Worker, user_folder: UserFolder) -> None:
            super().__init__(session, worker, user_folder)
            times["built"] = time.time() - began
            self._watch = QTimer(self)
            self._watch.timeout.connect(self._look)
            self._watch.start(5)
            self._paint = First(self)
            self.compare.canvas.installEventFilter(self._paint)
            self.worker.catalogued.connect(lambda _: times.setdefault("catalogue", time.time() - began))
            self.worker.opened.connect(lambda *_: times.setdefault("opened", time.time() - began))
            self._last = time.time()

        def _look(self) -> None:
            now = time.time()
            if now - self._last > 0.05:
                gaps.append((round(self._last - began, 3), round(now - self._last, 3)))
            self._last = now
            panel = self.statistics.panel
            done = {
                "picture": self.compare.canvas.pictures is not None,
                "statistics": panel is not None and bool(panel._shown) and not panel._turns.busy,
                "output": self.result is not None and self.result.complete,
            }
            for name, yes in done.items():
                if yes:
                    times.setdefault(name, now - began)
            # a small screen, such as that of QT_QPA_PLATFORM=offscreen, has the statistics folded away: nothing to wait for
            awaited = [name for name in WHAT if name != "statistics" or self.statistics.isVisible()]
            if all(name in times for name in awaited) or now - began > SECONDS:
                self.close_at_once()

    class First(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                times.setdefault("shown", time.time() - began)
            return False

    setattr(start, "Window", Watched)  # noqa: B010 - the program opens the window that is watched
    if profile:
        import cProfile

        cProfile.runctx("start.main()", {"start": start}, {}, profile)
    else:
        start.main()
    print(json.dumps({"times": times, "gaps": gaps}), flush=True)


def measure(profile: str = "") -> tuple[dict[str, float], list[tuple[float, float]]]:
    """One start, with a memory of its own: seconds from the command, and when the GUI thread was busy for how long."""
    with tempfile.TemporaryDirectory() as home:
        places = {f"XDG_{name}_HOME": home for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        began = time.time()
        command = [sys.executable, "-m", "tests.app.window.measure_start", "--child", repr(began), "--profile", profile]
        ran = subprocess.run(
            command, env={**os.environ, **places}, capture_output=True, text=True, timeout=SECONDS * 2, check=True
        )
    said = json.loads(ran.stdout.splitlines()[-1])
    return said["times"], said["gaps"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", default="", help="file for pstats, of the last start")
    parser.add_argument("--gaps", action="store_true", help="say when the GUI thread was busy for over 50 ms")
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(arguments.child, arguments.profile)
        return
    starts: list[dict[str, float]] = []
    for number in range(arguments.repeats):
        times, gaps = measure(arguments.profile if number == arguments.repeats - 1 else "")
        starts.append(times)
        print(" · ".join(f"{name} {seconds:.2f}" for name, seconds in times.items()), flush=True)
        if arguments.gaps:
            print("  busy:", *(f"{at:.2f} s for {length * 1e3:.0f} ms" for at, length in gaps), sep="  ")
    print("median, seconds from the command:")
    for name in WHAT:
        values = [times.get(name, float("nan")) for times in starts]
        print(f"  {name:<10} {statistics.median(values):.2f}  ({min(values):.2f}–{max(values):.2f})")


if __name__ == "__main__":
    main()
