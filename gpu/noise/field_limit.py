"""How much memory fine fields may be kept in: what suits the machine, or what the person says. Loads nothing heavy.

It is told by an environment variable, so that processes that this one starts keep to it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "NOISESCOPE_FIELD_MB"

USUAL_BYTES = 1200 << 20
"""Of fields that are kept added up along their rows: four channels of 1024 x 1024 pixels at level 3 take 1074 MB."""


def limit() -> int:
    """Bytes of fields that are kept. A field that does not fit is made anew in every frame, in parts, of the same values."""
    megabytes = told()
    return usual() if megabytes is None else megabytes << 20


def usual() -> int:
    """The limit that nobody told: USUAL_BYTES, and an eighth of the machine's memory at the most."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return USUAL_BYTES
    return min(USUAL_BYTES, there // 8)


def told() -> int | None:
    """The megabytes (of 2^20 bytes) that VARIABLE says; None where it says nothing, or no whole number."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def tell(megabytes: int | None) -> None:
    """Keep so much from now on, in this process and those that it starts; None is the usual limit again."""
    if megabytes is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = str(megabytes)


@contextmanager
def limited(megabytes: int | None) -> Iterator[None]:
    """Keep so much for as long as this lasts; None leaves the limit as it is."""
    before = os.environ.get(VARIABLE)
    if megabytes is not None:
        tell(megabytes)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
