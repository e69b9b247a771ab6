"""Times of a film's frames: that they grow, and what they leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEAR = 0.25  # of the usual step: times are rounded to the container's clock
FEW = 6  # one step in so many may leave frames out; where more do, frames last differently long
LEAST = 4  # steps that tell what is usual


@dataclass
class Shown:
    """One frame, as the first pass over the film saw it: its key, when it is shown and how long (seconds), and a number that
    tells its picture from others."""

    key: int
    time: float
    duration: float
    check: int


def settle(shown: Sequence[Shown], first: int, until: float) -> None:
    """The frames from `first` on, which were all told to begin at once, share the time up to `until`.

    >>> frames = [Shown(0, 0.0, 0.0, 0), Shown(1, 1.0, 0.0, 0), Shown(2, 1.0, 0.0, 0)]
    >>> settle(frames, 1, 2.0)
    >>> [(frame.time, frame.duration) for frame in frames[1:]]
    [(1.0, 0.5), (1.5, 0.5)]
    """
    begin = shown[first].time
    step = (until - begin) / (len(shown) - first)
    for place, frame in enumerate(shown[first:]):
        frame.time, frame.duration = begin + place * step, step


def usual_step(shown: Sequence[Shown]) -> float:
    """Seconds from one frame to the next, of most; 0 where there is one frame."""
    return float(np.median(np.diff([frame.time for frame in shown]))) if len(shown) > 1 else 0.0


def left_out(shown: Sequence[Shown]) -> int:
    """How many frames are missing between the others of a film that has as many in every second: few steps are twice, three
    times, … as long as the usual one, all others as long. 0 of a film whose frames last differently long.

    >>> left_out([Shown(n, n / 25, 0.04, 0) for n in range(30) if n not in (7, 8, 20)])
    3
    >>> left_out([Shown(n, n / 25, 0.04, 0) for n in range(60) if n % 5 not in (1, 3)])
    0
    """
    if len(shown) <= LEAST:
        return 0
    usual = usual_step(shown)
    if usual <= 0:
        return 0
    steps = np.diff([frame.time for frame in shown]) / usual
    whole = np.rint(steps)
    longer = whole > 1
    if (np.abs(steps - whole) > NEAR).any() or (whole < 1).any() or longer.sum() * FEW > len(steps):
        return 0
    return int((whole[longer] - 1).sum())
