"""Measures how long a cancelled sampling goes on: `python -m tests.app.window.measure_cancel`, with real worker and networks.

Sampling is cancelled at random moments as the button in the status line does it; the time is taken until the worker rests.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Qt

from app.model.samples import start_session
from app.worker.worker import Worker
from gpu.engine.results import Update
from gpu.session import Session, SourceSettings, TaskSettings

AIM = 0.3
"""Seconds within which sampling is cancelled (issue 3)."""


def session_of(task: str, height: int) -> Session:
    """The clip that the window opens on, or the scene that the task is for."""
    from gpu.source.scenes import SCENES

    scene = next((name for name, one in SCENES.items() if one.task == task), "")
    source = start_session().source if not scene else SourceSettings(kind="scene", name=scene)
    return replace(start_session(), source=replace(source, height=height, frames=12), task=TaskSettings(name=task))


class Cancels(QObject):
    """A real worker that is asked for outputs and cancelled."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.worker = Worker()
        self.progress: list[float] = []
        self.rested = 0.0
        self._updates: list[Update] = []
        self.worker.progressed.connect(self._progressed, Qt.ConnectionType.DirectConnection)
        self.worker.failed.connect(lambda failure: print(failure), Qt.ConnectionType.DirectConnection)
        self.worker.start()
        self.worker.apply(session)

    def _progressed(self, progress: object) -> None:
        if progress is None:
            self.rested = time.perf_counter()

    def wait(self, condition: Callable[[], bool], seconds: float = 300.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("waited in vain")
            QCoreApplication.processEvents()
            time.sleep(0.001)

    def sampling(self) -> bool:
        """Whether a network may be at work: all noise of the frame asked for is there, its outputs are not."""
        frame = self.worker._frame
        engine = self.worker._engine
        if frame is None or engine is None:
            return False
        result = engine.cached(frame[0])
        return result is not None and len(result.columns) == len(engine.session.priors) and not result.complete

    def once(self, t: int, after: float) -> float:
        """Ask for frame t, cancel `after` seconds of sampling; seconds until the worker is at rest."""
        self.worker.request(t, list(range(12)))
        self.wait(self.sampling)
        time.sleep(after)
        began = time.perf_counter()
        self.worker.halt()
        self.wait(lambda: self.rested > began)
        return self.rested - began

    def stop(self) -> None:
        self.worker.stop()


def cancels(session: Session, count: int, seed: int = 7, longest: float = 1.5) -> list[float]:
    """Seconds that each of `count` cancels at random moments took."""
    generator = random.Random(seed)
    subject = Cancels(session)
    try:
        return [subject.once(1 + index % 11, generator.uniform(0, longest)) for index in range(count)]
    finally:
        subject.stop()


def main() -> None:
    from gpu.diffusion.tasks import TASKS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--height", type=int, default=144)
    parser.add_argument("--tasks", nargs="*", default=[name for name in TASKS.names() if name != "hub"])
    arguments = parser.parse_args()
    QCoreApplication([])
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for task in arguments.tasks:
        took = np.array(cancels(session_of(task, arguments.height), arguments.count))
        print(
            f"{task:<26} n {len(took)} · median {np.median(took) * 1e3:.0f} ms, p95 {np.percentile(took, 95) * 1e3:.0f} ms, "
            f"max {took.max() * 1e3:.0f} ms · {(took > AIM).sum()} over {AIM} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
