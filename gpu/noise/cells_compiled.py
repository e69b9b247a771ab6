"""Cells of the fine field in compiled code (the integers of gpu.noise.field.cells), and their sums along rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.field import FRACTION
from gpu.noise.rng_compiled import gaussian, intrinsic, mixed, nearest, of_column, of_row, types

LANES = 4
"""Channels that lie side by side, so that one read serves all of them."""

PAIRS = LANES // 2

CHUNK = 64  # pixels halved at once: their cells of four channels stay in the cache

_I32, _U32 = np.int32, np.uint32
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
def halve(
    values: Any, levels: Any, planes: Any, spreads: Any, y0: Any, x0: Any, first: Any, second: Any, columns: Any
) -> Any:
    """Halve `values` (w,) int32, pixels (y0, x0 ...), down to level k = len(planes) / 2: returns the n x (w n) cells, a view of
    `first` or `second`, int32 rooms of at least that size; `columns` (w n,) uint32 is room. `planes` and `spreads` are by
    halving, as in gpu.noise.field; `levels` is k."""
    width = values.shape[0]
    now, then = first, second
    shares = np.empty(columns.shape[0], np.int32)
    for j in range(width):
        now[j] = values[j]
    across = width  # cells in a row now
    rows = 1
    for level in range(levels):
        x, y = x0 << level, y0 << level
        plane, spread = planes[2 * level], spreads[2 * level]
        for j in range(across):
            columns[j] = of_column(x + j)
        for i in range(rows):
            row = of_row(plane, y + i)
            cells = now[i * across : (i + 1) * across]
            pairs = then[2 * i * across : 2 * (i + 1) * across].reshape(across, 2)
            for j in range(across):  # apart from the next loop, whose strides would keep this one from running in SIMD
                shares[j] = half(cells[j], _step(mixed(_U32(row ^ columns[j])), spread))
            for j in range(across):
                pairs[j, 0] = shares[j]
                pairs[j, 1] = cells[j] - shares[j]
        now, then = then, now
        across *= 2
        x *= 2
        plane, spread = planes[2 * level + 1], spreads[2 * level + 1]
        for j in range(across):
            columns[j] = of_column(x + j)
        for i in range(rows):
            row = of_row(plane, y + i)
            cells = now[i * across : (i + 1) * across]
            upper = then[2 * i * across : (2 * i + 1) * across]
            lower = then[(2 * i + 1) * across : (2 * i + 2) * across]
            for j in range(across):
                share = half(cells[j], _step(mixed(_U32(row ^ columns[j])), spread))
                upper[j] = share
                lower[j] = cells[j] - share
        now, then = then, now
        rows *= 2
    return now


@kernel
def sums_along_rows(
    out: Any, runs: Any, starts: Any, held: Any, pixels: Any, k: Any, planes: Any, spreads: Any
) -> None:
    """Cells added up along their rows, for `runs` (n, 3) of pixels: row, first column, column after the last.

    A run of w pixels fills w n + 1 places, n = 2^k, of `out` (N, n, PAIRS) int64 from starts[i] on: in place c, row a the sums
    of the first c cells of the pixels' row a, two channels to a number (`paired`), 0 in lanes without one. So the rows that an
    edge crosses at about one column lie beside each other in memory. Sums wrap around. Pixels hold what they are born with,
    by their `pixels` (C,) uint32 keys, or `held` (C, H, W) float32 where that is not empty; `planes` (C, 2 k) uint32 and
    `spreads` (2 k,) float32 are by halving, as in gpu.noise.field.
    """
    channels = planes.shape[0]
    n = 1 << k
    room = np.zeros((2, LANES, CHUNK * n * n), np.int32)
    values = np.empty(CHUNK, np.int32)
    columns = np.empty(CHUNK * n, np.uint32)
    rows = np.empty((PAIRS, CHUNK * n), np.int64)
    for number in range(len(runs)):
        y, first, last = np.int64(runs[number, 0]), np.int64(runs[number, 1]), np.int64(runs[number, 2])
        places = out[starts[number] : starts[number] + (last - first) * n + 1]
        places[0] = 0
        for start in range(first, last, CHUNK):
            end = start + CHUNK if start + CHUNK < last else last
            wide = (end - start) * n
            c0, c1, c2, c3 = room[0, 0], room[0, 1], room[0, 2], room[0, 3]
            for lane in range(channels):
                if held.shape[0] > 0:
                    for j in range(end - start):
                        values[j] = nearest(held[lane, y, start + j] * _UNIT)
                else:
                    row = of_row(pixels[lane], y)
                    for j in range(end - start):
                        values[j] = nearest(gaussian(mixed(_U32(row ^ of_column(start + j)))) * _UNIT)
                made = halve(
                    values[: end - start], k, planes[lane], spreads, y, start, room[0, lane], room[1, lane], columns
                )
                if lane == 0:
                    c0 = made
                elif lane == 1:
                    c1 = made
                elif lane == 2:
                    c2 = made
                else:
                    c3 = made
            for a in range(n):
                r0, r1 = c0[a * wide : (a + 1) * wide], c1[a * wide : (a + 1) * wide]
                r2, r3 = c2[a * wide : (a + 1) * wide], c3[a * wide : (a + 1) * wide]
                for j in range(wide):
                    rows[0, j] = paired(r0[j], r1[j])
                    rows[1, j] = paired(r2[j], r3[j])
                before = places[(start - first) * n]
                t0, t1 = before[a, 0], before[a, 1]
                after = places[(start - first) * n + 1 : (end - first) * n + 1]
                for j in range(wide):
                    t0 += rows[0, j]
                    t1 += rows[1, j]
                    after[j, a, 0] = t0
                    after[j, a, 1] = t1


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
