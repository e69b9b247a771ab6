"""Sums over what outlines own, by walking their edges over sums along rows: compiled code.

With P[r][c] the sum of the cells [0, c) of row r, the cells of row r between two crossings a < b of an outline sum to P[r][b]
- P[r][a], and the whole outline to the signed sum of P over the crossings of its edges: Green's theorem on a grid. An edge
crosses row r where it passes the row's centre r + 1/2, at column ceil(x - 1/2): the cells whose centres lie left of it are
[0, column), so that a centre on an edge belongs to the outline on its right, or below (the top-left rule).

Edges count downwards with +, upwards with -; outlines are clockwise on the screen, so that the right side comes out positive.
Linked pixels (gpu.noise.outlines) share an edge, which is walked once for both.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise import outlines
from gpu.noise.cells_compiled import apart
from gpu.noise.rng_compiled import intrinsic, nearest, types

ir: Any = importlib.import_module("llvmlite.ir")
cgutils: Any = importlib.import_module("numba.core.cgutils")
numpy_support: Any = importlib.import_module("numba.np.arrayobj")

_NONE, _KEEPS, _TURNS, _TANGLED = outlines.NONE, outlines.KEEPS, outlines.TURNS, outlines.TANGLED
LISTED, EDGES = 384, 256
"""Crossings and edges listed before they are added up: so many as the processor's first cache holds."""

BITS, SNAP, HALF = outlines.SNAP_BITS, outlines.SNAP, outlines.SNAP // 2


class Shapes(NamedTuple):
    """Outlines of a frame of `width` pixels a row, by flat index: `vertices` (n, m, 2) int32, `kind` (n,) int8
    (gpu.noise.outlines), around `position` (n, 2) float32, a pixel being `scale` steps of theirs; `linked` (n,) uint8 which
    sides are shared with a neighbour, bit 0 the top and so on clockwise."""

    vertices: Any
    position: Any
    kind: Any
    linked: Any
    width: int
    scale: Any


class Sums(NamedTuple):
    """Cells of level `k` added up along their rows: `sums` (N, 2^k, PAIRS) int64, pairs of channels. The sum of the first c
    cells of row r stands at [base[R, X] + c, r - (R << k)], R = r >> k, X being a pixel column that lies in it (0 where there
    is one for all). The frame has `rows` x `columns` cells, of which rows `low` to `high` - 1 are here."""

    sums: Any
    base: Any
    k: int
    rows: int
    columns: int
    low: int
    high: int


@inlined
def first_row(y: Any) -> Any:
    """The first row whose centre is at or below a vertex at `y`."""
    return (y + (HALF - 1)) >> BITS


@inlined
def quotient(a: Any, b: Any) -> Any:
    """floor(a / b) of whole numbers, b > 0: exact by way of double precision, as both are below 2^52."""
    return np.int64(np.floor(np.float64(a) / np.float64(b)))


@inlined
def place(field: Any, r: Any, c: Any) -> Any:
    """Where the sum of the cells [0, c) of row r stands: place and row within it."""
    row = r >> field.k
    at = min(c >> field.k, field.base.shape[1] - 1)
    return field.base[row, at] + c, r - (row << field.k)


