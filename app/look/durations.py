"""Numbers in words, the same everywhere in the window."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time as "3.1 s", "42 s", "7 min" or "1.5 h"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
