"""Resampling of noise with a separable kernel in compiled code: gpu.priors.kit.interpolation's values, to the last bit.

Pixels are taken a block at a time: columns, rows and weights of what they read are worked out for the whole block, and then
every plane is read there. Noise that few pixels come from is not kept but drawn where it is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.compiled import inlined, kernel
from gpu.noise.rng_compiled import gaussian, mixed, of_column, of_row

F32, I32, U32, U64 = np.float32, np.int32, np.uint32, np.uint64
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint32]
HALF, ONE, TWO, THREE, FOUR, FIVE, EIGHT, ZERO = (F32(v) for v in (0.5, 1, 2, 3, 4, 5, 8, 0))
BLOCK = 512
BILINEAR, BICUBIC, NEAREST, ROOT_BILINEAR = range(4)
A = F32(-0.75)
"""As interpolation.BICUBIC_A."""


@inlined
def near(d: Any) -> Any:
    """Keys' kernel at distances below 1."""
    return ((A + TWO) * d - (A + THREE)) * d * d + ONE


@inlined
def far(d: Any) -> Any:
    """Keys' kernel at distances from 1 to 2."""
    return ((A * d - FIVE * A) * d + EIGHT * A) * d - FOUR * A


@inlined
def clamped(position: Any, size: int) -> Any:
    """A position on one axis in pixels from the first centre, brought into the line of centres."""
    place = position - HALF
    place = place if place > ZERO else ZERO
    last = F32(size - 1)
    return place if place < last else last


@kernel
def weigh(kind: int, f: Floats, weights: Floats) -> None:
    """The weights (taps, n) of consecutive pixels from the fractions `f` (n,) past the one at or before."""
    for n in range(len(f)):
        if kind == BILINEAR:
            weights[0, n], weights[1, n] = ONE - f[n], f[n]
        elif kind == NEAREST:
            weights[0, n] = ONE if f[n] < HALF else ZERO
            weights[1, n] = ZERO if f[n] < HALF else ONE
        elif kind == ROOT_BILINEAR:
            weights[0, n], weights[1, n] = np.sqrt(ONE - f[n]), np.sqrt(f[n])
        else:
            weights[0, n], weights[1, n] = far(ONE + f[n]), near(f[n])
            weights[2, n], weights[3, n] = near(ONE - f[n]), far(TWO - f[n])


@kernel
def read(
    kind: int, positions: Floats, height: int, width: int, places: Integers, pixels: Integers, weights: Floats
) -> None:
    """Of the m `places` among `positions` (n, 2): `pixels` (2, taps, m), columns and rows, and their `weights` (2, taps, m)."""
    taps, m = weights.shape[1], len(places)
    first = -1 if kind == BICUBIC else 0
    f = np.empty((2, m), F32)
    for n in range(m):
        x, y = clamped(positions[places[n], 0], width), clamped(positions[places[n], 1], height)
        j, i = I32(x), I32(y)
        f[0, n], f[1, n] = x - F32(j), y - F32(i)
        for tap in range(taps):
            pixels[0, tap, n] = min(max(j + I32(first + tap), I32(0)), I32(width - 1))
            pixels[1, tap, n] = min(max(i + I32(first + tap), I32(0)), I32(height - 1))
    weigh(kind, f[0], weights[0])
    weigh(kind, f[1], weights[1])


@kernel
def gather(field: Floats, places: Integers, pixels: Integers, weights: Floats, out: Floats) -> None:
    """Two taps an axis of `field` (C, H, W) into the columns `places` of `out` (C, n)."""
    channels, height, width = field.shape
    flat = field.reshape(channels * height * width)
    for c in range(channels):
        plane = U64(c * height * width)
        line = out[c]
        for n in range(len(places)):
            left, right = U64(pixels[0, 0, n]), U64(pixels[0, 1, n])
            top, bottom = plane + U64(width) * U64(pixels[1, 0, n]), plane + U64(width) * U64(pixels[1, 1, n])
            a, b = weights[0, 0, n], weights[0, 1, n]
            upper = flat[top + left] * a + flat[top + right] * b
            lower = flat[bottom + left] * a + flat[bottom + right] * b
            line[U64(places[n])] = upper * weights[1, 0, n] + lower * weights[1, 1, n]


