"""Cells of the fine field in compiled code (the integers of gpu.noise.field.cells), and their sums along rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.field import FRACTION
from gpu.noise.rng_compiled import (
    MAGNITUDE,
    OUTER,
    central,
    gaussian,
    intrinsic,
    mixed,
    nearest,
    of_column,
    of_row,
    types,
)

LANES = 4
"""Channels that lie side by side, so that one read serves all of them."""

PAIRS = LANES // 2

CHUNK = 64  # pixels halved at once: their cells of four channels stay in the cache

MOST_CELLS = 1 << 14  # and so many cells of a channel, where a pixel has more of them

_I32, _U32, _U64 = np.int32, np.uint32, np.uint64
_UNIT = np.float32(1 << FRACTION)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def half(context: Any, value: Any, step: Any) -> Any:
    """(value + step) >> 1 of int32; numba would widen it to 64 bits."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ashr(builder.add(*arguments), target.get_value_type(types.int32)(1))

    return types.int32(types.int32, types.int32), generate


@inlined
def paired(low: Any, high: Any) -> Any:
    """Two int32 as one int64, low + 2^32 high: sums of pairs are pairs of sums, whatever their signs (`apart`)."""
    return np.int64(low) + (np.int64(high) << 32)


@inlined
def apart(pair: Any) -> Any:
    """The two int32 of a pair."""
    low = np.int32(pair)
    return low, np.int32((pair - np.int64(low)) >> 32)


@inlined
def _step(word: Any, spread: Any) -> Any:
    return nearest(gaussian(word) * spread)


@kernel
def split(cells: Any, rows: Any, columns: Any, spread: Any, first: Any, second: Any, again: Any) -> None:
    """Halve `cells` (m,) int32, whose words are made of `rows` and `columns` (m,) uint32: into `first` and `second` (m,).
    `again` (m,) int64 is room for the numbers of those to be done over."""
    outer = _I32(0)
    for j in range(len(cells)):
        word = mixed(_U32(rows[j] ^ columns[j]))
        share = half(cells[j], nearest(central(word) * spread))
        first[j] = share
        second[j] = cells[j] - share
        outer = _I32(outer | (_I32(1) if _I32(word & MAGNITUDE) < OUTER else _I32(0)))
    if outer:
        number = 0
        for j in range(len(cells)):
            again[number] = j
            number += 1 if _I32(mixed(_U32(rows[j] ^ columns[j])) & MAGNITUDE) < OUTER else 0
        for i in range(number):
            j = again[i]
            share = half(cells[j], _step(mixed(_U32(rows[j] ^ columns[j])), spread))
            first[j] = share
            second[j] = cells[j] - share


@kernel
def hash_columns(x: Any, m: Any, k: Any, chunk: Any, out: Any) -> None:
    """`of_column` of the columns at which m pixels at `x` (m,) int64 are halved, in the order in which they are by `refine`,
    each `chunk` further in `out`."""
    place = 0
    for level in range(k):
        for axis in range(2):
            for j in range(1 << (level + axis)):
                at = out[place : place + m]
                for p in range(m):
                    at[p] = of_column((x[p] << (level + axis)) + j)
                place += chunk


@kernel
def refine(
    m: Any, k: Any, planes: Any, lane: Any, spreads: Any, y: Any, columns: Any, chunk: Any, cells: Any, room: Any, rows: Any,
    again: Any,
) -> None:  # fmt: skip
    """Bring m pixels at `y` (m,) int64 and `columns` (`hash_columns`), whose values stand in cells[:m], to level k: cell (a, c)
    of each then stands from (a n + c) chunk on in `cells`, n = 2^k. `cells` and `room` are flat int32 of n n chunk, `rows`
    (chunk,) uint32 and `again` (chunk,) int64 are room too. `planes` (C, 2 k) and `spreads` are by halving (gpu.noise.field).

    Pixels lie side by side, whatever place they have in the frame, so that single ones cost no more than those of a row.
    """
    place = 0
    for level in range(k):
        n = 1 << level
        for axis in range(2):  # their widths, and then the heights of the halves
            wide = n << axis
            plane, spread = planes[lane, 2 * level + axis], spreads[2 * level + axis]
            source, target = (cells, room) if axis == 0 else (room, cells)
            for i in range(n):
                for p in range(m):
                    rows[p] = of_row(plane, (y[p] << level) + i)
                for j in range(wide):
                    cell, column = (i * wide + j) * chunk, place + j * chunk
                    one_half = 2 * cell if axis == 0 else cell + i * wide * chunk
                    other = one_half + (chunk if axis == 0 else wide * chunk)
                    split(
                        source[cell : cell + m], rows[:m], columns[column : column + m], spread,
                        target[one_half : one_half + m], target[other : other + m], again,
                    )  # fmt: skip
            place += wide * chunk


