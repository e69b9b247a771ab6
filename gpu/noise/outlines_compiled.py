"""Outlines of pixels in compiled code: the whole numbers of gpu.noise.outlines.outlines."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise import outlines
from gpu.noise.rng_compiled import nearest

_F32 = np.float32
_HALF, _ONE, _TWO, _QUARTER, _SIXTEEN = _F32(0.5), _F32(1), _F32(2), _F32(0.25), _F32(16)
_FAR2 = _F32(outlines.FAR * outlines.FAR)
_NONE, _KEEPS, _TURNS, _TANGLED = outlines.NONE, outlines.KEEPS, outlines.TURNS, outlines.TANGLED

BEFORE, AFTER = 1, 2


@inlined
def _trust(before: Any, here: Any, after: Any, has_before: Any, has_after: Any, axis: Any) -> Any:
    """Which of the two steps along an axis, of positions (2,) each, stay on the surface: BEFORE + AFTER. See
    outlines._steps."""
    ax, ay = here[0] - before[0], here[1] - before[1]
    bx, by = after[0] - here[0], after[1] - here[1]
    dx, dy = ax - bx, ay - by
    apart = dx * dx + dy * dy
    length_a, length_b = ax * ax + ay * ay, bx * bx + by * by
    shorter = min(length_a, length_b)
    jump, agreed = False, False
    if has_before and has_after:
        beyond = apart - _ONE - shorter * _QUARTER
        jump = beyond > 0 and beyond * beyond > shorter
        agreed = apart * _SIXTEEN <= shorter
    a, b = (ax, bx) if axis == 0 else (ay, by)
    nearer = length_a - _TWO * a <= length_b - _TWO * b
    out = 0
    if has_before and not (jump and not nearer) and (agreed or length_a <= _FAR2):
        out += BEFORE
    if has_after and not (jump and nearer) and (agreed or length_b <= _FAR2):
        out += AFTER
    return out


@kernel
def links(position: Any, label: Any, moving: Any, first: Any, last: Any, right: Any, down: Any) -> None:
    """Fill rows first to last - 1 of `right` and `down` (H, W) bool: which pixels lie on one surface with the next along x
    and y. Arguments as in gpu.noise.outlines.outlines."""
    height, width = label.shape
    for i in range(first, last):
        for j in range(width):
            right[i, j] = False
            down[i, j] = False
        for j in range(width - 1):
            if not (moving[i, j] and moving[i, j + 1] and label[i, j] == label[i, j + 1]):
                continue
            near = max(j - 1, 0)
            has = j > 0 and moving[i, near] and label[i, near] == label[i, j]
            if not _trust(position[i, near], position[i, j], position[i, j + 1], has, True, 0) & AFTER:
                continue
            far = min(j + 2, width - 1)
            has = j + 2 < width and moving[i, far] and label[i, far] == label[i, j]
            right[i, j] = _trust(position[i, j], position[i, j + 1], position[i, far], True, has, 0) & BEFORE != 0
        if i == height - 1:
            continue
        near, far = max(i - 1, 0), min(i + 2, height - 1)
        for j in range(width):
            if not (moving[i, j] and moving[i + 1, j] and label[i, j] == label[i + 1, j]):
                continue
            has = i > 0 and moving[near, j] and label[near, j] == label[i, j]
            if not _trust(position[near, j], position[i, j], position[i + 1, j], has, True, 1) & AFTER:
                continue
            has = i + 2 < height and moving[far, j] and label[far, j] == label[i, j]
            down[i, j] = _trust(position[i, j], position[i + 1, j], position[far, j], True, has, 1) & BEFORE != 0


@inlined
def _difference(position: Any, i: Any, j: Any, di: Any, dj: Any, linked: Any, other: Any, axis: Any) -> Any:
    """The step of pixel (i, j) towards its neighbour at (di, dj), pointing along the axis: its own where it is linked, the
    other side's where that one is, else the identity's."""
    here = position[i, j]
    if linked:
        there = position[i + di, j + dj]
        sign = _F32(di + dj)
        return (there[0] - here[0]) * sign, (there[1] - here[1]) * sign
    if other:
        there = position[i - di, j - dj]
        sign = _F32(di + dj)
        return (here[0] - there[0]) * sign, (here[1] - there[1]) * sign
    if axis == 0:
        return _ONE, _F32(0)
    return _F32(0), _ONE


@kernel
def continued(position: Any, right: Any, down: Any, i: Any, own: Any) -> None:
    """Fill `own` (W, 8, 2) float32 for row i: the corners upper left, upper right, lower right, lower left, and the middles
    of the sides up, right, down, left, where each pixel's own surface continues to."""
    width = right.shape[1]
    for j in range(width):
        l_right, l_down = right[i, j], down[i, j]
        l_left, l_up = j > 0 and right[i, j - 1], i > 0 and down[i - 1, j]
        x, y = position[i, j, 0], position[i, j, 1]
        lx, ly = _difference(position, i, j, 0, -1, l_left, l_right, 0)
        rx, ry = _difference(position, i, j, 0, 1, l_right, l_left, 0)
        ux, uy = _difference(position, i, j, -1, 0, l_up, l_down, 1)
        dx, dy = _difference(position, i, j, 1, 0, l_down, l_up, 1)
        lx, ly, rx, ry = lx * _HALF, ly * _HALF, rx * _HALF, ry * _HALF
        ux, uy, dx, dy = ux * _HALF, uy * _HALF, dx * _HALF, dy * _HALF
        place = own[j]
        place[0, 0], place[0, 1] = (x - lx) - ux, (y - ly) - uy
        place[1, 0], place[1, 1] = (x + rx) - ux, (y + ry) - uy
        place[2, 0], place[2, 1] = (x + rx) + dx, (y + ry) + dy
        place[3, 0], place[3, 1] = (x - lx) + dx, (y - ly) + dy
        if l_up:
            place[4, 0], place[4, 1] = (position[i - 1, j, 0] + x) * _HALF, (position[i - 1, j, 1] + y) * _HALF
        else:
            place[4, 0], place[4, 1] = x - ux, y - uy
        if l_right:
            place[5, 0], place[5, 1] = (x + position[i, j + 1, 0]) * _HALF, (y + position[i, j + 1, 1]) * _HALF
        else:
            place[5, 0], place[5, 1] = x + rx, y + ry
        if l_down:
            place[6, 0], place[6, 1] = (x + position[i + 1, j, 0]) * _HALF, (y + position[i + 1, j, 1]) * _HALF
        else:
            place[6, 0], place[6, 1] = x + dx, y + dy
        if l_left:
            place[7, 0], place[7, 1] = (position[i, j - 1, 0] + x) * _HALF, (position[i, j - 1, 1] + y) * _HALF
        else:
            place[7, 0], place[7, 1] = x - lx, y - ly


