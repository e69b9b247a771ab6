"""The window stays responsive while frames are computed: no turn of its event loop works for long, whatever the machine does.

Bounds are on the processor time of the GUI thread, which does not depend on what else runs; they are generous (a few times
what was measured) and fail when computing, converting pictures or reading files is put on the GUI thread. Delays as a person
meets them, with the real engine: `python -m tests.app.window.measure_responsiveness`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.window.frame_display import FrameDisplay
from gpu.gl import Context
from tests.app.window.conftest import MakeWindow, wait_for
from tests.app.window.fake_engine import FakeEngine
from tests.app.window.measure_responsiveness import Delays, point, run_loop, scrub, watched

TYPICAL, MOST = 0.08, 0.25
"""Seconds of processor time in one turn: of 99 turns in 100, and of every one. Measured here: 0.02 and 0.04."""


def busy_window(make_window: MakeWindow, engines: type[FakeEngine]) -> Delays:
    engines.frames, engines.height, engines.width, engines.delay = 40, 144, 256, 0.01
    window = make_window(plots=True)
    wait_for(lambda: window.result is not None and window.result.complete)
    run_loop(1.0)  # panels that are made when they are first seen
    with watched() as delays:
        run_loop(1.2)
        run_loop(0.8, lambda elapsed: point(window, elapsed))
        run_loop(1.2, lambda elapsed: scrub(window, 3 * elapsed))
    assert len(window.worker._filled) > 5, "it was computing meanwhile"
    return delays


@pytest.mark.slow
def test_no_turn_of_the_event_loop_works_for_long(make_window: MakeWindow, engines: type[FakeEngine]) -> None:
    delays = busy_window(make_window, engines)
    assert np.percentile(delays.work, 99) < TYPICAL, delays.text()
    assert max(delays.work) < MOST, delays.text()


@pytest.mark.slow
def test_work_on_the_gui_thread_would_be_noticed(
    make_window: MakeWindow, engines: type[FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = FrameDisplay.go

    def slow(self: FrameDisplay, t: int) -> None:
        end = time.thread_time() + 1.1 * MOST
        while time.thread_time() < end:
            pass
        shown(self, t)

    monkeypatch.setattr(FrameDisplay, "go", slow)
    assert max(busy_window(make_window, engines).work) > MOST


def test_the_driver_is_called_without_pythons_lock() -> None:
    with Context() as context:
        assert context._finish is not None, "else a software renderer stops the window for 30 to 100 ms a frame"
        assert context._draw is not None
