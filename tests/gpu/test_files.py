"""Folders are written whole or not at all, also where nothing may be put beside them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpu.errors import OutputError
from gpu.files import check_folder, replacing_folder


def _write(folder: Path, text: str) -> None:
    with replacing_folder(folder) as partial:
        (partial / "a.txt").write_text(text)
        (partial / "b").mkdir()
        (partial / "b" / "c.txt").write_text(text)


def test_a_folder_is_made_and_written_over(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out, "first")
    (out / "mine.txt").write_text("mine")
    _write(out, "second")
    assert {path.name for path in out.iterdir()} == {"a.txt", "b", "mine.txt"}
    assert (out / "b" / "c.txt").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("there", [True, False])
def test_what_fails_leaves_nothing(there: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if there:
        out.mkdir()

    def fail(partial: Path) -> None:
        (partial / "a.txt").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"), replacing_folder(out) as partial:
        fail(partial)
    assert [path for path in tmp_path.rglob("*") if path != out] == []


def test_the_current_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_folder(Path("."))
    _write(Path("."), "here")
    assert sorted(os.listdir()) == ["a.txt", "b"]


def test_nothing_is_put_beside_a_folder_that_is_there(tmp_path: Path) -> None:
    """It may be a disk of its own, onto which nothing can be renamed, or its parent may be another's."""
    out = tmp_path / "out"
    out.mkdir()
    with replacing_folder(out) as partial:
        assert partial.parent == out


def test_what_cannot_be_written_to_is_called_by_its_name() -> None:
    with pytest.raises(OutputError, match="The output /proc cannot be written"):
        check_folder(Path("/proc"))


def test_a_link_to_nowhere_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="link to nowhere"):
        check_folder(tmp_path / "link")