@inlined
def _corner(above: Any, below: Any, j: Any, top: Any, bottom: Any, left: Any, right: Any, which: Any) -> Any:
    """The corner at the left end of column j between the rows `above` and `below`, for the pixel `which` of upper left, upper
    right, lower left, lower right (0 to 3), when these are linked along the top, bottom, left and right."""
    if which == 0:
        has_a, has_b, has_c, has_d = (
            True,
            top or (left and bottom and right),
            left or (top and right and bottom),
            (top and right) or (left and bottom),
        )
    elif which == 1:
        has_a, has_b, has_c, has_d = (
            top or (left and bottom and right),
            True,
            (top and left) or (right and bottom),
            right or (top and left and bottom),
        )
    elif which == 2:
        has_a, has_b, has_c, has_d = (
            left or (top and right and bottom),
            (top and left) or (right and bottom),
            True,
            bottom or (left and top and right),
        )
    else:
        has_a, has_b, has_c, has_d = (
            (top and right) or (left and bottom),
            right or (top and left and bottom),
            bottom or (left and top and right),
            True,
        )
    x, y, count = _F32(0), _F32(0), _F32(0)
    if has_a:
        x, y, count = x + above[j - 1, 2, 0], y + above[j - 1, 2, 1], count + _ONE
    if has_b:
        x, y, count = x + above[j, 3, 0], y + above[j, 3, 1], count + _ONE
    if has_c:
        x, y, count = x + below[j - 1, 1, 0], y + below[j - 1, 1, 1], count + _ONE
    if has_d:
        x, y, count = x + below[j, 0, 0], y + below[j, 0, 1], count + _ONE
    return x / count, y / count


