"""The hash and the Gaussians of gpu.noise.rng in compiled code: the same words bit for bit, Gaussians equal to 1e-6.

Written so that the compiler works on as many values at once as the processor can: no branches, and no logarithm from a
library.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from gpu.compiled import inlined, kernel
from gpu.noise import rng

F32, I32, U32 = np.float32, np.int32, np.uint32
LOW = U32(0x7FFFFFFF)
SIGN = U32(0x80000000)
ROW, COLUMN = U32(0x9E3779B9), U32(0x85EBCA6B)  # as in rng.py
FIRST, SECOND = U32(0x7FEB352D), U32(0x846CA68B)
C0, C1, C2, C3, C4, C5, C6, C7, C8 = map(F32, rng.CENTRAL)
T0, T1, T2, T3, T4, T5, T6, T7, T8 = map(F32, rng.TAIL)
HALF_ROOT = I32(0x3F3504F3)  # the bits of sqrt(1/2)
LN2 = F32(math.log(2))
THIRD, FIFTH, SEVENTH, NINTH = F32(1 / 3), F32(1 / 5), F32(1 / 7), F32(1 / 9)
ROOT2 = F32(math.sqrt(2))


@inlined
def mixed(word: np.uint32) -> np.uint32:
    """rng.mix."""
    word = U32(word ^ (word >> U32(16)))
    word = U32(word * FIRST)
    word = U32(word ^ (word >> U32(15)))
    word = U32(word * SECOND)
    return U32(word ^ (word >> U32(16)))


@inlined
def of_row(plane: np.uint32, y: int) -> np.uint32:
    """What row y of a plane (from rng.key) brings to its words."""
    return mixed(U32(mixed(U32(U32(y) + ROW)) ^ plane))


@inlined
def of_column(x: int) -> np.uint32:
    """What column x brings to the words of every plane: mixed(of_row(plane, y) ^ of_column(x)) is a word."""
    return mixed(U32(U32(x) + COLUMN))


@inlined
def logarithm(x: np.float32) -> np.float32:
    """ln x of a positive normal number, to 2 units in the last place: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and ln m by
    the series of artanh in s = (m - 1) / (m + 1), |s| < 0.172, whose next term is below 1e-8."""
    bits = F32(x).view(I32)
    exponent = I32(I32(bits - HALF_ROOT) >> I32(23))
    m = I32(bits - I32(exponent << I32(23))).view(F32)
    s = (m - F32(1)) / (m + F32(1))
    z = s * s
    return F32(2) * s * (F32(1) + z * (THIRD + z * (FIFTH + z * (SEVENTH + z * NINTH)))) + F32(exponent) * LN2


@inlined
def gaussian(word: np.uint32) -> np.float32:
    """rng.gaussian of one word: both of its polynomials are computed and one is taken."""
    probability = (F32(I32(word & LOW)) + F32(0.5)) * F32(2.0**-32)
    w = -logarithm((F32(1) - probability) * probability * F32(4))
    c = w - F32(2.5)
    near = C0 * c + C1
    near = ((((((near * c + C2) * c + C3) * c + C4) * c + C5) * c + C6) * c + C7) * c + C8
    r = np.sqrt(max(w, F32(5))) - F32(3)
    far = T0 * r + T1
    far = ((((((far * r + T2) * r + T3) * r + T4) * r + T5) * r + T6) * r + T7) * r + T8
    value = (far if w >= F32(5) else near) * ((F32(1) - F32(2) * probability) * ROOT2)
    return I32(F32(value).view(I32) ^ I32(word & SIGN)).view(F32)


@kernel
def columns(x0: int, width: int) -> npt.NDArray[np.uint32]:
    """(width,) `of_column` of the columns from x0 on."""
    out = np.empty(width, U32)
    for x in range(width):
        out[x] = of_column(x0 + x)
    return out


@kernel
def fill_row(plane: np.uint32, y: int, across: npt.NDArray[np.uint32], out: npt.NDArray[np.float32]) -> None:
    """Row y of a plane, over the columns `across` (from `columns`), into `out` of the same length."""
    row = of_row(plane, y)
    for x in range(len(across)):
        out[x] = gaussian(mixed(U32(row ^ across[x])))


@kernel
def fill(planes: npt.NDArray[np.uint32], y0: int, x0: int, out: npt.NDArray[np.float32]) -> None:
    """rng.plane of each of the C `planes` into `out` (C, height, width)."""
    across = columns(x0, out.shape[2])
    for channel in range(out.shape[0]):
        for y in range(out.shape[1]):
            fill_row(planes[channel], y0 + y, across, out[channel, y])


def keys(seed: int, stream: int, frame: int, channels: int, level: int = 0) -> npt.NDArray[np.uint32]:
    """(channels,) keys of the planes of one frame, for kernels."""
    return np.array([rng.key(seed, stream, frame, channel, level) for channel in range(channels)], U32)


def white(seed: int, stream: int, frame: int, channels: int, height: int, width: int, level: int = 0) -> torch.Tensor:
    """rng.white on the processor."""
    out = torch.empty((channels, height, width), dtype=torch.float32)
    fill(keys(seed, stream, frame, channels, level), 0, 0, out.numpy())
    return out
