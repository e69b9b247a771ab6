"""A lock is held by one, in whatever process, and ends with it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpu import locks

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys
from pathlib import Path
from gpu.locks import take
assert take(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


def test_one_holds_it_in_a_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = locks.take(path)
    assert lock is not None
    assert locks.take(path) is None
    assert locks.holder(path) == os.getpid()
    lock.release()
    lock.release()
    assert not path.exists()
    again = locks.take(path)
    assert again is not None
    again.release()


def test_it_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert locks.take(path) is None
        assert locks.holder(path) == process.pid
        process.kill()
    lock = locks.take(path)
    assert lock is not None, "nobody has to tidy up after a process that was killed"
    lock.release()


def test_a_lock_whose_file_was_taken_away_is_another(tmp_path: Path) -> None:
    """Who waits for a lock opens its file before it is gone: that file is nobody's lock any more."""
    path = tmp_path / "lock"
    first = locks.take(path)
    assert first is not None
    path.unlink()
    second = locks.take(path)
    assert second is not None
    assert locks.take(path) is None
    second.release()
    first.release()


@pytest.mark.skipif(sys.platform == "win32", reason="has locks everywhere")
def test_without_locks_of_the_system_the_text_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", none)
    path, now = tmp_path / "lock", time.time()
    lock = locks.take(path)
    assert lock is not None
    assert locks.take(path) is None, "this very process holds it"
    lock.release()
    for text, free in (
        (f"{locks.here()} {os.getppid()} {now:.0f}", False),
        (f"{locks.here()} {os.getppid()} 1000000", True),  # the number was given out again
        (f"{locks.here()} 2147480000 {now:.0f}", True),  # has ended
        (f"0badcafe 2147480000 {now:.0f}", False),  # on another machine
        (f"0badcafe {os.getppid()} {now - 2 * locks.DAY:.0f}", True),
        ("", True),
        ("one two three", True),
        ("\xff" * 100, True),
        (f"{locks.here()} {'9' * 80} {now:.0f}", True),
    ):
        path.write_text(text, encoding="latin-1")
        lock = locks.take(path)
        assert (lock is not None) == free, text
        if lock is not None:
            lock.release()


def test_processes_are_told_by_number_and_time() -> None:
    now = time.time()
    assert locks.runs(os.getpid(), now)
    assert locks.runs(os.getppid(), now)
    assert not locks.runs(os.getpid(), now - 10**8), "it has that number since later"
    assert not locks.runs(os.getppid(), 10**6)
    for number in (0, -1, 2147480000, 10**30):
        assert not locks.runs(number)


@pytest.mark.skipif(sys.platform != "linux", reason="zombies are told by /proc")
def test_a_process_that_ended_unnoticed_has_ended() -> None:
    child = subprocess.Popen(["true"])
    end = time.monotonic() + 10
    while locks.runs(child.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not locks.runs(child.pid)
    child.wait()


def test_a_full_disk_holds_a_lock_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = locks.take(tmp_path / "lock")
    assert lock is not None
    assert locks.take(tmp_path / "lock") is None
    assert locks.holder(tmp_path / "lock") == 0
    lock.release()
    assert not any(tmp_path.iterdir())
