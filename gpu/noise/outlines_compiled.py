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

_F32 = np.float32
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
def continued(x: Any, y: Any, up: Any, right: Any, down: Any, left: Any, own: Any) -> None:
    """Fill `own` (8, 2, W + 2) for one row: the corners upper left, upper right, lower right, lower left, and the middles of
    the sides up, right, down, left, where each pixel's own surface continues to. `x` and `y` (3, W + 2) are the positions in
    the row above, here and below; `up` ... `left` (W + 2,) bool are the links."""
    for j in range(1, x.shape[1] - 1):
        hx, hy = x[1, j], y[1, j]
        before_x, before_y, after_x, after_y = hx - x[1, j - 1], hy - y[1, j - 1], x[1, j + 1] - hx, y[1, j + 1] - hy
        above_x, above_y, below_x, below_y = hx - x[0, j], hy - y[0, j], x[2, j] - hx, y[2, j] - hy
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
        own[4, 0, j] = (x[0, j] + hx) * _HALF if up[j] else hx - ux
        own[4, 1, j] = (y[0, j] + hy) * _HALF if up[j] else hy - uy
        own[5, 0, j] = (hx + x[1, j + 1]) * _HALF if right[j] else hx + rx
        own[5, 1, j] = (hy + y[1, j + 1]) * _HALF if right[j] else hy + ry
        own[6, 0, j] = (hx + x[2, j]) * _HALF if down[j] else hx + dx
        own[6, 1, j] = (hy + y[2, j]) * _HALF if down[j] else hy + dy
        own[7, 0, j] = (x[1, j - 1] + hx) * _HALF if left[j] else hx - lx
        own[7, 1, j] = (y[1, j - 1] + hy) * _HALF if left[j] else hy - ly


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
def put_side(a: Any, middle: Any, b: Any, s: Any, scale: Any, out: Any, start: Any, backwards: Any) -> None:
    """Vertices of one side of all pixels of a row, from `a` over `middle` to `b` (2, W + 2), to out[start:]
    (m, 2, W + 2) int32: `a` and what comes before `b`, or (`backwards`) `b` and what comes before `a`."""
    count = 2 if s % 2 == 0 else s
    for axis in range(2):
        first, last = out[start, axis], out[start + (1 if count > 1 else 0), axis]
        ends = b[axis] if backwards else a[axis]
        for j in range(ends.shape[0]):
            first[j] = nearest(ends[j] * scale)
        if s % 2 == 0:
            for j in range(ends.shape[0]):
                last[j] = nearest(middle[axis, j] * scale)
            continue
        for i in range(1, count):
            place = out[start + (count - i if backwards else i), axis]
            f = 2.0 * i / s
            from_, to, g = (a[axis], middle[axis], _F32(f)) if f < 1 else (middle[axis], b[axis], _F32(f - 1.0))
            for j in range(place.shape[0]):
                place[j] = nearest((from_[j] + (to[j] - from_[j]) * g) * scale)
    if s % 2 == 0:  # a middle on the line between the ends falls onto the first
        ends = b if backwards else a
        other = a if backwards else b
        x, y, ex, ey = out[start + 1, 0], out[start + 1, 1], out[start, 0], out[start, 1]
        for j in range(x.shape[0]):
            fx, fy = nearest(other[0, j] * scale), nearest(other[1, j] * scale)
            off_x, off_y = 2 * x[j] - ex[j] - fx, 2 * y[j] - ey[j] - fy
            straight = (off_x >= -1) & (off_x <= 1) & (off_y >= -1) & (off_y <= 1)
            gone_x, gone_y = (fx, fy) if backwards else (ex[j], ey[j])
            x[j] = gone_x if straight else x[j]
            y[j] = gone_y if straight else y[j]


@kernel
def kinds(points: Any, centre: Any, keeps: Any, turns: Any) -> None:
    """Whether the outlines `points` (m, 2, n) int32 run the right way round their `centre` (2, n), or the other: into `keeps`
    and `turns` (n,) bool. Products are exact in double precision."""
    m = points.shape[0]
    for j in range(len(keeps)):
        keeps[j] = True
        turns[j] = True
    for v in range(m):
        after = v + 1 if v + 1 < m else 0
        x0, y0, x1, y1 = points[v, 0], points[v, 1], points[after, 0], points[after, 1]
        for j in range(len(keeps)):
            cx, cy = np.float64(centre[0, j]), np.float64(centre[1, j])
            turn = (np.float64(x0[j]) - cx) * (np.float64(y1[j]) - cy) - (np.float64(y0[j]) - cy) * (
                np.float64(x1[j]) - cx
            )
            keeps[j] = keeps[j] & (turn >= 0)
            turns[j] = turns[j] & (turn <= 0)


