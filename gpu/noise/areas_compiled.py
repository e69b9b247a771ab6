"""Exact areas in compiled code: the whole numbers of gpu.noise.areas.overlaps, of the pixels of one anchor."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise import areas, outlines
from gpu.noise.rng_compiled import intrinsic, nearest, types

_NONE, _TANGLED = outlines.NONE, outlines.TANGLED
BITS, UNIT, FULL, LIFT = areas.UNIT_BITS, areas.UNIT, areas.FULL, areas.LIFT

ROOM = 64
"""Cells that an outline is cut into without asking for more memory."""


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _whole(context: Any, value: Any) -> Any:
    """The int64 nearest to a float64, halves to even: two instructions, where numpy's rint is a call."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rint = builder.module.declare_intrinsic("llvm.rint", [target.get_value_type(types.float64)])
        return builder.fptosi(builder.call(rint, arguments), target.get_value_type(types.int64))

    return types.int64(types.float64), generate


@inlined
def _along(at: Any, whole: Any, rise: Any) -> Any:
    """at * rise / whole, rounded."""
    return _whole(np.float64(at) * np.float64(rise) / np.float64(whole))


@inlined
def add_edge(x0: Any, y0: Any, x1: Any, y1: Any, columns: Any, cover: Any, inner: Any) -> None:
    """Add an edge, in UNIT of a window of `columns` cells a row, to what its cells are covered by: see gpu.noise.areas."""
    sign = np.int64(1)
    if y1 < y0:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, np.int64(-1)
    dx, dy = x1 - x0, y1 - y0
    top, bottom = y0 >> BITS, (y1 - 1) >> BITS
    if y0 == y1:  # level edges add nothing
        bottom = top - 1
    xa, ya = x0, y0
    for row in range(top, bottom + 1):
        if row == bottom:
            xb, yb = x1, y1
        else:
            yb = (row + 1) << BITS
            xb = x0 + _along(yb - y0, dy, dx)
        xl, yl, xr, yr = xa, ya, xb, yb
        if xa > xb:
            xl, yl, xr, yr = xb, yb, xa, ya
        left = xl >> BITS
        right = max((xr - 1) >> BITS, left)
        place = np.uint64(row * columns + left)
        if left == right:
            fall = abs(yr - yl) * sign
            cover[place] += fall
            inner[place] += fall * (xl + xr - ((2 * left) << BITS))
        else:
            across, down = xr - xl, yr - yl
            x, y = xl, yl
            for column in range(left, right + 1):
                after = (column + 1) << BITS
                if column == right:
                    there, deep = xr, yr
                else:
                    there, deep = after, yl + _along(after - xl, across, down)
                fall = abs(deep - y) * sign
                cover[place] += fall
                inner[place] += fall * (x + there - ((2 * column) << BITS))
                x, y = there, deep
                place += np.uint64(1)
        xa, ya = xb, yb


