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
from gpu.noise.crossings_compiled import CHUNK, COLUMNS, MOST_ROWS, NUMBER, SIGN, TOLD, WIDE, cross
from gpu.noise.rng_compiled import intrinsic, nearest, types

ir: Any = importlib.import_module("llvmlite.ir")
cgutils: Any = importlib.import_module("numba.core.cgutils")
numpy_support: Any = importlib.import_module("numba.np.arrayobj")

_NONE, _KEEPS, _TURNS, _TANGLED = outlines.NONE, outlines.KEEPS, outlines.TURNS, outlines.TANGLED
BITS, SNAP, HALF = outlines.SNAP_BITS, outlines.SNAP, outlines.SNAP // 2


class Shapes(NamedTuple):
    """Outlines of a frame of `width` pixels a row: `vertices` (H, m, 2, W) int32, as all of a row is worked on at once; and by
    flat index `kind` (n,) int8 (gpu.noise.outlines), `position` (n, 2) float32 that they lie around, a pixel being `scale`
    steps of theirs, and `linked` (n,) uint8 which sides are shared with a neighbour, bit 0 the top and so on clockwise."""

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
def edge(shapes: Any, pixel: Any, v: Any) -> Any:
    """Ends (x0, y0, x1, y1) of the edge from vertex v on, at the level of the cells."""
    m = shapes.vertices.shape[1]
    after = v + 1 if v + 1 < m else 0
    row = pixel // shapes.width
    column = pixel - row * shapes.width
    outline = shapes.vertices[row]
    return (
        np.int64(outline[v, 0, column]),
        np.int64(outline[v, 1, column]),
        np.int64(outline[after, 0, column]),
        np.int64(outline[after, 1, column]),
    )


@kernel
def walk(shapes: Any, pixel: Any, v: Any, other: Any, field: Any, total: Any, count: Any) -> None:
    """Add one edge to `total` and `count` of a pixel, and take it from those of the `other` that shares it, if not negative:
    whatever its length."""
    x0, y0, x1, y1 = edge(shapes, pixel, v)
    sign = np.int64(shapes.kind[pixel])
    if y1 < y0:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -sign
    s0, s1, crossed = np.int64(0), np.int64(0), np.int64(0)
    for r in range(max(first_row(y0), field.low), min(first_row(y1), field.high)):
        c = min(max(crossing(x0, y0, x1, y1, r), 0), field.columns)
        here, row = place(field, r, c)
        s0 += field.sums[here, row, 0]
        s1 += field.sums[here, row, 1]
        crossed += c
    total[pixel, 0] += sign * s0
    total[pixel, 1] += sign * s1
    count[pixel] += sign * crossed
    if other >= 0:
        total[other, 0] -= sign * s0
        total[other, 1] -= sign * s1
        count[other] -= sign * crossed


@kernel
def origins(field: Any, out: Any) -> None:
    """Where place 0 of each row of cells stands in the field's sums as (N 2^k, PAIRS), into `out` (rows,) int64: of a field of
    whole rows of pixels."""
    for r in range(field.low, field.high):
        row = r >> field.k
        out[r] = (np.int64(field.base[row, 0]) << field.k) - (row << field.k) + r


@inlined
def origin_of(field: Any, r: Any, c: Any) -> Any:
    """The same of row r by the column c of pixels, in any field."""
    row = r >> field.k
    return (np.int64(field.base[row, min(c, field.base.shape[1] - 1)]) << field.k) - (row << field.k) + r


@kernel
def has_long(number: Any) -> Any:
    """Whether one of the edges is too long for `cross`, by the `number` (n,) int32 of its crossings."""
    least = np.int32(0)
    for e in range(len(number)):
        least = min(least, number[e])
    return least < 0


@kernel
def cross_all(
    start: Any, size: Any, a: Any, b: Any, shapes: Any, kind: Any, field: Any, told: Any, at: Any, out: Any
) -> None:
    """`cross` for `size` edges, whose ends stand at a and b beyond `start` (CHUNK,) in the vertices."""
    vertices, width = shapes.vertices.reshape(-1), shapes.width
    ends = np.empty(4 * WIDE, np.int32)
    for e in range(0, size, WIDE):
        p = start[e]
        if e + WIDE <= size and start[e + WIDE - 1] - p == WIDE - 1:
            cross(vertices, p + a, p + a + width, p + b, p + b + width, kind, field.low, field.high, field.columns,
                  told, out, at, e)  # fmt: skip
            continue
        for i in range(WIDE):
            p = start[min(e + i, size - 1)]
            ends[i], ends[WIDE + i] = vertices[p + a], vertices[p + a + width]
            ends[2 * WIDE + i], ends[3 * WIDE + i] = vertices[p + b], vertices[p + b + width]
        cross(ends, 0, WIDE, 2 * WIDE, 3 * WIDE, kind, field.low, field.high, field.columns, told, out, at, e)


@kernel
def add_edges(pixels: Any, shapes: Any, field: Any, total: Any, count: Any) -> None:
    """Add to `total` (n, PAIRS) int64 and `count` (n,) int32 what the `pixels` (flat indices, in order) of one anchor own by
    their edges, but those that are TANGLED."""
    side = shapes.vertices.shape[1] // 4
    origin = np.empty(field.rows + 1, np.int64)
    if field.base.shape[1] == 1:
        origins(field, origin)
    # Of every pixel the right side and the one below; the others where no neighbour shares them.
    add_sides(pixels, side, 2 * side, True, shapes, field, origin, total, count)
    alone = np.empty(len(pixels), np.int64)
    for which in range(0, 4, 3):
        number = 0
        for n in range(len(pixels)):
            alone[number] = pixels[n]
            number += 1 if (shapes.linked[pixels[n]] >> which) & 1 == 0 else 0
        add_sides(alone[:number], which * side, side, False, shapes, field, origin, total, count)


