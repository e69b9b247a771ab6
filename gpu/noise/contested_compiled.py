"""Who owns a cell that several outlines cover, in compiled code.

Edges that two linked pixels share cancel; all others, each with its own outline's orientation, go row by row into a list of
crossings, and counting along it gives how many outlines cover each cell. Stretches of more than one are contested: there every
outline that covers a cell bids for it, the smallest rank and then the first pixel wins, and what the others had added up of
it is taken back. So every cell has one owner at most, which is what keeps the noise white where the map folds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise import outlines
from gpu.noise.edges_compiled import bounds, crossing, edge, first_row, place
from gpu.noise.rng_compiled import nearest

_NONE, _KEEPS, _TURNS, _TANGLED = outlines.NONE, outlines.KEEPS, outlines.TURNS, outlines.TANGLED


@inlined
def sort_pairs(spans: Any, number: Any) -> None:
    """Sort spans[:number] (n, 2) by their first column."""
    for i in range(1, number):
        a, b = spans[i, 0], spans[i, 1]
        j = i
        while j > 0 and spans[j - 1, 0] > a:
            spans[j, 0], spans[j, 1] = spans[j - 1, 0], spans[j - 1, 1]
            j -= 1
        spans[j, 0], spans[j, 1] = a, b


@kernel
def spans_of(shapes: Any, pixel: Any, r: Any, columns: Any, out: Any) -> Any:
    """The stretches [a, b) of cells of row r that a pixel's outline covers, in order and apart, into `out` (>= m, 2) int64;
    how many."""
    m = shapes.vertices.shape[1]
    number = 0
    if shapes.kind[pixel] == _TANGLED:
        cx = np.int64(nearest(shapes.position[pixel, 0] * shapes.scale))
        cy = np.int64(nearest(shapes.position[pixel, 1] * shapes.scale))
        for v in range(m):
            x0, y0, x1, y1 = edge(shapes, pixel, v)
            low, high = np.int64(1) << 62, -(np.int64(1) << 62)
            for side in range(3):
                ax, ay, bx, by = (
                    (x0, y0, x1, y1) if side == 0 else ((x1, y1, cx, cy) if side == 1 else (cx, cy, x0, y0))
                )
                if by < ay:
                    ax, ay, bx, by = bx, by, ax, ay
                if first_row(ay) <= r < first_row(by):
                    c = min(max(crossing(ax, ay, bx, by, r), 0), columns)
                    low, high = min(low, c), max(high, c)
            if low < high:
                out[number, 0], out[number, 1] = low, high
                number += 1
        sort_pairs(out, number)
        apart = 0
        for i in range(number):
            if apart > 0 and out[i, 0] <= out[apart - 1, 1]:
                out[apart - 1, 1] = max(out[apart - 1, 1], out[i, 1])
            else:
                out[apart, 0], out[apart, 1] = out[i, 0], out[i, 1]
                apart += 1
        return apart
    crossings = 0
    for v in range(m):
        x0, y0, x1, y1 = edge(shapes, pixel, v)
        if y1 < y0:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if first_row(y0) <= r < first_row(y1):
            c = min(max(crossing(x0, y0, x1, y1, r), 0), columns)
            # Kept in order by insertion: two by two they are the stretches.
            j = crossings
            while j > 0 and out[(j - 1) // 2, (j - 1) % 2] > c:
                out[j // 2, j % 2] = out[(j - 1) // 2, (j - 1) % 2]
                j -= 1
            out[j // 2, j % 2] = c
            crossings += 1
    for i in range(crossings // 2):
        if out[i, 0] < out[i, 1]:
            out[number, 0], out[number, 1] = out[i, 0], out[i, 1]
            number += 1
    return number


@kernel
def rows_of(shapes: Any, pixel: Any, rows: Any) -> Any:
    """The first row that a pixel's outline may cover, and the one after the last."""
    _, low, _, high = bounds(shapes, pixel)
    return max(first_row(low), 0), min(first_row(high), rows)


@kernel
def list_crossings(pixels: Any, shapes: Any, rows: Any, columns: Any, begin: Any, out: Any, fill: Any) -> None:
    """Count into `begin` (rows,) int64 the crossings of each row by edges that are not shared, or (`fill`) write them to `out`
    from begin[row] on, which moves along: 4 c + 1 where stretches begin and 4 c where they end."""
    side = shapes.vertices.shape[1] // 4
    spans = np.empty((shapes.vertices.shape[1] + 1, 2), np.int64)
    for n in range(len(pixels)):
        pixel = pixels[n]
        kind = shapes.kind[pixel]
        if kind == _NONE:
            continue
        if kind == _TANGLED:
            first, last = rows_of(shapes, pixel, rows)
            for r in range(first, last):
                number = spans_of(shapes, pixel, r, columns, spans)
                if fill:
                    for i in range(number):
                        out[begin[r] + 2 * i] = 4 * spans[i, 0] + 1
                        out[begin[r] + 2 * i + 1] = 4 * spans[i, 1]
                begin[r] += 2 * number
            continue
        for which in range(4):
            if (shapes.linked[pixel] >> which) & 1:
                continue
            for v in range(which * side, (which + 1) * side):
                x0, y0, x1, y1 = edge(shapes, pixel, v)
                upwards = y1 < y0
                if upwards:
                    x0, y0, x1, y1 = x1, y1, x0, y0
                starts = upwards == (kind == _KEEPS)  # a left side, on the screen
                for r in range(max(first_row(y0), 0), min(first_row(y1), rows)):
                    if fill:
                        c = min(max(crossing(x0, y0, x1, y1, r), 0), columns)
                        out[begin[r]] = 4 * c + (1 if starts else 0)
                    begin[r] += 1


