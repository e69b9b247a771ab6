"""Measures many priors at many sizes, each in a process of its own, so that the peak of memory is its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

from gpu import errors
from gpu.bench.row import Job, Row
from gpu.engine.results import Update

POLL_SECONDS = 0.1
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass
class Measured:
    """What came out: rows in the order of the jobs, and a sentence for each job without one."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Slope(TypedDict):
    """By which power of the pixels the time of a frame grows: 1 is linear."""

    prior: str
    backend: str
    slope: float


class Failed(Exception):
    """A job that gave no row, with a sentence."""


def measured(jobs: Sequence[Job], optional: Iterable[str] = ()) -> Generator[Update, None, Measured]:
    """Measure the jobs one after another. Of a backend in `optional` that is not there one note is made and no more is asked;
    what its rasteriser has nothing to do for is not measured again for another backend. Closing it ends the process at work."""
    outcome = Measured()
    missing: set[str] = set()
    alike: set[tuple[str, int, int]] = set()  # what was measured and used no rasteriser
    for number, job in enumerate(jobs):
        place = job.settings.key, job.height, job.width
        if job.backend in missing or place in alike:
            continue
        try:
            row = yield from _row(job, number, len(jobs))
        except errors.BackendError as problem:
            if job.backend not in optional:
                raise
            missing.add(job.backend)
            outcome.notes.append(f"The backend {job.backend} is left out: {problem}")
            continue
        except Failed as problem:
            outcome.failures.append(f"{job.title} could not be measured: {problem}")
            continue
        if not row["drawn"]:
            alike.add(place)
        outcome.rows.append(row)
    return outcome


def slopes(rows: Iterable[Row]) -> list[Slope]:
    """Of each prior and backend with two sizes or more: the least-squares slope of log time over log pixels.

    >>> one = {"prior": "integral", "backend": "torch", "height": 64, "width": 64, "median_ms": 2.0}
    >>> slopes([one, {**one, "height": 128, "median_ms": 4.0}])
    [{'prior': 'integral', 'backend': 'torch', 'slope': 1.0}]
    """
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        point = math.log(row["height"] * row["width"]), math.log(max(row["median_ms"], 1e-6))
        points.setdefault((row["prior"], row["backend"]), []).append(point)
    fitted = []
    for (prior, backend), pairs in points.items():
        x_mean, y_mean = (sum(pair[axis] for pair in pairs) / len(pairs) for axis in (0, 1))
        spread = sum((x - x_mean) ** 2 for x, _ in pairs)
        if spread > 0:
            slope = sum((x - x_mean) * (y - y_mean) for x, y in pairs) / spread
            fitted.append(Slope(prior=prior, backend=backend, slope=round(slope, 3)))
    return fitted


def _row(job: Job, number: int, total: int) -> Generator[Update, None, Row]:
    """The row of one job, from a process of its own. The NoisescopeError that it ended with; Failed when it crashed."""
    messages: queue.SimpleQueue[str] = queue.SimpleQueue()
    with tempfile.TemporaryFile() as complaints:
        process = _spawn(job, complaints)
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, messages), daemon=True)
        reader.start()
        timed = 0
        try:
            while True:
                yield Update(round(1000 * (number + timed / (job.frames + 1))), 1000 * total, job.title)
                try:
                    line = messages.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    continue
                if not line:
                    raise Failed(_reason(process.wait(), complaints))
                message = json.loads(line)
                if "row" in message:
                    row: Row = message["row"]
                    return row
                if "error" in message:
                    kind = getattr(errors, message["kind"], errors.BackendError)
                    raise kind(message["error"])
                timed = message["timed"]
        finally:
            process.kill()
            process.wait()
            reader.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _spawn(job: Job, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    environment.update(dict.fromkeys(THREADS, "1"))
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gpu.bench.row", json.dumps(dataclasses.asdict(job))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us, who then end it
        )
    except OSError as problem:
        raise errors.BackendError(f"The process that measures cannot be started: {problem.strerror}.") from None


def _read(pipe: IO[bytes], messages: queue.SimpleQueue[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in pipe:
            if line.startswith(b"{"):  # libraries may print, too
                messages.put(line.decode("utf-8", "replace"))
    messages.put("")


def _reason(code: int, complaints: IO[bytes]) -> str:
    """Why a process gave no row."""
    if code < 0:
        return f"its process was ended by signal {-code}, as the system does when memory runs out."
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return f"its process ended with {code} ({last.rstrip('.')})."