@kernel
def outlines_of_rows(
    position: Any,
    label: Any,
    moving: Any,
    s: Any,
    scale: Any,
    vertices: Any,
    kind: Any,
    right: Any,
    down: Any,
    linked: Any,
) -> None:
    """Fill `vertices` (H, W, m, 2) int32, `kind` (H, W) int8, `right` and `down` (H, W) bool, and `linked` (H, W) uint8 the
    sides that are shared; see gpu.noise.outlines.outlines. `scale` float32 is what a pixel is cut into: 2^k SNAP."""
    height, width = label.shape
    wide = width + 2
    m = vertices.shape[2]
    x, y = np.zeros((height + 2, wide), np.float32), np.zeros((height + 2, wide), np.float32)
    anchor = np.full((height + 2, wide), -1, np.int32)
    for i in range(height):
        for j in range(width):
            x[i + 1, j + 1], y[i + 1, j + 1] = position[i, j, 0], position[i, j, 1]
            anchor[i + 1, j + 1] = label[i, j] if moving[i, j] else -1
    to_right, to_down = np.zeros((height + 2, wide), np.bool_), np.zeros((height + 2, wide), np.bool_)
    along, before, here = np.zeros(wide, np.uint8), np.zeros(wide, np.uint8), np.zeros(wide, np.uint8)
    for i in range(1, height + 1):
        trust(x[i, : wide - 2], y[i, : wide - 2], x[i, 1:-1], y[i, 1:-1], x[i, 2:], y[i, 2:],
              anchor[i, : wide - 2], anchor[i, 1:-1], anchor[i, 2:], 0, along[1:-1])  # fmt: skip
        for j in range(1, width):
            to_right[i, j] = ((along[j] & AFTER) != 0) & ((along[j + 1] & BEFORE) != 0)
        trust(x[i - 1], y[i - 1], x[i], y[i], x[i + 1], y[i + 1], anchor[i - 1], anchor[i], anchor[i + 1], 1, here)
        if i > 1:
            for j in range(1, width + 1):
                to_down[i - 1, j] = ((before[j] & AFTER) != 0) & ((here[j] & BEFORE) != 0)
        before, here = here, before
    own = np.zeros((2, 8, 2, wide), np.float32)
    lower, upper = np.zeros((2, 2, wide), np.float32), np.zeros((2, 2, 2, wide), np.float32)
    points = np.zeros((m, 2, wide), np.int32)
    centre = np.zeros((2, wide), np.int32)
    keeps, turns = np.zeros(wide, np.bool_), np.zeros(wide, np.bool_)
    side = m // 4
    to_left = np.zeros(wide, np.bool_)
    for i in range(height + 1):  # row i of pixels continues below row i - 1, whose outlines are then complete
        now, last = own[i % 2], own[(i + 1) % 2]
        if i < height:
            to_left[1:] = to_right[i + 1, :-1]
            continued(x[i : i + 3], y[i : i + 3], to_down[i], to_right[i + 1], to_down[i + 1], to_left, now)
        corners(last, now, to_right[i], to_right[i + 1], to_down[i], lower, upper[i % 2])
        if i == 0:
            continue
        top = upper[(i + 1) % 2]
        put_side(top[0], last[4], top[1], s, scale, points, 0, False)
        put_side(top[1], last[5], lower[1], s, scale, points, side, False)
        put_side(lower[0], last[6], lower[1], s, scale, points, 2 * side, True)
        put_side(top[0], last[7], lower[0], s, scale, points, 3 * side, True)
        for j in range(wide):
            centre[0, j], centre[1, j] = nearest(x[i, j] * scale), nearest(y[i, j] * scale)
        kinds(points, centre, keeps, turns)
        for j in range(width):
            carried = moving[i - 1, j]
            for v in range(m):
                vertices[i - 1, j, v, 0] = points[v, 0, j + 1] if carried else 0
                vertices[i - 1, j, v, 1] = points[v, 1, j + 1] if carried else 0
            shape = _KEEPS if keeps[j + 1] else (_TURNS if turns[j + 1] else _TANGLED)
            kind[i - 1, j] = shape if carried else _NONE
    for i in range(height):
        for j in range(width):
            plain = kind[i, j] == _KEEPS or kind[i, j] == _TURNS
            right[i, j] = to_right[i + 1, j + 1] and plain and kind[i, j] == kind[i, j + 1]
            down[i, j] = to_down[i + 1, j + 1] and plain and kind[i, j] == kind[i + 1, j]
    for i in range(height):
        for j in range(width):
            sides = 0
            if i > 0 and down[i - 1, j]:
                sides += TOP
            if right[i, j]:
                sides += RIGHT
            if down[i, j]:
                sides += BOTTOM
            if j > 0 and right[i, j - 1]:
                sides += LEFT
            linked[i, j] = sides