@kernel
def contested(crossings: Any, begin: Any, out: Any, fill: Any) -> Any:
    """How many stretches more than one outline covers, row by row, from `crossings` by row (row r has those from begin[r] to
    begin[r + 1], sorted here); with `fill` they are written to `out` (n, 3): row, first column, column after the last."""
    number = 0
    for r in range(len(begin) - 1):
        first, last = begin[r], begin[r + 1]
        if last - first < 4:
            continue  # two outlines cross a row four times
        row = crossings[first:last]
        row.sort()
        depth, start, i = 0, np.int64(-1), 0
        while i < len(row):
            c = row[i] >> 2
            before = depth
            while i < len(row) and row[i] >> 2 == c:
                depth += 1 if row[i] & 1 else -1
                i += 1
            if before <= 1 < depth:
                start = c
            elif depth <= 1 < before:
                if fill:
                    out[number, 0], out[number, 1], out[number, 2] = r, start, c
                number += 1
    return number


@kernel
def add_tangled(pixels: Any, shapes: Any, field: Any, total: Any, count: Any) -> None:
    """Add what TANGLED outlines cover, which their edges alone do not tell."""
    spans = np.empty((shapes.vertices.shape[1] + 1, 2), np.int64)
    for n in range(len(pixels)):
        pixel = pixels[n]
        if shapes.kind[pixel] != _TANGLED:
            continue
        first, last = rows_of(shapes, pixel, field.rows)
        for r in range(max(first, field.low), min(last, field.high)):
            for i in range(spans_of(shapes, pixel, r, field.columns, spans)):
                (a, row), (b, _) = place(field, r, spans[i, 0]), place(field, r, spans[i, 1])
                for pair in range(total.shape[1]):
                    total[pixel, pair] += field.sums[b, row, pair] - field.sums[a, row, pair]
                count[pixel] += spans[i, 1] - spans[i, 0]


@inlined
def is_spent(slot: Any, bits: Any, r: Any, c: Any, k: Any, finer: Any, width: Any) -> Any:
    """Whether a cell of level k is among the spent ones of the level `finer` halvings coarser (gpu.noise.spent): `slot` (H W,)
    int32 is the row of `bits` (n, B) that a pixel has, -1 for none."""
    if len(bits) == 0:
        return False
    row, column, coarse = r >> finer, c >> finer, k - finer
    at = slot[(row >> coarse) * width + (column >> coarse)]
    if at < 0:
        return False
    side = (1 << coarse) - 1
    bit = ((row & side) << coarse) + (column & side)
    return (bits[at, bit >> 3] >> (bit & 7)) & 1 != 0


@inlined
def _is_near(slot: Any, shapes: Any, pixel: Any, k: Any, height: Any, width: Any) -> Any:
    """Whether a pixel's outline may reach a pixel that has spent cells."""
    low_x, low_y, high_x, high_y = bounds(shapes, pixel)
    shift = outlines.SNAP_BITS
    left, right = min(max((low_x >> shift) >> k, 0), width - 1), min(max((high_x >> shift) >> k, 0), width - 1)
    top, bottom = min(max((low_y >> shift) >> k, 0), height - 1), min(max((high_y >> shift) >> k, 0), height - 1)
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            if slot[i * width + j] >= 0:
                return True
    return False


@inlined
def _first_at(stretches: Any, first: Any, last: Any, column: Any) -> Any:
    """The first of the stretches from `first` to `last` - 1, one row's, in order and apart, that ends after a column."""
    while first < last:
        middle = (first + last) // 2
        if stretches[middle, 2] <= column:
            first = middle + 1
        else:
            last = middle
    return first


