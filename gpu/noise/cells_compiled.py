"""Cells of the fine field in compiled code (the integers of gpu.noise.field.cells), and their sums along rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.rng_compiled import gaussian, intrinsic, mixed, nearest, of_column, of_row, types

LANES = 4
"""Channels that lie side by side, so that one read serves all of them."""

CHUNK = 64  # pixels halved at once: their cells of four channels stay in the cache

_I32, _U32, _F32 = np.int32, np.uint32, np.float32


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
def sums_along_rows(out: Any, values: Any, k: Any, planes: Any, spreads: Any, y0: Any, x0: Any) -> None:
    """Cells of pixels `values` (C, h, w) int32, added up along their rows: `out` (h n, w n + 1, LANES) int32 gets in
    [r, c] the sum of the cells [0, c) of row r, channels side by side (0 in lanes without one).

    The first pixel is (y0, x0); `planes` (C, 2 k) uint32 and `spreads` (2 k,) float32 are by halving. Sums wrap around.
    """
    channels, height, width = values.shape
    n = 1 << k
    room = np.empty((2, LANES, CHUNK * n * n), np.int32)
    columns = np.empty(CHUNK * n, np.uint32)
    totals = np.empty((n, LANES), np.int32)
    for i in range(height):
        for a in range(n):
            for lane in range(LANES):
                totals[a, lane] = 0
                out[i * n + a, 0, lane] = 0
        for start in range(0, width, CHUNK):
            end = min(start + CHUNK, width)
            wide = (end - start) * n
            for lane in range(LANES):
                if lane < channels:
                    made = halve(
                        values[lane, i, start:end], k, planes[lane], spreads, y0 + i, x0 + start,
                        room[0, lane], room[1, lane], columns,
                    )  # fmt: skip
                    if lane == 0:
                        c0 = made
                    elif lane == 1:
                        c1 = made
                    elif lane == 2:
                        c2 = made
                    else:
                        c3 = made
                else:
                    for j in range(wide * n):
                        room[0, lane, j] = 0
                    if lane == 1:
                        c1 = room[0, 1]
                    elif lane == 2:
                        c2 = room[0, 2]
                    elif lane == 3:
                        c3 = room[0, 3]
            for a in range(n):
                t0, t1, t2, t3 = totals[a, 0], totals[a, 1], totals[a, 2], totals[a, 3]
                line = out[i * n + a, start * n + 1 : end * n + 1]
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
