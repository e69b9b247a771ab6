"""Gathering by edges on the processor: what every transported pixel owns of the fine field, added up by compiled code.

The same cells for the same pixels as gpu.noise.gathering finds by drawing them, and the same sums to the last bit: all of it
is whole numbers. What costs there 4^k cells a pixel costs here 2^k crossings of its edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from gpu import interrupt
from gpu.noise import contested_compiled, edges_compiled, outlines_compiled
from gpu.noise.cells_compiled import LANES, PAIRS
from gpu.noise.edges_compiled import Shapes, Sums
from gpu.noise.field import FRACTION
from gpu.noise.gathering import Gathered, Purse
from gpu.noise.outlines import SNAP, TANGLED, segments
from gpu.noise.spent import Cells, Marked, nothing, of_cells
from gpu.noise.summed_field import SummedField
from gpu.noise.tracks import Track

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

ALL_SIDES = outlines_compiled.TOP + outlines_compiled.RIGHT + outlines_compiled.BOTTOM + outlines_compiled.LEFT

WHOLE_ROWS = 1 / 8
"""Anchors that this share of a frame looks at have whole rows of their field made."""


@dataclass(frozen=True)
class Contest:
    """Contested cells of one anchor: `stretches` (n, 3) of row, first column, column after the last; by row in `row_of` (rows +
    1,); their cells' winners in `bids`, from `offset` (n,) on; and `mask` (H, W) where they lie."""

    stretches: I64
    row_of: I64
    offset: I64
    mask: npt.NDArray[np.uint8]
    bids: I64


class Taken(NamedTuple):
    """Spent cells as kernels look them up: see gpu.noise.contested_compiled.is_spent."""

    slot: I32
    bits: npt.NDArray[np.uint8]
    finer: int


class Room:
    """Memory for the outlines of frames of one size, taken once: to ask the system for it in every frame costs more than
    to fill it."""

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._marked: Marked | None = None

    def marked(self, pixels: int) -> Marked:
        """Where spent cells of one anchor at a time are looked up, in a frame of so many pixels."""
        if self._marked is None or len(self._marked.slot) != pixels:
            self._marked = Marked(pixels)
        return self._marked

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        """An array of that shape with whatever it held before."""
        kept = self._arrays.get(name)
        if kept is None or kept.shape != shape or kept.dtype != dtype:
            kept = self._arrays[name] = np.empty(shape, dtype)
        return kept


def shapes(track: Track, k: int, s: int, room: Room | None = None) -> Shapes:
    """Outlines of a track's transported pixels, which hold until `room` is asked again."""
    room = room or Room()
    height, width = track.label.shape
    m = 4 * segments(s)
    vertices = room.array("vertices", (height, m, 2, width), np.int32)
    kind, linked = room.array("kind", (height, width), np.int8), room.array("linked", (height, width), np.uint8)
    position, label, state = (part.contiguous().numpy() for part in (track.position, track.label, track.state))
    scale = np.float32(SNAP << k)
    outlines_compiled.outlines_of_rows(position, label, state, s, scale, vertices, kind, linked)
    return Shapes(vertices, position.reshape(-1, 2), kind.reshape(-1), linked.reshape(-1), width, scale)


def by_label(track: Track, outline: Shapes) -> Iterator[tuple[int, I64]]:
    """Every anchor frame that pixels are carried from, and these pixels (flat indices, in order)."""
    label = track.label.contiguous().view(-1).numpy()
    begin = np.zeros(int(label.max()) + 2, np.int64)
    edges_compiled.count_labels(label, outline.kind, begin)
    np.cumsum(begin, out=begin)
    ends, pixels = begin.copy(), np.empty(int(begin[-1]), np.int64)
    edges_compiled.list_pixels(label, outline.kind, ends, pixels)
    for anchor in np.flatnonzero(np.diff(begin)):
        yield int(anchor), pixels[begin[anchor] : begin[anchor + 1]]


def contest(pixels: I64, outline: Shapes, k: int, height: int) -> Contest | None:
    """The cells that several of the `pixels` of one anchor cover; None where there are none."""
    rows, columns = height << k, outline.width << k
    whole = pixels
    pixels = whole[(outline.linked[whole] != ALL_SIDES) | (outline.kind[whole] == TANGLED)]  # all others cancel
    begin = np.zeros(rows + 1, np.int64)
    nothing = np.empty(0, np.int64)
    contested_compiled.list_crossings(pixels, outline, rows, columns, begin, nothing, False)
    ends = np.cumsum(begin[:rows])
    begin[0], begin[1:] = 0, ends
    crossings = np.empty(int(begin[-1]), np.int64)
    contested_compiled.list_crossings(pixels, outline, rows, columns, begin[:rows].copy(), crossings, True)
    none = np.empty((0, 3), np.int64)
    number = contested_compiled.contested(crossings, begin, none, False)
    if number == 0:
        return None
    stretches = np.empty((number, 3), np.int64)
    contested_compiled.contested(crossings, begin, stretches, True)
    lengths = stretches[:, 2] - stretches[:, 1]
    offset = np.cumsum(lengths) - lengths
    row_of = np.searchsorted(stretches[:, 0], np.arange(rows + 1))
    mask = np.zeros((height, outline.width), np.uint8)
    for row, first, last in stretches:
        mask[row >> k, first >> k : ((last - 1) >> k) + 1] = 1
    bids = np.full(int(lengths.sum()), np.iinfo(np.int64).max)
    return Contest(stretches, row_of, offset, mask, bids)


