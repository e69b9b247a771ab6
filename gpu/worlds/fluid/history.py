"""A simulation of smoke by random access: any frame, in any order, the same to the last bit as if played from the start."""

from __future__ import annotations

from collections.abc import Iterator

from cachetools import LRUCache

from gpu.worlds.fluid.solver import Fluid, State, advance, start

WARM_UP = 180.0  # frames before frame 0: by then smoke fills the picture
STRIDE = 3.0  # frames a step of the warm-up
WARM_STEPS = round(WARM_UP / STRIDE)
EVERY = 8  # frames from one checkpoint to the next
RECENT = 24  # frames kept besides: those around the one being looked at

WARM_KEPT = 6
_warm: LRUCache[Fluid, State] = LRUCache(WARM_KEPT)
"""Frames 0 of the simulations used last: another size, speed of playback or colour need not warm up again."""


class History:
    """The states of a simulation, `pace` simulated frames apart. Belongs to one thread.

    An interruption (gpu.interrupt) loses at most one step of the solver.
    """

    def __init__(self, fluid: Fluid, pace: float = 1.0) -> None:
        self.fluid, self.pace = fluid, pace
        self._front: tuple[int, State] | None = None  # the last state computed, before frame 0 counted in steps below 0
        self._checkpoints: dict[int, State] = {}
        self._recent: LRUCache[int, State] = LRUCache(RECENT)

    def work(self, t: int) -> Iterator[tuple[int, int]]:
        """Compute what is missing for frame t (0 the first) and yield (steps done, steps in all) after every step."""
        if t in self._recent:
            return
        position, state = self._nearest(t)
        first = position
        while position < t:
            state = self._step(position, state)
            position += 1
            self._keep(position, state)
            yield position - first, t - first

    def state(self, t: int) -> State:
        """Frame t. `steps` holds the velocities that led to it from frame t-1 (frame 0: nothing of use)."""
        for _ in self.work(t):
            pass
        return self._recent[t]

    def _step(self, position: int, state: State) -> State:
        if position < 0:
            return advance(self.fluid, state, (position + WARM_STEPS) * STRIDE, STRIDE)
        return advance(self.fluid, state, WARM_UP + position * self.pace, self.pace)

    def _nearest(self, t: int) -> tuple[int, State]:
        """The last frame at hand that is not after t."""
        front = (self._front[0],) if self._front is not None else ()
        warm = (0,) if self.fluid in _warm else ()
        before = [position for position in (*self._checkpoints, *self._recent, *front, *warm) if position <= t]
        if not before:
            return -WARM_STEPS, start(self.fluid)
        last = max(before)
        if self._front is not None and self._front[0] == last:
            state = self._front[1]
        elif last in self._recent:
            state = self._recent[last]
        else:
            state = self._checkpoints[last] if last in self._checkpoints else _warm[self.fluid]
        self._keep(last, state)
        return last, state

    def _keep(self, position: int, state: State) -> None:
        self._front = position, state
        if position < 0:
            return
        if position == 0:
            _warm[self.fluid] = state
        if position % EVERY == 0:
            self._checkpoints[position] = state
        self._recent[position] = state
