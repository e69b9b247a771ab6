"""Names of pairs of frames, `flow_0_1` or `frame_0001_to_0000`: the order of their numbers says which way the flow leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gpu.errors import FlowError
from gpu.flow.stored import names
from gpu.flow.stored.names import Direction

TO = re.compile(r"[0-9]+[ _.-]*(?:to|->|→)[ _.-]*[a-z]*[ _.-]*[0-9]+", re.IGNORECASE)
"""What says that a field leads from one frame to another."""


class Told(NamedTuple):
    """The direction of each of several names. Not `sure`: all are in one order, which some write for what lies between two
    frames, whichever way it leads."""

    directions: list[Direction]
    sure: bool


def steps_between(stems: Sequence[str]) -> list[tuple[int, int]] | None:
    """From which frame to which each of several names leads; None where they are no pairs of frames at one distance.

    Two numbers differ among the names, and frames are shared; a name alone has two numbers.

    >>> steps_between(["clip7_00_01", "clip7_01_00", "clip7_01_02"]), steps_between(["0_1", "0_2"]), steps_between(["3_2"])
    ([(0, 1), (1, 0), (1, 2)], None, [(3, 2)])
    """
    pairs = _pairs(stems)
    distances = {abs(there - here) for here, there in pairs}
    if len(distances) != 1 or 0 in distances:
        return None
    if len(pairs) == 1:
        return pairs if distances == {1} or TO.search(stems[0]) else None
    shared = {here for here, _ in pairs} & {there for _, there in pairs}
    return pairs if shared else None


def told(stems: Sequence[str], where: str) -> Told | None:
    """The direction of each of several names that say none in words; None where they do not tell.

    FlowError where they name pairs of frames in both orders at several distances: no sequence of steps.
    """
    pairs = steps_between(stems)
    if pairs is not None:
        directions: list[Direction] = ["forward" if here < there else "backward" for here, there in pairs]
        return Told(directions, len(set(directions)) == 2 or all(TO.search(stem) for stem in stems))
    named = set(_pairs(stems))
    if named and all(here != there and (there, here) in named for here, there in named):
        raise FlowError(
            f"The names in {where} are pairs of frames at several distances, such as {stems[0]} and {stems[-1]}; flow from "
            "each frame to the next, and from it to the one before, was expected. A pattern can name those that are meant."
        )
    return None


def _pairs(stems: Sequence[str]) -> list[tuple[int, int]]:
    """The two numbers that differ among names of one kind; of a name alone its two. Empty where there are not two."""
    if len({re.sub(r"[0-9]+", "#", stem) for stem in stems}) != 1:
        return []
    columns = list(zip(*(names.numbers_in(stem) for stem in stems)))
    differing = [column for column in columns if len(set(column)) > 1] if len(stems) > 1 else columns
    return list(zip(*differing)) if len(differing) == 2 else []
