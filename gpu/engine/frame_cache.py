"""Finished frames under a memory limit, and the curves over time. Safe to read from any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from cachetools import Cache

from gpu.cache import ByteCache
from gpu.engine.results import F32, SERIES, FrameResult, Mask

LEAST = 8
"""Frames that are kept whatever they take: those that measures over gaps of one and five frames are made of."""

OF_OUTPUTS = ("warp_error", "warp_error_5", "coverage", "coverage_5", "sharpness", "laplacian", "psnr")
"""Curves that belong to the outputs of a task."""


def frame_bytes(result: FrameResult) -> int:
    """Bytes of a frame's picture, motion and columns."""
    columns = result.columns.values()
    arrays = [array for column in columns for array in (column.noise, column.state, column.output, column.error)]
    shared = (result.image, result.input, result.backward, result.valid)
    return sum(array.nbytes for array in (*arrays, *shared) if array is not None)


class FrameCache:
    """Finished columns by frame, of at most `limit` bytes but never fewer than LEAST frames; the least recently used frames
    go first. Curves stay when frames go."""

    def __init__(self, frames: int, limit: int) -> None:
        self.frames = frames
        self._lock = threading.RLock()
        limit = max(limit, LEAST)
        # A frame counts at most as much as LEAST of them can, so that these always fit.
        self._results: ByteCache[int, FrameResult] = ByteCache(
            limit, lambda result: min(frame_bytes(result), limit // LEAST)
        )
        self._curves: dict[str, dict[str, F32]] = {}

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(frame_bytes(result) for _, result in self._frames())

    def _frames(self) -> Iterator[tuple[int, FrameResult]]:
        """All frames at hand, without making any of them the newest."""
        for t in list(self._results):
            yield t, Cache.__getitem__(self._results, t)

    def get(self, t: int) -> FrameResult | None:
        with self._lock:
            return self._results.get(t)

    def put(self, result: FrameResult) -> None:
        with self._lock:
            self._results.pop(result.t, None)  # its successor takes its room, not that of another frame
            self._results[result.t] = result

    def computed(self) -> Mask:
        with self._lock:
            complete = np.zeros(self.frames, dtype=np.bool_)
            complete[[t for t, result in self._frames() if result.complete]] = True
            return complete

    def note(self, key: str, t: int, **values: float) -> None:
        """Set points of the curves of one column."""
        with self._lock:
            curves = self._curves.setdefault(
                key, {name: np.full(self.frames, np.nan, dtype=np.float32) for name in SERIES}
            )
            for name, value in values.items():
                curves[name][t] = value

    def series(self, key: str) -> dict[str, F32]:
        with self._lock:
            empty = np.full(self.frames, np.nan, dtype=np.float32)
            return {name: self._curves.get(key, {}).get(name, empty).copy() for name in SERIES}

    def keep_columns(self, keys: Iterable[str], outputs: bool) -> None:
        """Forget the columns not named in `keys`, and all outputs when `outputs` is false."""
        wanted = set(keys)
        with self._lock:
            for key in set(self._curves) - wanted:
                del self._curves[key]
            for _, result in list(self._frames()):
                columns = {
                    key: column if outputs else replace(column, output=None, error=None, quality=None)
                    for key, column in result.columns.items()
                    if key in wanted
                }
                complete = result.complete and outputs and wanted <= set(columns)
                shown = result.input if outputs else None
                self.put(replace(result, input=shown, columns=columns, complete=complete))
            if not outputs:
                for curves in self._curves.values():
                    for name in OF_OUTPUTS:
                        curves[name][:] = np.nan
