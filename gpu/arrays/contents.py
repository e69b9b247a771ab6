"""What a reader finds in a file: its arrays, strings, and what is neither."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from gpu.arrays.array import Array
from gpu.arrays.source import File

Guard: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Makes a context in which faults become sentences."""


@dataclass(frozen=True)
class Contents:
    """By name: arrays, strings (made when they are asked for) and, in words, what is neither."""

    arrays: dict[str, Array] = field(default_factory=dict)
    texts: dict[str, Callable[[], str]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


Reader: TypeAlias = Callable[[File, Guard], Contents]