@kernel
def overlap(
    pixels: Any, begin: Any, shapes: Any, height: Any, slot: Any, ends: Any, source: Any, area: Any, places: Any, asked: Any,
    sources: Any, owned: Any,
) -> Any:  # fmt: skip
    """The overlaps of `pixels` (n,) of one anchor, which are in order, from number `begin` on: how many are done before there
    may be no room in `source` (int32) and `area` (int64), those of pixels[i] lying at ends[i - 1] to ends[i] - 1; and how many
    source pixels have a number.

    Source pixels are numbered as they are met, from `sources` on: `slot` (H W,) int32 holds their numbers, -1 at first,
    `places` their flat indices and `asked` what is asked of them in all. `owned` (H W,) int32 is set to 1 where a pixel gets
    any, and 0 where not.
    """
    width, m = shapes.width, shapes.vertices.shape[1]
    cover, inner, total = np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64)
    outline, line = np.empty((m, 2), np.int64), np.int64(0)
    at = np.int64(0) if begin == 0 else ends[begin - 1]
    for n in range(begin, len(pixels)):
        pixel = pixels[n]
        kind = np.int64(shapes.kind[pixel])
        while pixel >= (line + 1) * width:
            line += 1
        for v in range(m):
            outline[v, 0] = shapes.vertices[line, v, 0, pixel - line * width]
            outline[v, 1] = shapes.vertices[line, v, 1, pixel - line * width]
        x_low = x_high = np.int64(outline[0, 0])
        y_low = y_high = np.int64(outline[0, 1])
        for v in range(1, m):
            x, y = np.int64(outline[v, 0]), np.int64(outline[v, 1])
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
        cx, cy = np.int64(0), np.int64(0)
        if kind == _TANGLED:
            cx = np.int64(nearest(shapes.position[pixel, 0] * shapes.scale))
            cy = np.int64(nearest(shapes.position[pixel, 1] * shapes.scale))
            x_low, x_high, y_low, y_high = min(x_low, cx), max(x_high, cx), min(y_low, cy), max(y_high, cy)
        left, top = (x_low << LIFT) >> BITS, (y_low << LIFT) >> BITS
        columns = ((x_high << LIFT) >> BITS) - left + 1
        rows = max(((y_high << LIFT) - 1) >> BITS, top) - top + 1
        size = columns * rows
        if at + size > len(source):
            return n, sources
        if size > len(cover):
            cover, inner, total = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
        # Vertices in the window of cells that the outline lies in.
        x0, y0 = left << BITS, top << BITS
        if kind == _TANGLED:
            cx, cy = (cx << LIFT) - x0, (cy << LIFT) - y0
            total[:size] = 0
            for v in range(m):
                w = v + 1 if v + 1 < m else 0
                ax, ay = (np.int64(outline[v, 0]) << LIFT) - x0, (np.int64(outline[v, 1]) << LIFT) - y0
                bx, by = (np.int64(outline[w, 0]) << LIFT) - x0, (np.int64(outline[w, 1]) << LIFT) - y0
                cover[:size], inner[:size] = 0, 0
                for side in range(3):
                    fx, fy, tx, ty = (
                        (ax, ay, bx, by) if side == 0 else ((bx, by, cx, cy) if side == 1 else (cx, cy, ax, ay))
                    )
                    add_edge(fx, fy, tx, ty, columns, cover, inner)
                depth = np.int64(0)
                for i in range(size):
                    depth += cover[i]
                    total[i] += abs(2 * UNIT * depth - inner[i])
            for i in range(size):
                total[i] = min(total[i], FULL)
        else:
            for i in range(size):
                cover[i], inner[i] = 0, 0
            ax, ay = (np.int64(outline[m - 1, 0]) << LIFT) - x0, (np.int64(outline[m - 1, 1]) << LIFT) - y0
            for v in range(m):
                bx, by = (np.int64(outline[v, 0]) << LIFT) - x0, (np.int64(outline[v, 1]) << LIFT) - y0
                add_edge(ax, ay, bx, by, columns, cover, inner)
                ax, ay = bx, by
            depth = np.int64(0)
            for i in range(size):
                depth += cover[i]
                total[i] = -kind * (2 * UNIT * depth - inner[i])
        for i in range(rows):
            if not 0 <= top + i < height:
                continue
            for j in range(columns):
                if not 0 <= left + j < width:
                    continue
                part = total[i * columns + j]
                if part <= 0:
                    continue
                q = (top + i) * width + left + j
                number = slot[q]
                if number < 0:
                    number = np.int32(sources)
                    slot[q] = number
                    places[sources] = q
                    asked[sources] = 0
                    sources += 1
                source[at], area[at] = number, part
                asked[number] += part
                at += 1
        owned[pixel] = at > (ends[n - 1] if n > 0 else 0)
        ends[n] = at
    return len(pixels), sources


@kernel
def forget(places: Any, slot: Any) -> None:
    """Take the numbers of source pixels back."""
    for i in range(len(places)):
        slot[places[i]] = -1
