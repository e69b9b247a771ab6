"""Pictures that are dropped on the window, or opened by a path."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from app.window.main_window import Window
from tests.app.window.conftest import MakeWindow, settle


@pytest.fixture
def window(make_window: MakeWindow) -> Window:
    window = make_window()
    settle(window)
    return window


@pytest.mark.slow
def test_what_is_dropped_opens_as_what_it_is(window: Window, tmp_path: Path) -> None:
    names = ("f_9.exr", "f_10.exr", "f_11.exr", "still.hdr", "photo.avif")
    for name in names:
        (tmp_path / name).write_bytes(b"")
    opened = []
    for dropped in (
        ["f_10.exr", "f_9.exr"],
        ["f_9.exr"],
        ["still.hdr"],
        ["photo.avif"],
        ["f_%d.exr"],
        ["f_*.exr:9-10"],
        ["."],
    ):
        window.documents.open_paths([tmp_path / name for name in dropped])
        source = window.state.session.source
        opened.append((source.kind, Path(source.path).name))
    assert opened == [
        ("images", "f_9.exr"),
        ("synthetic", "f_9.exr"),
        ("synthetic", "still.hdr"),
        ("synthetic", "photo.avif"),
        ("images", "f_%d.exr"),
        ("images", "f_*.exr:9-10"),
        ("images", tmp_path.name),
    ]


@pytest.mark.slow
def test_a_numbered_picture_opens_with_those_after_it(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder with two shots, which is refused as a whole, one can be opened all the same."""
    asked: list[tuple[str, ...]] = []

    def answer(*arguments: str) -> tuple[str, str]:
        asked.append(arguments[1:])
        return str(tmp_path / "b_0007.exr"), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    window.documents.open_source("numbered")
    source = window.state.session.source
    assert (source.kind, Path(source.path).name) == ("images", "b_0007.exr")
    assert "*.exr" in asked[0][-1]
    assert "*.avif" in asked[0][-1]
