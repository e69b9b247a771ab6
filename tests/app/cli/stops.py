"""Sends signals to commands at random moments and says how each ended: `python -m tests.app.cli.stops 72` runs them by hand.

    python -m tests.app.cli.stops COUNT [NAME …]

Every command is started anew, gets SIGINT or SIGTERM between FIRST and LAST seconds after its first line has run (until then
Python itself is being loaded), and must end within SECONDS with the exit code of that signal, without a traceback, and
without leaving a file where it was writing.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIRST, LAST, SECONDS = 0.0, 6.0, 5.0

COMMANDS: dict[str, list[str]] = {
    "window": [],
    "screenshot": ["--screenshot", "{out}/a.png"],
    "lesson": ["--lesson", "8"],
    "lesson-screenshot": ["--lesson", "8", "--screenshot", "{out}/a.png"],
    "warp": ["warp", "--synthetic", "swirl", "--size", "512x512", "--frames", "900", "--out", "{out}/noise.npz"],
    "warp-pt": ["warp", "--synthetic", "swirl", "--size", "512x512", "--frames", "900", "--out", "{out}/noise.pt"],
    "warp-workers": [
        *(
            "warp",
            "--video",
            "assets/clips/bunny.mp4",
            "--size",
            "512x512",
            "--workers",
            "2",
            "--out",
            "{out}/noise.npz",
        )
    ],
    "render": ["render", "--video", "assets/clips/bunny.mp4", "--out", "{out}/render"],
    "experiment": ["experiment", "long", "--out", "{out}/long"],
    "experiments": ["experiment", "all", "--out", "{out}/all"],
    "stats": ["stats", "{noise}"],
    "bench": ["bench", "--out", "{out}/figure.png"],
}
"""Commands that take longer than LAST seconds, with the folder they write to and a file of much noise."""

KEPT = {"experiments": {"all"}}
"""What is there by intent when it was stopped: the index of a series, and what was finished."""


@dataclass(frozen=True)
class Stop:
    """How one command ended: `code`, the seconds after the signal, what it said, and the names it left."""

    name: str
    number: signal.Signals
    after: float
    code: int | None
    seconds: float
    said: str
    left: tuple[str, ...]

    @property
    def wrong(self) -> str:
        """What is not as it should be; "" when all is."""
        if self.code is None:
            return f"still there after {self.seconds:.1f} s"
        if self.code != 128 + self.number:
            return f"ended with {self.code}"
        if self.said.count("noisescope: Stopped.") > 1 or self.said.count("\n") > 1:
            return "said more than a sentence"
        if self.left:
            return f"left {', '.join(self.left)}"
        return ""


def noise_file(folder: Path) -> Path:
    """An .npy file of so much noise that measuring it takes longer than LAST seconds."""
    import numpy as np

    path = folder / "much.npy"
    if not path.exists():
        np.save(path, np.random.default_rng(0).standard_normal((400, 4, 256, 256), np.float32))
    return path


def stop(name: str, number: signal.Signals, after: float, noise: Path) -> Stop:
    """Start the command `name`, send the signal `after` seconds later, and see how it ends."""
    with tempfile.TemporaryDirectory(prefix="stops-") as folder:
        out = Path(folder, "out")
        out.mkdir()
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_STATE_HOME": f"{folder}/state",
            "TMPDIR": str(out),
            "PYTHONPATH": str(ROOT),
        }
        words = [word.format(out=out, noise=noise) for word in COMMANDS[name]]
        with (
            open(f"{folder}/said", "wb") as said,
            subprocess.Popen(
                [sys.executable, "-m", "app", *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                # A shell starts background jobs with SIGINT ignored, and this may run in one.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            ) as process,
        ):
            _wait_until_it_runs(process)
            time.sleep(after)
            process.send_signal(number)
            sent = time.monotonic()
            code: int | None = None
            try:
                code = process.wait(3 * SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            seconds = time.monotonic() - sent
        left = tuple(sorted(path.name for path in out.iterdir() if path.name not in KEPT.get(name, ())))
        told = Path(folder, "said").read_text(encoding="utf-8", errors="replace")
        # Qt's platform for drawing off screen says this of every window; no other does.
        told = "".join(line for line in told.splitlines(True) if "propagateSizeHints" not in line)
        return Stop(name, number, after, code, seconds, told, left)


def _wait_until_it_runs(process: subprocess.Popen[bytes]) -> None:
    """Until Python has taken over SIGTERM, which the program asks of it first of all; a second where nothing tells."""
    status = Path(f"/proc/{process.pid}/status")
    end = time.monotonic() + 30
    while status.exists() and process.poll() is None and time.monotonic() < end:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)
    if not status.exists():
        time.sleep(1)


def main(count: int, names: list[str]) -> int:
    chance = random.Random(12)
    codes: Counter[str] = Counter()
    longest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        noise = noise_file(Path(folder))
        for index in range(count):
            name = names[index % len(names)]
            number = chance.choice([signal.SIGINT, signal.SIGTERM])
            ended = stop(name, number, chance.uniform(FIRST, LAST), noise)
            longest = max(longest, ended.seconds)
            wrong = ended.wrong or ("" if ended.seconds < SECONDS else f"took {ended.seconds:.1f} s")
            codes[wrong or f"{ended.code}"] += 1
            print(
                f"{name:18} {number.name:8} {ended.after:4.1f} s  {ended.code}  {ended.seconds:4.1f} s  {wrong}",
                flush=True,
            )
            if wrong:
                print(ended.said)
    print(f"{count} signals, longest {longest:.1f} s:", ", ".join(f"{times} × {what}" for what, times in codes.items()))
    return 0 if all(what in ("130", "143") for what in codes) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or list(COMMANDS)))
