"""Stopping long computations from within: code that takes long polls, and whoever runs it says when enough is enough."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

# Of each thread; None: nothing ever interrupts.
_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("interrupt", default=None)


class Interrupted(Exception):
    """The work was given up because nobody waits for it any more. It is no failure: whoever set the watch catches it."""


def watch(wanted: Callable[[], bool] | None) -> None:
    """From now on `poll` in this thread raises Interrupted as soon as `wanted()` is true; None ends that."""
    _wanted.set(wanted)


def poll() -> None:
    """To be called every few milliseconds by what takes long: between the blocks of a network, say."""
    wanted = _wanted.get()
    if wanted is not None and wanted():
        raise Interrupted