@kernel
def add_sides(
    pixels: Any, first_edge: Any, sets: Any, shared: Any, shapes: Any, field: Any, origin: Any, total: Any, count: Any
) -> None:
    """The same by `sets` edges of each pixel from number `first_edge` on: for whoever shares them as well (`shared`), which is
    the pixel on the right in the first half of these edges and the one below in the other. `origin` is that of `origins`.

    Where a frame's field is larger than the caches, waiting for memory costs more than all else. So the crossings of CHUNK
    pixels are listed and asked for, and meanwhile those of the CHUNK before, which have come, are added up.
    """
    m, width = shapes.vertices.shape[1], shapes.width
    side = m // 4
    flat = field.sums.reshape(-1, field.sums.shape[2])
    whole, k = field.base.shape[1] == 1, np.int64(field.k)
    kind, start = np.zeros(CHUNK, np.int32), np.zeros(CHUNK, np.int64)
    out = np.empty(MOST_ROWS * CHUNK, np.int32)
    both_told, both_places = (
        np.zeros((2, sets * TOLD * CHUNK), np.int32),
        np.empty((2, sets * CHUNK * MOST_ROWS), np.int64),
    )
    both_owners = np.zeros((2, CHUNK), np.int64)
    zero, second = np.uint64(0), np.uint64(1)
    y, before = np.int64(0), 0
    for begin in range(0, len(pixels) + CHUNK, CHUNK):
        now = (begin // CHUNK) & 1
        size = max(min(CHUNK, len(pixels) - begin), 0)
        told, places, owners = both_told[now], both_places[now], both_owners[now]
        told_before, places_before, owners_before = both_told[1 - now], both_places[1 - now], both_owners[1 - now]
        for e in range(size):
            pixel = pixels[begin + e]
            while pixel >= (y + 1) * width:
                y += 1
            owners[e], start[e] = pixel, y * (2 * m * width) + (pixel - y * width)
            shape = shapes.kind[pixel]  # mirrored outlines run the other way round, those of linked pixels alike
            kind[e] = 0 if shape == _TANGLED else shape
        kind[size:] = 0
        listed, added = zero, zero
        for which in range(sets):
            v, at = first_edge + which, which * TOLD * CHUNK
            w = v + 1 if v + 1 < m else 0
            bit, step = v // side, np.uint64(1 if v < 2 * side else width)
            cross_all(start, size, 2 * v * width, 2 * w * width, shapes, kind, field, told, at, out)
            if has_long(told[at + NUMBER * CHUNK : at + NUMBER * CHUNK + size]):
                for e in range(size):
                    if told[at + NUMBER * CHUNK + e] < 0:
                        pixel = owners[e]
                        both = shared and (shapes.linked[pixel] >> bit) & 1
                        walk(shapes, pixel, v, pixel + np.int64(step) if both else -1, field, total, count)
            for e in range(max(size, before)):
                if e < size:
                    first, number = np.int64(told[np.uint64(at + e)]), np.int64(told[np.uint64(at + CHUNK + e)])
                    if whole:
                        for i in range(number):
                            there = origin[np.uint64(first + i)] + (np.int64(out[np.uint64(i * CHUNK + e)]) << k)
                            fetch(flat, there)
                            places[listed] = there
                            listed += second
                    else:
                        for i in range(number):
                            c = np.int64(out[np.uint64(i * CHUNK + e)])
                            there = origin_of(field, first + i, c >> k) + (c << k)
                            fetch(flat, there)
                            places[listed] = there
                            listed += second
                if e < before:
                    number = np.int64(told_before[np.uint64(at + CHUNK + e)])
                    if number <= 0:
                        continue
                    s0, s1 = np.int64(0), np.int64(0)
                    for i in range(number):
                        read = np.uint64(places_before[added + np.uint64(i)])
                        s0 += flat[read, zero]
                        s1 += flat[read, second]
                    added += np.uint64(number)
                    sign = np.int64(told_before[np.uint64(at + SIGN * CHUNK + e)])
                    s0, s1, crossed = s0 * sign, s1 * sign, told_before[np.uint64(at + COLUMNS * CHUNK + e)]
                    own = np.uint64(owners_before[np.uint64(e)])
                    total[own, zero] += s0
                    total[own, second] += s1
                    count[own] += crossed
                    if shared and (shapes.linked[own] >> bit) & 1:
                        other = own + step
                        total[other, zero] -= s0
                        total[other, second] -= s1
                        count[other] -= crossed
        before = size


@inlined
def bounds(shapes: Any, pixel: Any) -> Any:
    """The box (x_low, y_low, x_high, y_high) of what an outline covers, at the level of the cells."""
    at = pixel // shapes.width
    column = pixel - at * shapes.width
    outline = shapes.vertices[at]
    x_low = x_high = np.int64(outline[0, 0, column])
    y_low = y_high = np.int64(outline[0, 1, column])
    for v in range(1, shapes.vertices.shape[1]):
        x_low, x_high = min(x_low, np.int64(outline[v, 0, column])), max(x_high, np.int64(outline[v, 0, column]))
        y_low, y_high = min(y_low, np.int64(outline[v, 1, column])), max(y_high, np.int64(outline[v, 1, column]))
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
