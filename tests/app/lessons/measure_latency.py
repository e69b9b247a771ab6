"""Measures how soon the board of each lesson follows a slider, and how often while one drags: no test, a table.

    .venv/bin/python tests/app/lessons/measure_latency.py [--lesson NAME] [--moves 12] [--seconds 1.5]

In a window of 1280 x 800 off screen. "Latency" is from a new value to the first scene drawn (median and worst of the moves;
the lesson's caches know some of the values, as they do in class); "redraws" is scenes drawn a second while a new value comes
every 16 ms. The CPU time of a move, of all threads, says what a machine that is not shared would take. The floor is
torch.randn of 4 x 1024 x 1024 in the same run, 23 ms on an idle core.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app.lessons.compute import texts
from app.lessons.view.lesson_window import LessonWindow
from app.look import theme
from app.window import start

WAIT = 120.0


class Watch:
    """Counts the scenes that reach the board."""

    def __init__(self, window: LessonWindow) -> None:
        self.count = 0
        self._draw = window.board.show_scene
        window.board.show_scene = self._drawn  # type: ignore[method-assign]

    def _drawn(self, scene: object) -> None:
        self._draw(scene)  # type: ignore[arg-type]
        self.count += 1


def until(app: QApplication, ready: object, seconds: float = WAIT) -> bool:
    """Process events until `ready()`, then once more, which paints."""
    end = time.perf_counter() + seconds
    while not ready() and time.perf_counter() < end:  # type: ignore[operator]
        app.processEvents()
        time.sleep(0.0005)
    app.processEvents()
    return bool(ready())  # type: ignore[operator]


def settle(app: QApplication, window: LessonWindow, seconds: float = 20.0) -> None:
    """Wait for the finest scene, or for some time: a film goes on refining."""
    done: list[bool] = []
    connection = window.settled.connect(lambda: done.append(True))
    until(app, lambda: done or window._final, seconds)
    window.settled.disconnect(connection)


def measure(app: QApplication, window: LessonWindow, watch: Watch, moves: int, seconds: float) -> str:
    """One line on the step that is shown."""
    step, lesson = window.state.step, window.state.lesson
    assert step is not None
    assert lesson is not None
    sliders = [control for name in step.controls if (control := lesson.control(name)).is_number]
    if not sliders:
        return "no slider"
    slider = next((control for control in sliders if control.name == step.sweep), sliders[0])
    steps = max(round((slider.high - slider.low) / slider.step), 1)

    def value(share: float) -> float:
        return slider.low + round(share * steps) * slider.step

    waits, costs = [], []
    for index in range(moves):
        before, cpu, begin = watch.count, time.process_time(), time.perf_counter()
        window.set_value(slider.name, value((0.37 + 0.618 * index) % 1))
        if not until(app, lambda before=before: watch.count > before):
            return "nothing was drawn"
        waits.append(1e3 * (time.perf_counter() - begin))
        costs.append(1e3 * (time.process_time() - cpu))
    before, begin, index = watch.count, time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        index += 1
        window.set_value(slider.name, value(abs((index / 60) % 2 - 1)))
        until(app, lambda: False, 0.016)
    rate = (watch.count - before) / (time.perf_counter() - begin)
    return (
        f"{slider.name:9} latency {statistics.median(waits):7.1f} ms, worst {max(waits):7.1f}; "
        f"cpu {statistics.median(costs):6.1f} ms, worst {max(costs):7.1f}; {rate:5.1f} redraws/s"
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lesson", default="")
    options.add_argument("--moves", type=int, default=12)
    options.add_argument("--seconds", type=float, default=1.5)
    given = options.parse_args()
    qInstallMessageHandler(lambda kind, _, text: None if kind != QtMsgType.QtFatalMsg else print(text))
    app = start.application()
    theme.apply(app, theme.DARK)
    window = LessonWindow()
    window.show()
    watch = Watch(window)
    chosen = [texts.lesson(given.lesson)] if given.lesson else texts.lessons()
    for text in chosen:
        window.open(text.name)
        until(app, lambda text=text: window.state.lesson is not None and window.state.loaded(text.name) is not None)
        assert window.state.lesson is not None
        for number, step in enumerate(window.state.lesson.steps):
            window.go(number)
            settle(app, window)
            print(f"{text.number:02}.{number + 1} {step.heading[:30]:30} ", end="", flush=True)
            print(measure(app, window, watch, given.moves, given.seconds), flush=True)
    import torch

    times = []
    for _ in range(9):
        begin = time.perf_counter()
        torch.randn(4, 1024, 1024)
        times.append(1e3 * (time.perf_counter() - begin))
    load = os.getloadavg()[0]
    print(f"floor {statistics.median(times):.1f} ms (23 ms on an idle core); load {load:.1f} on {os.cpu_count()} cores")
    window.close()


if __name__ == "__main__":
    main()
