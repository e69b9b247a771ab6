"""Tries inputs in this process, one after the other, and says in a line each what came of it.

Asked for on stdin by tests.fuzz.run, which sees to the time: {"seed", "folder" to write in, "inputs": [[reader, number], …]}.
Input number n of a reader and seed is always the same bytes.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from gpu.errors import NoisescopeError
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import Reader, reader

CEILING = 16 << 30
"""Address space of this process: what asks for more fails here rather than on the machine."""


def example(files: list[tuple[str, bytes]], name: str, seed: int, number: int) -> tuple[str, bytes]:
    """The file name and the bytes of an input to the reader of that name."""
    random_ = random.Random(f"{name} {seed} {number}")
    file, data = random_.choice(files)
    return file, mutated(data, random_, [other for _, other in files])


def _processes() -> list[int]:
    """This process and those below it."""
    out, at = [os.getpid()], 0
    while at < len(out):
        try:
            for task in Path(f"/proc/{out[at]}/task").iterdir():
                out += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended
            pass
        at += 1
    return out


def _memory(field: str) -> int:
    """The sum over these processes of a field of /proc/PID/status, in bytes."""
    total = 0
    for process in _processes():
        try:
            text = Path(f"/proc/{process}/status").read_text()
            total += 1024 * int(text.partition(field + ":")[2].split()[0])
        except (OSError, IndexError, ValueError):
            continue
    return total


def _worked() -> float:
    """Seconds of processor time of these processes, those that have ended included."""
    used, ticks = resource.getrusage(resource.RUSAGE_CHILDREN), os.sysconf("SC_CLK_TCK")
    total = time.process_time() + used.ru_utime + used.ru_stime
    for process in _processes()[1:]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
        except (OSError, IndexError, ValueError):
            continue
    return total


def _forget_peak() -> None:
    for process in _processes():
        try:
            Path(f"/proc/{process}/clear_refs").write_text("5")
        except OSError:
            continue


def _tried(tried: Reader, path: Path) -> dict[str, Any]:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    before, worked, started = _memory("VmRSS"), _worked(), time.monotonic()
    _forget_peak()
    told: dict[str, Any] = {"what": "read", "needed": 0}
    try:
        told["needed"] = tried.read(path)
    except NoisescopeError as problem:
        told.update(what="refused", says=str(problem))
        if "\n" in str(problem) or len(str(problem)) > 2000 or not str(problem).endswith((".", "…", "?", ")")):
            told.update(what="failed", says=f"no sentence: {str(problem)[:300]!r}")
    except BaseException as problem:  # whatever it is, it is a failure
        told.update(what="failed", says=f"{type(problem).__name__}: {str(problem)[:300]}", trace=traceback.format_exc())
    told["seconds"], told["waited"] = max(_worked() - worked, 0.0), time.monotonic() - started
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of a process that has ended by now
    told["peak"] = max(_memory("VmHWM") - before, 1024 * largest if largest > ended else 0)
    return told


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CEILING, CEILING))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Answers have a pipe of their own: what a library prints while it reads must not be taken for one.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked = json.load(sys.stdin)
    folder = Path(asked["folder"])
    readers = {name: reader(name) for name, _ in asked["inputs"]}
    files = {name: tried.files() for name, tried in readers.items()}
    for name, tried in readers.items():  # so that what is loaded once is not charged to the first input
        file, data = files[name][0]
        (folder / file).write_bytes(data)
        tried.read(folder / file)
    print("ready", file=answers, flush=True)
    warnings.simplefilter("ignore")
    for name, number in asked["inputs"]:
        if readers[name].as_they_are:
            file, data = files[name][number]
        else:
            file, data = example(files[name], name, asked["seed"], number)
        (folder / file).write_bytes(data)
        print(json.dumps(_tried(readers[name], folder / file)), file=answers, flush=True)
        (folder / file).unlink()


if __name__ == "__main__":
    main()
