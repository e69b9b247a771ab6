"""Our side of a decoder's process: asks for a call, waits for the answer, and says in a sentence when none comes.

A decoder of FFmpeg or OpenImageIO that is fed a broken file may crash, loop or ask for all memory. In a process of its own it
can be ended, and has limits. Answers are JSON and the bytes of arrays, nothing that could run code here.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gpu import errors, interrupt

START_SECONDS = 60.0
"""Until a new process is ready: Python and libraries are loaded, which takes a fraction of it on a quiet machine."""

ANSWER_SECONDS = 10.0
"""Until an answer, unless a call asks for more: a picture that takes longer is a trap, or too large to work with."""

MEMORY_BYTES = 1 << 30
"""What a call may use beyond what the process had when it was ready, and beyond what the call itself asks for."""

POLL_SECONDS = 0.05
PIPE_BYTES = 1 << 20
MOST_HEADER_BYTES = 64 << 20

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """What a call gave: `value` is plain JSON, `arrays` are its arrays in order."""

    value: Any
    arrays: tuple[Array, ...]


class DecoderProcess:
    """A process that answers calls one after another, in the order they were asked for. It starts with the first.

    >>> with DecoderProcess() as process:
    ...     process.call("gpu.decoders.server:echo", {"text": "ö", "shape": [2, 3]}).arrays[0].shape
    (2, 3)
    """

    def __init__(self, memory: int = MEMORY_BYTES) -> None:
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[Answer | Exception | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(0)
        self._asked = 0
        self._end: Callable[[], object] = _nothing

    def __enter__(self) -> DecoderProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def asked(self) -> int:
        """Calls whose answers have not been taken yet."""
        return self._asked

    @property
    def closed(self) -> bool:
        """Whether there is no process now; the next call starts one."""
        return self._process is None

    def call(
        self, function: str, arguments: dict[str, Any], seconds: float = ANSWER_SECONDS, memory: int = 0
    ) -> Answer:
        """`ask`, then `take`. Answers that nobody took, because whoever asked was interrupted, are waited for and dropped."""
        while self._asked:
            with suppress(errors.NoisescopeError):
                self.take(seconds)
        self.ask(function, arguments, memory)
        return self.take(seconds)

    def ask(self, function: str, arguments: dict[str, Any], memory: int = 0) -> None:
        """Have `function` ("package.module:name") called with `arguments`, which must be JSON. `memory`: bytes that it may use
        beyond MEMORY_BYTES. BackendError when no process can be started."""
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        line = json.dumps({"function": function, "arguments": arguments, "memory": self._memory + memory})
        try:
            self._process.stdin.write(line.encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:  # it is gone; `take` says so
            pass
        self._asked += 1
        self._room.release()

    def take(self, seconds: float = ANSWER_SECONDS) -> Answer:
        """The answer to the oldest call. The NoisescopeError that the call ended with; ClipError when the process crashed, used
        too much memory or gave no answer in time, and with it the process ends. Interrupted when nobody waits any more: the
        answer can still be taken later."""
        if not self._asked:
            raise ValueError("nothing was asked for")
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = self._answers.get(timeout=POLL_SECONDS)
                break
            except queue.Empty:
                if time.monotonic() > deadline:
                    self.close()
                    raise errors.ClipError(
                        f"the decoder gave no answer for {seconds:.0f} s and was stopped; the file is damaged, or too large"
                    ) from None
                interrupt.poll()
        self._asked -= 1
        if answer is None:
            status = self._status()
            self.close()
            raise errors.ClipError(f"the decoder ended early ({status}); the file is damaged, or needs too much memory")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the process, with whatever it is doing. The next call starts another."""
        self._process = None
        self._asked = 0
        self._end()

    def _status(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "without a word"
        return f"signal {-code}" if code < 0 else f"status {code}"

    def _start(self) -> None:
        process = _take_spare() or _spawn()
        self._process = process
        assert process.stdout is not None
        self._answers, self._room = queue.SimpleQueue(), threading.Semaphore(0)
        reader = threading.Thread(
            target=_read, args=(process.stdout, self._answers, self._room), name="decoder answers", daemon=True
        )
        reader.start()
        # Also when this object is forgotten, and when the program ends.
        self._end = weakref.finalize(self, _stop, process, self._room)
        self._asked += 1
        self._room.release()
        try:
            self.take(START_SECONDS)  # it says that it is ready
        except errors.ClipError as problem:
            raise errors.BackendError(f"The process that reads files did not start: {problem}.") from None
        except interrupt.Interrupted:  # else what it says first would be taken for an answer
            self.close()
            raise


_spare: list[subprocess.Popen[bytes]] = []
_spare_lock = threading.Lock()


def prepare() -> None:
    """Start a process that the next DecoderProcess takes: Python and FFmpeg are loaded while the program does something else.
    Without effect where one waits already, or cannot be started: whoever needs it then says so."""
    with _spare_lock:
        if not _spare:
            with suppress(errors.BackendError):
                _spare.append(_spawn("gpu.decoders.container"))


def _take_spare() -> subprocess.Popen[bytes] | None:
    with _spare_lock:
        process = _spare.pop() if _spare else None
    if process is not None and process.poll() is not None:  # it ended meanwhile
        _stop(process, threading.Semaphore(0))
        return None
    return process


@atexit.register
def _stop_spare() -> None:
    process = _take_spare()
    if process is not None:
        _stop(process, threading.Semaphore(0))


def _spawn(*modules: str) -> subprocess.Popen[bytes]:
    """A process that says when it is ready; it imports `modules` first."""
    environment = dict(os.environ)
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    environment["MALLOC_ARENA_MAX"] = "2"  # an arena a thread would count as memory that is used
    environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = "1"
    try:
        process = subprocess.Popen(
            # -P: nothing is imported from the folder the person stands in, which may hold a stranger's av.py.
            [sys.executable, "-P", "-m", "gpu.decoders.server", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    except OSError as problem:
        raise errors.BackendError(f"The process that reads files cannot be started: {problem.strerror}.") from None
    assert process.stdout is not None
    _widen(process.stdout)
    return process


def _nothing() -> None:
    """There is no process to end."""


def _stop(process: subprocess.Popen[bytes], room: threading.Semaphore) -> None:
    process.kill()
    process.wait()
    room.release()  # the thread that reads waits for a call that will not come
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not written belongs to nobody
                pipe.close()


def _read(pipe: IO[bytes], answers: queue.SimpleQueue[Answer | Exception | None], room: threading.Semaphore) -> None:
    """Takes answers off the pipe, each when its call was made; None when there will be none any more."""
    try:
        while True:
            room.acquire()
            answers.put(_answer(pipe))
    except (OSError, ValueError, EOFError, KeyError, TypeError, MemoryError):
        answers.put(None)


def _widen(pipe: IO[bytes]) -> None:
    """Room for a good part of a frame: with 64 kB, two processes take turns a hundred times a frame."""
    with suppress(ImportError, AttributeError, OSError):  # only Linux has it
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _answer(pipe: IO[bytes]) -> Answer | Exception:
    line = pipe.readline(MOST_HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    if "error" in header:
        kind = getattr(errors, header["error"], errors.ClipError)
        return kind(header["text"]) if issubclass(kind, errors.NoisescopeError) else errors.ClipError(header["text"])
    arrays = []
    for shape, dtype in header["arrays"]:
        array = np.empty(shape, np.dtype(dtype))
        view = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        at = 0
        while at < len(view):
            count = pipe.readinto(view[at:])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            at += count
        arrays.append(array)
    return Answer(header["value"], tuple(arrays))
