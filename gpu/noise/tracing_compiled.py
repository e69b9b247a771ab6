"""Following points back in compiled code: gpu.noise.tracing, the same to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.outlines_compiled import AFTER, BEFORE, trust

_F32 = np.float32
_HALF, _ONE, _ZERO, _QUARTER = _F32(0.5), _F32(1), _F32(0), _F32(0.25)
_U8 = np.uint8


@kernel
def _corners(
    x: Any, y: Any, across_x: Any, across_y: Any, along_x: Any, along_y: Any, corner_x: Any, corner_y: Any, own: Any,
    other: Any, out: Any,
) -> None:  # fmt: skip
    """1 into `out` (n,) uint8 where a corner lies about where its pixel's surface continues to, 0 elsewhere: from the positions
    of pixels, of their neighbours along x and along y and of those at the corner, and the anchors of the first and the last."""
    for j in range(len(out)):
        flat_x, flat_y = (across_x[j] - x[j]) + (along_x[j] - x[j]), (across_y[j] - y[j]) + (along_y[j] - y[j])
        off_x, off_y = (corner_x[j] - x[j]) - flat_x, (corner_y[j] - y[j]) - flat_y
        length = flat_x * flat_x + flat_y * flat_y
        beyond = off_x * off_x + off_y * off_y - _ONE - length * _QUARTER
        out[j] = _U8((own[j] == other[j]) & ((beyond <= _ZERO) | (beyond * beyond <= length)))


@kernel
def join(position: Any, label: Any, joined: Any) -> None:
    """Fill `joined` (H, W) uint8 of gpu.noise.tracing.Surface from `position` (H, W, 2) float32 and `label` (H, W) int32."""
    height, width = label.shape
    # With a place more on every side, so that neighbours need no questions: pixel (i, j) stands at [i + 1, j + 1].
    x, y = np.zeros((height + 2, width + 2), np.float32), np.zeros((height + 2, width + 2), np.float32)
    anchor = np.full((height + 2, width + 2), -1, np.int32)
    across, along, corner = np.zeros(width, np.uint8), np.zeros(width, np.uint8), np.zeros((4, width), np.uint8)
    for i in range(height):
        for j in range(width):
            x[i + 1, j + 1], y[i + 1, j + 1] = position[i, j, 0], position[i, j, 1]
            anchor[i + 1, j + 1] = label[i, j]
    end = width + 1
    for i in range(1, height + 1):
        trust(x[i, : end - 1], y[i, : end - 1], x[i, 1:end], y[i, 1:end], x[i, 2:], y[i, 2:],
              anchor[i, : end - 1], anchor[i, 1:end], anchor[i, 2:], 0, across)  # fmt: skip
        trust(x[i - 1, 1:end], y[i - 1, 1:end], x[i, 1:end], y[i, 1:end], x[i + 1, 1:end], y[i + 1, 1:end],
              anchor[i - 1, 1:end], anchor[i, 1:end], anchor[i + 1, 1:end], 1, along)  # fmt: skip
        for number in range(4):
            dj, di = (number & 1) * 2 - 1, (number >> 1) * 2 - 1
            _corners(x[i, 1:end], y[i, 1:end], x[i, 1 + dj : end + dj], y[i, 1 + dj : end + dj], x[i + di, 1:end],
                     y[i + di, 1:end], x[i + di, 1 + dj : end + dj], y[i + di, 1 + dj : end + dj], anchor[i, 1:end],
                     anchor[i + di, 1 + dj : end + dj], corner[number])  # fmt: skip
        for j in range(width):
            a, b = across[j], along[j]
            # A corner stands between two trusted sides.
            joined[i - 1, j] = (
                a | (b << 2) | ((a & b & corner[0, j]) << 4) | (((a >> 1) & b & corner[1, j]) << 5)
                | ((a & (b >> 1) & corner[2, j]) << 6) | (((a >> 1) & (b >> 1) & corner[3, j]) << 7)
            )  # fmt: skip


@inlined
def _followed(px: Any, py: Any, row: Any, column: Any, position: Any, joined: Any) -> Any:
    """gpu.noise.tracing.followed of a point in pixel (row, column)."""
    bits = joined[row, column]
    u, v = (px - _F32(column)) - _HALF, (py - _F32(row)) - _HALF
    # Without branches, for which side a point lies on nobody can foresee: BEFORE << 1 is AFTER.
    right, below = np.int64(u >= 0), np.int64(v >= 0)
    dj, di = 2 * right - 1, 2 * below - 1
    u, v = abs(u), abs(v)
    hx, hy = position[row, column, 0], position[row, column, 1]
    sign = _F32(dj)
    if bits & (BEFORE << right):
        ax, ay = position[row, column + dj, 0] - hx, position[row, column + dj, 1] - hy
    elif bits & (AFTER >> right):
        ax, ay = hx - position[row, column - dj, 0], hy - position[row, column - dj, 1]
    else:
        ax, ay = sign, _ZERO
    down = bits >> 2
    sign = _F32(di)
    if down & (BEFORE << below):
        bx, by = position[row + di, column, 0] - hx, position[row + di, column, 1] - hy
    elif down & (AFTER >> below):
        bx, by = hx - position[row - di, column, 0], hy - position[row - di, column, 1]
    else:
        bx, by = _ZERO, sign
    if (bits >> (4 + right + 2 * below)) & 1:
        cx, cy = position[row + di, column + dj, 0] - hx, position[row + di, column + dj, 1] - hy
    else:
        cx, cy = ax + bx, ay + by
    ax, ay, bx, by, cx, cy = hx + ax, hy + ay, hx + bx, hy + by, hx + cx, hy + cy
    nx = (_ONE - v) * ((_ONE - u) * hx + u * ax) + v * ((_ONE - u) * bx + u * cx)
    ny = (_ONE - v) * ((_ONE - u) * hy + u * ay) + v * ((_ONE - u) * by + u * cy)
    return nx, ny


@inlined
def _pixel_of(px: Any, py: Any, height: Any, width: Any) -> Any:
    """Row and column of the pixel that a point inside the frame lies in; what is cut off there is what floor cuts off."""
    return min(np.int32(py), np.int32(height - 1)), min(np.int32(px), np.int32(width - 1))


@kernel
def through(
    position: Any, state: Any, label: Any, marks: Any, u: Any, step: Any, joined: Any, go_on: Any, moving: Any, lost: Any,
    undefined: Any,
) -> None:  # fmt: skip
    """gpu.noise.tracing.Points.through."""
    height, width = state.shape
    for i in range(height):
        for j in range(width):
            if state[i, j] != moving:
                continue
            px, py = position[i, j, 0], position[i, j, 1]
            row, column = _pixel_of(px, py, height, width)
            mark = marks[row, column]
            if mark != go_on:
                label[i, j] = u
                state[i, j] = lost if mark == undefined else mark
                continue
            nx, ny = _followed(px, py, row, column, step, joined)
            position[i, j, 0], position[i, j, 1] = nx, ny
            if not (nx >= 0 and nx <= width and ny >= 0 and ny <= height):
                state[i, j] = lost


@kernel
def arrive(
    position: Any, state: Any, label: Any, base: Any, joined: Any, base_label: Any, base_state: Any, moving: Any, lost: Any,
    undefined: Any,
) -> None:  # fmt: skip
    """gpu.noise.tracing.Points.arrive."""
    height, width = state.shape
    for i in range(height):
        for j in range(width):
            if state[i, j] != moving:
                continue
            px, py = position[i, j, 0], position[i, j, 1]
            row, column = _pixel_of(px, py, height, width)
            handed = base_state[row, column]
            if handed == undefined:
                state[i, j] = lost
                continue
            nx, ny = _followed(px, py, row, column, base, joined)
            position[i, j, 0], position[i, j, 1] = nx, ny
            if nx >= 0 and nx <= width and ny >= 0 and ny <= height:
                label[i, j], state[i, j] = base_label[row, column], handed
            else:
                state[i, j] = lost
