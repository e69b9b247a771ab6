"""gpu.priors.kit.shares in compiled code: four passes over the frame, four channels side by side.

Noise is worked on in groups of four channels that lie beside each other in memory, (pixel, 4), so that what a pixel of the
frame takes from a source pixel is one read. Around the source frame lies a border of one pixel that holds nothing: footprints
may reach into it, with weight 0, and no pixel needs to be told apart. Sums are taken in the order of rows and columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.compiled import inlined, kernel
from gpu.noise.rng_compiled import columns, fill_pair, gaussian, mixed, of_column, of_row
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED

F32, U32, U64 = np.float32, np.uint32, np.uint64
Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint32]
States = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
HALF, ZERO, ONE = F32(0.5), F32(0), F32(1)
UNIT = F32(2.0**24)  # gpu.priors.kit.shares.UNIT
STEP = F32(2.0**-24)
GROUP = 4


@inlined
def remembered(before: States, row: int, column: int, weight: np.float32) -> np.float32:
    """A weight, or 0 where the source pixel is random fill, which is thrown away after its frame."""
    return ZERO if weight > ZERO and before[row, column] == UNDEFINED else weight


@kernel
def ask(
    flow: Floats, valid: Mask, before: States, forget: bool, state: States, place: Places, shares: Floats, asked: Counts
) -> None:
    """Where pixels were: the `state` (H, W) of a frame; for each pixel (H W,) the first of its four taps in the source frame
    with its border, -1 of what is not followed, and the weights `shares` (H W, 4) of the taps; and what each source pixel is
    asked for in all, in units, added to `asked` ((H + 2) (W + 2),)."""
    height, width = state.shape
    for y in range(height):
        for x in range(width):
            at = y * width + x
            position_x, position_y = F32(F32(x) + HALF) + flow[y, x, 0], F32(F32(y) + HALF) + flow[y, x, 1]
            state[y, x] = UNDEFINED if forget else NEW
            place[at] = -1
            if not (valid[y, x] and ZERO <= position_x <= F32(width) and ZERO <= position_y <= F32(height)):
                continue
            was = before[min(int(position_y), height - 1), min(int(position_x), width - 1)]
            if forget and was == UNDEFINED:
                continue
            state[y, x] = KEPT if was == KEPT else INHERITED
            far_x, far_y = F32(position_x - HALF), F32(position_y - HALF)
            column = int(far_x) if far_x >= ZERO else -1
            row = int(far_y) if far_y >= ZERO else -1
            right, below = F32(far_x - F32(column)), F32(far_y - F32(row))
            left, above = F32(ONE - right), F32(ONE - below)
            if column < 0:
                left = ZERO
            if column + 1 >= width:
                right = ZERO
            if row < 0:
                above = ZERO
            if row + 1 >= height:
                below = ZERO
            w0, w1, w2, w3 = F32(left * above), F32(right * above), F32(left * below), F32(right * below)
            if forget:
                w0 = remembered(before, row, column, w0)
                w1 = remembered(before, row, column + 1, w1)
                w2 = remembered(before, row + 1, column, w2)
                w3 = remembered(before, row + 1, column + 1, w3)
            place[at] = (row + 1) * (width + 2) + column + 1
            first = U64(place[at])
            n0, n1 = int(F32(w0 * UNIT) + HALF), int(F32(w1 * UNIT) + HALF)
            n2, n3 = int(F32(w2 * UNIT) + HALF), int(F32(w3 * UNIT) + HALF)
            shares[U64(at), 0], shares[U64(at), 1] = F32(n0) * STEP, F32(n1) * STEP
            shares[U64(at), 2], shares[U64(at), 3] = F32(n2) * STEP, F32(n3) * STEP
            asked[first] += n0
            asked[first + U64(1)] += n1
            asked[first + U64(width + 2)] += n2
            asked[first + U64(width + 3)] += n3


@inlined
def divisor(asked: int, whole: bool) -> np.float32:
    """By what a source pixel divides what it is asked for, `asked` in all; 1 where it is asked for nothing."""
    return F32(asked) * STEP if asked > (0 if whole else int(UNIT)) else ONE


@kernel
def divide(place: Places, across: int, asked: Counts, whole: bool, shares: Floats, scale: Floats) -> None:
    """Turns the weights of taps into `shares`: over what the source is asked for in all, where that is more than it has, or
    everywhere (`whole`). `scale` (H W,) is one over the root of their sum, 0 where a pixel has none."""
    for at in range(len(place)):
        scale[at] = ZERO
        if place[at] < 0:
            continue
        first = U64(place[at])
        shares[at, 0] /= divisor(asked[first], whole)
        shares[at, 1] /= divisor(asked[first + U64(1)], whole)
        shares[at, 2] /= divisor(asked[first + U64(across)], whole)
        shares[at, 3] /= divisor(asked[first + U64(across + 1)], whole)
        total = F32(F32(shares[at, 0] + shares[at, 1]) + shares[at, 2]) + shares[at, 3]
        scale[at] = ONE / np.sqrt(total)


@kernel
def draw(planes: Words, place: Places, width: int, shares: Floats, drawn: Floats, own: Floats) -> None:
    """e_r of every share of four channels: `own` (4, H W) their sums over the taps of a pixel; added to `drawn`
    ((H + 2) (W + 2), 4) those over what a source pixel is asked for. `planes` (4, 4) are keys by tap and channel."""
    below = U64(width + 2)
    across = columns(0, width)
    normals = np.empty((4, GROUP, width), F32)
    for y in range(len(place) // width):
        for channel in range(GROUP):
            for tap in (0, 2):
                fill_pair(
                    planes[tap, channel], planes[tap + 1, channel], y, across,
                    normals[tap, channel], normals[tap + 1, channel],
                )  # fmt: skip
        for column in range(width):
            x = U64(column)
            at = U64(y * width) + x
            s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
            if place[at] >= 0:
                for tap in range(4):
                    root = np.sqrt(shares[at, tap])
                    q = U64(place[at]) + U64(tap & 1) + below * U64(tap >> 1)
                    e0, e1 = root * normals[tap, 0, x], root * normals[tap, 1, x]
                    e2, e3 = root * normals[tap, 2, x], root * normals[tap, 3, x]
                    drawn[q, 0] += e0
                    drawn[q, 1] += e1
                    drawn[q, 2] += e2
                    drawn[q, 3] += e3
                    s0, s1, s2, s3 = s0 + e0, s1 + e1, s2 + e2, s3 + e3
            own[0, at], own[1, at], own[2, at], own[3, at] = s0, s1, s2, s3


@kernel
def leave(planes: Words, noise: Floats, asked: Counts, whole: bool, drawn: Floats) -> None:
    """Turns `drawn` into x - (sum of e_r) - e_0, where e_0 is drawn for what nobody asked for: a pair of normals from the keys
    `planes` (2, GROUP) for every two channels. `noise` (C, H, W) of at most four channels."""
    channels, height, width = noise.shape
    across = columns(0, width)
    normals, rest = np.zeros((GROUP, width), F32), np.empty(width, F32)
    held = np.zeros((GROUP, width), F32)
    for y in range(height):
        first = (y + 1) * (width + 2) + 1
        for x in range(width):
            given = asked[first + x]
            rest[x] = ZERO if whole and given > 0 else np.sqrt(max(ONE - F32(given) * STEP, ZERO))
        for channel in range(0, channels, 2):
            fill_pair(planes[0, channel], planes[1, channel], y, across, normals[channel], normals[channel + 1])
        for channel in range(channels):
            for x in range(width):
                held[channel, x] = noise[channel, y, x] - rest[x] * normals[channel, x]
        for x in range(width):
            q = U64(first + x)
            drawn[q, 0] = held[0, x] - drawn[q, 0]
            drawn[q, 1] = held[1, x] - drawn[q, 1]
            drawn[q, 2] = held[2, x] - drawn[q, 2]
            drawn[q, 3] = held[3, x] - drawn[q, 3]


@kernel
def hand_out(place: Places, across: int, shares: Floats, scale: Floats, residual: Floats, own: Floats) -> None:
    """Turns `own` (4, H W), sums of e_r, into noise: each share adds its part of the residual, and what a pixel received is
    brought to variance 1."""
    below = U64(across)
    for number in range(len(place)):
        at = U64(number)
        if place[at] < 0:
            continue
        s0, s1, s2, s3 = own[0, at], own[1, at], own[2, at], own[3, at]
        for tap in range(4):
            share = shares[at, tap]
            q = U64(place[at]) + U64(tap & 1) + below * U64(tap >> 1)
            s0 += share * residual[q, 0]
            s1 += share * residual[q, 1]
            s2 += share * residual[q, 2]
            s3 += share * residual[q, 3]
        k = scale[at]
        own[0, at], own[1, at], own[2, at], own[3, at] = s0 * k, s1 * k, s2 * k, s3 * k


@kernel
def renew(planes: Words, state: States, noise: Floats) -> None:
    """New noise (C, H, W), drawn by the keys `planes` (C,), where pixels were not followed."""
    channels, height, width = noise.shape
    new = np.empty(width, np.int64)
    for y in range(height):
        count = 0
        for x in range(width):
            if state[y, x] == NEW or state[y, x] == UNDEFINED:
                new[count] = x
                count += 1
        for channel in range(channels):
            for at in range(count):
                word = mixed(U32(of_row(planes[channel], y) ^ of_column(new[at])))
                noise[channel, y, new[at]] = gaussian(word)


def step(
    noise: Floats, before: States, flow: Floats, valid: Mask, forget: bool, whole: bool, fresh: Words, planes: Words
) -> tuple[Floats, States]:
    """See gpu.priors.kit.shares.step. `fresh` (C,) are keys of new noise, `planes` (6, C) those of rng.SHARES."""
    channels, height, width = noise.shape
    inner, outer = height * width, (height + 2) * (width + 2)
    groups = -(-channels // GROUP)
    state, place = np.empty((height, width), np.uint8), np.empty(inner, np.int32)
    shares, scale, asked = np.empty((inner, 4), F32), np.empty(inner, F32), np.zeros(outer, np.int64)
    ask(flow, valid, before, forget, state, place, shares, asked)
    divide(place, width + 2, asked, whole, shares, scale)
    keys = np.zeros((6, groups * GROUP), U32)
    keys[:, :channels] = planes
    out = np.empty((groups * GROUP, inner), F32)
    drawn = np.empty((outer, GROUP), F32)
    for first in range(0, channels, GROUP):
        part = slice(first, first + GROUP)
        drawn.fill(0)
        draw(np.ascontiguousarray(keys[:4, part]), place, width, shares, drawn, out[part])
        leave(np.ascontiguousarray(keys[4:, part]), noise[part], asked, whole, drawn)
        hand_out(place, width + 2, shares, scale, drawn, out[part])
    made = out[:channels].reshape(noise.shape)
    renew(fresh, state, made)
    return made, state
