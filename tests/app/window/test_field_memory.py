"""How much memory fine fields may take, in the window: shown, chosen, kept for the next time."""

from __future__ import annotations

import pytest

from app.views.source.noise_section import NoiseSection
from app.window.main_window import Window
from app.worker.messages import Memory
from gpu.noise import field_limit
from tests.app.window.conftest import MakeWindow


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(field_limit.VARIABLE, "7")  # so that what a test tells is undone
    field_limit.tell(None)


def _choose(section: NoiseSection, text: str) -> None:
    index = section._memory.findText(text)
    section._memory.setCurrentIndex(index)
    section._memory.activated.emit(index)


def _shown(window: Window) -> tuple[str, bool]:
    return window.source.noise._memory.currentText(), window.source.noise._memory.isEnabled()


@pytest.mark.slow
def test_it_is_chosen_in_the_panel_and_kept(make_window: MakeWindow) -> None:
    window = make_window(run=False)
    automatic = f"automatic, {field_limit.usual() >> 20} MB"
    assert _shown(window) == (automatic, True)
    history = window.state.undo_text
    _choose(window.source.noise, "256 MB")
    assert field_limit.limit() == 256 << 20
    assert window.user_folder.settings()["field_mb"] == 256
    assert window.state.undo_text == history  # no part of the session
    field_limit.tell(None)  # as in another process
    later = make_window(run=False)
    assert _shown(later) == ("256 MB", True)
    assert field_limit.limit() == 256 << 20
    _choose(later.source.noise, automatic)
    assert field_limit.told() is None
    assert "field_mb" not in later.user_folder.settings()


@pytest.mark.slow
def test_what_the_environment_says_is_shown_and_stays(make_window: MakeWindow) -> None:
    window = make_window(run=False)
    _choose(window.source.noise, "512 MB")
    field_limit.tell(300)
    later = make_window(run=False)
    assert _shown(later) == ("300 MB", False)
    assert field_limit.VARIABLE in later.source.noise._memory.toolTip()
    assert field_limit.limit() == 300 << 20
    assert later.user_folder.settings()["field_mb"] == 512


@pytest.mark.slow
def test_the_line_at_the_bottom_says_what_is_taken(make_window: MakeWindow) -> None:
    status = make_window(run=False).status
    status.show_memory(Memory(0, 0, 1200 << 20))
    assert "cache" not in status._machine.text()
    assert "fields" not in status._machine.text()
    status.show_memory(Memory(210 << 20, 38 << 20, 1200 << 20))
    assert status._machine.text().endswith("cache 210 MB · fields 38 of 1200 MB")
