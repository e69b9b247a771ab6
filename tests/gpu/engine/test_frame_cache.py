"""The cache of finished frames: its limit, what it keeps in any case, and what survives a frame that goes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gpu.engine.frame_cache import LEAST, FrameCache, frame_bytes
from gpu.engine.results import FrameResult


def frame(t: int, complete: bool = True) -> FrameResult:
    return FrameResult(t, np.zeros((4, 5, 3), np.uint8), None, None, None, {}, complete)


@pytest.mark.parametrize("limit", [1, 60 * LEAST, 60 * 20])
def test_frames_within_the_limit_are_kept_and_never_fewer_than_a_few(limit: int) -> None:
    cache = FrameCache(40, limit)
    for t in range(40):
        cache.put(frame(t))
        cache.put(frame(t))  # the same once more pushes nothing out
    kept = max(LEAST, limit // frame_bytes(frame(0)))
    assert cache.computed().tolist() == [False] * (40 - kept) + [True] * kept
    assert cache.bytes == kept * 60


def test_what_was_looked_at_last_stays() -> None:
    cache = FrameCache(20, 1)
    for t in range(LEAST):
        cache.put(frame(t))
    cache.get(0)
    assert cache.computed()[1]  # which looks at none
    cache.put(frame(LEAST))
    assert cache.get(0) is not None
    assert cache.get(1) is None


def test_a_frame_that_is_not_complete_is_not_computed() -> None:
    cache = FrameCache(3, 1000)
    cache.put(frame(1, complete=False))
    assert not cache.computed().any()
    cache.put(dataclasses.replace(frame(1)))
    assert cache.computed().tolist() == [False, True, False]