@kernel
def take_spent(
    pixels: Any, shapes: Any, k: Any, height: Any, width: Any, slot: Any, bits: Any, finer: Any, field: Any, total: Any,
    count: Any,
) -> None:  # fmt: skip
    """Take the spent cells of level k from the totals of the `pixels` that cover them."""
    spans = np.empty((shapes.vertices.shape[1] + 1, 2), np.int64)
    for n in range(len(pixels)):
        pixel = pixels[n]
        if shapes.kind[pixel] == _NONE or not _is_near(slot, shapes, pixel, k, height, width):
            continue
        first, last = rows_of(shapes, pixel, height << k)
        for r in range(max(first, field.low), min(last, field.high)):
            for i in range(spans_of(shapes, pixel, r, width << k, spans)):
                for c in range(spans[i, 0], spans[i, 1]):
                    if is_spent(slot, bits, r, c, k, finer, width):
                        here, row = place(field, r, c)
                        for pair in range(total.shape[1]):
                            total[pixel, pair] -= field.sums[here + 1, row, pair] - field.sums[here, row, pair]
                        count[pixel] -= 1


@kernel
def spend(
    pixels: Any, shapes: Any, k: Any, height: Any, width: Any, stretches: Any, row_of: Any, offset: Any, bids: Any, rank: Any,
    slot: Any, bits: Any, finer: Any, out: Any, fill: Any,
) -> Any:  # fmt: skip
    """How many cells of level k the `pixels` own; with `fill` their rows and columns are written to `out` (n, 2) int64."""
    number = 0
    spans = np.empty((shapes.vertices.shape[1] + 1, 2), np.int64)
    for n in range(len(pixels)):
        pixel = pixels[n]
        if shapes.kind[pixel] == _NONE:
            continue
        bid = np.int64(pixel)
        if len(rank) > 0:
            bid = (np.int64(rank[pixel]) << 32) | np.int64(pixel)
        first, last = rows_of(shapes, pixel, height << k)
        for r in range(first, last):
            for i in range(spans_of(shapes, pixel, r, width << k, spans)):
                for c in range(spans[i, 0], spans[i, 1]):
                    mine = not is_spent(slot, bits, r, c, k, finer, width)
                    if mine and len(stretches) > 0:
                        at = _first_at(stretches, row_of[r], row_of[r + 1], c)
                        if at < row_of[r + 1] and stretches[at, 1] <= c:
                            mine = bids[offset[at] + c - stretches[at, 1]] == bid
                    if mine:
                        if fill:
                            out[number, 0], out[number, 1] = r, c
                        number += 1
    return number


@kernel
def settle(
    pixels: Any, shapes: Any, rank: Any, k: Any, columns: Any, stretches: Any, row_of: Any, offset: Any, mask: Any,
    bids: Any, field: Any, total: Any, count: Any, take_back: Any, slot: Any, bits: Any, finer: Any,
) -> None:  # fmt: skip
    """Bid for the contested cells, or (`take_back`) take from the totals of the `pixels` what others own. Cells that are spent
    are left to `take_spent`.

    `stretches` (n, 3) are those of `contested`, row r having those from row_of[r] to row_of[r + 1], and their cells' bids from
    offset[i] on in `bids` (int64, all ones at first). `mask` (H, W) tells the pixels of the anchor they lie in, `rank` (n,) who
    goes first.
    """
    height, width = mask.shape
    spans = np.empty((shapes.vertices.shape[1] + 1, 2), np.int64)
    for n in range(len(pixels)):
        pixel = pixels[n]
        if shapes.kind[pixel] == _NONE:
            continue
        first, last = rows_of(shapes, pixel, height << k)
        if first >= last:
            continue
        low, _, high, _ = bounds(shapes, pixel)
        left = min(max((low >> outlines.SNAP_BITS) >> k, 0), width - 1)
        right = min(max((high >> outlines.SNAP_BITS) >> k, 0), width - 1)
        near = False
        for i in range(first >> k, ((last - 1) >> k) + 1):
            for j in range(left, right + 1):
                near = near or mask[i, j] != 0
        if not near:
            continue
        bid = (np.int64(rank[pixel]) << 32) | np.int64(pixel)
        if take_back:
            first, last = max(first, field.low), min(last, field.high)
        for r in range(first, last):
            if row_of[r] == row_of[r + 1]:
                continue
            for i in range(spans_of(shapes, pixel, r, columns, spans)):
                for at in range(_first_at(stretches, row_of[r], row_of[r + 1], spans[i, 0]), row_of[r + 1]):
                    if stretches[at, 1] >= spans[i, 1]:
                        break
                    a, b = max(spans[i, 0], stretches[at, 1]), min(spans[i, 1], stretches[at, 2])
                    for c in range(a, b):
                        cell = offset[at] + c - stretches[at, 1]
                        if not take_back:
                            bids[cell] = min(bids[cell], bid)
                        elif bids[cell] != bid and not is_spent(slot, bits, r, c, k, finer, width):
                            here, row = place(field, r, c)
                            for pair in range(total.shape[1]):
                                total[pixel, pair] -= field.sums[here + 1, row, pair] - field.sums[here, row, pair]
                            count[pixel] -= 1
