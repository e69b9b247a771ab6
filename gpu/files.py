"""Writing whole or not at all: results grow under a temporary name beside their place and move there at the end."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gpu.errors import NoisescopeError, OutputError
from gpu.leftovers import begun, clear, remove, temporary, temporary_folder
from gpu.locks import holder, take

PATIENCE = 0.3  # seconds to wait for a lock


def check_file(path: Path, suffixes: Sequence[str] = ()) -> None:
    """OutputError when no file can be written to `path`, found before the work that fills it.

    The folder must exist and be writable; the name must end in one of `suffixes` where there are any.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        wanted = suffixes[0] if len(suffixes) == 1 else "one of " + ", ".join(suffixes)
        raise OutputError(f"The name of the output {path} must end in {wanted}.")
    _check_name(path)
    _check_writable(path, _target(path).absolute().parent)
    if path.is_dir():
        raise OutputError(f"The output {path} is a folder; a file name was expected.")
    if path.exists() and not path.is_file():
        raise OutputError(f"The output {path} is a device or a pipe; the name of a file was expected.")


def check_folder(path: Path) -> None:
    """OutputError when the folder `path` cannot be made, or is there and cannot be written to."""
    _check_name(path)
    if path.is_symlink() and not path.exists():
        raise OutputError(f"The output {path} is a link to nowhere; the name of a folder was expected.")
    if path.exists() and not path.is_dir():
        raise OutputError(f"The output {path} is a file; the name of a folder was expected.")
    _check_writable(path, path if path.is_dir() else None)


def check_regular(path: str | os.PathLike[str], expected: str, error: type[NoisescopeError]) -> None:
    """`error` where `path` is a pipe, a device or a socket, which would make whoever opens it wait, or read without end.
    Nothing is said of folders, and of what is not there. `expected`, in words."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{os.fspath(path)} is no regular file; expected {expected}.")


def _check_name(path: Path) -> None:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as problem:  # too long; a null character
        told = reason(problem) if isinstance(problem, OSError) else str(problem)
        raise OutputError(f"The output {path} cannot be written: {told}.") from None


def _check_writable(path: Path, within: Path | None = None) -> None:
    """OutputError when nothing can be made in the folder `within`, or in the one that `path` is to lie in."""
    _check_name(path)
    folder = within or path.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"The output {path} cannot be written: there is no folder {folder}.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise OutputError(f"The output {path} cannot be written: {reason(problem)}.") from None


def check_space(path: Path, size: int) -> None:
    """OutputError when `size` bytes do not fit where `path` is to lie. What killed runs left there is cleared away first."""
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    clear(folder)
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # not every file system tells
    if size > free:
        raise OutputError(
            f"The output {path} needs about {byte_text(size)}, but only {byte_text(free)} are free there."
        )


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, with the same suffix, that becomes `path` when the block ends well, on the disk as well
    as in the system's memory.

    When the block raises, a full disk included (which becomes OutputError), the temporary file is removed and an
    earlier file of that name stays as it was. Where `path` is a link, what it leads to is replaced.
    """
    _check_name(path)
    target = _target(path)
    partial = temporary(target)
    try:
        with begun(partial), _said(path, partial.parent):
            clear(partial.parent)
            yield partial
            flush(partial)
            os.replace(partial, target)
            _flush_folder(target.parent)
    finally:
        with suppress(OSError):
            remove(partial)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder; when the block ends well its files are in `path`, replacing those of the same name, and when it
    raises nothing of it is left. While it lasts nobody else can write into `path` this way: OutputError for who comes second.

    It lies within `path` where that is there already, which may be a disk of its own or in a folder that nobody may
    write to, and else beside it.
    """
    _check_name(path)
    partial, place = temporary_folder(path)
    within = partial.parent == path
    with ExitStack() as stack, _said(path, partial.parent):
        stack.enter_context(_alone(path, place))
        stack.enter_context(begun(partial, place))
        clear(partial.parent)
        stack.callback(shutil.rmtree, partial, ignore_errors=True)
        if partial.exists():  # of a run that was killed: nobody held the lock
            remove(partial)
        partial.mkdir()
        yield partial
        for item in partial.rglob("*"):
            if not item.is_dir():
                flush(item)
        if path.is_dir():
            if not within:  # somebody made it in the meantime, and may be writing there
                stack.enter_context(_alone(path, temporary_folder(path)[1]))
            _move_into(partial, path)
        else:
            os.replace(partial, path)
            _flush_folder(path.parent)


@contextmanager
def holding_folder(path: Path) -> Iterator[None]:
    """While the block lasts, nobody else can write into the folder `path`, which is there; OutputError when somebody does."""
    with _said(path, path), _alone(path, temporary_folder(path)[1]):
        yield


def _move_into(partial: Path, path: Path) -> None:
    for item in sorted(partial.iterdir()):
        target = path / item.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        os.replace(item, target)
    _flush_folder(path)


@contextmanager
def _alone(path: Path, place: Path) -> Iterator[None]:
    """Hold the lock at `place`; OutputError when another run holds it."""
    lock = take(place)
    end = time.monotonic() + PATIENCE  # whoever clears away what killed runs left holds it for a moment
    while lock is None and time.monotonic() < end:
        time.sleep(PATIENCE / 10)
        lock = take(place)
    if lock is None:
        number = holder(place)
        who = f"Another run (process {number})" if number else "Another run"
        raise OutputError(f"{who} is writing into the folder {path}; wait until it has ended, or name another folder.")
    try:
        yield
    finally:
        lock.release()


def flush(path: Path) -> None:
    """Have the system put a file onto the disk. OSError when it cannot: some find out that they are full only now."""
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):  # not every file system can
            raise
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Have the system put the names in a folder onto the disk, where folders can be opened."""
    with suppress(OSError):  # the file is whole and in its place; nothing is to be taken back
        flush(folder)


@contextmanager
def _said(path: Path, folder: Path) -> Iterator[None]:
    """Turn what the system raises into OutputError, and whatever a library raises once `folder` was taken away."""
    there = folder.is_dir()
    try:
        yield
    except NoisescopeError:
        raise
    except Exception as problem:
        if there and not folder.is_dir():
            why = f"the folder {folder} was taken away or replaced while it was written to"
        elif isinstance(problem, OSError):
            why = reason(problem)
            name = problem.filename
            if isinstance(name, str | bytes) and not Path(os.fsdecode(name)).absolute().is_relative_to(
                folder.absolute()
            ):
                raise OutputError(f"{os.fsdecode(name)} cannot be used: {why}.") from problem  # what was read meanwhile
        else:
            raise
        raise OutputError(f"The output {path} cannot be written: {why}.") from problem


def _target(path: Path) -> Path:
    """Where the file `path` lies: a link stays, and what it leads to is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def reason(problem: OSError) -> str:
    """Why the system refused, in words."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    return (problem.strerror or str(problem) or type(problem).__name__).lower()


def byte_text(size: float) -> str:
    """1234567 as "1.2 MB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
