"""Whether files are still what they were when they were opened: what is read bit by bit must not become two files in one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from gpu.errors import ClipError, NoisescopeError

Name = str | os.PathLike[str]


class _Print(NamedTuple):
    """What tells a file from another of its name. Times in nanoseconds."""

    size: int
    written: int
    inode: int
    touched: int


class Unchanged:
    """Files as they were when this was made: `check` says whether one was written to, replaced or taken away since.

    Make it before the first byte is read, call `check` whenever more was read and at the end. Size and time of writing tell,
    and of a file that another was moved onto its inode together with the time that changes with it: alone either would blame
    files for nothing, an inode where a network's folder numbers its files anew, that time where a backup links them.
    Only regular files are watched: a pipe or a device changes by being read, and of what is not there the reader says so.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clip = Path(folder) / "clip.mp4"
    ...     _ = clip.write_bytes(b"frames")
    ...     opened = Unchanged(clip)
    ...     opened.check()
    ...     _ = clip.write_bytes(b"other frames")
    ...     try:
    ...         opened.check()
    ...     except ClipError as problem:
    ...         print(str(problem).replace(folder, "…"))
    …/clip.mp4 has changed since it was opened: it had 6 bytes and has 12. Open it again.
    """

    def __init__(self, paths: Name | Iterable[Name], error: type[NoisescopeError] = ClipError) -> None:
        """`paths`: a file, the files of a sequence, or a folder, which stands for the files that lie in it now. `error` is
        what `check` raises."""
        self._error = error
        self._seen: dict[str, _Print] = {}
        for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
            self.add(path)

    def add(self, path: Name) -> None:
        """Watch one file more, or those of a folder, as they are now."""
        try:
            for name in _files(os.fspath(path)):
                told = _print(name)
                if told is not None:
                    self._seen[name] = told
        except (OSError, ValueError):  # a name that no file can have
            return

    def check(self, path: Name | None = None) -> None:
        """Raise the error, with a sentence that names the file, when `path` has changed; None: when any of them has."""
        for name in self._seen if path is None else [os.fspath(path)]:
            before = self._seen.get(name)
            if before is None:
                continue
            try:
                now = _print(name)
            except OSError as problem:
                now = None
                if not isinstance(problem, FileNotFoundError):
                    raise self._error(f"{name} can no longer be read: {problem.strerror or problem}.") from None
            if now is None:
                raise self._error(f"{name} has changed since it was opened: it is no longer there.")
            how = _difference(before, now)
            if how:
                raise self._error(f"{name} has changed since it was opened: {how}. Open it again.")


def _files(name: str) -> list[str]:
    if not os.path.isdir(name):
        return [name]
    return [entry.path for entry in os.scandir(name) if entry.is_file()]


def _print(name: str) -> _Print | None:
    """None of what is no regular file."""
    status = os.stat(name)
    if not stat.S_ISREG(status.st_mode):
        return None
    return _Print(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


def _difference(before: _Print, now: _Print) -> str:
    """In words; empty when it is the same file still."""
    if before.size != now.size:
        return f"it had {before.size} bytes and has {now.size}"
    if before.written != now.written:
        return "it was written to"
    replaced = before.inode != now.inode and before.touched != now.touched
    return "another file was put in its place" if replaced else ""
