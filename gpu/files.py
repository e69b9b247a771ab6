"""Writing whole or not at all: results grow under a temporary name beside their place and move there at the end."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gpu.errors import OutputError

SHOWN = 40  # letters of a name that its temporary name repeats, which must not become too long for the file system


def check_file(path: Path, suffixes: Sequence[str] = ()) -> None:
    """OutputError when no file can be written to `path`, found before the work that fills it.

    The folder must exist and be writable; the name must end in one of `suffixes` where there are any.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        wanted = suffixes[0] if len(suffixes) == 1 else "one of " + ", ".join(suffixes)
        raise OutputError(f"The name of the output {path} must end in {wanted}.")
    _check_writable(path)
    if path.is_dir():
        raise OutputError(f"The output {path} is a folder; a file name was expected.")


def check_folder(path: Path) -> None:
    """OutputError when the folder `path` cannot be made, or is there and cannot be written to."""
    _check_name(path)
    if path.is_symlink() and not path.exists():
        raise OutputError(f"The output {path} is a link to nowhere; the name of a folder was expected.")
    if path.exists() and not path.is_dir():
        raise OutputError(f"The output {path} is a file; the name of a folder was expected.")
    _check_writable(path, path if path.is_dir() else None)


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
    """OutputError when `size` bytes do not fit where `path` is to lie."""
    try:
        free = shutil.disk_usage(path.absolute().parent).free
    except OSError:
        return  # not every file system tells
    if size > free:
        raise OutputError(f"The output {path} needs {byte_text(size)}, but only {byte_text(free)} are free there.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, with the same suffix, that becomes `path` when the block ends well.

    When the block raises, a full disk included (which becomes OutputError), the temporary file is removed and an
    earlier file of that name stays as it was.
    """
    partial = path.with_name(f".{path.stem[:SHOWN]}.partial-{os.getpid()}{path.suffix}")
    try:
        with _said(path):
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder; when the block ends well its files are in `path`, replacing those of the same name, and when it
    raises nothing of it is left.

    It lies within `path` where that is there already, which may be a disk of its own or in a folder that nobody may
    write to, and else beside it.
    """
    name = f".{path.name[:SHOWN]}.partial-{os.getpid()}"
    partial = path / name if path.is_dir() else path.with_name(name)
    try:
        with _said(path):
            partial.mkdir()
            yield partial
            if path.is_dir():
                for item in sorted(partial.iterdir()):
                    target = path / item.name
                    if target.is_dir():
                        shutil.rmtree(target)
                    os.replace(item, target)
            else:
                os.replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"The output {path} cannot be written: {reason(problem)}.") from problem


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