@kernel
def corners(
    above: Any, below: Any, links_above: Any, links_below: Any, down: Any, has_above: Any, has_below: Any,
    lower: Any, upper: Any,
) -> None:  # fmt: skip
    """The corners on the line between two rows, whose pixels continue to `above` and `below` (W, 8, 2): into `lower` (W, 2, 2)
    the lower left and right ones of the row above, into `upper` the upper left and right ones of the row below.
    `links_above`, `links_below` and `down` (W,) are `right` of either row and `down` of the row above."""
    width = links_above.shape[0]
    for j in range(width + 1):
        inner = 0 < j < width
        top = has_above and inner and links_above[j - 1]
        bottom = has_below and inner and links_below[j - 1]
        left = has_above and has_below and j > 0 and down[j - 1]
        right = has_above and has_below and j < width and down[j]
        if top and bottom and left and right:
            x = (((_F32(0) + above[j - 1, 2, 0]) + above[j, 3, 0]) + below[j - 1, 1, 0]) + below[j, 0, 0]
            y = (((_F32(0) + above[j - 1, 2, 1]) + above[j, 3, 1]) + below[j - 1, 1, 1]) + below[j, 0, 1]
            x, y = x * _QUARTER, y * _QUARTER
            lower[j - 1, 1, 0], lower[j - 1, 1, 1] = x, y
            lower[j, 0, 0], lower[j, 0, 1] = x, y
            upper[j - 1, 1, 0], upper[j - 1, 1, 1] = x, y
            upper[j, 0, 0], upper[j, 0, 1] = x, y
            continue
        if has_above and j > 0:
            lower[j - 1, 1, 0], lower[j - 1, 1, 1] = _corner(above, below, j, top, bottom, left, right, 0)
        if has_above and j < width:
            lower[j, 0, 0], lower[j, 0, 1] = _corner(above, below, j, top, bottom, left, right, 1)
        if has_below and j > 0:
            upper[j - 1, 1, 0], upper[j - 1, 1, 1] = _corner(above, below, j, top, bottom, left, right, 2)
        if has_below and j < width:
            upper[j, 0, 0], upper[j, 0, 1] = _corner(above, below, j, top, bottom, left, right, 3)


@inlined
def _put_side(
    out: Any, start: Any, count: Any, s: Any, ax: Any, ay: Any, mx: Any, my: Any, bx: Any, by: Any, scale: Any
) -> None:
    """Write the vertices of a side of `count` segments from a to b over m, b left out: from out[start] on."""
    x0, y0, x1, y1 = nearest(ax * scale), nearest(ay * scale), nearest(bx * scale), nearest(by * scale)
    out[start, 0], out[start, 1] = x0, y0
    if s % 2 == 0:
        x, y = nearest(mx * scale), nearest(my * scale)
        if abs(2 * x - x0 - x1) <= 1 and abs(2 * y - y0 - y1) <= 1:
            x, y = x0, y0
        out[start + 1, 0], out[start + 1, 1] = x, y
    else:
        for i in range(1, count):
            x, y = _between(i, s, ax, ay, mx, my, bx, by, scale)
            out[start + i, 0], out[start + i, 1] = x, y


@inlined
def _between(i: Any, s: Any, ax: Any, ay: Any, mx: Any, my: Any, bx: Any, by: Any, scale: Any) -> Any:
    """Vertex i of s of a side from a to b over m."""
    f = 2.0 * i / s
    if f < 1:
        g = _F32(f)
        return nearest((ax + (mx - ax) * g) * scale), nearest((ay + (my - ay) * g) * scale)
    g = _F32(f - 1.0)
    return nearest((mx + (bx - mx) * g) * scale), nearest((my + (by - my) * g) * scale)


