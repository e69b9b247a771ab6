"""gpu.priors.kit.areas in compiled code: shares of the pixels of one anchor, four channels side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import kernel
from gpu.noise.areas import FULL
from gpu.noise.rng import SALT
from gpu.noise.rng_compiled import gaussian, mixed, of_column, of_row, pair

F32, U32, U64 = np.float32, np.uint32, np.uint64
ZERO, ONE = F32(0), F32(1)
STEP = F32(1 / FULL)
GROUP, ROOM = 4, 1 << 12
_SALT = U32(SALT)
_FULL = np.int64(FULL)


@kernel
def divide(ends: Any, source: Any, area: Any, asked: Any, share: Any, scale: Any) -> None:
    """Turn the areas (n,) int64 that pixels ask for into the `share` (n,) float32 they get: over what the source is asked for
    in all where that is more than it has. `scale` (m,) is one over the root of a pixel's sum, 0 where it has none."""
    at = np.int64(0)
    for n in range(len(ends)):
        total = ZERO
        for e in range(at, ends[n]):
            share[e] = F32(area[e]) / F32(max(asked[source[e]], _FULL))
            total += share[e]
        at = ends[n]
        scale[n] = ONE / np.sqrt(total) if total > ZERO else ZERO


@kernel
def held(planes: Any, noise: Any, width: Any, places: Any, out: Any) -> None:
    """What source pixels hold, `out` (n, GROUP): drawn by the keys `planes` (GROUP,), or of `noise` (C, H W) where that is not
    empty."""
    x, hashed = np.empty(ROOM, U32), np.empty(ROOM, U32)
    value = np.empty((GROUP, ROOM), F32)
    for begin in range(0, len(places), ROOM):
        size = min(ROOM, len(places) - begin)
        if noise.shape[0] > 0:
            for i in range(size):
                for channel in range(noise.shape[0]):
                    out[begin + i, channel] = noise[channel, places[begin + i]]
            continue
        for i in range(size):
            q = places[begin + i]
            y = q // width
            x[i] = of_column(q - y * width)
            hashed[i] = U32(y)
        for channel in range(GROUP):
            for i in range(size):
                value[channel, i] = gaussian(mixed(U32(of_row(planes[channel], hashed[i]) ^ x[i])))
        for i in range(size):
            out[begin + i, 0], out[begin + i, 1] = value[0, i], value[1, i]
            out[begin + i, 2], out[begin + i, 3] = value[2, i], value[3, i]


@kernel
def normals(first: Any, second: Any, hashed: Any, root: Any, out: Any, other: Any) -> None:
    """Pairs of normals times `root`, of words that start with `first` and `second` and go on with `hashed` (n,)."""
    for i in range(len(hashed)):
        a, b = pair(mixed(U32(first ^ hashed[i])), mixed(U32(second ^ hashed[i])))
        out[i], other[i] = a * root[i], b * root[i]


@kernel
def draw(
    planes: Any, pixels: Any, width: Any, ends: Any, source: Any, places: Any, share: Any, residual: Any, own: Any
) -> None:
    """e_r of every share: `own` (m, GROUP) their sums by pixel; taken from `residual` (n, GROUP) of the source pixels.
    `planes` (GROUP,) are keys by channel."""
    room = ROOM
    hashed, root = np.empty(room, U32), np.empty(room, F32)
    n0, n1, n2, n3 = np.empty(room, F32), np.empty(room, F32), np.empty(room, F32), np.empty(room, F32)
    first, at = np.int64(0), np.int64(0)
    while first < len(pixels):
        # A run of pixels of one row of the picture.
        y = pixels[first] // width
        last = first + 1
        while last < len(pixels) and pixels[last] < (y + 1) * width and ends[last] - at <= ROOM:
            last += 1
        size = ends[last - 1] - at
        if size > room:  # one pixel that asks for shares of so many
            room = size
            hashed, root = np.empty(room, U32), np.empty(room, F32)
            n0, n1, n2, n3 = np.empty(room, F32), np.empty(room, F32), np.empty(room, F32), np.empty(room, F32)
        e = at
        for n in range(first, last):
            column = of_column(pixels[n] - y * width)
            while e < ends[n]:
                hashed[e - at] = column
                e += 1
        for i in range(size):
            hashed[i] = mixed(U32(hashed[i] ^ mixed(U32(U32(places[source[at + i]]) + _SALT))))
        for i in range(size):
            root[i] = np.sqrt(share[at + i])
        normals(of_row(planes[0], y), of_row(planes[1], y), hashed[:size], root, n0, n1)
        normals(of_row(planes[2], y), of_row(planes[3], y), hashed[:size], root, n2, n3)
        i = 0
        for n in range(first, last):
            s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
            while at + i < ends[n]:
                q = U64(source[at + i])
                e0, e1, e2, e3 = n0[i], n1[i], n2[i], n3[i]
                residual[q, 0] -= e0
                residual[q, 1] -= e1
                residual[q, 2] -= e2
                residual[q, 3] -= e3
                s0, s1, s2, s3 = s0 + e0, s1 + e1, s2 + e2, s3 + e3
                i += 1
            own[n, 0], own[n, 1], own[n, 2], own[n, 3] = s0, s1, s2, s3
        first, at = last, at + size


@kernel
def leave(planes: Any, width: Any, places: Any, asked: Any, residual: Any) -> None:
    """Take e_0, what nobody asks for, from the `residual` (n, GROUP) of source pixels. `planes` (GROUP,) are keys."""
    for number in range(len(places)):
        left = FULL - asked[number]
        if left <= 0:
            continue
        root = np.sqrt(F32(left) * STEP)
        q = places[number]
        y = q // width
        x = of_column(q - y * width)
        for channel in range(0, GROUP, 2):
            start, onward = of_row(planes[channel], y), of_row(planes[channel + 1], y)
            a, b = pair(mixed(U32(start ^ x)), mixed(U32(onward ^ x)))
            residual[number, channel] -= root * a
            residual[number, channel + 1] -= root * b


@kernel
def hand_out(pixels: Any, ends: Any, source: Any, share: Any, scale: Any, residual: Any, own: Any, noise: Any) -> None:
    """Write the noise (C, H W) of the `pixels`: each share adds its part of the residual to `own` (m, GROUP), and what a pixel
    received is brought to variance 1."""
    at = np.int64(0)
    channels = noise.shape[0]
    for n in range(len(pixels)):
        s0, s1, s2, s3 = own[n, 0], own[n, 1], own[n, 2], own[n, 3]
        for e in range(at, ends[n]):
            q, part = U64(source[e]), share[e]
            s0 += part * residual[q, 0]
            s1 += part * residual[q, 1]
            s2 += part * residual[q, 2]
            s3 += part * residual[q, 3]
        at = ends[n]
        k, pixel = scale[n], pixels[n]
        noise[0, pixel] = s0 * k
        if channels > 1:
            noise[1, pixel] = s1 * k
        if channels > 2:
            noise[2, pixel] = s2 * k
        if channels > 3:
            noise[3, pixel] = s3 * k
