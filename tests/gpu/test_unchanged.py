"""A file that changes while it is open is named, whichever way it changes; one that does not is left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gpu.errors import ClipError, FlowError
from gpu.unchanged import Unchanged

HOUR = 3600 * 10**9


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one two three")
    os.utime(path, ns=(HOUR, HOUR))
    return path


def _longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")
    os.utime(path, ns=(HOUR, HOUR))


def _shorter(path: Path) -> None:
    os.truncate(path, 3)
    os.utime(path, ns=(HOUR, HOUR))


def _written(path: Path) -> None:
    path.write_bytes(b"ONE TWO THREE")


def _older(path: Path) -> None:
    """A copy of an earlier day takes its time with it."""
    os.utime(path, ns=(HOUR - 1, HOUR - 1))


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"ONE TWO THREE")
    shutil.copystat(path, other)
    os.replace(other, path)


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_longer, "had 13 bytes and has 14"),
        (_shorter, "had 13 bytes and has 3"),
        (_written, "written to"),
        (_older, "written to"),
        (_replaced, "another file was put in its place"),
        (_gone, "no longer there"),
        (_a_folder, "no longer there"),
        (_a_pipe, "no longer there"),
    ],
)
def test_every_change_is_told(clip: Path, change: Callable[[Path], None], says: str) -> None:
    opened = Unchanged(clip)
    opened.check()
    change(clip)
    with pytest.raises(ClipError, match=f"clip.mp4 has changed since it was opened: .*{says}"):
        opened.check()


def test_what_leaves_the_bytes_alone_is_no_change(clip: Path, tmp_path: Path) -> None:
    opened = Unchanged(str(clip))
    clip.chmod(0o600)
    os.link(clip, tmp_path / "backup")
    clip.read_bytes()
    (tmp_path / "other").touch()
    opened.check()


def test_files_of_a_sequence_are_told_apart(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        file.write_bytes(b"picture")
    opened = Unchanged(files, FlowError)
    files[1].write_bytes(b"another")
    os.utime(files[1], ns=(HOUR, HOUR))
    opened.check(files[0])
    with pytest.raises(FlowError, match=r"1\.png has changed"):
        opened.check(files[1])
    with pytest.raises(FlowError, match=r"1\.png has changed"):
        opened.check()


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.flo").write_bytes(b"a")
    opened = Unchanged(tmp_path)
    (tmp_path / "thumbnails.db").touch()
    opened.check()
    (tmp_path / "a.flo").write_bytes(b"aa")
    with pytest.raises(ClipError, match="a.flo has changed"):
        opened.check()


def test_pipes_and_what_is_not_there_are_not_watched(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened = Unchanged([tmp_path / "pipe", tmp_path / "none", "/dev/null", "a\0b"])
    os.utime(tmp_path / "pipe", ns=(HOUR, HOUR))
    (tmp_path / "none").touch()
    opened.check()
