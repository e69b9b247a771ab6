"""How far long work has come, told from within: for work that is no generator, such as counting the frames of a film."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

Told = Callable[[int, int, str], None]
"""Gets how much is done, of how much (0: not known), and of what."""

_told: ContextVar[Told | None] = ContextVar("progress", default=None)


def watch(told: Told | None) -> None:
    """From now on `tell` in this thread calls `told`; None ends that."""
    _told.set(told)


def tell(done: int, total: int, what: str) -> None:
    """To be called now and then; whoever watches caps the rate."""
    told = _told.get()
    if told is not None:
        told(done, total, what)
