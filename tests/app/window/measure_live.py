"""Measures how soon the window shows what a slider asks for: `python -m tests.app.window.measure_live`.

The window on a still of 256 x 144 pixels that a rotation moves, four priors, off screen. A slider is moved by a step; the time
is taken until the pictures of all columns' new noise are painted (noise), and until figures and plots show them (statistics).
Then the slider is dragged, a step every 16 ms, which says how often a second new noise arrives meanwhile. Last, frames that are
computed are gone to, until they are painted (scrub). Goals: 50 ms, 100 ms and 16 ms.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject
from PySide6.QtWidgets import QApplication

from app.model.user_folder import UserFolder
from app.views.widgets.sliders import ParameterSlider
from app.window import start
from app.window.garbage import Garbage
from app.window.main_window import Window
from app.worker.worker import Worker
from gpu.session import Session, SourceSettings, TaskSettings

PATIENCE = 120.0  # seconds


class Painted(QObject):
    """When a widget was painted last, and how often."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.last, self.times = 0.0, 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.last, self.times = time.perf_counter(), self.times + 1
        return False


class Live:
    """One window, and the times of what is asked of it."""

    def __init__(self, folder: Path, frame: int, task: str) -> None:
        source = SourceSettings("synthetic", name="rotation", height=144, width=256, frames=48)
        self.window = Window(Session(source, task=TaskSettings(task)), Worker(), UserFolder(folder))
        self.window.worker.catalogued.connect(Garbage(self.window).spare)
        self.window.resize(1440, 900)
        self.window.show()
        self.window.worker.start()
        self.painted = Painted(self.window)
        self.window.compare.canvas.installEventFilter(self.painted)
        self.numbers = 0.0
        self.window.frames.numbers_shown.connect(lambda: setattr(self, "numbers", time.perf_counter()))
        self.until(lambda: self.window.info is not None)
        self.window.state.set_frame(frame)
        self.settle()
        (self.slider,) = (
            each for each in self.window.source.findChildren(ParameterSlider) if "Speed" in each.bar.accessibleName()
        )

    def until(self, there: object) -> None:
        """Run the event loop until `there()`."""
        end = time.monotonic() + PATIENCE
        while not there():  # type: ignore[operator]
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 5)
            assert time.monotonic() < end, "waited in vain"

    def settle(self) -> None:
        """Until the frame on the screen is there. Others are computed ahead meanwhile, as ever."""
        self.until(lambda: self.noised() and not self.window.frames.numbers.isActive())

    def noised(self) -> bool:
        """Whether the pictures on the screen are of all columns of the newest settings."""
        window = self.window
        result = window.result
        return (
            not window._apply.isActive()
            and window.frames.opened == window.worker.number
            and result is not None
            and result.t == window.state.view.frame
            and len(result.columns) == len(window.state.session.priors)
        )

    def change(self, bar: object, step: int) -> tuple[float, float]:
        """Move a slider by a step: seconds until new noise is painted, and until statistics are shown."""
        self.settle()
        before = self.window.worker.number
        began = time.perf_counter()
        bar.setValue(bar.value() + step)  # type: ignore[attr-defined]
        noise = np.inf

        def there() -> bool:
            nonlocal noise
            if self.window.worker.number == before or not self.noised():
                self.arrived = 0.0
                return False
            self.arrived = self.arrived or time.perf_counter()
            if noise == np.inf and self.painted.last >= self.arrived - 1e-4:
                noise = self.painted.last - began
            return noise < np.inf and self.numbers > self.arrived

        self.arrived = 0.0
        self.until(there)
        return noise, self.numbers - began

    def drag(self, seconds: float) -> float:
        """How often a second new noise is painted while a slider is dragged."""
        self.settle()
        arrivals = 0

        def count(arrival: object) -> None:
            nonlocal arrivals
            arrivals += len(arrival.result.columns) == len(self.window.state.session.priors)  # type: ignore[attr-defined]

        self.window.worker.arrived.connect(count)
        began, step = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            if passed > step * 0.016:
                step += 1
                self.slider.bar.setValue(self.slider.bar.value() + (1 if step // 20 % 2 else -1))
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 2)
        self.window.worker.arrived.disconnect(count)
        return arrivals / seconds

    def fill(self) -> None:
        """Until all frames are computed."""
        self.settle()
        self.until(lambda: bool(self.window.worker._engine.computed().all()))  # type: ignore[union-attr]

    def scrub(self, t: int) -> float:
        """Go to a frame that is computed: seconds until it is painted."""
        began = time.perf_counter()
        self.window.state.set_frame(t)
        self.until(lambda: self.painted.last > began and self.window.compare.canvas.pictures.t == t)  # type: ignore[union-attr]
        return self.painted.last - began


def _line(name: str, seconds: list[float], goal: float) -> str:
    values = np.array(seconds) * 1e3
    p50, p90 = np.percentile(values, (50, 90))
    return f"{name:<28} median {p50:6.1f}, 90 % {p90:6.1f} ms   (goal {goal:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 40], help="that are on the screen")
    parser.add_argument("--task", default="", help="a task, whose outputs are computed as well")
    arguments = parser.parse_args()
    start.application()
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for frame in arguments.frames:
        with tempfile.TemporaryDirectory() as folder:
            live = Live(Path(folder), frame, arguments.task)
            for name, bar in (("speed", live.slider.bar), ("degradation γ", live.window.source.noise._gamma.bar)):
                live.change(bar, 1)
                noise, statistics = zip(*(live.change(bar, 1) for _ in range(arguments.changes)), strict=True)
                print(_line(f"{name}, frame {frame}: noise", list(noise), 50))
                print(_line(f"{name}, frame {frame}: statistics", list(statistics), 100))
            print(f"dragging, frame {frame}: new noise {live.drag(4.0):.1f} times a second")
            live.fill()
            order = np.random.default_rng(1).permutation(48).tolist()
            print(_line("scrub to a computed frame", [live.scrub(t) for t in order], 16), flush=True)
            live.window.close_at_once()
            QApplication.processEvents()


if __name__ == "__main__":
    main()
