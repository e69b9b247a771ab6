"""The real program in a process of its own, on a real X display: it starts quickly, shows itself, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import json, sys, time
from app import stopping
from app.window import start
from app.worker.worker import Worker
from app.window.frame_display import FrameDisplay
from app.window.main_window import Window
from tests.app.window.fake_engine import FakeEngine, catalogue
from PySide6.QtCore import QTimer

def told(**facts):
    print(json.dumps(facts), flush=True)

show = Window.showEvent
def shown(self, event):
    show(self, event)
    QTimer.singleShot(0, lambda: told(event="shown", cpu=time.process_time(), heavy=[
        name for name in ("torch", "cv2", "scipy", "moderngl") if name in sys.modules]))
Window.showEvent = shown
numbers = FrameDisplay.show_numbers
def shown_numbers(self):
    numbers(self)
    window = self.parent()
    if self.result is not None and self.result.complete:
        told(event="frame", t=window.state.view.frame, playing=window.playback.playing, rows=list(window.state.view.rows))
FrameDisplay.show_numbers = shown_numbers
with stopping.listening():
    try:
        sys.exit(start.main(None, (1280, 800), Worker(FakeEngine, catalogue)))
    except KeyboardInterrupt:
        sys.exit(stopping.code())
"""


class Program:
    """The window in its own process; it tells what happens as lines of JSON."""

    def __init__(self, display: str, home: Path, root: Path) -> None:
        self._env = {
            **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_STATE_HOME": str(home),
            "PYTHONPATH": str(root),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT], env=self._env, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def until(self, event: str, **facts: object) -> dict[str, object]:
        """The next line about `event` with these facts."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said: dict[str, object] = json.loads(line)
            if said["event"] == event and all(said.get(name) == value for name, value in facts.items()):
                return said
        pytest.fail(f"the program ended: {self.process.stderr.read() if self.process.stderr else ''}")

    def keys(self, *keys: str) -> None:
        """Press keys in the window, as a person would."""
        found = subprocess.run(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Noisescope"],
            env=self._env, check=True, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        window = found.stdout.split()[0]
        subprocess.run(["xdotool", "windowfocus", window, "key", *keys], env=self._env, check=True, timeout=30)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


@pytest.mark.slow
@pytest.mark.display
def test_it_starts_plays_and_ends(display: str, tmp_path: Path, root: Path) -> None:
    program = Program(display, tmp_path, root)
    try:
        shown = program.until("shown")
        assert shown["heavy"] == [], "nothing heavy is imported before the window is on the screen"
        assert float(str(shown["cpu"])) < 3.0, "seconds of processor time; about 1 on an idle machine"
        program.until("frame", playing=True)
        time.sleep(0.5)
        program.keys("space")
        program.until("frame", playing=False)
        program.keys("Home")
        program.keys("4")
        program.keys("Right", "Right", "Right")
        program.until("frame", t=3, rows=["noise", "output", "xt-noise", "xt-output"])
    finally:
        code = program.end()
    assert code == 128 + signal.SIGTERM
    assert not list(tmp_path.rglob("autosaves/*")), "closed as it should be: there is nothing to restore"
