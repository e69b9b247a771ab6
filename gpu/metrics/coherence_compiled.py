"""Coherence along a motion in compiled code: the numbers of gpu.metrics.coherence, without copies of what it compares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.compiled import inlined, kernel

F32, F64, I32, I64, U64 = np.float32, np.float64, np.int32, np.int64, np.uint64
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
HALF, ZERO, ONE, TWO = F32(0.5), F32(0), F32(1), F32(2)
BLOCK = 512


@inlined
def inside(x: Any, y: Any, height: int, width: int) -> Any:
    """Whether a position lies half a pixel or more within the border; NaN does not."""
    return x >= HALF and x <= F32(width) - HALF and y >= HALF and y <= F32(height) - HALF


@kernel
def sums(other: Floats, this: Floats, positions: Floats, valid: Bools, out: npt.NDArray[np.float64]) -> int:
    """The number of pixels compared, and in `out` (5,) the sums over them and the channels of a, b, a a, b b and a b: a is
    `other` (C, H, W) sampled bilinearly at `positions` (H W, 2) and b is `this` (C, H, W)."""
    channels, height, width = this.shape
    others, here = other.reshape(channels * height * width), this.reshape(channels * height * width)
    places, corner = np.empty(BLOCK, I32), np.empty(BLOCK, I32)
    across, down = np.empty(BLOCK, I32), np.empty(BLOCK, I32)
    a, b = np.empty(BLOCK, F32), np.empty(BLOCK, F32)
    pixels, used = height * width, 0
    out[:] = 0.0
    for start in range(0, pixels, BLOCK):
        m = 0
        for n in range(start, min(start + BLOCK, pixels)):
            places[m] = n
            m += 1 if valid[n] and inside(positions[n, 0], positions[n, 1], height, width) else 0
        used += m
        for n in range(m):
            x, y = positions[places[n], 0] - HALF, positions[places[n], 1] - HALF
            j, i = I32(x), I32(y)
            a[n], b[n] = x - F32(j), y - F32(i)
            corner[n] = i * I32(width) + j
            across[n] = I32(1) if j < width - 1 else I32(0)
            down[n] = I32(width) if i < height - 1 else I32(0)
        for c in range(channels):
            plane = U64(c * pixels)
            first = second = squares = others_squares = products = 0.0
            for n in range(m):
                at = plane + U64(corner[n])
                below = at + U64(down[n])
                upper = others[at] + a[n] * (others[at + U64(across[n])] - others[at])
                lower = others[below] + a[n] * (others[below + U64(across[n])] - others[below])
                there = F64(upper + b[n] * (lower - upper))
                value = F64(here[plane + U64(places[n])])
                first += there
                second += value
                others_squares += there * there
                squares += value * value
                products += there * value
            out[0] += first
            out[1] += second
            out[2] += others_squares
            out[3] += squares
            out[4] += products
    return used


@inlined
def usable(positions: Any, valid: Any, i: Any, j: Any, height: int, width: int) -> Any:
    """Whether pixel (i, j) can be compared: valid, and within the centres of the border's pixels."""
    n = i * width + j
    return valid[n] and inside(positions[n, 0], positions[n, 1], height, width)


@kernel
def usable_rows(positions: Floats, valid: Bools, height: int, width: int) -> Bools:
    """(H, W): `usable` of every pixel."""
    out = np.empty((height, width), np.bool_)
    for i in range(height):
        for j in range(width):
            out[i, j] = usable(positions, valid, i, j, height, width)
    return out


@inlined
def overlap(centre: Any, half: Any, share: Any) -> Any:
    """The mean weight, over centre ± half, of two pixels that a sample takes by 1 - share and share."""
    low, high = centre - half, centre + half
    first = min(max(high, ZERO), ONE) - min(max(low, ZERO), ONE)
    second = min(max(high, ONE), TWO) - min(max(low, ONE), TWO)
    return ((ONE - share) * first + share * second) / (high - low)


@inlined
def spread(share: Any) -> Any:
    """The variance of a sample between two pixels."""
    return share * share + (ONE - share) * (ONE - share)


@kernel
def ceiling(positions: Floats, there: Bools, parts: int, samples: int, out: npt.NDArray[np.float64]) -> int:
    """The number of pixels of coherence.ceiling, and in `out` (2,) the sums over them of its covariance and its variance.
    `positions` (H W, 2); `there` (H, W) from `usable_rows`."""
    height, width = there.shape
    picks = 0
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            picks += there[i, j] and there[i, j + 1] and there[i, j - 1] and there[i + 1, j] and there[i - 1, j]
    step = picks / samples if picks > samples else 1.0
    wanted, pick, used = 0, 0, 0
    out[:] = 0.0
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            if not (there[i, j] and there[i, j + 1] and there[i, j - 1] and there[i + 1, j] and there[i - 1, j]):
                continue
            pick += 1
            if pick - 1 != I64(wanted * step):
                continue
            wanted += 1
            n = i * width + j
            x_x = (positions[n + 1, 0] - positions[n - 1, 0]) / TWO  # how x and y of the position grow along x
            x_y = (positions[n + 1, 1] - positions[n - 1, 1]) / TWO
            y_x = (positions[n + width, 0] - positions[n - width, 0]) / TWO
            y_y = (positions[n + width, 1] - positions[n - width, 1]) / TWO
            # Half sides of a part's box, which has the part's second moments.
            half_x = np.hypot(x_x, y_x) / F32(2 * parts)
            half_y = np.hypot(x_y, y_y) / F32(2 * parts)
            if not (half_x * F32(2 * parts) < F32(4) and half_y * F32(2 * parts) < F32(4)):
                continue
            used += 1
            half_x, half_y = max(half_x, F32(1e-6)), max(half_y, F32(1e-6))
            area = abs(x_x * y_y - x_y * y_x)
            x, y = positions[n, 0], positions[n, 1]
            corner_x, corner_y = np.floor(x - HALF), np.floor(y - HALF)  # the four pixels meet a pixel further
            share_x, share_y = x - HALF - corner_x, y - HALF - corner_y
            weight = ZERO
            for u in range(parts):
                for v in range(parts):
                    right, down = F32((u + 0.5) / parts - 0.5), F32((v + 0.5) / parts - 0.5)
                    at_x = x + x_x * right + y_x * down - corner_x
                    at_y = y + x_y * right + y_y * down - corner_y
                    weight += overlap(at_x, half_x, share_x) * overlap(at_y, half_y, share_y)
            out[0] += np.sqrt(area) * weight / F32(parts * parts)
            out[1] += spread(share_x) * spread(share_y)
    return used
