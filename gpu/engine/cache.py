"""Finished frames under a memory limit, and the curves over time. Safe to read from any thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gpu.engine.results import F32, SERIES, Column, FrameResult, Mask


def _bytes(column: Column) -> int:
    arrays = (column.noise, column.state, column.output, column.error)
    return sum(array.nbytes for array in arrays if array is not None)


class Cache:
    """Columns of frames by (frame, key); the least recently used frames go first. Curves stay when frames go."""

    def __init__(self, frames: int, limit: int) -> None:
        self.frames, self.limit = frames, limit
        self._lock = threading.RLock()
        self._results: OrderedDict[int, FrameResult] = OrderedDict()
        self._size: dict[int, int] = {}
        self._curves: dict[str, dict[str, F32]] = {}
        self._done = np.zeros(frames, dtype=np.bool_)

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(self._size.values())

    def get(self, t: int) -> FrameResult | None:
        with self._lock:
            result = self._results.get(t)
            if result is not None:
                self._results.move_to_end(t)
            return result

    def put(self, result: FrameResult) -> None:
        with self._lock:
            self._results[result.t] = result
            self._results.move_to_end(result.t)
            self._size[result.t] = result.image.nbytes + sum(_bytes(column) for column in result.columns.values())
            self._done[result.t] = result.complete
            total = sum(self._size.values())
            while total > self.limit and len(self._results) > 8:
                t, _ = self._results.popitem(last=False)
                total -= self._size.pop(t)
                self._done[t] = False

    def computed(self) -> Mask:
        with self._lock:
            return self._done.copy()

    def note(self, key: str, t: int, **values: float) -> None:
        """Set points of the curves of one column."""
        with self._lock:
            curves = self._curves.setdefault(
                key, {name: np.full(self.frames, np.nan, dtype=np.float32) for name in SERIES}
            )
            for name, value in values.items():
                curves[name][t] = value

    def series(self, key: str) -> dict[str, npt.NDArray[np.float32]]:
        with self._lock:
            empty = np.full(self.frames, np.nan, dtype=np.float32)
            return {name: self._curves.get(key, {}).get(name, empty).copy() for name in SERIES}

    def keep_columns(self, keys: Iterable[str], outputs: bool) -> None:
        """Forget the columns not named in `keys`, and all outputs when `outputs` is false."""
        wanted = set(keys)
        with self._lock:
            for key in set(self._curves) - wanted:
                del self._curves[key]
            for t, result in list(self._results.items()):
                columns = {}
                for key, column in result.columns.items():
                    if key in wanted:
                        columns[key] = column if outputs else _without_output(column)
                complete = result.complete and outputs and wanted <= set(columns)
                shown = result.input if outputs else None
                self._results[t] = replace(result, input=shown, columns=columns, complete=complete)
                self._done[t] = complete
            if not outputs:
                for curves in self._curves.values():
                    for name in (
                        "warp_error",
                        "warp_error_5",
                        "coverage",
                        "coverage_5",
                        "sharpness",
                        "laplacian",
                        "psnr",
                    ):
                        curves[name][:] = np.nan


def _without_output(column: Column) -> Column:
    return replace(column, output=None, error=None, quality=None)
