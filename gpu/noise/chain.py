"""Sequences that are computed from frame to frame, by random access and with bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

from gpu import interrupt

T = TypeVar("T")

RECENT = 4
"""States kept because they were asked for last, beside the checkpoints, and no more than there are of these."""


class Chain(Generic[T]):
    """States x(t) = step(x(t - 1), t), x(first) = start(first), by random access: always the same values.

    At most `keep` states are kept as checkpoints, evenly spaced; the spacing doubles when they are full. So a frame
    costs at most the spacing in steps, except in a stretch never visited. The shot's first frame need not be kept.
    An interruption (gpu.interrupt) loses at most one step.
    """

    def __init__(
        self, start: Callable[[int], T], step: Callable[[T, int], T], first: Callable[[int], int], keep: int
    ) -> None:
        self._start, self._step, self._first, self._keep = start, step, first, keep
        self._spacing = 1
        self._checkpoints: dict[int, T] = {}
        self._recent: LRUCache[int, T] = LRUCache(min(RECENT, keep))

    def at(self, t: int) -> T:
        """The state of frame t."""
        first = self._first(t)
        nearest = t
        while nearest > first and nearest not in self._checkpoints and nearest not in self._recent:
            nearest -= 1
        if nearest in self._recent:
            state = self._recent[nearest]
        elif nearest in self._checkpoints:
            state = self._checkpoints[nearest]
        else:
            state = self._start(first)
        for frame in range(nearest + 1, t + 1):
            interrupt.poll()
            state = self._step(state, frame)
            self._remember(frame, state)
        self._recent[t] = state
        return state

    def kept(self) -> int:
        """How many states are held now."""
        return len(self._checkpoints.keys() | self._recent.keys())

    def _remember(self, t: int, state: T) -> None:
        if t % self._spacing:
            return
        self._checkpoints[t] = state
        while len(self._checkpoints) > self._keep:
            self._spacing *= 2
            self._checkpoints = {at: kept for at, kept in self._checkpoints.items() if at % self._spacing == 0}
