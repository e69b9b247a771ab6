"""Runs inputs in processes of their own, stops what takes too long, and adds up what came of them."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 10.0
"""Of processor time for one input, which does not depend on what else the machine does."""

PATIENCE = 60.0
"""Seconds until an input that is not done with hangs, whatever it waits for."""

BYTES = 1 << 30
"""Of memory for one input, beyond RESULTS times the bytes of what was read."""

RESULTS = 8
BATCH = 400
"""Inputs of one process."""

START = 120.0
"""Seconds until a process has loaded what it reads with."""

ROOT = Path(__file__).parents[2]


@dataclass
class Outcome:
    """What came of the inputs of one reader; `failures` are (number of the input, what happened)."""

    reader: str
    seed: int
    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # seconds of processor time
    largest: int = 0  # bytes beyond what was there before
    failures: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, told: dict[str, Any]) -> None:
        self.inputs += 1
        self.slowest, self.largest = max(self.slowest, told["seconds"]), max(self.largest, told["peak"])
        failure = told["says"] if told["what"] == "failed" else ""
        if told["peak"] > BYTES + RESULTS * told["needed"]:
            failure = f"{told['peak'] / 1e9:.1f} GB of memory for a result of {told['needed']} bytes ({told['what']})"
        if told["seconds"] > SECONDS:
            failure = f"{told['seconds']:.0f} s of processor time ({told['what']})"
        if failure:
            self.failures.append((number, failure))
        elif told["what"] == "read":
            self.read += 1
        else:
            self.refused += 1

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"slowest": round(self.slowest, 2), "largest": self.largest}


def run(
    names: Sequence[str], count: int, seed: int, first: int = 0, tell: Callable[[list[Outcome]], None] = lambda _: None
) -> list[Outcome]:
    """Try inputs `first` to `first + count` of each reader; `tell` is called now and then."""
    outcomes = {name: Outcome(name, seed) for name in names}
    inputs = [(name, number) for name in names for number in range(first, first + count)]
    while inputs:
        done = _batch(outcomes, inputs[:BATCH], seed)
        inputs = inputs[done:]
        tell(list(outcomes.values()))
    return list(outcomes.values())


def _batch(outcomes: dict[str, Outcome], inputs: Sequence[tuple[str, int]], seed: int) -> int:
    """Try inputs in one process until they are done or it has to be ended; how many were tried."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
        try:
            json.dump({"seed": seed, "folder": folder, "inputs": inputs}, process.stdin)
            process.stdin.close()
            if _line(lines, START).strip() != "ready":
                process.kill()
                errors.seek(0)
                raise RuntimeError(f"the readers cannot be tried: {errors.read().decode(errors='replace')[-2000:]}")
            for done, (name, number) in enumerate(inputs):
                line = _line(lines, PATIENCE)
                told: dict[str, Any] = {"what": "failed", "seconds": 0.0, "peak": 0, "needed": 0}
                if line is _LATE:
                    told["says"] = f"not done after {PATIENCE:g} s"
                elif line:
                    told = json.loads(line)
                else:
                    told["says"] = f"the process died ({process.wait(PATIENCE)})"
                outcomes[name].add(number, told)
                if line in (_LATE, ""):
                    return done + 1
            return len(inputs)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


_LATE = "late"


def _pass_on(pipe: Any, lines: queue.SimpleQueue[str]) -> None:
    try:
        for line in pipe:
            lines.put(line)
    except ValueError:  # closed meanwhile
        pass
    lines.put("")


def _line(lines: queue.SimpleQueue[str], seconds: float) -> str:
    """The next line; "" at the end, _LATE when none comes."""
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return _LATE
