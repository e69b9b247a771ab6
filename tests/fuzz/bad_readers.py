"""Readers with the faults that the harness has to find, for its own test. The first file is read well."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gpu.errors import ClipError
from tests.fuzz.readers import Reader

GOOD = b"good" * 20


def _files() -> list[tuple[str, bytes]]:
    return [("a.bin", GOOD)]


def _is_good(path: Path) -> bool:
    return path.read_bytes() == GOOD


def _fine(path: Path) -> int:
    if _is_good(path):
        return 80
    raise ClipError(f"{path} is not good.")


def _raises(path: Path) -> int:
    empty: list[int] = []
    return 80 if _is_good(path) else empty[0]


def _hangs(path: Path) -> int:
    if not _is_good(path):
        time.sleep(60)
    return 80


def _works(path: Path) -> int:
    began = time.process_time()
    while not _is_good(path) and time.process_time() - began < 0.4:
        pass
    return 80


def _dies(path: Path) -> int:
    if not _is_good(path):
        os.kill(os.getpid(), signal.SIGSEGV)
    return 80


def _takes(path: Path) -> int:
    if not _is_good(path):
        held = bytearray(200 << 20)
        held[::4096] = bytes(len(held[::4096]))
    return 80


def _mumbles(path: Path) -> int:
    if not _is_good(path):
        raise ClipError("bad\nfile")
    return 80


FINE, RAISES, HANGS, WORKS, DIES, TAKES, MUMBLES = (
    Reader(read, _files) for read in (_fine, _raises, _hangs, _works, _dies, _takes, _mumbles)
)
