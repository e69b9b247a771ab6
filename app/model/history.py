"""Undo and redo, without Qt: what is edited is kept as it was before every change, with what the change was called."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

LIMIT = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[T]):
    """What was edited before a change, and what the change was called."""

    before: T
    what: str


class History(Generic[T]):
    """The last `LIMIT` changes to an immutable T. It does not hold the T of now: that is handed in, and given back."""

    def __init__(self, merge_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Changes of one kind that follow each other within `merge_seconds` are undone in one step."""
        self._merge_seconds, self._clock = merge_seconds, clock
        self._undo: list[Step[T]] = []
        self._redo: list[Step[T]] = []
        self._last_kind, self._last_time = "", 0.0

    def record(self, before: T, what: str, merge: str = "") -> None:
        """A change called `what` was made to `before`. `merge` is its kind; a change without one is a step of its own.

        What was undone before it can no longer be redone.
        """
        now = self._clock()
        in_time = now - self._last_time < self._merge_seconds
        if not (merge and merge == self._last_kind and in_time and self._undo):
            self._undo = [*self._undo[1 - LIMIT :], Step(before, what)]
        self._last_kind, self._last_time = merge, now
        self._redo.clear()

    def undo(self, now: T) -> T | None:
        """What there was before the last change, given what there is now; None when there is no change left."""
        return self._travel(self._undo, self._redo, now)

    def redo(self, now: T) -> T | None:
        """What there was before the last `undo`; None when nothing was undone."""
        return self._travel(self._redo, self._undo, now)

    def _travel(self, origin: list[Step[T]], other: list[Step[T]], now: T) -> T | None:
        if not origin:
            return None
        step = origin.pop()
        other.append(Step(now, step.what))
        self.end_merging()
        return step.before

    def end_merging(self) -> None:
        """The next change is a step of its own, whatever its kind."""
        self._last_kind = ""

    @property
    def undo_text(self) -> str:
        """What undo would take back; empty when there is nothing."""
        return self._undo[-1].what if self._undo else ""

    @property
    def redo_text(self) -> str:
        """What redo would do again; empty when there is nothing."""
        return self._redo[-1].what if self._redo else ""
