"""One cache for whatever is limited by bytes: the least recently used goes first, the newest stays whatever its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import cachetools

K = TypeVar("K")
V = TypeVar("V")


class HasBytes(Protocol):
    """A numpy array or a torch tensor."""

    @property
    def nbytes(self) -> int: ...


def bytes_of(value: HasBytes) -> int:
    """Bytes that an array or tensor takes."""
    return value.nbytes


class ByteCache(cachetools.LRUCache[K, V]):
    """A dictionary of at most `limit` bytes, as `size(value)` counts them.

    Looking something up makes it the newest. A value larger than the limit is kept alone, so that what was just computed
    can be used. Not safe to share between threads without a lock.

    >>> cache = ByteCache(limit=10, size=len)
    >>> cache["a"], cache["b"], cache["c"] = b"1234", b"1234", b"1234"
    >>> list(cache), cache.bytes
    (['b', 'c'], 8)
    """

    def __init__(self, limit: int, size: Callable[[V], int]) -> None:
        super().__init__(max(limit, 1), lambda value: min(max(size(value), 1), max(limit, 1)))

    @property
    def bytes(self) -> int:
        """Bytes held; of a single value that is larger than the limit only the limit counts."""
        return int(self.currsize)
