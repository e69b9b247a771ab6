"""The fine field of anchor frames as edges read it: cells added up along their rows, made where they are asked for and kept
within a bound; values never depend on that.

What does not fit is made anew for each frame, in parts: a field that is one part too large costs that part, not the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from gpu import interrupt
from gpu.cv import cv2
from gpu.noise import cells_compiled, field, rng
from gpu.noise.cells_compiled import LANES, PAIRS
from gpu.noise.edges_compiled import Sums

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Keys = npt.NDArray[np.uint32]

PART_BYTES = 64 << 20
"""Of a field that is made anew for each frame: as much at once."""

Held = Callable[[int], npt.NDArray[np.float32] | None]
"""The (C, H, W) noise that has been carried to an anchor frame, NaN where pixels are born there; None where all are."""


Key = tuple[int, int, int, int]
"""Anchor frame, level, group of channels, and the first row of a part; WHOLE for all of it."""

WHOLE = -1


@dataclass
class _Kept:
    """What is kept of the field of one anchor: `mask` (H, W) the pixels that are there, (H, 1) where these are whole rows; the
    first `filled` places of `sums` are in use."""

    mask: U8
    sums: I64
    base: I32 | I64
    lanes: int
    filled: int
    used: int = 0

    @property
    def nbytes(self) -> int:
        return self.filled * self.sums[:1].nbytes + self.base.nbytes


class SummedField:
    """Sums along the rows of level-k cells, LANES channels at a time. `limit` bounds the bytes that are kept."""

    def __init__(self, seed: int, height: int, width: int, limit: int, held: Held) -> None:
        self.seed, self.height, self.width, self.limit = seed, height, width, limit
        self._held = held
        self._kept: dict[Key, _Kept] = {}
        self._keys: LRUCache[tuple[int, int, int, int], tuple[Keys, Keys]] = LRUCache(ANCHORS)
        self._now = 0

    @property
    def nbytes(self) -> int:
        """What is kept now."""
        return sum(kept.nbytes for kept in self._kept.values())

    def take_over(self, other: SummedField, label: int) -> None:
        """Have what the field of the same seed and size, of another motion, holds of an anchor that is born in both."""
        if (other.seed, other.height, other.width) == (self.seed, self.height, self.width):
            self._kept.update({key: replace(kept, used=0) for key, kept in other._kept.items() if key[0] == label})

    def bound(self, limit: int) -> None:
        """Keep at most `limit` bytes from now on; what was asked for the longest ago goes first."""
        self.limit = limit
        for _, key in sorted((kept.used, key) for key, kept in self._kept.items()):
            if self.nbytes <= limit:
                return
            del self._kept[key]

    def at(self, label: int, k: int, group: int, channels: int, mask: U8) -> Iterator[Sums]:
        """Sums over the cells of level k of the pixels in `mask` ((H, W), or (H, 1) for whole rows) of anchor frame `label`, of
        the channels LANES group to LANES group + channels - 1: in one part, or one after the other where there is no room."""
        self._now += 1
        key = (label, k, group, WHOLE)
        kept = self._kept.get(key)
        if kept is not None and kept.lanes >= channels and _within(mask, kept.mask):
            kept.used = self._now
            yield self._sums(kept, k, 0, self.height << k)
            return
        if mask.shape[1] > 1:  # some more: the next frame looks at about the same pixels
            mask = np.asarray(cv2.dilate(mask, np.ones((MARGIN, MARGIN), np.uint8)), np.uint8)
        if kept is not None:
            channels = max(channels, kept.lanes)
            if kept.mask.shape[1] == 1 and mask.shape[1] > 1:
                mask = mask.max(axis=1, keepdims=True)
            if (
                kept.lanes == channels
                and kept.mask.shape[1] == mask.shape[1] > 1
                and self._grown(kept, label, k, group, mask)
            ):
                kept.used = self._now
                yield self._sums(kept, k, 0, self.height << k)
                return
            if kept.mask.shape[1] > 1 and mask.shape[1] == 1:
                mask = np.maximum(mask, kept.mask.max(axis=1, keepdims=True))
            else:
                mask = np.maximum(mask, kept.mask)
        if mask.shape[1] == 1:  # all rows at once: to make it larger later would take twice the memory
            every = np.ones_like(mask)
            if int(_places(_runs(every, self.width), k).sum()) * (LANES * 4 << k) <= self.limit:
                mask = every
        runs = _runs(mask, self.width)
        places = int(_places(runs, k).sum())
        place_bytes = LANES * 4 << k
        self._make_room(places * place_bytes, key)
        others = self.nbytes - (kept.nbytes if kept else 0)
        if others + places * place_bytes <= self.limit:
            self._kept.pop(key, None)
            old = kept if kept is not None and kept.lanes == channels and kept.nbytes <= PART_BYTES else None
            del kept
            # Of a few pixels the next frames look at some more: there is to be room for these.
            room = ROOM * places if mask.shape[1] > 1 else places
            fresh = self._made(label, k, group, channels, mask, runs, old, room)
            fresh.used = self._now
            self._kept[key] = fresh
            yield self._sums(fresh, k, 0, self.height << k)
            return
        yield from self._parts(label, k, group, channels, mask, runs)

    def is_whole(self, label: int, k: int, groups: int, channels: int) -> bool:
        """Whether all rows of an anchor are kept, so that nobody need say which are wanted."""
        for group in range(groups):
            kept = self._kept.get((label, k, group, WHOLE))
            lanes = min(LANES, channels - LANES * group)
            if kept is None or kept.lanes < lanes or kept.mask.shape[1] > 1 or not kept.mask.all():
                return False
        return True

    def nothing(self, k: int) -> Sums:
        """Sums of a field that is 0 everywhere: for who counts cells and does not ask what they hold."""
        zeros = np.zeros((self.height, 1), np.int32)
        empty = np.zeros(((self.width << k) + 1, 1 << k, PAIRS), np.int64)
        return Sums(empty, zeros, k, self.height << k, self.width << k, 0, self.height << k)

    def _parts(self, label: int, k: int, group: int, channels: int, mask: U8, runs: I32) -> Iterator[Sums]:
        """Rows of pixels at a time. As many parts as there is room for are kept, so that a field that is a little too large
        costs a little more."""
        row_bytes = ((self.width << k) + 1) * (LANES * 4 << k)
        step = max(1, PART_BYTES // row_bytes)
        for first in range(0, self.height, step):
            some = runs[(runs[:, 0] >= first) & (runs[:, 0] < first + step)]
            if not len(some):
                continue
            key = (label, k, group, first)
            part = self._kept.get(key)
            if part is None or part.lanes < channels or not _within(mask[first : first + step], part.mask):
                interrupt.poll()
                self._kept.pop(key, None)
                part = self._made(label, k, group, channels, mask, some)
                part.mask = mask[first : first + step]
                if self.nbytes + part.nbytes <= self.limit:
                    self._kept[key] = part
            part.used = self._now
            yield self._sums(part, k, first << k, min(first + step, self.height) << k)

    def _sums(self, kept: _Kept, k: int, low: int, high: int) -> Sums:
        return Sums(kept.sums, kept.base, k, self.height << k, self.width << k, low, high)

    def _make_room(self, size: int, key: Key) -> None:
        """Drop what the last frames did not ask for, the longest unused first, if that makes room."""
        old = sorted(
            (kept.used, name) for name, kept in self._kept.items() if kept.used < self._now - STALE and name != key
        )
        for _, name in old:
            if self.nbytes + size <= self.limit:
                return
            del self._kept[name]

    def _made(
        self,
        label: int,
        k: int,
        group: int,
        channels: int,
        mask: U8,
        runs: I32,
        old: _Kept | None = None,
        room: int = 0,
    ) -> _Kept:
        """The sums over `runs`, and room for as many places; what is in `old` is taken from there."""
        places = _places(runs, k)
        number = int(places.sum())
        sums = np.empty((max(room, number), 1 << k, PAIRS), np.int64)
        base = np.zeros(mask.shape, np.int32 if len(sums) < 1 << 31 else np.int64)
        starts = np.cumsum(places) - places
        cells_compiled.place_runs(runs, starts, k, base)
        made = _Kept(mask, sums, base, channels, number)
        self._fill(sums, label, k, group, channels, runs, starts, old)
        return made

    def _grown(self, kept: _Kept, label: int, k: int, group: int, mask: U8) -> bool:
        """Whether there was room for the pixels of `mask` beside those that are kept: rows with more of them than before are
        written anew behind all others."""
        more: U8 = np.maximum(mask, kept.mask)
        rows: U8 = (more > kept.mask).max(axis=1, keepdims=True).view(np.uint8)
        runs = _runs(more * rows, self.width)
        places = _places(runs, k)
        end = kept.filled + int(places.sum())
        if end > len(kept.sums) or self.nbytes + (end - kept.filled) * kept.sums[:1].nbytes > self.limit:
            return False
        starts = kept.filled + np.cumsum(places) - places
        self._fill(kept.sums, label, k, group, kept.lanes, runs, starts, kept)
        cells_compiled.place_runs(runs, starts, k, kept.base)
        kept.mask, kept.filled = more, end
        return True

    def _fill(
        self, sums: I64, label: int, k: int, group: int, channels: int, runs: I32, starts: I64, old: _Kept | None
    ) -> None:
        lanes = range(LANES * group, LANES * group + channels)
        held = self._held(label)
        noise = (
            np.zeros((0, 0, 0), np.float32) if held is None else np.ascontiguousarray(held[lanes.start : lanes.stop])
        )
        halvings = [(level, across) for level in range(k) for across in (True, False)]
        keys = label, k, group, channels
        if keys not in self._keys:
            pixels = np.array([rng.key(self.seed, rng.FIELD, label, lane) for lane in lanes], np.uint32)
            planes = np.array(
                [
                    [rng.key(self.seed, rng.FINE, label, lane, field.plane_of(*each)) for each in halvings]
                    for lane in lanes
                ],
                np.uint32,
            ).reshape(channels, 2 * k)
            self._keys[keys] = pixels, planes
        pixels, planes = self._keys[keys]
        spreads = np.array([field.spread(*each) for each in halvings], np.float32)
        nothing = np.zeros((self.height, 1), np.uint8), np.empty((0, 1 << k, PAIRS), np.int64)
        older = (*nothing, np.zeros((self.height, 1), np.int32)) if old is None else (old.mask, old.sums, old.base)
        for start in range(0, len(runs), RUNS):
            interrupt.poll()
            some = slice(start, start + RUNS)
            cells_compiled.sums_along_rows(sums, runs[some], starts[some], noise, pixels, k, planes, spreads, *older)


MARGIN = 5
"""Pixels across what is made of an anchor around each one that a frame looks at."""

ROOM = 4
"""So many times the places that are filled at first are asked for; what is not filled takes no memory."""

ANCHORS = 1024
"""Anchors whose keys are kept: to work them out costs as much as a hundred pixels."""

STALE = 64
"""Requests after which what was not asked for again may make room."""

RUNS = 1024
"""Runs made between two looks at whether anybody still waits."""


def _within(mask: U8, there: U8) -> bool:
    """Whether all that `mask` asks for is `there`; whole rows serve single pixels too."""
    return (mask.shape == there.shape or there.shape[1] == 1) and not bool((mask > there).any())


def _places(runs: I32, k: int) -> I64:
    """How many places each run takes: one before every cell of a row, and one after the last."""
    return ((runs[:, 2] - runs[:, 1]).astype(np.int64) << k) + 1


def _runs(mask: U8, width: int) -> I32:
    """(n, 3) int32 the runs of `mask`: row, first column, column after the last."""
    if mask.shape[1] == 1:
        rows = np.flatnonzero(mask[:, 0]).astype(np.int32)
        return np.stack([rows, np.zeros_like(rows), np.full_like(rows, width)], 1)
    none = np.empty((0, 3), np.int32)
    runs = np.empty((cells_compiled.count_runs(mask, none, False), 3), np.int32)
    cells_compiled.count_runs(mask, runs, True)
    return runs
