"""Where edges cross the rows of a grid, eight edges at a time: written in LLVM's own terms, as numba widens whole numbers to 64
bits and so would keep the processor from working on all eight at once."""

from __future__ import annotations

import importlib
from typing import Any

from gpu.noise.outlines import SNAP, SNAP_BITS
from gpu.noise.rng_compiled import intrinsic, types

ir: Any = importlib.import_module("llvmlite.ir")
cgutils: Any = importlib.import_module("numba.core.cgutils")
numpy_support: Any = importlib.import_module("numba.np.arrayobj")

WIDE = 8
"""Edges at a time."""

CHUNK = 64
"""Edges listed before they are added up (gpu.noise.edges_compiled): their cells stay in the processor's first cache."""

LONGEST = 1 << 14
"""Edges as long as this, in either direction, are not taken: what is worked out of others stays within 32 bits."""

MOST_ROWS = (LONGEST >> SNAP_BITS) + 2

FIRST, NUMBER, SIGN, COLUMNS = range(4)
"""What is told of each edge: the first row that it crosses, how many, -1 where it is too long; +1 or -1 for the direction it
is walked in; and the sum of the columns it crosses them at, times that."""

TOLD = 4


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def cross(
    context: Any, vertices: Any, x0: Any, y0: Any, x1: Any, y1: Any, kind: Any, low: Any, high: Any, columns: Any, told: Any,
    out: Any, at: Any, edge: Any,
) -> Any:  # fmt: skip
    """The crossings of WIDE edges with the rows `low` to `high` - 1 of a grid with `columns` columns, as in
    gpu.noise.edges_compiled.crossing.

    Edge e runs from vertices[x0 + e], vertices[y0 + e] to vertices[x1 + e], vertices[y1 + e], all int32 in one flat array, and
    belongs to an outline of kind[edge + e] (int32), 0 if it is not to be walked. Into the flat int32 `told` go, at
    told[at + edge + e] and CHUNK further each, FIRST, NUMBER, SIGN and COLUMNS; into out[CHUNK i + edge + e] the column of its
    i-th crossing.
    """

    def generate(target: Any, b: Any, signature: Any, arguments: Any) -> Any:
        word, index = ir.IntType(32), ir.IntType(64)
        whole, real = ir.VectorType(word, WIDE), ir.VectorType(ir.FloatType(), WIDE)

        def constant(value: int) -> Any:
            return ir.Constant(whole, [value] * WIDE)

        def pointer(argument: int) -> Any:
            array = numpy_support.make_array(signature.args[argument])
            return array(target, b, arguments[argument]).data

        def load(data: Any, place: Any) -> Any:
            return b.load(b.bitcast(b.gep(data, [place]), whole.as_pointer()), align=4)

        def store(value: Any, data: Any, place: Any) -> None:
            b.store(value, b.bitcast(b.gep(data, [place]), whole.as_pointer()), align=4)

        def spread(value: Any) -> Any:
            some = b.insert_element(ir.Constant(whole, ir.Undefined), value, word(0))
            return b.shuffle_vector(some, ir.Constant(whole, ir.Undefined), constant(0))

        def larger(first: Any, second: Any) -> Any:
            return b.select(b.icmp_signed(">", first, second), first, second)

        def smaller(first: Any, second: Any) -> Any:
            return b.select(b.icmp_signed("<", first, second), first, second)

        def row(y: Any) -> Any:
            return b.ashr(b.add(y, constant(SNAP // 2 - 1)), constant(SNAP_BITS))

        source, kinds, told_data, out_data = pointer(0), pointer(5), pointer(9), pointer(10)
        start_at, number_of = arguments[11], arguments[12]
        x_a, y_a, x_b, y_b = (load(source, arguments[place]) for place in range(1, 5))
        lowest, highest, most_columns = (spread(b.trunc(arguments[place], word)) for place in range(6, 9))
        walked = load(kinds, number_of)

        # Downwards.
        up = b.icmp_signed("<", y_b, y_a)
        x_a, x_b = b.select(up, x_b, x_a), b.select(up, x_a, x_b)
        y_a, y_b = b.select(up, y_b, y_a), b.select(up, y_a, y_b)
        dx, dy = b.sub(x_b, x_a), b.sub(y_b, y_a)
        first, last = larger(row(y_a), lowest), smaller(row(y_b), highest)
        nothing = constant(0)
        number = larger(b.sub(last, first), nothing)
        number = b.select(b.icmp_signed("==", walked, nothing), nothing, number)
        span = larger(dy, larger(dx, b.sub(nothing, dx)))
        long = b.icmp_signed(">=", span, constant(LONGEST))
        crossed = b.icmp_signed(">", number, nothing)
        good = b.and_(crossed, b.not_(long))
        dx, dy = b.select(good, dx, nothing), b.select(good, dy, constant(1))

        # Quotients in single precision are off by one at the most, which the remainder tells.
        inverse = b.fdiv(ir.Constant(real, [1.0] * WIDE), b.sitofp(dy, real))
        floor = cgutils.get_or_insert_function(b.module, ir.FunctionType(real, [real]), f"llvm.floor.v{WIDE}f32")

        def divided(value: Any) -> tuple[Any, Any]:
            quotient = b.fptosi(b.call(floor, [b.fmul(b.sitofp(value, real), inverse)]), whole)
            rest = b.sub(value, b.mul(quotient, dy))
            below = b.icmp_signed("<", rest, nothing)
            quotient, rest = b.add(quotient, b.sext(below, whole)), b.select(below, b.add(rest, dy), rest)
            above = b.icmp_signed(">=", rest, dy)
            return b.sub(quotient, b.sext(above, whole)), b.select(above, b.sub(rest, dy), rest)

        down = b.add(b.shl(first, constant(SNAP_BITS)), b.sub(constant(SNAP // 2), y_a))
        at_first, rest = divided(b.sub(b.mul(b.select(good, down, nothing), dx), constant(1)))
        place = b.add(at_first, b.sub(x_a, constant(SNAP // 2)))
        stride, more = divided(b.shl(dx, constant(SNAP_BITS)))

        number = b.select(b.and_(crossed, long), constant(-1), number)
        counts = [b.extract_element(number, word(lane)) for lane in range(WIDE)]
        while len(counts) > 1:
            counts = [larger(one_half, other) for one_half, other in zip(counts[::2], counts[1::2], strict=True)]

        before = b.block
        head, body, after = (b.append_basic_block(name) for name in ("rows", "row", "crossed"))
        b.branch(head)
        b.position_at_end(head)
        i, now, left, total = b.phi(word), b.phi(whole), b.phi(whole), b.phi(whole)
        for value, start in ((i, word(0)), (now, place), (left, rest), (total, nothing)):
            value.add_incoming(start, before)
        b.cbranch(b.icmp_signed("<", i, counts[0]), body, after)
        b.position_at_end(body)
        column = b.add(b.ashr(now, constant(SNAP_BITS)), constant(1))
        column = smaller(larger(column, nothing), most_columns)
        store(column, out_data, b.add(number_of, b.mul(b.sext(i, index), index(CHUNK))))
        counted = b.add(total, b.select(b.icmp_signed("<", spread(i), number), column, nothing))
        further = b.add(left, more)
        over = b.icmp_signed(">=", further, dy)
        i.add_incoming(b.add(i, word(1)), body)
        now.add_incoming(b.sub(b.add(now, stride), b.sext(over, whole)), body)
        left.add_incoming(b.select(over, b.sub(further, dy), further), body)
        total.add_incoming(counted, body)
        b.branch(head)
        b.position_at_end(after)

        sign = b.select(up, b.sub(nothing, walked), walked)
        for which, value in enumerate((first, number, sign, b.mul(total, sign))):
            store(value, told_data, b.add(b.add(start_at, number_of), index(which * CHUNK)))
        return target.get_dummy_value()

    n = types.int64
    return types.void(vertices, n, n, n, n, kind, n, n, n, told, out, n, n), generate
