"""The cache that is limited by bytes."""

from __future__ import annotations

import numpy as np

from gpu.cache import ByteCache, bytes_of


def test_the_least_recently_used_goes_first() -> None:
    cache: ByteCache[str, np.ndarray] = ByteCache(300, bytes_of)
    for name in "abc":
        cache[name] = np.zeros(100, np.uint8)
    assert cache["a"] is not None  # looked at: b is now the oldest
    cache["d"] = np.zeros(100, np.uint8)
    assert set(cache) == {"a", "c", "d"}
    assert cache.bytes == 300


def test_what_is_larger_than_the_limit_is_kept_alone() -> None:
    cache: ByteCache[int, np.ndarray] = ByteCache(10, bytes_of)
    cache[0] = np.zeros(4, np.uint8)
    cache[1] = np.zeros(50, np.uint8)
    assert list(cache) == [1]
    cache[2] = np.zeros(4, np.uint8)
    assert list(cache) == [2]


def test_a_value_that_is_replaced_counts_once() -> None:
    cache: ByteCache[int, np.ndarray] = ByteCache(100, bytes_of)
    cache[0] = np.zeros(80, np.uint8)
    cache[0] = np.zeros(60, np.uint8)
    assert cache.bytes == 60
    del cache[0]
    assert cache.bytes == 0
