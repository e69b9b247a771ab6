"""Cells of anchor frames that nobody may own any more: what renewed pixels had taken of their old anchor.

A renewed pixel hands its noise on to a new anchor. If another pixel took the same cells of the old one in a later frame, the
two would be tied, and the frame no longer white. So these cells are spent from the next frame on: whoever covers one does not
own it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


class Cells(NamedTuple):
    """Cells of one anchor frame on level `k`: `places` (n,) int32 the pixels they lie in (flat indices, ascending), and `bits`
    (n, B) uint8 which of the pixel's 4^k cells, row by row, eight to a byte, the first one in the lowest bit."""

    k: int
    places: I32
    bits: U8


Spent = Mapping[int, Cells]
"""By anchor frame."""


def nothing(k: int) -> Cells:
    """No cells."""
    return Cells(k, np.empty(0, np.int32), np.empty((0, width_of(k)), np.uint8))


def width_of(k: int) -> int:
    """Bytes for the cells of a pixel."""
    return max(1, (1 << (2 * k)) // 8)


def of_cells(row: I64, column: I64, level: int, k: int, width: int) -> Cells:
    """The cells of level k, in a frame of `width` pixels a row, that hold the cells (n,) `row`, `column` of a `level` that is
    no coarser."""
    down = level - k
    row, column = row >> down, column >> down
    place = (row >> k) * width + (column >> k)
    side = 1 << k
    bit = (row & (side - 1)) * side + (column & (side - 1))
    places, which = np.unique(place, return_inverse=True)
    marked = np.zeros((len(places), 8 * width_of(k)), np.bool_)
    marked[which, bit] = True
    return Cells(k, places.astype(np.int32), np.packbits(marked, axis=1, bitorder="little"))


def places(cells: Cells, width: int) -> tuple[I64, I64]:
    """(n,) the row and the column, on their level, of every cell."""
    bits = np.unpackbits(cells.bits, axis=1, bitorder="little")[:, : 1 << (2 * cells.k)]
    which, bit = np.nonzero(bits)
    place, side = cells.places[which].astype(np.int64), 1 << cells.k
    return (place // width) * side + bit // side, (place % width) * side + bit % side


def union(parts: list[Cells], k: int) -> Cells:
    """All of them."""
    parts = [part for part in parts if len(part.places)]
    if not parts:
        return nothing(k)
    if len(parts) == 1:
        return parts[0]
    places, which = np.unique(np.concatenate([part.places for part in parts]), return_inverse=True)
    bits = np.zeros((len(places), width_of(k)), np.uint8)
    np.bitwise_or.at(bits, which, np.concatenate([part.bits for part in parts]))
    return Cells(k, places.astype(np.int32), bits)


def inside(cells: Cells, row: I64, column: I64, level: int, width: int) -> npt.NDArray[np.bool_]:
    """(n,) which of the cells (n,) `row`, `column` of a `level` lie in `cells`."""
    if not len(cells.places):
        return np.zeros(row.shape, np.bool_)
    down, side = level - cells.k, 1 << cells.k
    row, column = row >> down, column >> down
    place = (row >> cells.k) * width + (column >> cells.k)
    at = np.minimum(np.searchsorted(cells.places, place), len(cells.places) - 1)
    bit = (row & (side - 1)) * side + (column & (side - 1))
    marked = (cells.bits[at, bit >> 3] >> (bit & 7).astype(np.uint8)) & 1
    there: npt.NDArray[np.bool_] = (cells.places[at] == place) & (marked != 0)
    return there


class Ledger:
    """What was spent of which anchor, by the frame in which it was."""

    def __init__(self, k: int) -> None:
        self.k = k
        self._by_frame: dict[int, Spent] = {}

    def __contains__(self, t: int) -> bool:
        return t in self._by_frame

    def enter(self, t: int, spent: Spent) -> None:
        """What pixels renewed in frame t have taken."""
        self._by_frame[t] = spent

    def before(self, label: int, t: int) -> Cells:
        """The cells of anchor frame `label` that are spent in frame t, by pixels of the same shot renewed before it."""
        parts = [spent[label] for frame, spent in self._by_frame.items() if label < frame < t and label in spent]
        return union(parts, self.k)


class Marked:
    """Cells as compiled code looks them up: by pixel of a frame, which row of `bits`."""

    def __init__(self, pixels: int) -> None:
        self.slot = np.full(pixels, -1, np.int32)
        self._places = np.empty(0, np.int32)

    def put(self, cells: Cells) -> None:
        """Look these up from now on, and no others."""
        self.slot[self._places] = -1
        self._places = cells.places
        self.slot[cells.places] = np.arange(len(cells.places), dtype=np.int32)