@inlined
def crossing(x0: Any, y0: Any, x1: Any, y1: Any, r: Any) -> Any:
    """The column at which the edge from (x0, y0) down to (x1, y1) crosses row r, which it does."""
    q = ((r << BITS) + HALF - y0) * (x1 - x0) - 1
    return ((x0 - HALF + quotient(q, y1 - y0)) >> BITS) + 1


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def fetch(context: Any, array: Any, place: Any) -> Any:
    """Ask for array[place, 0] of a contiguous (N, PAIRS) int64 array to be brought into the cache."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = numpy_support.make_array(signature.args[0])(target, builder, arguments[0])
        pairs = pointer.strides
        stride = cgutils.unpack_tuple(builder, pairs)[0]
        word, byte = ir.IntType(32), ir.IntType(8)
        start = builder.bitcast(pointer.data, byte.as_pointer())
        address = builder.gep(start, [builder.mul(arguments[1], stride)])
        declared = builder.module.declare_intrinsic(
            "llvm.prefetch", [address.type], ir.FunctionType(ir.VoidType(), [address.type, word, word, word])
        )
        builder.call(declared, [address, word(0), word(3), word(1)])
        return target.get_dummy_value()

    return types.void(array, types.int64), generate


@inlined
def list_crossings(x0: Any, y0: Any, x1: Any, y1: Any, field: Any, flat: Any, places: Any, number: Any) -> Any:
    """Write to places[number:] where the sums of the crossings of the edge from (x0, y0) down to (x1, y1) stand in `flat`, the
    field's sums as (N 2^k, PAIRS), and ask for them; how many are listed now, and the sum of their columns."""
    count = np.int64(0)
    begin, end = max(first_row(y0), field.low), min(first_row(y1), field.high)
    if begin >= end:
        return number, count
    dx, dy = x1 - x0, y1 - y0
    # floor((q - 1) / dy) of `crossing` goes on from row to row in whole numbers.
    inverse = 1.0 / np.float64(dy)
    q = ((begin << BITS) + HALF - y0) * dx - 1
    whole = np.int64(np.floor(np.float64(q) * inverse))
    rest = q - whole * dy
    if rest < 0:  # the product may be off by one where it lies next to a whole number
        whole, rest = whole - 1, rest + dy
    elif rest >= dy:
        whole, rest = whole + 1, rest - dy
    stride = np.int64(np.floor(np.float64(dx << BITS) * inverse))
    more = (dx << BITS) - stride * dy
    if more < 0:
        stride, more = stride - 1, more + dy
    elif more >= dy:
        stride, more = stride + 1, more - dy
    whole += x0 - HALF
    k, columns = field.k, field.columns
    last = field.base.shape[1] - 1
    r = begin
    while r < end:  # the rows of one row of pixels at a time, which share where they begin
        row = r >> k
        until = min(end, (row + 1) << k)
        start = (np.int64(field.base[row, 0]) << k) - (row << k)
        for at in range(r, until):
            c = min(max((whole >> BITS) + 1, 0), columns)
            if last > 0:
                start = (np.int64(field.base[row, min(c >> k, last)]) << k) - (row << k)
            place = start + (c << k) + at
            fetch(flat, place)
            places[number] = place
            number += 1
            count += c
            rest += more
            over = rest >= dy
            whole += stride + over
            rest -= dy if over else 0
        r = until
    return number, count


@inlined
def edge(shapes: Any, pixel: Any, v: Any) -> Any:
    """Ends (x0, y0, x1, y1) of the edge from vertex v on, at the level of the cells."""
    m = shapes.vertices.shape[1]
    after = v + 1 if v + 1 < m else 0
    outline = shapes.vertices[pixel]
    return (
        np.int64(outline[v, 0]),
        np.int64(outline[v, 1]),
        np.int64(outline[after, 0]),
        np.int64(outline[after, 1]),
    )


@kernel
def add_edges(pixels: Any, shapes: Any, field: Any, total: Any, count: Any) -> None:
    """Add to `total` (n, PAIRS) int64 and `count` (n,) int32 what the `pixels` (flat indices) of one anchor own by their
    edges, but those that are TANGLED.

    Where a frame's field is larger than the caches, waiting for memory would cost more than all else. So crossings are listed
    for many edges at once, asked for, and added up when they have come.
    """
    m = shapes.vertices.shape[1]
    side = m // 4
    flat = field.sums.reshape(-1, field.sums.shape[2])
    places = np.empty(LISTED + shapes.vertices.shape[1] * field.rows, np.int64)
    edges = np.empty((EDGES, 3), np.int64)  # pixel, the other one or -1, sign
    ends = np.empty(EDGES, np.int64)
    columns = np.empty(EDGES, np.int64)
    listed, number = 0, 0
    for n in range(len(pixels) + 1):
        if n == len(pixels) or listed > LISTED or number > EDGES - shapes.vertices.shape[1]:
            at = 0
            for e in range(number):
                s0, s1 = np.int64(0), np.int64(0)
                for i in range(at, ends[e]):
                    s0 += flat[places[i], 0]
                    s1 += flat[places[i], 1]
                at = ends[e]
                pixel, other, sign = edges[e, 0], edges[e, 1], edges[e, 2]
                total[pixel, 0] += sign * s0
                total[pixel, 1] += sign * s1
                count[pixel] += sign * columns[e]
                if other >= 0:
                    total[other, 0] -= sign * s0
                    total[other, 1] -= sign * s1
                    count[other] -= sign * columns[e]
            listed, number = 0, 0
        if n == len(pixels):
            break
        pixel = pixels[n]
        kind = shapes.kind[pixel]  # mirrored outlines run the other way round, those of linked pixels alike
        if kind == _TANGLED or kind == _NONE:  # noqa: SIM109 - compiled
            continue
        linked = shapes.linked[pixel]
        for v in range(m):
            which = v // side
            shared = (linked >> which) & 1
            if shared and (which == 0 or which == 3):
                continue  # walked by the pixel above, or on the left
            x0, y0, x1, y1 = edge(shapes, pixel, v)
            sign = np.int64(kind)
            if y1 < y0:
                x0, y0, x1, y1, sign = x1, y1, x0, y0, -sign
            if first_row(y0) >= first_row(y1):
                continue
            more, crossed = list_crossings(x0, y0, x1, y1, field, flat, places, listed)
            if more == listed:
                continue
            edges[number, 0], edges[number, 2] = pixel, sign
            edges[number, 1] = (pixel + (1 if which == 1 else shapes.width)) if shared else -1
            ends[number], columns[number] = more, crossed
            listed = more
            number += 1


