"""Thousands of random actions in the real window, off screen: `python -m tests.app.window.soak --actions 2000 --seed 1`.

It fails with the last actions and a line that repeats them when anything goes wrong that no sentence foresaw, when the
window stops to compute what it says it computes, or when it holds more at the end than its bounds allow.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.app.window.soak.actions import EXPERIMENTS
from tests.app.window.soak.soak import DOING, LAST, Soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="numbers of the actions to do, as a run that failed prints them")
    parser.add_argument("--samples", type=int, default=8, help="how often it is looked at what the process holds")
    parser.add_argument(
        "--no-experiments", action="store_true", help="start none: each is a process that imports torch"
    )
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first fault")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    return _run(arguments) if arguments.child else _watched(arguments.seed)


def _watched(seed: int) -> int:
    """Run it in a process of its own, whose last actions are known also when it dies."""
    last: deque[tuple[str, str]] = deque(maxlen=LAST)
    command = [sys.executable, "-m", "tests.app.window.soak", *sys.argv[1:], "--child"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(DOING):
            number, _, name = line.removeprefix(DOING).strip().partition(" ")
            last.append((number, name))
        else:
            print(line, end="", flush=True)
    code = child.wait()
    if code < 0:
        print(f"\nThe process died of signal {-code}. Its last actions:")
        print(*(f"{number:>7}  {name}" for number, name in last), sep="\n")
        numbers = ",".join(number for number, _ in last)
        print(f"again: python -m tests.app.window.soak --seed {seed} --only {numbers}")
    return 0 if code == 0 else 1


def _run(arguments: argparse.Namespace) -> int:
    faulthandler.enable()
    only = [int(number) for number in arguments.only.split(",") if number] or list(range(arguments.actions))
    with tempfile.TemporaryDirectory(prefix="noisescope-soak-") as folder:
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "HOME"):
            os.environ[name] = f"{folder}/{name.lower()}"
        left_out = {EXPERIMENTS} if arguments.no_experiments else set()
        soak = Soak(Path(folder), arguments.seed, only, arguments.samples, arguments.go_on, left_out)
        good = soak.run()
    print(soak.report())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
