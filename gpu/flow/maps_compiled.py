"""Sampling at positions and the forward-backward check of gpu.flow.maps in compiled code: the same values, to rounding.

Indices are unsigned, which spares the check for negative ones that Python's rules ask for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.compiled import inlined, kernel

F32, I32, U64 = np.float32, np.int32, np.uint64
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
HALF, ZERO, INFINITE = F32(0.5), F32(0), F32(np.inf)
BLOCK = 512
"""Positions whose corners and weights are worked out before any plane is read: the first loop is done for several at once."""


@inlined
def along(position: Any, size: int) -> Any:
    """A position on one axis in pixels from the first centre, brought into the line of centres; 0 where it is not finite."""
    place = position - HALF
    place = place if place > ZERO and place < INFINITE else ZERO
    last = F32(size - 1)
    return place if place < last else last


@kernel
def bilinear(field: Floats, positions: Floats, out: Floats) -> None:
    """maps.bilinear of `field` (C, H, W) at `positions` (n, 2) into `out` (C, n)."""
    channels, height, width = field.shape
    flat = field.reshape(channels * height * width)
    corner, across, down = np.empty(BLOCK, I32), np.empty(BLOCK, I32), np.empty(BLOCK, I32)
    a, b = np.empty(BLOCK, F32), np.empty(BLOCK, F32)
    for start in range(0, len(positions), BLOCK):
        count = min(BLOCK, len(positions) - start)
        for n in range(count):
            x, y = along(positions[start + n, 0], width), along(positions[start + n, 1], height)
            j, i = I32(x), I32(y)
            a[n], b[n] = x - F32(j), y - F32(i)
            corner[n] = i * I32(width) + j
            across[n] = I32(1) if j < width - 1 else I32(0)
            down[n] = I32(width) if i < height - 1 else I32(0)
        for c in range(channels):
            plane = U64(c * height * width)
            line = out[c, start : start + count]
            for n in range(count):
                at = plane + U64(corner[n])
                below = at + U64(down[n])
                upper = flat[at] + a[n] * (flat[at + U64(across[n])] - flat[at])
                lower = flat[below] + a[n] * (flat[below + U64(across[n])] - flat[below])
                line[n] = upper + b[n] * (lower - upper)


@inlined
def pair(flat: Any, height: int, width: int, at_x: Any, at_y: Any) -> Any:
    """Both components at a position of a field of vectors (H, W, 2), flattened, as `bilinear` samples them."""
    x, y = along(at_x, width), along(at_y, height)
    j, i = I32(x), I32(y)
    a, b = x - F32(j), y - F32(i)
    at = U64(2) * U64(i * I32(width) + j)
    across = U64(2) if j < width - 1 else U64(0)
    below = at + (U64(2 * width) if i < height - 1 else U64(0))
    upper = flat[at] + a * (flat[at + across] - flat[at])
    lower = flat[below] + a * (flat[below + across] - flat[below])
    first = upper + b * (lower - upper)
    at, below = at + U64(1), below + U64(1)
    upper = flat[at] + a * (flat[at + across] - flat[at])
    lower = flat[below] + a * (flat[below + across] - flat[below])
    return first, upper + b * (lower - upper)


@kernel
def sample(vectors: Floats, positions: Floats, out: Floats) -> None:
    """maps.sample of `vectors` (H, W, 2) at `positions` (n, 2) into `out` (n, 2)."""
    height, width, _ = vectors.shape
    flat = vectors.reshape(height * width * 2)
    for n in range(len(positions)):
        out[n, 0], out[n, 1] = pair(flat, height, width, positions[n, 0], positions[n, 1])


@kernel
def check(
    backward: Floats,
    forward: Floats,
    unseen: np.float32,
    scale_x: np.float32,
    scale_y: np.float32,
    valid: Bools,
    error: Floats,
) -> None:
    """maps.check of two flows (H, W, 2) into `valid` and `error` (H, W)."""
    height, width, _ = backward.shape
    flat = forward.reshape(height * width * 2)
    right, bottom = F32(width), F32(height)
    for i in range(height):
        for j in range(width):
            bx, by = backward[i, j, 0], backward[i, j, 1]
            x, y = F32(j) + HALF + bx, F32(i) + HALF + by
            fx, fy = pair(flat, height, width, x, y)
            mx, my = bx + fx, by + fy
            mismatch = mx * mx + my * my
            allowed = F32(0.01) * ((fx * fx + fy * fy) + (bx * bx + by * by)) + HALF
            seen = x >= ZERO and x <= right and y >= ZERO and y <= bottom
            valid[i, j] = seen and mismatch < allowed
            mx, my = mx * scale_x, my * scale_y
            error[i, j] = np.sqrt(mx * mx + my * my) if seen else unseen


@kernel
def clean(flow: Floats, limit: float, out: Floats, bad: Bools) -> None:
    """maps.clean of `flow` (n, 2) into `out` (n, 2) and `bad` (n,); vectors up to `limit` long are good."""
    most = limit * limit
    for n in range(len(bad)):
        x, y = flow[n, 0], flow[n, 1]
        good = np.float64(x) * np.float64(x) + np.float64(y) * np.float64(y) <= most
        out[n, 0] = x if good else ZERO
        out[n, 1] = y if good else ZERO
        bad[n] = not good
