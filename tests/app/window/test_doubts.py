"""Warnings about the source stand above the pictures until they are closed or their cause is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.window.main_window import Window
from gpu.session import SourceSettings
from gpu.source import Findings
from tests.app.window.conftest import settle, wait_for

SAME = "Frames 4 to 11 are the same picture (8 of 12 frames): nothing moves there."
FAR = "The flow leads most pixels beyond the frame in 5 of 5 steps looked at."
LOST = "2 of 30 frames could not be decoded and are left out."


def tell(window: Window, *warnings: str, notes: tuple[str, ...] = ()) -> None:
    window.worker.trusted.emit(window.worker.number, Findings(warnings, notes))


@pytest.mark.slow
def test_a_warning_stands_until_its_cause_is_gone_and_is_listed_in_the_panel(window: Window) -> None:
    strip, panel = window.doubts.strip, window.source
    assert strip.text == ""
    tell(window, SAME, notes=(LOST,))
    assert strip.text == SAME
    assert strip._text.toolTip() == f"{SAME}\n{LOST}"
    assert panel.preview.toolTip() == f"{SAME}\n{LOST}"
    assert panel._told.text() == LOST
    window.banner.show_error("Something else.")
    window.banner.clear()
    assert strip.text == SAME, "what comes and goes leaves it"
    tell(window, SAME, FAR, "A third.", notes=(LOST,))
    assert strip.text == f"{SAME} {FAR} And 1 more."
    tell(window)
    assert strip.text == ""
    assert panel._told.isHidden()


@pytest.mark.slow
def test_what_was_closed_stays_closed_until_there_is_more_or_another_source(window: Window) -> None:
    strip = window.doubts.strip
    tell(window, SAME)
    QTest.mouseClick(strip._close, Qt.MouseButton.LeftButton)
    assert strip.text == ""
    tell(window, SAME, notes=(LOST,))
    assert strip.text == ""
    tell(window, SAME, FAR)
    assert strip.text == FAR
    window.worker.trusted.emit(window.worker.number - 1, Findings(("Of settings before.",)))
    assert strip.text == FAR
    before = window.frames.info
    window.state.change(replace(window.state.session, source=SourceSettings("video", "other.mp4")), "Open")
    wait_for(lambda: window.frames.info != before)
    settle(window)
    assert strip.text == ""
    tell(window, SAME)
    assert strip.text == SAME