@kernel
def born(plane: Any, y: Any, x: Any, out: Any, m: Any) -> None:
    """What m pixels are born with, by the key of their plane, in whole steps: into `out` int32."""
    for p in range(m):
        out[p] = nearest(gaussian(mixed(_U32(of_row(plane, y[p]) ^ of_column(x[p])))) * _UNIT)


@kernel
def pair_up(lanes: Any, m: Any, n: Any, chunk: Any, out: Any, pitch: Any) -> None:
    """The cells of four `lanes` (LANES, n n chunk) of m pixels by pixel: `paired`, column by column, each pixel's from p pitch
    on in `out`."""
    for c in range(n):
        for a in range(n):
            at, place = (a * n + c) * chunk, (c * n + a) * PAIRS
            for p in range(m):
                here, there = _U64(at + p), _U64(p * pitch + place)
                out[there] = paired(lanes[0, here], lanes[1, here])
                out[there + _U64(1)] = paired(lanes[2, here], lanes[3, here])


@kernel
def add_up(cells: Any, at: Any, total: Any, out: Any, place: Any, n: Any) -> None:
    """Add the cells of one pixel, cells[at:], to the `total` (n PAIRS,) of its rows, column by column, and write what it is
    then to out[place:]."""
    wide = n * PAIRS
    for c in range(n):
        here, there = at + c * wide, place + c * wide
        for j in range(wide):
            total[j] += cells[_U64(here + j)]
            out[_U64(there + j)] = total[j]


@kernel
def go_on(older: Any, at: Any, total: Any, out: Any, place: Any, n: Any) -> None:
    """The same of a pixel whose sums stand in older[at:], after those before it."""
    wide = n * PAIRS
    for c in range(n):
        here, there = at + (c + 1) * wide, place + c * wide
        for j in range(wide):
            out[_U64(there + j)] = total[j] + (older[_U64(here + j)] - older[_U64(at + j)])
    for j in range(wide):
        total[j] += older[_U64(at + n * wide + j)] - older[_U64(at + j)]


