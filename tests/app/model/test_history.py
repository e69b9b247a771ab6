"""Undo and redo of anything immutable."""

from __future__ import annotations

from app.model.history import LIMIT, History


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_undo_and_redo_give_back_what_there_was() -> None:
    history: History[int] = History(1.0)
    history.record(0, "to one")
    history.record(1, "to two")
    assert (history.undo_text, history.redo_text) == ("to two", "")
    assert history.undo(2) == 1
    assert history.undo(1) == 0
    assert history.undo(0) is None
    assert history.redo_text == "to one"
    assert history.redo(0) == 1
    assert history.redo(1) == 2
    assert history.redo(2) is None


def test_quick_changes_of_one_kind_are_one_step() -> None:
    clock = Clock()
    history: History[int] = History(1.0, clock)
    for value in range(5):
        history.record(value, "drag", "drag")
        clock.now += 0.9
    history.record(5, "drag", "other kind")
    clock.now += 1.1
    history.record(6, "drag", "other kind")
    assert [history.undo(7), history.undo(6), history.undo(5), history.undo(0)] == [6, 5, 0, None]


def test_a_drag_that_ended_is_not_continued_nor_is_one_after_undo() -> None:
    history: History[int] = History(1.0, Clock())
    history.record(0, "drag", "drag")
    history.end_merging()
    history.record(1, "drag", "drag")
    assert history.undo(2) == 1
    history.record(1, "drag", "drag")
    assert history.undo(9) == 1
    assert history.undo(1) == 0


def test_a_change_forgets_what_was_undone_and_the_oldest_goes_at_the_limit() -> None:
    history: History[int] = History(1.0)
    history.record(0, "a")
    history.undo(1)
    for value in range(LIMIT + 10):
        history.record(value, "b")
    assert not history.redo_text
    undone = []
    while history.undo_text:
        undone.append(history.undo(-1))
    assert undone == list(range(LIMIT + 9, 9, -1))
