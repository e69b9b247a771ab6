"""Cells of the fine field in compiled code (the integers of gpu.noise.field.cells), and their sums along rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.field import FRACTION
from gpu.noise.rng_compiled import gaussian, intrinsic, mixed, nearest, of_column, of_row, types

LANES = 4
"""Channels that lie side by side, so that one read serves all of them."""

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

    A run of w pixels fills 2^k rows of w 2^k + 1 places of `out` (N, LANES) int32 from starts[i] on: in place c of a row the sum of
    its first c cells, channels side by side, 0 in lanes without one. Sums wrap around. Pixels hold what they are born with,
    by their `pixels` (C,) uint32 keys, or `held` (C, H, W) float32 where that is not empty; `planes` (C, 2 k) uint32 and `spreads`
    (2 k,) float32 are by halving, as in gpu.noise.field.
    """
    channels = planes.shape[0]
    n = 1 << k
    room = np.zeros((2, LANES, CHUNK * n * n), np.int32)
    values = np.empty(CHUNK, np.int32)
    columns = np.empty(CHUNK * n, np.uint32)
    totals = np.empty((n, LANES), np.int32)
    for number in range(len(runs)):
        y, first, last = np.int64(runs[number, 0]), np.int64(runs[number, 1]), np.int64(runs[number, 2])
        lines = out[starts[number] : starts[number] + n * ((last - first) * n + 1)].reshape(n, (last - first) * n + 1, LANES)
        totals[:] = 0
        lines[:, 0] = 0
        for start in range(first, last, CHUNK):
            end = min(start + CHUNK, last)
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
                t0, t1, t2, t3 = totals[a, 0], totals[a, 1], totals[a, 2], totals[a, 3]
                line = lines[a, (start - first) * n + 1 : (end - first) * n + 1]
                r0, r1 = c0[a * wide : (a + 1) * wide], c1[a * wide : (a + 1) * wide]
                r2, r3 = c2[a * wide : (a + 1) * wide], c3[a * wide : (a + 1) * wide]
                for j in range(wide):
                    t0 += r0[j]
                    t1 += r1[j]
                    t2 += r2[j]
                    t3 += r3[j]
                    line[j, 0] = t0
                    line[j, 1] = t1
                    line[j, 2] = t2
                    line[j, 3] = t3
                totals[a, 0], totals[a, 1], totals[a, 2], totals[a, 3] = t0, t1, t2, t3


@kernel
def place_runs(runs: Any, starts: Any, k: Any, base: Any, pitch: Any) -> None:
    """For every pixel (y, x) of `runs`, or every row where `base` and `pitch` (H, W) int64 have one column: where place 0 of its
    row of pixels would stand if the run began at column 0, and how far its rows of cells lie apart."""
    whole = base.shape[1] == 1
    for number in range(len(runs)):
        y, first, last = runs[number, 0], np.int64(runs[number, 1]), np.int64(runs[number, 2])
        begin, step = starts[number] - (first << k), ((last - first) << k) + 1
        if whole:
            base[y, 0], pitch[y, 0] = begin, step
        else:
            for x in range(first, last):
                base[y, x], pitch[y, x] = begin, step
