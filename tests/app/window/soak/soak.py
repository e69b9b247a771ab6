"""Drives the window through random actions inside Qt's own event loop, and judges what it holds afterwards."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.lessons.compute import texts
from app.lessons.view.opening import show_lesson
from app.model.user_folder import UserFolder
from app.window import start
from app.window.garbage import Garbage
from app.window.main_window import Window
from app.worker.worker import Worker
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings
from tests.app.window.soak.actions import ACTIONS, EXPERIMENTS, Action, lessons, tame
from tests.app.window.soak.answers import Person, make_files
from tests.app.window.soak.watch import Held, Watch, held, kinds

SETTLE_EVERY = 10  # actions, on average, after which the window may come to rest
SETTLE_SECONDS = 120.0
LAST = 25  # actions that a failing run prints
LESSON_LOOKS = 100  # of 20 ms, that a step of a lesson may take before the next one is visited
DOING = "doing "  # begins a line with the number and name of an action, before it is done

MEMORY_GROWTH = 40.0
"""MB that the second half of a run may add."""

OBJECT_GROWTH = 0.03
"""Share by which the second half may add QObjects."""


def home() -> Session:
    """What the window is brought back to before it is looked at what it holds."""
    source = SourceSettings(kind="synthetic", name="translation", height=40, frames=6)
    priors = (PriorSettings("random"), PriorSettings("bilinear"), PriorSettings("integral"))
    return Session(source, noise=NoiseSettings(k=2), priors=priors)


class Soak:
    """One run. Every action has a generator of random numbers of its own, made of the run's seed and the action's number,
    so that any of them can be repeated alone."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        numbers: list[int],
        samples: int,
        go_on: bool = False,
        left_out: Collection[str] = (),
    ) -> None:
        """Files are made in `folder`, actions have these `numbers`, what is held is counted `samples` times besides the
        beginning. `left_out`: names of actions that are not done."""
        self._left_out = left_out
        self._folder, self._seed, self._numbers, self._go_on = folder, seed, numbers, go_on
        self._sample_at = {round(len(numbers) * part / samples) for part in range(samples + 1)}
        self.watch = Watch()
        self.done: list[tuple[int, str, str]] = []
        self.faults: list[tuple[int, str]] = []
        self.samples: list[tuple[int, Held]] = []
        self.kinds: list[Counter[str]] = []
        self._seconds = 0.0

    # -- running

    def run(self) -> bool:
        """Do all actions; whether nothing went wrong."""
        start.application()
        self._loop = QEventLoop()  # the application's own would close the window when it is told to end
        began = time.monotonic()
        self.watch.start()
        person = Person(make_files(self._folder / "files"), self._folder / "files")
        window = Window(home(), Worker(), UserFolder(self._folder / "state"))
        garbage = Garbage(window)
        window.worker.catalogued.connect(garbage.spare)
        if EXPERIMENTS not in self._left_out:
            window.experiments.read_when_idle()
        self.watch.follow(window)
        window.resize(1280, 800)
        window.show()
        QTimer.singleShot(10, window.worker.start)
        steps = self._steps(window, person)
        self._clock = QTimer()
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(lambda: self._next(steps))
        self._clock.start(100)
        try:
            with person.at_work():
                self._loop.exec()
                self._close(window)
        finally:
            self.watch.stop()
        self._collect_faults()
        self._seconds = time.monotonic() - began
        self._judge()
        return not self.faults

    def _next(self, steps: Iterator[int]) -> None:
        """One step, and the pause in milliseconds after it."""
        pause = next(steps, None)
        self._collect_faults()
        if pause is None or (self.faults and not self._go_on):
            self._loop.quit()
        else:
            self._clock.start(pause)

    def _steps(self, window: Window, person: Person) -> Iterator[int]:
        yield from self._settle(window, first=True)
        if len(self._sample_at) > 2:
            yield from self._visit_lessons(window)
        for index, number in enumerate(self._numbers):
            if index in self._sample_at:
                yield from self._look(window, index)
            rng = person.random = random.Random(f"{self._seed}:{number}")
            action = self._choose(rng)
            self.done.append((number, action.name, "…"))
            print(f"{DOING}{number} {action.name}", flush=True)
            try:
                self.done[-1] = (number, action.name, action.do(window, person))
                if rng.random() < 0.9:
                    tame(window, person)
            except Exception as problem:  # as Qt's own loop would hand it to the hook
                self.watch.add("exception", problem)
            yield rng.choice((0, 0, 5, 20, 60, 150))
            if rng.random() < 1 / SETTLE_EVERY and QApplication.activeModalWidget() is None:
                tame(window, person)
                yield from self._settle(window)
        yield from self._look(window, len(self._numbers))

    def _visit_lessons(self, window: Window) -> Iterator[int]:
        """Every step of every lesson once: what is loaded for good the first time, compiled kernels and networks above all, is
        no growth, whenever chance would have come to it."""
        for text in texts.lessons():
            opened = show_lesson(window, text.name)
            for _ in range(LESSON_LOOKS):
                if opened.state.text is not None and opened.state.lesson is not None:
                    break
                yield 20
            for index in range(len(opened.state.headings)):
                opened.go(index)
                for _ in range(LESSON_LOOKS):
                    if opened._final:
                        break
                    yield 20
        opened.close()

    def _choose(self, rng: random.Random) -> Action:
        modal = QApplication.activeModalWidget() is not None
        usable = [action for action in ACTIONS if action.modal == modal and action.name not in self._left_out]
        return rng.choices(usable, [action.weight for action in usable])[0]

    def _settle(self, window: Window, first: bool = False) -> Iterator[int]:
        """Wait until nothing is left to do, and see that nothing was left undone."""
        end, calm, at = time.monotonic() + SETTLE_SECONDS, 0, ""
        while calm < 3:
            if time.monotonic() > end:
                self._fault(f"nothing came further for {SETTLE_SECONDS:.0f} s: {at!r}")
                return
            yield 20
            if window.status._work.text().partition(" · ")[0] != at:
                end, at = time.monotonic() + SETTLE_SECONDS, window.status._work.text().partition(" · ")[0]
            rested = not window._apply.isActive() and (window.info is not None or bool(window.banner.text))
            calm = calm + 1 if rested and not _busy(window) and not window.playback.playing else 0
            if window.playback.playing:
                window.actions_["play"].trigger()
        left = window.worker._next_unfilled()
        if left is not None and window.actions_["background"].isChecked():
            self._fault(f"'Compute ahead' is ticked, but frame {left.t} is not computed; {window.banner.text!r}")

    def _look(self, window: Window, index: int) -> Iterator[int]:
        """Bring the window to where it began, and count what it holds."""
        while (dialog := QApplication.activeModalWidget()) is not None:
            dialog.close()
            yield 20
        while open_lessons := lessons(window):
            open_lessons.pop().close()  # no name stays for it: that would keep all that Python has of it
        for run in window.experiments.processes.active:
            window.experiments.processes.cancel(run)
        window.documents.show_session(home())
        window.banner.clear()
        window.actions_["full_screen"].setChecked(False)
        window.showNormal()
        window.resize(1280, 800)
        for name in window.layout_.panels:
            window.layout_.fold(name, True)
        yield 50
        yield from self._settle(window)
        yield 100
        self.samples.append((index, held()))
        self.kinds.append(kinds())
        print(f"{index:>6}  {self.samples[-1][1].row()}", file=sys.stderr, flush=True)

    def _close(self, window: Window) -> None:
        """Close the window as the system would, and let the event loop do what comes after."""
        window.close_at_once()
        QTimer.singleShot(500, self._loop.quit)
        self._loop.exec()

    # -- judging

    def _fault(self, text: str) -> None:
        self.faults.append((self.done[-1][0] if self.done else -1, text))

    def _collect_faults(self) -> None:
        for text in self.watch.faults:
            self._fault(text)
        self.watch.faults.clear()

    def _judge(self) -> None:
        """Whether the second half of the run added more than the bounds allow. The first half is left out: caches fill,
        modules are imported, dialogs that stay are made."""
        if len(self.samples) < 3:
            return
        middle, end = self.samples[len(self.samples) // 2][1], self.samples[-1][1]
        if end.memory - middle.memory > MEMORY_GROWTH:
            self._fault(f"memory grew by {end.memory - middle.memory:.0f} MB in the second half")
        for name in ("below", "wrapped", "top", "dialogs", "menus"):
            before, after = getattr(middle, name), getattr(end, name)
            if after > before * (1 + OBJECT_GROWTH) + 3:
                self._fault(f"{name}: {before} became {after} in the second half")

    def report(self) -> str:
        """What was done, what the process held, what went wrong and how to see it again."""
        counts = Counter(name for _, name, _ in self.done)
        lines = [f"{len(self.done)} actions, seed {self._seed}, {self._seconds:.0f} s"]
        lines.append(", ".join(f"{name} {count}" for name, count in counts.most_common()))
        lines.append("actions  " + Held.header())
        lines += [f"{index:>7}  {held.row()}" for index, held in self.samples]
        if len(self.kinds) > 2:
            grown = self.kinds[-1] - self.kinds[len(self.kinds) // 2]
            lines.append(
                "more in the second half: " + (", ".join(f"{k} +{n}" for k, n in grown.most_common(12)) or "–")
            )
        for number, text in self.faults:
            lines.append(f"\nFAULT after action {number}: {text}")
        if self.faults:
            last = [entry for entry in self.done if entry[0] <= self.faults[0][0]][-LAST:]
            lines += [f"{number:>7}  {name}: {words}" for number, name, words in last]
            numbers = ",".join(str(number) for number, _, _ in last)
            lines.append(f"again: python -m tests.app.window.soak --seed {self._seed} --only {numbers}")
        return "\n".join(lines)


def _busy(window: Window) -> bool:
    worker = window.worker
    with worker._lock:
        return worker._pending() or worker._frame is not None or worker._job is not None