@inlined
def bounds(shapes: Any, pixel: Any) -> Any:
    """The box (x_low, y_low, x_high, y_high) of what an outline covers, at the level of the cells."""
    outline = shapes.vertices[pixel]
    x_low = x_high = np.int64(outline[0, 0])
    y_low = y_high = np.int64(outline[0, 1])
    for v in range(1, shapes.vertices.shape[1]):
        x_low, x_high = min(x_low, np.int64(outline[v, 0])), max(x_high, np.int64(outline[v, 0]))
        y_low, y_high = min(y_low, np.int64(outline[v, 1])), max(y_high, np.int64(outline[v, 1]))
    if shapes.kind[pixel] == _TANGLED:  # triangles to the centre, which may lie outside of its sides
        x, y = (
            np.int64(nearest(shapes.position[pixel, 0] * shapes.scale)),
            np.int64(nearest(shapes.position[pixel, 1] * shapes.scale)),
        )
        x_low, y_low, x_high, y_high = min(x_low, x), min(y_low, y), max(x_high, x), max(y_high, y)
    return x_low, y_low, x_high, y_high


@kernel
def touched(pixels: Any, shapes: Any, k: Any, mask: Any) -> None:
    """Set `mask` (H, W) (or (H, 1), for whole rows) where the outlines of `pixels` touch a pixel of their anchor. `k` is the
    cells' level."""
    height, width = mask.shape
    rows, columns = height << k, shapes.width << k
    for n in range(len(pixels)):
        pixel = pixels[n]
        if shapes.kind[pixel] == _NONE:
            continue
        x_low, y_low, x_high, y_high = bounds(shapes, pixel)
        begin = max(first_row(y_low), 0) >> k
        end = (min(first_row(y_high), rows) - 1) >> k
        left = min(max(x_low >> BITS, 0), columns) >> k
        right = min(max((x_high >> BITS) + 1, 0), columns) >> k
        for i in range(begin, end + 1):
            if width == 1:
                mask[i, 0] = 1
            else:
                for j in range(left, min(right, width - 1) + 1):
                    mask[i, j] = 1


@kernel
def count_labels(label: Any, kind: Any, begin: Any) -> None:
    """Add to `begin` (labels + 1,) int64, at place label + 1, how many pixels with an outline have it."""
    for pixel in range(len(label)):
        if kind[pixel] != _NONE:
            begin[label[pixel] + 1] += 1


@kernel
def list_pixels(label: Any, kind: Any, begin: Any, out: Any) -> None:
    """Write the pixels with an outline to `out`, those of each label in order from begin[label] on, which moves along."""
    for pixel in range(len(label)):
        if kind[pixel] != _NONE:
            out[begin[label[pixel]]] = pixel
            begin[label[pixel]] += 1


@kernel
def normalise(pixels: Any, total: Any, count: Any, cells: Any, unit: Any, out: Any) -> None:
    """Write to `out` (C, n) float32 the sums `total` (n, PAIRS) int64 of `count` (n,) cells, brought to unit variance: times
    the root of `cells` a pixel over the count, `unit` being what a step is worth; 0 where nothing is owned."""
    for n in range(len(pixels)):
        pixel = pixels[n]
        own = count[pixel]
        factor = np.float32(np.sqrt(cells / own)) if own > 0 else np.float32(0)
        for lane in range(out.shape[0]):
            low, high = apart(total[pixel, lane >> 1])
            out[lane, pixel] = np.float32(high if lane & 1 else low) * unit * factor