@kernel
def sums_along_rows(
    out: Any, runs: Any, starts: Any, held: Any, pixels: Any, k: Any, planes: Any, spreads: Any, mask: Any, older: Any,
    base: Any,
) -> None:  # fmt: skip
    """Cells added up along their rows, for `runs` (n, 3) of pixels: row, first column, column after the last.

    A run of w pixels fills w n + 1 places, n = 2^k, of `out` (N, n, PAIRS) int64 from starts[i] on: in place c, row a the sums
    of the first c cells of the pixels' row a, two channels to a number (`paired`), 0 in lanes without one. So the rows that an
    edge crosses at about one column lie beside each other in memory. Sums wrap around. Pixels hold what they are born with,
    by their `pixels` (C,) uint32 keys, or `held` (C, H, W) float32 where that is not empty or NaN; `planes` (C, 2 k) uint32 and
    `spreads` (2 k,) float32 are by halving, as in gpu.noise.field. Pixels that are in `mask` (H, W), or (H, 1) for whole rows,
    are not made but taken from such sums that are `older`, which stand where `base` says (`place_runs`).
    """
    channels = planes.shape[0]
    n = 1 << k
    chunk = min(CHUNK, max(1, MOST_CELLS >> (2 * k)))
    room, lanes = np.empty(n * n * chunk, np.int32), np.zeros((LANES, n * n * chunk), np.int32)
    # A little longer than a power of two, whose multiples would share the few places of a cache.
    pitch = n * n * PAIRS + 8
    pairs = np.zeros(chunk * pitch, np.int64)
    places, there, wide = out.reshape(-1), older.reshape(-1), n * PAIRS
    columns, rows = np.empty(max(1, 3 * (n - 1)) * chunk, np.uint32), np.empty(chunk, np.uint32)
    again = np.empty(chunk, np.int64)
    y, x = np.empty(chunk, np.int64), np.empty(chunk, np.int64)
    total = np.zeros(n * PAIRS, np.int64)
    # Where the pixel to be listed next is, and the one whose sums are to be written next.
    listing, column = 0, np.int64(runs[0, 1]) if len(runs) else 0
    writing, now = 0, 0
    while writing < len(runs):
        m = 0
        while listing < len(runs) and m < chunk:
            row = np.int64(runs[listing, 0])
            while column < runs[listing, 2] and m < chunk:
                if mask[row, min(column, mask.shape[1] - 1)] == 0:
                    y[m], x[m] = row, column
                    m += 1
                column += np.int64(1)
            if column >= runs[listing, 2]:
                listing += 1
                column = np.int64(runs[listing, 1]) if listing < len(runs) else 0
        hash_columns(x, m, k, chunk, columns)
        for lane in range(channels):
            cells = lanes[lane]
            born(pixels[lane], y, x, cells, m)
            if held.shape[0] > 0:
                for p in range(m):
                    carried = held[lane, y[p], x[p]]
                    if not np.isnan(carried):
                        cells[p] = nearest(carried * _UNIT)
            refine(m, k, planes, lane, spreads, y, columns, chunk, cells, room, rows, again)
        pair_up(lanes, m, n, chunk, pairs, pitch)
        p = 0
        while writing < len(runs):
            row, first, last = np.int64(runs[writing, 0]), np.int64(runs[writing, 1]), np.int64(runs[writing, 2])
            if now == 0:
                total[:] = 0
                begin = starts[writing] * wide
                places[begin : begin + wide] = 0
            here, place = first + now, starts[writing] + now * n + 1
            if mask[row, min(here, mask.shape[1] - 1)] != 0:
                before = np.int64(base[row, min(here, base.shape[1] - 1)]) + here * n
                go_on(there, before * wide, total, places, place * wide, n)
            elif p < m:
                add_up(pairs, p * pitch, total, places, place * wide, n)
                p += 1
            else:
                break
            now += 1
            if first + now == last:
                now = 0
                writing += 1


@kernel
def count_runs(mask: Any, out: Any, fill: Any) -> Any:
    """How many runs of pixels `mask` (H, W) has; with `fill` they are written to `out` (n, 3) int32: row, first column, column
    after the last."""
    height, width = mask.shape
    number = 0
    for i in range(height):
        line = mask[i]
        start = np.int64(-1)
        for j in range(width):
            if line[j] != 0 and start < 0:
                start = np.int64(j)
            elif line[j] == 0 and start >= 0:
                if fill:
                    out[number, 0], out[number, 1], out[number, 2] = i, start, j
                number += 1
                start = np.int64(-1)
        if start >= 0:
            if fill:
                out[number, 0], out[number, 1], out[number, 2] = i, start, width
            number += 1
    return number


@kernel
def place_runs(runs: Any, starts: Any, k: Any, base: Any) -> None:
    """For every pixel (y, x) of `runs`, or every row where `base` (H, W) int64 has one column: where place 0 of its row of
    pixels would stand if the run began at column 0."""
    whole = base.shape[1] == 1
    for number in range(len(runs)):
        y, first, last = runs[number, 0], np.int64(runs[number, 1]), np.int64(runs[number, 2])
        begin = starts[number] - (first << k)
        if whole:
            base[y, 0] = begin
        else:
            for x in range(first, last):
                base[y, x] = begin
