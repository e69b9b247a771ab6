"""A step of tracks in compiled code: the positions of gpu.noise.tracks.advance, and how bent they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import inlined, kernel
from gpu.noise.outlines_compiled import AFTER, BEFORE, trust
from gpu.noise.rng_compiled import nearest

_F32 = np.float32
_HALF, _ONE, _ZERO, _QUARTER = _F32(0.5), _F32(1), _F32(0), _F32(0.25)


@kernel
def surfaces(position: Any, label: Any, x: Any, y: Any, anchor: Any, across: Any, along: Any) -> None:
    """Which neighbours lie on each pixel's own surface: BEFORE + AFTER into `across` and `along` (H + 2, W + 2) uint8, with
    rooms of that size for what lies side by side (`x`, `y` float32, `anchor` int32); pixel (i, j) stands at [i + 1, j + 1]."""
    height, width = label.shape
    anchor[:] = -1
    for i in range(height):
        for j in range(width):
            x[i + 1, j + 1], y[i + 1, j + 1] = position[i, j, 0], position[i, j, 1]
            anchor[i + 1, j + 1] = label[i, j]
    end = width + 1
    for i in range(1, height + 1):
        trust(x[i, : end - 1], y[i, : end - 1], x[i, 1:end], y[i, 1:end], x[i, 2:], y[i, 2:],
              anchor[i, : end - 1], anchor[i, 1:end], anchor[i, 2:], 0, across[i, 1:end])  # fmt: skip
        trust(x[i - 1, 1:end], y[i - 1, 1:end], x[i, 1:end], y[i, 1:end], x[i + 1, 1:end], y[i + 1, 1:end],
              anchor[i - 1, 1:end], anchor[i, 1:end], anchor[i + 1, 1:end], 1, along[i, 1:end])  # fmt: skip


@inlined
def _towards(x: Any, y: Any, i: Any, j: Any, di: Any, dj: Any, trusted: Any) -> Any:
    """The position of the neighbour at (di, dj), one of them 0, as the surface of pixel (i, j) continues."""
    after = di + dj > 0
    own, other = (AFTER, BEFORE) if after else (BEFORE, AFTER)
    hx, hy = x[i, j], y[i, j]
    sign = _ONE if after else -_ONE
    if trusted & own:
        # As a difference along the axis, which is added again: the same rounding as in torch.
        dx, dy = (x[i + di, j + dj] - hx) * sign, (y[i + di, j + dj] - hy) * sign
    elif trusted & other:
        dx, dy = (hx - x[i - di, j - dj]) * sign, (hy - y[i - di, j - dj]) * sign
    else:
        dx, dy = (_ONE, _ZERO) if di == 0 else (_ZERO, _ONE)
    return hx + sign * dx, hy + sign * dy, sign * dx, sign * dy


@kernel
def advance(
    x: Any, y: Any, anchor: Any, across: Any, along: Any, state: Any, flow: Any, valid: Any, t: Any, kept: Any,
    inherited: Any, born: Any, undefined: Any, position: Any, label: Any, states: Any,
) -> None:  # fmt: skip
    """The track of frame t into `position` (H, W, 2), `label` (H, W) and `states` (H, W), from the `surfaces` and `state` of
    frame t - 1, the backward `flow` (H, W, 2) between them and where it is `valid`. Pixels get the state `kept` where they come
    from a pixel of that state, else `inherited`; where they come from nothing, or from one that is `undefined`, they are
    `born`."""
    height, width = valid.shape
    for i in range(height):
        for j in range(width):
            own_x, own_y = _F32(j) + _HALF, _F32(i) + _HALF
            px, py = own_x + flow[i, j, 0], own_y + flow[i, j, 1]
            good = valid[i, j] and px >= 0 and px <= width and py >= 0 and py <= height
            if good:
                column = min(max(np.int64(np.floor(px)), 0), width - 1)
                row = min(max(np.int64(np.floor(py)), 0), height - 1)
                before = state[row, column]
                u, v = (px - _F32(column)) - _HALF, (py - _F32(row)) - _HALF
                dj, di = -1 if u < 0 else 1, -1 if v < 0 else 1
                u, v = abs(u), abs(v)
                a, b = row + 1, column + 1
                hx, hy = x[a, b], y[a, b]
                ax, ay, adx, ady = _towards(x, y, a, b, 0, dj, across[a, b])
                bx, by, bdx, bdy = _towards(x, y, a, b, di, 0, along[a, b])
                flat_x, flat_y = adx + bdx, ady + bdy
                cx, cy = hx + flat_x, hy + flat_y
                side = AFTER if dj > 0 else BEFORE
                end = AFTER if di > 0 else BEFORE
                if anchor[a + di, b + dj] == anchor[a, b] and across[a, b] & side and along[a, b] & end:
                    corner_x, corner_y = x[a + di, b + dj] - hx, y[a + di, b + dj] - hy
                    off_x, off_y = corner_x - flat_x, corner_y - flat_y
                    length = flat_x * flat_x + flat_y * flat_y
                    beyond = off_x * off_x + off_y * off_y - _ONE - length * _QUARTER
                    if beyond <= 0 or beyond * beyond <= length:
                        cx, cy = hx + corner_x, hy + corner_y
                nx = (_ONE - v) * ((_ONE - u) * hx + u * ax) + v * ((_ONE - u) * bx + u * cx)
                ny = (_ONE - v) * ((_ONE - u) * hy + u * ay) + v * ((_ONE - u) * by + u * cy)
                good = nx >= 0 and nx <= width and ny >= 0 and ny <= height and before != undefined
            if good:
                position[i, j, 0], position[i, j, 1] = nx, ny
                label[i, j] = anchor[a, b]
                states[i, j] = kept if before == kept else inherited
            else:
                position[i, j, 0], position[i, j, 1] = own_x, own_y
                label[i, j] = t
                states[i, j] = born


@kernel
def count_bent(position: Any, label: Any, limit: Any) -> Any:
    """How many pixels lie in a row or column with two neighbours of one anchor, and how many of these are further than `limit`
    out of line (gpu.noise.tracks.bend)."""
    height, width = label.shape
    number, beyond = 0, 0
    for i in range(height):
        for j in range(1, width - 1):
            same = (label[i, j - 1] == label[i, j]) & (label[i, j] == label[i, j + 1])
            dx = position[i, j + 1, 0] - position[i, j, 0] * _F32(2) + position[i, j - 1, 0]
            dy = position[i, j + 1, 1] - position[i, j, 1] * _F32(2) + position[i, j - 1, 1]
            number += same
            beyond += same & (dx * dx + dy * dy > limit * limit)
    for i in range(1, height - 1):
        for j in range(width):
            same = (label[i - 1, j] == label[i, j]) & (label[i, j] == label[i + 1, j])
            dx = position[i + 1, j, 0] - position[i, j, 0] * _F32(2) + position[i - 1, j, 0]
            dy = position[i + 1, j, 1] - position[i, j, 1] * _F32(2) + position[i - 1, j, 1]
            number += same
            beyond += same & (dx * dx + dy * dy > limit * limit)
    return number, beyond


@kernel
def add_areas(
    position: Any, label: Any, state: Any, new: Any, undefined: Any, steps: Any, total: Any, number: Any
) -> None:
    """Add to `total` and `number`, (labels,) int64, the areas that carried pixels cover, see gpu.noise.levels."""
    height, width = label.shape
    for i in range(height - 1):
        for j in range(width - 1):
            own = label[i, j]
            a, b, c = state[i, j], state[i, j + 1], state[i + 1, j]
            if label[i, j + 1] != own or label[i + 1, j] != own:
                continue
            if a == new or a == undefined or b == new or b == undefined or c == new or c == undefined:  # noqa: SIM109 - compiled
                continue
            ax, ay = position[i, j + 1, 0] - position[i, j, 0], position[i, j + 1, 1] - position[i, j, 1]
            bx, by = position[i + 1, j, 0] - position[i, j, 0], position[i + 1, j, 1] - position[i, j, 1]
            area = min(abs(ax * by - ay * bx), _ONE)
            total[own] += nearest(area * steps)
            number[own] += 1