@kernel
def row_of_outlines(
    own: Any, upper: Any, lower: Any, position: Any, moving: Any, s: Any, scale: Any, vertices: Any, kind: Any
) -> None:
    """Outlines of one row: `vertices` (W, m, 2) int32 and `kind` (W,) int8, from what the row's pixels continue to
    (`continued`, `corners`), their `position` (W, 2) and which are `moving` (W,)."""
    width, m = vertices.shape[0], vertices.shape[1]
    count = m // 4
    for j in range(width):
        if not moving[j]:
            kind[j] = _NONE
            for v in range(m):
                vertices[j, v, 0] = 0
                vertices[j, v, 1] = 0
            continue
        out, mine, up, low = vertices[j], own[j], upper[j], lower[j]
        _put_side(out, 0, count, s, up[0, 0], up[0, 1], mine[4, 0], mine[4, 1], up[1, 0], up[1, 1], scale)
        _put_side(out, count, count, s, up[1, 0], up[1, 1], mine[5, 0], mine[5, 1], low[1, 0], low[1, 1], scale)
        _put_reversed(
            out, 3 * count, count, s, low[0, 0], low[0, 1], mine[6, 0], mine[6, 1], low[1, 0], low[1, 1], scale
        )
        _put_reversed(out, 4 * count, count, s, up[0, 0], up[0, 1], mine[7, 0], mine[7, 1], low[0, 0], low[0, 1], scale)
        cx, cy = np.int64(nearest(position[j, 0] * scale)), np.int64(nearest(position[j, 1] * scale))
        keeps, turns = True, True
        x0, y0 = np.int64(out[m - 1, 0]) - cx, np.int64(out[m - 1, 1]) - cy
        for v in range(m):
            x1, y1 = np.int64(out[v, 0]) - cx, np.int64(out[v, 1]) - cy
            turn = x0 * y1 - y0 * x1
            keeps = bool(keeps and turn >= 0)
            turns = bool(turns and turn <= 0)
            x0, y0 = x1, y1
        kind[j] = _KEEPS if keeps else (_TURNS if turns else _TANGLED)


@inlined
def _put_reversed(
    out: Any, end: Any, count: Any, s: Any, ax: Any, ay: Any, mx: Any, my: Any, bx: Any, by: Any, scale: Any
) -> None:
    """The same from b back to a: b at end - count, then what lies between; a is the next side's."""
    x0, y0, x1, y1 = nearest(ax * scale), nearest(ay * scale), nearest(bx * scale), nearest(by * scale)
    out[end - count, 0], out[end - count, 1] = x1, y1
    if s % 2 == 0:
        x, y = nearest(mx * scale), nearest(my * scale)
        if abs(2 * x - x0 - x1) <= 1 and abs(2 * y - y0 - y1) <= 1:
            x, y = x0, y0
        out[end - 1, 0], out[end - 1, 1] = x, y
    else:
        for i in range(1, count):
            x, y = _between(i, s, ax, ay, mx, my, bx, by, scale)
            out[end - i, 0], out[end - i, 1] = x, y


@kernel
def outlines_of_rows(
    position: Any, label: Any, moving: Any, s: Any, scale: Any, vertices: Any, kind: Any, right: Any, down: Any
) -> None:
    """Fill `vertices` (H, W, m, 2) int32, `kind` (H, W) int8, `right` and `down` (H, W) bool; see gpu.noise.outlines.outlines.
    `scale` float32 is what a pixel is cut into: 2^k SNAP."""
    height, width = label.shape
    links(position, label, moving, 0, height, right, down)
    own = np.zeros((2, width, 8, 2), np.float32)
    upper, lower = np.zeros((2, width, 2, 2), np.float32), np.zeros((width, 2, 2), np.float32)
    continued(position, right, down, 0, own[0])
    corners(own[1], own[0], right[0], right[0], down[0], False, True, lower, upper[0])
    for i in range(height):
        here, there = i % 2, (i + 1) % 2
        if i + 1 < height:
            continued(position, right, down, i + 1, own[there])
            corners(own[here], own[there], right[i], right[i + 1], down[i], True, True, lower, upper[there])
        else:
            corners(own[here], own[there], right[i], right[i], down[i], True, False, lower, upper[there])
        row_of_outlines(own[here], upper[here], lower, position[i], moving[i], s, scale, vertices[i], kind[i])
    for i in range(height):
        for j in range(width):
            plain = kind[i, j] == _KEEPS or kind[i, j] == _TURNS
            if right[i, j]:
                right[i, j] = plain and kind[i, j] == kind[i, j + 1]
            if down[i, j]:
                down[i, j] = plain and kind[i, j] == kind[i + 1, j]
