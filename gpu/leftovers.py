"""Temporary names of results that are being written, and the removal of those whose run was killed."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gpu.locks import DAY, here, runs, take

SHOWN = 80  # bytes of a name that its temporary name repeats, which must not become too long for the file system

FILE = re.compile(r"\..*\.partial-((?P<machine>[0-9a-f]{8})-)?(?P<process>\d{1,10})(-\d+)?(\..*)?", re.DOTALL)
FOLDER = re.compile(r"(?P<name>\..*)\.partial", re.DOTALL)
LOCK = re.compile(r"(?P<name>\..*)\.noisescope-lock", re.DOTALL)

_numbers = itertools.count(1)
_begun: set[Path] = set()  # what this process, in any of its threads, has begun and will not leave behind


def temporary(path: Path) -> Path:
    """A name beside `path`, with its suffix, that nobody else uses: it says whose it is, on which machine."""
    name = f".{_short(path.stem)}.partial-{here()}-{os.getpid()}-{next(_numbers)}{_short(path.suffix)}"
    return path.with_name(name)


def temporary_folder(path: Path) -> tuple[Path, Path]:
    """The folder in which the files for the folder `path` gather, and the lock that whoever fills it holds: within `path` where
    that is there, else beside it."""
    folder, name = (path, ".noisescope") if path.is_dir() else (path.parent, f".{_short(path.name)}")
    return folder / f"{name}.partial", folder / f"{name}.noisescope-lock"


def clear(folder: Path) -> None:
    """Remove what killed runs left of their work in `folder`: files of temporary names whose process has ended, and folders
    whose lock nobody holds. Where the process cannot be told, as of another machine's, and where its number was given out
    again, files that nobody has written to for a day. What cannot be removed stays."""
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return
    for name in names:
        try:
            if FILE.fullmatch(name):
                if _is_left_over(name, folder / name):
                    remove(folder / name)
            elif parts := FOLDER.fullmatch(name) or LOCK.fullmatch(name):
                _clear_folder(folder / f"{parts['name']}.partial", folder / f"{parts['name']}.noisescope-lock", name)
        except OSError:
            continue  # another person's, or somebody else was quicker


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextmanager
def begun(*paths: Path) -> Iterator[None]:
    """For the time of the block, `paths` are what `discard_begun` removes."""
    _begun.update(paths)
    try:
        yield
    finally:
        _begun.difference_update(paths)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the time of the block, where the system keeps such things."""
    with tempfile.TemporaryDirectory(prefix="noisescope-") as name, begun(Path(name)):
        yield Path(name)


def discard_begun() -> None:
    """Remove what is not whole yet, and what stands beside it under names that begin alike. Only for a process that ends in
    the next moment: what still writes there, fails."""
    for path in list(_begun):
        with suppress(OSError):
            beside = [entry.name for entry in os.scandir(path.parent) if f"{entry.name}.".startswith(f"{path.name}.")]
            for name in beside:
                remove(path.parent / name)


def has_begun() -> bool:
    """Whether there is anything for `discard_begun` to remove."""
    return bool(_begun)


def _is_left_over(name: str, path: Path) -> bool:
    parts = FILE.fullmatch(name)
    assert parts is not None
    written = path.lstat().st_mtime
    process = int(parts["process"])
    if parts["machine"] == here():
        if not runs(process):
            return True
        if runs(process, written):
            return False
    return time.time() - written > DAY


def _clear_folder(partial: Path, place: Path, name: str) -> None:
    if name == partial.name and not place.exists():
        return  # not ours: its lock is there as long as its run has not ended well
    lock = take(place)
    if lock is not None:
        try:
            if partial.exists():
                remove(partial)
        finally:
            lock.release()


def _short(name: str) -> str:
    return os.fsencode(name)[:SHOWN].decode("utf-8", "ignore")
