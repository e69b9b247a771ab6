"""Ending when told: a signal raises a flag, which is looked at where ending is safe; what does not look is ended all the same.

Python raises KeyboardInterrupt wherever it happens to be: inside a paint event of Qt, which prints and forgets it, or in
the middle of an import, which leaves half a module. Here a signal only sets a flag. Long work calls `check` between its
steps; the window is woken by `wake`. What has not ended GRACE_SECONDS after that, or is told a second time, is ended at once,
less the files that it had begun. No Qt here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

GRACE_SECONDS = 2.5
"""So long the work may take to come to a safe place: the step of a network or a slice of a large file takes less."""

SHORT_SECONDS = 0.5
"""The same where nothing is to be wound up: no window stands and no file is begun, as while libraries are loaded."""

SAID = "Stopped. Nothing was left half-written."


class _Flag:
    """What the process was told: `number` of the first signal (0: none yet), and what has to be woken, as a `window` has."""

    def __init__(self) -> None:
        self.number = 0
        self.window = False
        self.bell = _Pipe()


class _Pipe:
    """Two descriptors: what is written to one is read from the other. `write` never waits."""

    def __init__(self) -> None:
        self._pair: tuple[Any, ...] = ()
        if os.name == "nt":  # where only a socket can be waited for, and be written to by a signal
            import socket

            self._pair = socket.socketpair()
            self._pair[1].setblocking(False)
            self.reading, self.writing = (each.fileno() for each in self._pair)
        else:
            self.reading, self.writing = os.pipe()
            os.set_blocking(self.writing, False)

    def read(self) -> int:
        """The next byte; 0 once there will be none."""
        data: bytes = self._pair[0].recv(1) if self._pair else os.read(self.reading, 1)
        return data[0] if data else 0

    def write(self, byte: int) -> None:
        with contextlib.suppress(OSError):  # full: whoever reads has enough to read
            if self._pair:
                self._pair[1].send(bytes([byte]))
            else:
                os.write(self.writing, bytes([byte]))

    def close(self) -> None:
        for each in self._pair:
            each.close()
        if not self._pair:
            os.close(self.reading)
            os.close(self.writing)


_flag: _Flag | None = None


def told() -> bool:
    """Whether the process was told to end."""
    return _flag is not None and _flag.number != 0


def check() -> bool:
    """KeyboardInterrupt when the process was told to end, else False: to be called between the steps of long work."""
    if told():
        raise KeyboardInterrupt
    return False


def code() -> int:
    """The exit code of a process that was told to end, as shells count: 128 and the signal's number, 130 for Ctrl-C."""
    return 128 + (_flag.number if _flag is not None and _flag.number else signal.SIGINT)


def wake() -> int | None:
    """A file descriptor (on Windows a socket) that can be read once the process is told to end; None when nobody listens."""
    if _flag is None:
        return None
    _flag.window = True
    return _flag.bell.reading


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Within the block signals set the flag. Elsewhere than on the main thread, which alone gets signals, and inside another
    such block, this does nothing."""
    global _flag
    if _flag is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    flag = _flag = _Flag()
    numbers = _Pipe()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    wakeup = signal.set_wakeup_fd(numbers.writing, warn_on_full_buffer=False)
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as in `nohup`, or for a job that a shell put into the background
            signal.signal(number, _nothing)
    watcher = threading.Thread(target=_watch, args=(numbers, flag), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        numbers.write(0)
        watcher.join()
        numbers.close()
        flag.bell.close()
        _flag = None


def _nothing(number: int, frame: object) -> None:
    """What Python does on the main thread when there is time for it; the system has told the watcher long before."""


def _watch(numbers: _Pipe, flag: _Flag) -> None:
    """On a thread of its own: the system writes a signal's number even while the main thread is deep in some library."""
    ending: threading.Timer | None = None
    while number := numbers.read():
        if number not in SIGNALS:
            continue
        if flag.number:
            end_at_once(flag.number)
        flag.number = number
        seconds = GRACE_SECONDS if flag.window or _has_begun() else SHORT_SECONDS
        ending = threading.Timer(seconds, end_at_once, [flag.number])
        ending.daemon = True
        ending.start()
        flag.bell.write(1)
    if ending is not None:
        ending.cancel()


def end_at_once(number: int) -> None:
    """End the process here and now, without its files that are not whole yet, and tell the processes it has started."""
    if _has_begun():
        sys.modules["gpu.leftovers"].discard_begun()
    for child in _children():
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGTERM)
    with contextlib.suppress(OSError):
        os.write(2, f"noisescope: {SAID}\n".encode())
    os._exit(128 + number)


def leave(status: int) -> None:
    """End the process now that its work is wound up, without taking libraries apart: threads of Qt and of torch may still
    be running, and what they do while the interpreter goes is not foreseen by either."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status)


def _has_begun() -> bool:
    """Whether there are files that are not whole yet."""
    leftovers = sys.modules.get("gpu.leftovers")  # not imported here: another thread may be in the middle of that
    return leftovers is not None and hasattr(leftovers, "has_begun") and bool(leftovers.has_begun())


def _children() -> list[int]:
    """Processes that this one has started, where the system tells (Linux)."""
    children: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
                children += [int(text) for text in file.read().split()]
    return children
