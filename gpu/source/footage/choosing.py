"""Which frames of a film are taken: every so many, or those nearest to a rate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

MOST = 10**6  # frames that a rate may make of a film


def chosen(times: Sequence[float], end: float, every: int = 1, fps: float = 0.0) -> list[int]:
    """Indices, ascending, of the frames that are taken of a film.

    `times` are those at which its frames begin, ascending, and `end` that at which the last one ends, in seconds. With `fps`
    the frame nearest in time to each tick of that rate is taken, from the first frame to `end`, the earlier of two as near:
    one that lasts longer than a tick is taken again. Of what that gives, or of all frames, each `every`-th is taken,
    beginning with the first.

    >>> chosen([0.0, 0.1, 0.2, 0.3, 0.4], 0.5, every=2)
    [0, 2, 4]
    >>> chosen([0.0, 0.04, 0.08, 0.12, 0.16], 0.2, fps=10)
    [0, 2]
    >>> chosen([0.0, 0.02, 0.12], 0.32, fps=12.5)  # the last lasts 0.2 s
    [0, 2, 2, 2]
    """
    if not fps:
        return list(range(0, len(times), every))
    first = times[0]
    ticks = min(max(round((end - first) * fps), 1), MOST)
    return [_nearest(times, first + tick / fps) for tick in range(0, ticks, every)]


def chosen_rate(own: float, every: int = 1, fps: float = 0.0) -> float:
    """Frames a second of what `chosen` takes of a film of `own`."""
    return (fps or own) / every


def _nearest(times: Sequence[float], time: float) -> int:
    after = bisect_left(times, time - 1e-9)
    if after == len(times):
        return after - 1
    return after - 1 if after and time - times[after - 1] <= times[after] - time + 1e-9 else after
