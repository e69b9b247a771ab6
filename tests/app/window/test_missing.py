"""What the window says where something is missing, and of what nobody foresaw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from app.views.compare.cell_drawing import Drawing
from app.window import start
from app.window.main_window import Window
from app.worker.messages import Progress
from gpu.session import PriorSettings
from tests.app.window.conftest import MakeWindow, settle, wait_for
from tests.app.window.fake_engine import FakeEngine


def why_empty(window: Window, key: str) -> str:
    drawing: Drawing = window.compare.canvas
    return drawing._why_empty("output", key)


@pytest.mark.slow
def test_what_is_missing_is_not_said_to_be_computed(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    engines.delay = 0.1
    window = make_window()
    wait_for(lambda: window.result is not None and len(window.result.columns) > 0)
    assert why_empty(window, "nobody") == "computing …"
    window.status.cancelled.emit(Progress("", 0, 1))
    wait_for(lambda: window.status._work.isHidden())
    assert why_empty(window, "nobody") == "not computed"
    assert "Compute ahead" in window.status.said
    noise = replace(window.state.session.noise, seed=5)
    window.state.change(replace(window.state.session, noise=noise), "Seed")
    wait_for(lambda: not window._apply.isActive())
    assert why_empty(window, "nobody") == "computing …"


@pytest.mark.slow
def test_a_column_that_is_added_comes_into_view(window: Window) -> None:
    window.resize(1000, 700)
    for name in ("fixed", "nearest", "bicubic", "root-bilinear"):
        window.compare.prior_added.emit(PriorSettings(name, gamma=0.1))
    bar = window.compare._scroll.horizontalScrollBar()
    wait_for(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())


@pytest.mark.slow
def test_a_bug_in_the_window_is_said_and_logged(window: Window, caplog: pytest.LogCaptureFixture) -> None:
    start._unexpected(window, ValueError("a bug on purpose"))
    assert "ValueError" in window.banner.text
    assert "Traceback" not in window.banner.text


@pytest.mark.slow
def test_colours_over_the_noise_are_explained(window: Window) -> None:
    canvas = window.compare.canvas
    plain = canvas.picture()
    window.state.set_view(overlay=True)
    marked = canvas.picture()
    gutter = range(canvas.columns[0].left())
    top, height = canvas._layout.rows["noise"]
    differs = any(plain.pixel(x, y) != marked.pixel(x, y) for x in gutter for y in range(top, top + height))
    assert differs, "the row's label has a legend"


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_not_listed_as_used_lately(window: Window, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.touch()
    window.documents.open_path(bad)
    wait_for(lambda: "not a video" in window.banner.text)
    window.state.undo()
    settle(window)
    assert str(bad) not in window.user_folder.recent()


@pytest.mark.slow
def test_the_first_frame_of_a_shot_says_why_it_has_no_error(window: Window) -> None:
    drawing: Drawing = window.compare.canvas
    assert drawing._why_empty("error", "random") == "the shot starts here"
    window.state.set_frame(3)
    settle(window)
    assert drawing._why_empty("error", "random") == "needs an output of the\nframe before"


@pytest.mark.slow
def test_values_under_the_pointer_follow_the_frame(window: Window) -> None:
    canvas = window.compare.canvas
    top, height = canvas._layout.rows["noise"]
    QTest.mouseMove(canvas, QPoint(canvas.columns[0].center().x(), top + height // 2))
    wait_for(lambda: "random" in window.status.said)
    before = window.status.said
    window.state.set_frame(3)
    wait_for(lambda: window.status.said != before)
    assert window.status.said.split("random")[0] == before.split("random")[0], "the same pixel"
    window.status.say("Saved")
    window.state.set_frame(4)
    settle(window)
    assert window.status.said == "Saved"


def test_an_empty_window_says_what_it_is_at(make_window: MakeWindow) -> None:
    canvas = make_window(run=False).compare.canvas
    before = canvas.picture()
    canvas.set_empty("Nothing to show yet. Open a clip, or undo the last change (Ctrl+Z).")
    assert canvas.picture() != before, "the sentence is not hidden by the cells"


@pytest.mark.slow
def test_nothing_of_another_source_stays_on_the_screen(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    engines.frames = 4
    window = make_window()
    settle(window)
    engines.delay = 0.2
    shown: list[tuple[object, object]] = []
    window.worker.opened.connect(lambda *_: shown.append((window.compare.canvas.pictures, window.result)))
    window.documents.open_as("video", "/a/other.mp4")
    wait_for(lambda: bool(shown))
    assert shown == [(None, None)]