@kernel
def gather_four(field: Floats, places: Integers, pixels: Integers, weights: Floats, out: Floats) -> None:
    """Four taps an axis, as `gather`."""
    channels, height, width = field.shape
    flat = field.reshape(channels * height * width)
    for c in range(channels):
        plane = U64(c * height * width)
        line = out[c]
        for n in range(len(places)):
            total = ZERO
            for y in range(4):
                row = plane + U64(width) * U64(pixels[1, y, n])
                across = ZERO
                for x in range(4):
                    across += flat[row + U64(pixels[0, x, n])] * weights[0, x, n]
                total += across * weights[1, y, n]
            line[U64(places[n])] = total


@kernel
def resample(kind: int, field: Floats, positions: Floats, label: Integers, wanted: int, out: Floats) -> None:
    """interpolation.interpolate of `field` (C, H, W) at those `positions` (n, 2) whose `label` (n,) is `wanted`, into the
    columns of `out` (C, n) that belong to them."""
    _, height, width = field.shape
    taps = 4 if kind == BICUBIC else 2
    places = np.empty(BLOCK, I32)
    pixels, weights = np.empty((2, taps, BLOCK), I32), np.empty((2, taps, BLOCK), F32)
    for start in range(0, len(positions), BLOCK):
        m = 0
        for n in range(start, min(start + BLOCK, len(positions))):
            places[m] = n
            m += 1 if label[n] == wanted else 0
        if m:
            read(kind, positions, height, width, places[:m], pixels[:, :, :m], weights[:, :, :m])
            if kind == BICUBIC:
                gather_four(field, places[:m], pixels[:, :, :m], weights[:, :, :m], out)
            else:
                gather(field, places[:m], pixels[:, :, :m], weights[:, :, :m], out)


@kernel
def draw(
    kind: int,
    keys: Words,
    slots: Integers,
    base: int,
    positions: Floats,
    label: Integers,
    height: int,
    width: int,
    out: Floats,
) -> None:
    """The same of noise that is drawn where it is read: pixel n comes from the planes `keys[slots[label[n] - base]]` (C,),
    where that slot is not negative."""
    taps, channels = 4 if kind == BICUBIC else 2, out.shape[0]
    places = np.empty(BLOCK, I32)
    pixels, weights = np.empty((2, taps, BLOCK), I32), np.empty((2, taps, BLOCK), F32)
    column, row = np.empty((taps, BLOCK), U32), np.empty(BLOCK, U32)
    across, total = np.empty(BLOCK, F32), np.empty(BLOCK, F32)
    for start in range(0, len(positions), BLOCK):
        m = 0
        for n in range(start, min(start + BLOCK, len(positions))):
            places[m] = n
            m += 1 if slots[label[n] - base] >= 0 else 0
        if m == 0:
            continue
        read(kind, positions, height, width, places[:m], pixels[:, :, :m], weights[:, :, :m])
        for tap in range(taps):
            for n in range(m):
                column[tap, n] = of_column(pixels[0, tap, n])
        for c in range(channels):
            total[:m] = ZERO
            for y in range(taps):
                for n in range(m):
                    row[n] = of_row(keys[slots[label[places[n]] - base], c], pixels[1, y, n])
                across[:m] = ZERO
                for x in range(taps):
                    for n in range(m):
                        across[n] += gaussian(mixed(U32(row[n] ^ column[x, n]))) * weights[0, x, n]
                for n in range(m):
                    total[n] += across[n] * weights[1, y, n]
            for n in range(m):
                out[c, places[n]] = total[n]


@kernel
def count(label: Integers, counts: npt.NDArray[np.int64], base: int) -> None:
    """Add to `counts` how often each label from `base` on stands in `label` (n,)."""
    for n in range(len(label)):
        counts[label[n] - base] += 1
