"""Outlines of pixels in compiled code: the whole numbers of gpu.noise.outlines.outlines.

Every pass runs along a row over numbers that lie side by side, without branches, so that the compiler works on as many pixels
at once as the processor can. Rows have a place more at either end, so that neighbours need no questions: pixel j stands at
place j + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise import outlines
from gpu.noise.rng_compiled import nearest
from gpu.noise.states import NEW, UNDEFINED

_F32, _I32 = np.float32, np.int32
_HALF, _ZERO, _ONE, _TWO, _QUARTER, _SIXTEEN = _F32(0.5), _F32(0), _F32(1), _F32(2), _F32(0.25), _F32(16)
_FAR2 = _F32(outlines.FAR * outlines.FAR)
_NONE, _KEEPS, _TURNS, _TANGLED = outlines.NONE, outlines.KEEPS, outlines.TURNS, outlines.TANGLED

BEFORE, AFTER = 1, 2
TOP, RIGHT, BOTTOM, LEFT = 1, 2, 4, 8


@kernel
def trust(
    before_x: Any, before_y: Any, here_x: Any, here_y: Any, after_x: Any, after_y: Any, before: Any, here: Any, after: Any,
    axis: Any, out: Any,
) -> None:  # fmt: skip
    """Which of the two steps along an axis, from the positions before to those here and from here to those after, stay on the
    surface: BEFORE + AFTER into `out` (n,) uint8. `before`, `here` and `after` (n,) int32 are anchors, below 0 where there is
    no pixel that is carried. See gpu.noise.outlines._steps."""
    for j in range(len(out)):
        ax, ay = here_x[j] - before_x[j], here_y[j] - before_y[j]
        bx, by = after_x[j] - here_x[j], after_y[j] - here_y[j]
        dx, dy = ax - bx, ay - by
        apart = dx * dx + dy * dy
        length_a, length_b = ax * ax + ay * ay, bx * bx + by * by
        shorter = length_a if length_a < length_b else length_b
        has_before = (here[j] >= 0) & (here[j] == before[j])
        has_after = (here[j] >= 0) & (here[j] == after[j])
        both = has_before & has_after
        beyond = apart - _ONE - shorter * _QUARTER
        jump = both & (beyond > _ZERO) & (beyond * beyond > shorter)
        agreed = both & (apart * _SIXTEEN <= shorter)
        a, b = (ax, bx) if axis == 0 else (ay, by)
        nearer = (length_a - _TWO * a) <= (length_b - _TWO * b)
        keep_before = has_before & ((not jump) | nearer) & (agreed | (length_a <= _FAR2))
        keep_after = has_after & (not (jump & nearer)) & (agreed | (length_b <= _FAR2))
        out[j] = (BEFORE if keep_before else 0) | (AFTER if keep_after else 0)


@kernel
def continued(
    above_row: Any, here_row: Any, below_row: Any, up: Any, right: Any, down: Any, left: Any, own: Any
) -> None:
    """Fill `own` (8, 2, W + 2) for one row: the corners upper left, upper right, lower right, lower left, and the middles of
    the sides up, right, down, left, where each pixel's own surface continues to. `above_row`, `here_row` and `below_row`
    (2, W + 2) are positions x and y; `up` ... `left` (W + 2,) bool are the links."""
    x, y = here_row[0], here_row[1]
    upper_x, upper_y, lower_x, lower_y = above_row[0], above_row[1], below_row[0], below_row[1]
    for j in range(1, len(x) - 1):
        hx, hy = x[j], y[j]
        before_x, before_y, after_x, after_y = hx - x[j - 1], hy - y[j - 1], x[j + 1] - hx, y[j + 1] - hy
        above_x, above_y, below_x, below_y = hx - upper_x[j], hy - upper_y[j], lower_x[j] - hx, lower_y[j] - hy
        lx = before_x if left[j] else (after_x if right[j] else _ONE)
        ly = before_y if left[j] else (after_y if right[j] else _ZERO)
        rx = after_x if right[j] else (before_x if left[j] else _ONE)
        ry = after_y if right[j] else (before_y if left[j] else _ZERO)
        ux = above_x if up[j] else (below_x if down[j] else _ZERO)
        uy = above_y if up[j] else (below_y if down[j] else _ONE)
        dx = below_x if down[j] else (above_x if up[j] else _ZERO)
        dy = below_y if down[j] else (above_y if up[j] else _ONE)
        lx, ly, rx, ry = lx * _HALF, ly * _HALF, rx * _HALF, ry * _HALF
        ux, uy, dx, dy = ux * _HALF, uy * _HALF, dx * _HALF, dy * _HALF
        own[0, 0, j], own[0, 1, j] = (hx - lx) - ux, (hy - ly) - uy
        own[1, 0, j], own[1, 1, j] = (hx + rx) - ux, (hy + ry) - uy
        own[2, 0, j], own[2, 1, j] = (hx + rx) + dx, (hy + ry) + dy
        own[3, 0, j], own[3, 1, j] = (hx - lx) + dx, (hy - ly) + dy
        own[4, 0, j] = (upper_x[j] + hx) * _HALF if up[j] else hx - ux
        own[4, 1, j] = (upper_y[j] + hy) * _HALF if up[j] else hy - uy
        own[5, 0, j] = (hx + x[j + 1]) * _HALF if right[j] else hx + rx
        own[5, 1, j] = (hy + y[j + 1]) * _HALF if right[j] else hy + ry
        own[6, 0, j] = (hx + lower_x[j]) * _HALF if down[j] else hx + dx
        own[6, 1, j] = (hy + lower_y[j]) * _HALF if down[j] else hy + dy
        own[7, 0, j] = (x[j - 1] + hx) * _HALF if left[j] else hx - lx
        own[7, 1, j] = (y[j - 1] + hy) * _HALF if left[j] else hy - ly


@inlined
def _mean(a: Any, b: Any, c: Any, d: Any, has_a: Any, has_b: Any, has_c: Any, has_d: Any) -> Any:
    total = a if has_a else _ZERO
    total = total + (b if has_b else _ZERO)
    total = total + (c if has_c else _ZERO)
    total = total + (d if has_d else _ZERO)
    count = (
        (_ONE if has_a else _ZERO)
        + (_ONE if has_b else _ZERO)
        + (_ONE if has_c else _ZERO)
        + (_ONE if has_d else _ZERO)
    )
    return total / count


@kernel
def corners(above: Any, below: Any, right_above: Any, right_below: Any, down: Any, lower: Any, upper: Any) -> None:
    """The corners on the line between two rows, whose pixels continue to `above` and `below` (8, 2, W + 2): into `lower`
    (2, 2, W + 2) the lower left and right ones of the row above, into `upper` the upper left and right ones of the row below.
    The links are `right` of either row and `down` of the row above, (W + 2,) bool."""
    for j in range(above.shape[2] - 1):  # between the places j and j + 1
        top, bottom, left, right = right_above[j], right_below[j], down[j], down[j + 1]
        ab, ac = top | (left & bottom & right), left | (top & right & bottom)
        bd, cd = right | (top & left & bottom), bottom | (left & top & right)
        ad, bc = (top & right) | (left & bottom), (top & left) | (right & bottom)
        for axis in range(2):
            a, b = above[2, axis, j], above[3, axis, j + 1]
            c, d = below[1, axis, j], below[0, axis, j + 1]
            lower[1, axis, j] = _mean(a, b, c, d, True, ab, ac, ad)
            lower[0, axis, j + 1] = _mean(a, b, c, d, ab, True, bc, bd)
            upper[1, axis, j] = _mean(a, b, c, d, ac, bc, True, cd)
            upper[0, axis, j + 1] = _mean(a, b, c, d, ad, bd, cd, True)


@kernel
def snap(place: Any, scale: Any, out: Any) -> None:
    """`place` (2, W) times `scale`, rounded, into `out` (2, W) int32."""
    for axis in range(2):
        values, whole = place[axis], out[axis]
        for j in range(len(values)):
            whole[j] = nearest(values[j] * scale)


@kernel
def snap_middle(middle: Any, scale: Any, first: Any, last: Any, out: Any) -> None:
    """`middle` (2, W) snapped into `out`, or, where it lies on the line between the vertices `first` and `last` (2, W), `first`
    once more."""
    for j in range(middle.shape[1]):
        x, y = nearest(middle[0, j] * scale), nearest(middle[1, j] * scale)
        off_x = _I32(_I32(x - first[0, j]) + _I32(x - last[0, j]))
        off_y = _I32(_I32(y - first[1, j]) + _I32(y - last[1, j]))
        straight = (off_x >= -1) & (off_x <= 1) & (off_y >= -1) & (off_y <= 1)
        out[0, j] = first[0, j] if straight else x
        out[1, j] = first[1, j] if straight else y


@kernel
def snap_between(a: Any, middle: Any, b: Any, s: Any, scale: Any, out: Any, start: Any, backwards: Any) -> None:
    """For an odd `s`: the vertices between the ends of one side, from `a` over `middle` to `b` (2, W), into out[start + 1:], or
    (`backwards`) in the other order."""
    for i in range(1, s):
        f = 2.0 * i / s
        from_, to, g = (a, middle, _F32(f)) if f < 1 else (middle, b, _F32(f - 1.0))
        for axis in range(2):
            one_end, other, place = from_[axis], to[axis], out[start + (s - i if backwards else i), axis]
            for j in range(len(place)):
                place[j] = nearest((one_end[j] + (other[j] - one_end[j]) * g) * scale)


@kernel
def put_outlines(upper: Any, lower: Any, own: Any, s: Any, scale: Any, points: Any) -> None:
    """Vertices `points` (m, 2, W) int32 of the pixels of a row, from their `upper` and `lower` corners (2, 2, W + 2) (left,
    right) and what is their `own` (`continued`)."""
    side = points.shape[0] // 4
    end = upper.shape[2] - 1
    snap(upper[0, :, 1:end], scale, points[0])
    snap(upper[1, :, 1:end], scale, points[side])
    snap(lower[1, :, 1:end], scale, points[2 * side])
    snap(lower[0, :, 1:end], scale, points[3 * side])
    # A middle on the line falls onto the left end, or the upper one, whoever works it out.
    if s % 2 == 0:
        snap_middle(own[4, :, 1:end], scale, points[0], points[2], points[1])
        snap_middle(own[5, :, 1:end], scale, points[2], points[4], points[3])
        snap_middle(own[6, :, 1:end], scale, points[6], points[4], points[5])
        snap_middle(own[7, :, 1:end], scale, points[0], points[6], points[7])
    elif s > 1:
        snap_between(upper[0, :, 1:end], own[4, :, 1:end], upper[1, :, 1:end], s, scale, points, 0, False)
        snap_between(upper[1, :, 1:end], own[5, :, 1:end], lower[1, :, 1:end], s, scale, points, side, False)
        snap_between(lower[0, :, 1:end], own[6, :, 1:end], lower[1, :, 1:end], s, scale, points, 2 * side, True)
        snap_between(upper[0, :, 1:end], own[7, :, 1:end], lower[0, :, 1:end], s, scale, points, 3 * side, True)


@kernel
def turns_of(points: Any, centre: Any, low: Any, high: Any) -> Any:
    """The least and the greatest turn between neighbouring spokes of outlines `points` (m, 2, W) around `centre` (2, W), all
    int32, into `low` and `high` (W,) int32; whether spokes are too long for that to be right."""
    low[:] = _I32(0)
    high[:] = _I32(0)
    m = points.shape[0]
    cx, cy = centre[0], centre[1]
    long = _I32(0)
    for v in range(m):
        after = v + 1 if v + 1 < m else 0
        x0, y0, x1, y1 = points[v, 0], points[v, 1], points[after, 0], points[after, 1]
        for j in range(len(low)):
            ax, ay, bx, by = _I32(x0[j] - cx[j]), _I32(y0[j] - cy[j]), _I32(x1[j] - cx[j]), _I32(y1[j] - cy[j])
            long = _I32(long | _I32(ax ^ (ax >> 31)) | _I32(ay ^ (ay >> 31)))
            turn = _I32(_I32(ax * by) - _I32(ay * bx))
            low[j] = turn if turn < low[j] else low[j]
            high[j] = turn if turn > high[j] else high[j]
    return long >= (1 << 15)


@kernel
def long_turns_of(points: Any, centre: Any, low: Any, high: Any) -> None:
    """The same of spokes of any length, as -1, 0 or 1: products are exact in double precision."""
    low[:] = _I32(0)
    high[:] = _I32(0)
    m = points.shape[0]
    for v in range(m):
        after = v + 1 if v + 1 < m else 0
        for j in range(len(low)):
            cx, cy = np.float64(centre[0, j]), np.float64(centre[1, j])
            turn = (np.float64(points[v, 0, j]) - cx) * (np.float64(points[after, 1, j]) - cy) - (
                np.float64(points[v, 1, j]) - cy
            ) * (np.float64(points[after, 0, j]) - cx)
            if turn < 0:
                low[j] = _I32(-1)
            if turn > 0:
                high[j] = _I32(1)


@kernel
def link_row(kind: Any, below: Any, to_right: Any, to_down: Any, up: Any, down: Any, linked: Any) -> None:
    """The sides that the pixels of a row share, into `linked` (W,) uint8: where they continue `to_right` and `to_down` (W + 2,)
    and are of one `kind` (W,) with who is there; `below` is the kind in the next row. `up` and `down` (W,) bool are what the
    row above found below it, and what this one finds."""
    width = len(kind)
    for j in range(width):
        own = kind[j]
        plain = (own == _KEEPS) | (own == _TURNS)
        down[j] = to_down[j + 1] & plain & (own == below[j])
        linked[j] = (TOP if up[j] else 0) | (BOTTOM if down[j] else 0)
    before = False
    for j in range(width):
        own = kind[j]
        plain = (own == _KEEPS) | (own == _TURNS)
        after = j + 1 < width and to_right[j + 1] and plain and own == kind[j + 1]
        linked[j] |= (RIGHT if after else 0) | (LEFT if before else 0)
        before = after


@kernel
def outlines_of_rows(
    position: Any, label: Any, state: Any, s: Any, scale: Any, vertices: Any, kind: Any, linked: Any
) -> None:
    """Fill `vertices` (H, m, 2, W) int32, `kind` (H, W) int8 and `linked` (H, W) uint8 the sides that are shared; see
    gpu.noise.outlines.outlines. `scale` float32 is what a pixel is cut into: 2^k SNAP.

    Row after row goes through all the steps, each as many rows behind the first as it looks ahead, so that all of it stays in
    the cache; what a step leaves for the next stands at its row's number modulo 8."""
    height, width = label.shape
    wide = width + 2
    place = np.zeros((8, 2, wide), np.float32)
    anchor = np.full((8, wide), -1, np.int32)
    trusted = np.zeros(wide, np.uint8)
    to_right, to_down, to_left = np.zeros((8, wide), np.bool_), np.zeros((8, wide), np.bool_), np.zeros(wide, np.bool_)
    below = np.zeros((8, wide), np.uint8)
    own = np.zeros((8, 8, 2, wide), np.float32)
    lower, upper = np.zeros((8, 2, 2, wide), np.float32), np.zeros((8, 2, 2, wide), np.float32)
    centre = np.zeros((2, width), np.int32)
    low, high = np.zeros(width, np.int32), np.zeros(width, np.int32)
    down, nobody = np.zeros((8, width), np.bool_), np.zeros(width, np.int8)
    end = wide - 1
    for r in range(height + 4):
        here = r & 7
        if r < height:
            x, y, carried = place[here, 0], place[here, 1], anchor[here]
            for j in range(width):
                x[j + 1], y[j + 1] = position[r, j, 0], position[r, j, 1]
            for j in range(width):
                gone = (state[r, j] == NEW) | (state[r, j] == UNDEFINED)
                carried[j + 1] = _I32(-1) if gone else label[r, j]
            trust(x[: end - 1], y[: end - 1], x[1:end], y[1:end], x[2:], y[2:],
                  carried[: end - 1], carried[1:end], carried[2:], 0, trusted[1:end])  # fmt: skip
            for j in range(1, width):
                to_right[here, j] = ((trusted[j] & AFTER) != 0) & ((trusted[j + 1] & BEFORE) != 0)
        else:
            anchor[here, :] = _I32(-1)
            to_right[here, :] = False
        a, b = (r - 2) & 7, (r - 1) & 7
        if 1 <= r <= height:  # row b, between a and the one just read
            trust(place[a, 0], place[a, 1], place[b, 0], place[b, 1], place[here, 0], place[here, 1],
                  anchor[a], anchor[b], anchor[here], 1, below[b])  # fmt: skip
        else:
            below[b, :] = 0
        for j in range(1, width + 1):
            to_down[a, j] = ((below[a, j] & AFTER) != 0) & ((below[b, j] & BEFORE) != 0)
        a, b = (r - 3) & 7, (r - 2) & 7
        if 0 <= r - 2 < height:
            to_left[1:] = to_right[b, :-1]
            continued(place[a], place[b], place[(r - 1) & 7], to_down[a], to_right[b], to_down[b], to_left, own[b])
        corners(own[a], own[b], to_right[a], to_right[b], to_down[a], lower[a], upper[b])
        if 0 <= r - 3 < height:
            i = r - 3
            put_outlines(upper[a], lower[a], own[a], s, scale, vertices[i])
            snap(place[a, :, 1:end], scale, centre)
            if turns_of(vertices[i], centre, low, high):
                long_turns_of(vertices[i], centre, low, high)
            for j in range(width):
                shape = _KEEPS if low[j] >= 0 else (_TURNS if high[j] <= 0 else _TANGLED)
                kind[i, j] = shape if anchor[a, j + 1] >= 0 else _NONE
        if 0 <= r - 4 < height:
            i = r - 4
            link_row(kind[i], kind[i + 1] if i + 1 < height else nobody, to_right[i & 7], to_down[i & 7],
                     down[(i - 1) & 7], down[i & 7], linked[i])  # fmt: skip