def ranks(error: torch.Tensor) -> npt.NDArray[np.int32]:
    """(H W,) int32 who goes first where pixels overlap: the forward-backward `error` (H, W) in steps of 1/64 pixel, up to
    255."""
    rank = torch.nan_to_num(error.reshape(-1) * 64, nan=255.0, posinf=255.0).clamp(0, 255)
    return rank.to(torch.int32).numpy()


def gather(
    track: Track,
    error: torch.Tensor,
    summed: SummedField,
    k: int,
    s: int,
    channels: int,
    room: Room | None = None,
    levels: Mapping[int, int] | None = None,
    purse: Purse | None = None,
) -> Gathered:
    """Noise (C, H, W) of the transported pixels of a track, of unit variance, 0 where a pixel owns nothing, and how many cells
    they own, (H, W) int32: of level k, or of what `levels` says for an anchor. See gpu.noise.gathering.gather."""
    height, width = track.label.shape
    room = room or Room()
    at_level = {k: shapes(track, k, s, room)}
    count = np.zeros(height * width, np.int32)
    groups = max(1, -(-channels // LANES))
    totals = [room.array(f"total {group}", (height * width, PAIRS), np.int64) for group in range(groups)]
    for total in totals:
        total.fill(0)
    noise = torch.zeros((channels, height, width), dtype=torch.float32)
    rank: npt.NDArray[np.int32] | None = None
    spending: dict[int, Cells] = {}
    chosen = None if purse is None or purse.renewing is None else purse.renewing.reshape(-1).numpy()
    for label, pixels in by_label(track, at_level[k]):
        interrupt.poll()
        level = (levels or {}).get(label, k)
        if level not in at_level:
            at_level[level] = shapes(track, level, s)
        outline = at_level[level]
        gone = purse.used(label) if purse is not None else nothing(k)
        room.marked(height * width).put(gone)
        taken = Taken(room.marked(height * width).slot, gone.bits, level - gone.k)
        many = len(pixels) >= WHOLE_ROWS * height * width and level == k
        mask = np.zeros((height, 1 if many else width), np.uint8)
        if many and summed.is_whole(label, level, groups, channels):
            mask[:] = 1
        else:
            edges_compiled.touched(pixels, outline, level, mask)
        shared = contest(pixels, outline, level, height)
        if shared is not None:
            rank = ranks(error) if rank is None else rank
            settle(pixels, outline, rank, shared, level, summed.nothing(level), totals[0], count, False, taken)
        tangled = bool((outline.kind[pixels] == TANGLED).any())
        for group, total in enumerate(totals):
            lanes = min(LANES, channels - LANES * group)
            counted = count if group == 0 else np.zeros_like(count)
            for sums in summed.at(label, level, group, lanes, mask) if lanes else [summed.nothing(level)]:
                edges_compiled.add_edges(pixels, outline, sums, total, counted)
                if tangled:
                    contested_compiled.add_tangled(pixels, outline, sums, total, counted)
                if shared is not None and rank is not None:
                    settle(pixels, outline, rank, shared, level, sums, total, counted, True, taken)
                if len(gone.places):
                    contested_compiled.take_spent(
                        pixels, outline, level, height, width, *taken, sums, total, counted,
                    )  # fmt: skip
            some = noise[LANES * group : LANES * (group + 1)].view(-1, height * width).numpy()
            edges_compiled.normalise(pixels, total, count, float(4**level), np.float32(2.0**-FRACTION), some)
        if chosen is not None and len(own := pixels[chosen[pixels]]):
            spending[label] = _owned(own, outline, level, gone.k, height, shared, rank, taken)
    return Gathered(noise, torch.from_numpy(count).view(height, width), spending)


def _owned(
    pixels: I64,
    outline: Shapes,
    level: int,
    k: int,
    height: int,
    shared: Contest | None,
    rank: npt.NDArray[np.int32] | None,
    taken: Taken,
) -> Cells:
    """The cells that pixels of one anchor own."""
    contest_of = (
        (np.empty((0, 3), np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
        if shared is None
        else (shared.stretches, shared.row_of, shared.offset, shared.bids)
    )
    arguments = (
        pixels, outline, level, height, outline.width, *contest_of, np.empty(0, np.int32) if rank is None else rank, *taken,
    )  # fmt: skip
    number = contested_compiled.spend(*arguments, np.empty((0, 2), np.int64), False)
    cells = np.empty((number, 2), np.int64)
    contested_compiled.spend(*arguments, cells, True)
    return of_cells(cells[:, 0], cells[:, 1], level, k, outline.width)


def settle(
    pixels: I64,
    outline: Shapes,
    rank: npt.NDArray[np.int32],
    shared: Contest,
    k: int,
    sums: Sums,
    total: I64,
    count: I32,
    take_back: bool,
    taken: Taken,
) -> None:
    """See gpu.noise.contested_compiled.settle."""
    contested_compiled.settle(
        pixels, outline, rank, k, sums.columns, shared.stretches, shared.row_of, shared.offset, shared.mask, shared.bids,
        sums, total, count, take_back, *taken,
    )  # fmt: skip
