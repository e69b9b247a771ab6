"""A simulation of smoke by random access: any frame, in any order, the same to the last bit as if played from the start."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from gpu.worlds.fluid.solver import Fluid, State, advance, start

WARM_UP = 180.0  # frames before frame 0: by then smoke fills the picture
STRIDE = 3.0  # frames a step of the warm-up
WARM_STEPS = round(WARM_UP / STRIDE)
EVERY = 8  # frames from one checkpoint to the next
RECENT = 24  # frames kept besides: those around the one being looked at

_warm: OrderedDict[Fluid, State] = OrderedDict()
"""Frames 0 of the simulations used last: another size, speed of playback or colour need not warm up again."""
WARM_KEPT = 6


class History:
    """The states of a simulation, `pace` simulated frames apart. Belongs to one thread.

    An interruption (gpu.interrupt) loses at most one step of the solver.
    """

    def __init__(self, fluid: Fluid, pace: float = 1.0) -> None:
        self.fluid, self.pace = fluid, pace
        self._front: tuple[int, State] | None = None  # the last state computed, before frame 0 counted in steps below 0
        self._checkpoints: dict[int, State] = {}
        self._recent: OrderedDict[int, State] = OrderedDict()

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
        self._recent.move_to_end(t)
        return self._recent[t]

    def _step(self, position: int, state: State) -> State:
        if position < 0:
            return advance(self.fluid, state, (position + WARM_STEPS) * STRIDE, STRIDE)
        return advance(self.fluid, state, WARM_UP + position * self.pace, self.pace)

    def _nearest(self, t: int) -> tuple[int, State]:
        """The last frame at hand that is not after t."""
        known = {**self._checkpoints, **self._recent}
        if self._front is not None:
            known[self._front[0]] = self._front[1]
        if 0 not in known and self.fluid in _warm:
            known[0] = _warm[self.fluid]
        before = [position for position in known if position <= t]
        if not before:
            return -WARM_STEPS, start(self.fluid)
        found = max(before)
        self._keep(found, known[found])
        return found, known[found]

    def _keep(self, position: int, state: State) -> None:
        self._front = position, state
        if position < 0:
            return
        if position == 0:
            _warm[self.fluid] = state
            while len(_warm) > WARM_KEPT:
                _warm.popitem(last=False)
        if position % EVERY == 0:
            self._checkpoints[position] = state
        self._recent[position] = state
        self._recent.move_to_end(position)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
