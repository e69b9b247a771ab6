"""Locks that end with the process that holds them, however it ends: the system keeps them, so that none is ever left over."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from zlib import crc32

DAY = 24 * 3600.0  # seconds
TRIES = 100  # a holder that takes its lock's file away lets the next try succeed
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)  # of a file system that keeps none


class Lock:
    """Holds `path` until `release`; made by `take`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Let go, and take the lock's file away. What is let go already stays so."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        if os.name == "nt":  # an open file cannot be removed there
            os.close(descriptor)
            descriptor = -1
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            pass  # an empty file that nobody holds harms nobody
        finally:
            if descriptor >= 0:
                os.close(descriptor)


def take(path: Path) -> Lock | None:
    """The lock at `path`, whose file is made where there is none; None when somebody else holds it, in this process or another.

    OSError when the file can neither be made nor opened. Where the file system keeps no locks (some of clusters), the file's
    text tells who holds it, and whether that process still runs is asked of the system; on another machine it counts as
    running for a day.
    """
    for _ in range(TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            if _is_still(path, descriptor):
                if os.name != "nt":  # where nobody else could read it
                    with suppress(OSError):  # a full disk holds a lock all the same
                        os.ftruncate(descriptor, 0)
                        os.pwrite(descriptor, f"{here()} {os.getpid()} {time.time():.0f}\n".encode(), 0)
                return Lock(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder has just taken it away
    return None


def holder(path: Path) -> int:
    """The number of the process that holds the lock at `path`, for a sentence about it; 0 where that cannot be told."""
    try:
        with path.open("rb") as file:
            return int(file.read(200).decode("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0


@cache
def here() -> str:
    """Eight hexadecimal digits for what gives processes their numbers: this machine, since it was started, or a container."""
    told = [socket.gethostname()]
    for place in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            told.append(os.readlink(place) if place.endswith("pid") else Path(place).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return f"{crc32(' '.join(told).encode()):08x}"


def runs(number: int, since: float | None = None) -> bool:
    """Whether process `number` of this machine still runs; with `since` (seconds since 1970), whether it did already then: a
    number is given out again. One that has ended and that nobody took notice of, as happens in a container, has ended."""
    if not 0 < number < 2**31:
        return False
    if number == os.getpid():
        return since is None or since >= _started("self")
    if os.name == "nt":
        return False  # there is no harmless signal to ask with
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another person's
    try:
        if Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
            return False
    except (OSError, ValueError, IndexError):
        return True  # no Linux
    return since is None or since >= _started(str(number))


def _started(process: str) -> float:
    """When a process was started, in seconds since 1970 less the few that clocks may differ by; 0 where nothing tells."""
    try:
        ticks = float(Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return time.time() - up + ticks / os.sysconf("SC_CLK_TCK") - 2.0
    except (OSError, ValueError, IndexError):
        return 0.0


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as problem:
        if problem.errno not in NO_LOCKS:
            raise
        return _is_free(descriptor)
    return True


def _is_free(descriptor: int) -> bool:
    """By the text in the file: whether who wrote it has ended."""
    try:
        machine, number, since = os.pread(descriptor, 200, 0).decode("ascii").split()
        if machine == here():
            return not runs(int(number), float(since))
        return not abs(time.time() - float(since)) <= DAY
    except ValueError:
        return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that lies at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
