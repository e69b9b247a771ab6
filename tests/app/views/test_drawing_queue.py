"""DrawingQueue: what is to be drawn is done one after the other, or all at once when asked; and panels that are made late."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

from app.views.statistics.panel import StatisticsPanel
from app.views.widgets.deferred_panel import DeferredPanel
from app.views.widgets.drawing_queue import DrawingQueue


def run_loop(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def finish(turns: DrawingQueue) -> None:
    for _ in range(200):  # on a loaded machine the loop comes to it late
        if not turns.busy:
            return
        run_loop(25)


def test_one_action_a_turn_and_the_newest_wins(qapp: Any) -> None:
    turns, done, seen = DrawingQueue(), [], []
    watch = QTimer()
    watch.timeout.connect(lambda: seen.append(len(done)))
    watch.start(0)
    for name in "abc":
        turns.put(name, lambda name=name: done.append(name))
    turns.put("a", lambda: done.append("a again"))
    assert done == []
    assert turns.busy
    finish(turns)
    watch.stop()
    assert done == ["a again", "b", "c"]
    assert {1, 2} <= set(seen), "the loop turned between them"
    assert not turns.busy


def test_all_can_be_done_at_once(qapp: Any) -> None:
    turns, done = DrawingQueue(), []
    for name in "ab":
        turns.put(name, lambda name=name: done.append(name))
    turns.finish()
    assert done == ["a", "b"]
    run_loop(30)
    assert done == ["a", "b"]


@pytest.mark.slow
def test_a_frame_half_computed_does_not_empty_the_statistics(
    themed: Any, frame_result: Callable[..., SimpleNamespace]
) -> None:
    panel = StatisticsPanel()
    panel.resize(400, 700)
    panel.show()
    panel.show_result(frame_result(4))
    run_loop(100)
    assert list(panel.histogram._items) == ["random", "fixed", "bilinear", "integral"]
    partial = frame_result(2, t=1)
    partial.complete = False
    panel.show_result(partial)
    run_loop(50)
    assert len(panel.verdicts._rows) == 4, "the other frame's, for a moment"
    run_loop(900)
    assert len(panel.verdicts._rows) == 2, "what there is, when the rest does not come"
    panel.close()


def test_a_page_that_was_opened_is_not_opened_again_after_folding(qapp: Any) -> None:
    class Panel(QWidget):
        opened, shown = 0, 0

        def open_page(self, name: str) -> None:
            self.opened += 1

        def show_result(self, result: object) -> None:
            self.shown += 1

    panel = Panel()
    late = DeferredPanel(lambda: panel, lambda _: None)
    late.tell_once("page", lambda panel: panel.open_page("pixel"))
    late.tell("result", lambda panel: panel.show_result(None))
    late.show()
    run_loop(300)
    assert (panel.opened, panel.shown) == (1, 1)
    late.hide()
    late.show()
    run_loop(300)
    assert (panel.opened, panel.shown) == (1, 2), "what it shows is told again"
    late.tell_once("page", lambda panel: panel.open_page("pixel"))
    assert panel.opened == 2
    late.close()
