"""Films that are long, or whose frames last differently long, in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.window import documents
from app.window.main_window import Window
from app.window.player import Player
from app.worker.messages import Progress
from gpu import progress
from tests.app.window.conftest import MakeWindow, settle, wait_for
from tests.app.window.fake_engine import FakeEngine

CASES = Path(__file__).resolve().parents[2] / "cases"


@pytest.fixture
def window(make_window: MakeWindow) -> Window:
    window = make_window()
    settle(window)
    return window


@pytest.mark.slow
def test_of_a_long_film_the_beginning_is_opened_and_that_is_said(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LONG", 7)
    window.documents.open_path(CASES / "av1.mp4")
    wait_for(lambda: "the first 7 are open" in window.banner.text)
    assert "about 30 frames" in window.banner.text
    assert window.state.session.source.frames == 7
    monkeypatch.setattr(documents, "LONG", 240)
    window.documents.open_path(CASES / "av1.mp4")
    wait_for(lambda: window.state.session.source.frames == 0)


@pytest.mark.slow
def test_counting_frames_is_shown_and_stopping_it_keeps_what_was_open(
    window: Window, engines: type[FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As gpu.source.footage.frames does it: it tells how far it is, and asks whether anybody still waits."""
    from gpu import interrupt

    told: list[Progress] = []
    window.worker.progressed.connect(lambda state: told.append(state) if state is not None and state.opening else None)
    before, update = window.state.session, engines.update

    def slow(engine: FakeEngine, session: object) -> None:
        for count in range(2000):
            if "long" in session.source.path:  # type: ignore[attr-defined]
                progress.tell(count, 2000, "counting frames")
                interrupt.poll()
                import time

                time.sleep(0.01)
        update(engine, session)  # type: ignore[arg-type]

    monkeypatch.setattr(engines, "update", slow)
    monkeypatch.setattr(documents, "frames_told", lambda path: 0)
    window.documents.open_path(Path("long.mp4"))
    wait_for(lambda: bool(told))
    assert "counting frames" in told[-1].what
    assert told[-1].total == 2000
    window.status.cancelled.emit(told[-1])
    settle(window)
    assert window.state.session == before
    assert window.result is not None


def test_frames_are_played_for_as_long_as_they_last() -> None:
    player = Player.__new__(Player)
    player._period, player._times = 0.04, (0.0, 0.02, 0.12, 0.45, 5.0)
    assert [round(player._lasts(t), 4) for t in range(5)] == [0.02, 0.1, 0.33, 1.0, 0.04]  # never longer than a second
