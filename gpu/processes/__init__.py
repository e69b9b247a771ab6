"""Processes of our own that compute: a function of this program runs in each, takes requests and tells what it makes of them.

    team = Team("gpu.engine.frame_worker:work", (session,), 2)
    team.workers[0].ask(7)
    for worker, message in team.messages(0.1): ...

Threads would share Python's lock and OpenGL's context; processes share nothing, and one that dies takes no other with it. Each
computes on one thread, or as many as there are of them would stand in each other's way. What goes between is pickled:
both ends are this program. A worker ends when its requests end, which they do when the program that asks is gone.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gpu import errors

PIPE_BYTES = 1 << 20

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "LP_NUM_THREADS")
"""What tells libraries on how many threads they compute: torch, BLAS, numba, llvmpipe."""

GRACE_SECONDS = 2.0
"""So long a worker that is to end may take to remove what it has begun; then it is killed."""


@dataclass(frozen=True)
class Told:
    """What a worker's function has told."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """What a worker's function has ended with: a NoisescopeError, or a RuntimeError that says what nobody foresaw."""

    problem: Exception


@dataclass(frozen=True)
class Ended:
    """A worker is there no more; `how` in words: "signal 9", "status 0"."""

    how: str


Message = Told | Failed | Ended


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Worker:
    """A process in which `target` ("package.module:function") is called with an iterator of requests, a function that tells,
    and `arguments`. What it tells comes into `inbox`, with the worker itself. BackendError when no process can be started."""

    def __init__(
        self, target: str, arguments: tuple[Any, ...], inbox: queue.SimpleQueue[tuple[Worker, Message]]
    ) -> None:
        self._process = _spawn()
        self._reader = threading.Thread(target=self._read, args=(inbox,), name="worker", daemon=True)
        self._reader.start()
        self.ask((target, arguments))
        # Also when this object is forgotten, and when the program ends.
        self._end = weakref.finalize(self, _kill, self._process)

    @property
    def number(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, request: Any) -> None:
        """Hand it a request. One that cannot be handed to a process that is gone is lost: `Ended` says so."""
        assert self._process.stdin is not None
        with suppress(OSError):
            pickle.dump(request, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def no_more(self) -> None:
        """There will be no more requests: when it has answered those that it has, it ends."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        """Tell it to remove what it has begun, and to end."""
        with suppress(OSError):
            self._process.terminate()

    def close(self, seconds: float = GRACE_SECONDS) -> None:
        """Wait so long for its end, then kill it."""
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end()
        self._reader.join(GRACE_SECONDS)

    def _read(self, inbox: queue.SimpleQueue[tuple[Worker, Message]]) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                inbox.put((self, pickle.load(self._process.stdout)))
        except Exception:  # the end of the pipe, in the middle of a message or not
            code = self._process.wait()
            inbox.put((self, Ended(f"signal {-code}" if code < 0 else f"status {code}")))


class Team:
    """So many workers with the same target and arguments."""

    def __init__(self, target: str, arguments: tuple[Any, ...], count: int) -> None:
        """BackendError when a process cannot be started; those that were are ended."""
        self._target, self._arguments = target, arguments
        self._inbox: queue.SimpleQueue[tuple[Worker, Message]] = queue.SimpleQueue()
        self.workers: list[Worker] = []
        try:
            for _ in range(count):
                self.add()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self) -> Worker:
        """One worker more."""
        worker = Worker(self._target, self._arguments, self._inbox)
        self.workers.append(worker)
        return worker

    def dismiss(self, worker: Worker) -> None:
        """End a worker, which is not waited for if it has ended already."""
        self.workers.remove(worker)
        worker.end()
        worker.close()

    def messages(self, seconds: float) -> Iterator[tuple[Worker, Message]]:
        """What the workers have told, in the order it came; waits so long for the first, and for no other. What a worker tells
        that was dismissed is dropped."""
        with suppress(queue.Empty):
            worker, message = self._inbox.get(timeout=seconds)
            while True:
                if worker in self.workers:
                    yield worker, message
                worker, message = self._inbox.get_nowait()

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        end = time.monotonic() + GRACE_SECONDS
        for worker in self.workers:
            worker.end()
        for worker in self.workers:
            worker.close(end - time.monotonic())
        self.workers.clear()


def environment(threads: Sequence[str] = ONE_THREAD) -> dict[str, str]:
    """The variables of a process that finds this program's packages and computes on one thread."""
    variables = dict(os.environ)
    root = str(Path(__file__).parents[2])
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (root, variables.get("PYTHONPATH", ""))))
    return variables | dict.fromkeys(threads, "1")


def widen(pipe: IO[bytes]) -> None:
    """Room for a good part of a frame: with 64 kB, two processes take turns a hundred times a frame."""
    with suppress(ImportError, AttributeError, OSError):  # only Linux has it
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _spawn() -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            # -P: nothing is imported from the folder the person stands in.
            [sys.executable, "-P", "-m", "gpu.processes.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("NOISESCOPE_DEBUG") else subprocess.DEVNULL,
            env=environment(),
        )
    except OSError as problem:
        raise errors.BackendError(f"A process to work in cannot be started: {problem.strerror}.") from None
    assert process.stdout is not None
    widen(process.stdout)
    return process


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError, ValueError):  # what was not written belongs to nobody
                pipe.close()
