"""Counter-based randomness: every value is a pure function of (seed, stream, frame, channel, level, y, x).

The same integers come from shaders/include/hash.glsl, bit for bit; Gaussians agree to 1e-4. Nothing here has state, so
tiles, threads and the order of frames cannot change a value.

The words are mixed by the two-multiply finaliser with low bias found by Chris Wellons ("Prospecting for hash functions",
nullprogram.com, 2018). A linear seed a x + b y + c frame would make later frames shifted copies of earlier ones; here rows
and columns are hashed on their own before they meet, so no shift of one frame or row reproduces another.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from gpu import compiled
from gpu.noise.coefficients import (
    CENTRAL,
    COLUMN,
    COSINE,
    LN2_HIGH,
    LN2_LOW,
    LOGARITHM,
    ROOT_HALF_BITS,
    ROW,
    SINE,
    TAIL,
)

FIELD, FINE, INDEPENDENT, DEGRADE, SHARES, SPLIT, AREAS = 1, 2, 3, 4, 5, 6, 7
"""Streams: the noise a frame is born with; the detail below its pixels; the fresh part of mixed priors; the part that γ
mixes in; what tells the shares of a pixel from each other (gpu.priors.kit.shares); the parts that it is split into
(gpu.priors.kit.splitting); and what tells the areas of a pixel from each other (gpu.priors.kit.areas)."""

SALT = 0x51ED270B
"""Sets what a second pixel brings to a word apart from rows and columns; any odd number does."""

_MASK = 0xFFFFFFFF
_WORD = 0xC2B2AE35
_CHUNK = 1 << 14  # values worked on at once on a CPU: temporaries stay in the cache and out of the page allocator


def mix(word: int) -> int:
    """The 32-bit finaliser on a Python integer."""
    word &= _MASK
    word ^= word >> 16
    word = (word * 0x7FEB352D) & _MASK
    word ^= word >> 15
    word = (word * 0x846CA68B) & _MASK
    return word ^ (word >> 16)


@lru_cache(maxsize=1 << 16)
def key(seed: int, stream: int, frame: int, channel: int, level: int = 0) -> int:
    """The 32-bit key of one plane of noise."""
    word = mix(seed + ROW)
    for part in (stream, frame, channel, level):
        word = mix(word ^ mix(part + COLUMN)) ^ _WORD
    return mix(word)


def keys(seed: int, stream: int, frame: int, channels: int, level: int = 0) -> npt.NDArray[np.uint32]:
    """(channels,) keys of the planes of one frame, for kernels."""
    return np.array([key(seed, stream, frame, channel, level) for channel in range(channels)], np.uint32)


def signed(word: int) -> int:
    """The int32 with the bits of a 32-bit word."""
    return word - (1 << 32) if word >= 1 << 31 else word


def _shift(word: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift of 32-bit words held in int32 tensors."""
    return (word >> bits).bitwise_and_((1 << (32 - bits)) - 1)


def _mix(word: torch.Tensor) -> torch.Tensor:
    """`mix` on int32 tensors, whose products wrap around."""
    word = _shift(word, 16).bitwise_xor_(word)
    word *= 0x7FEB352D
    word ^= _shift(word, 15)
    word *= signed(0x846CA68B)
    word ^= _shift(word, 16)
    return word


def _rows(plane: int, y0: int, height: int, device: torch.device) -> torch.Tensor:
    index = torch.arange(y0, y0 + height, dtype=torch.int64, device=device).to(torch.int32)
    return _mix(_mix(index + signed(ROW)) ^ signed(plane))


def _columns(x0: int, width: int, device: torch.device) -> torch.Tensor:
    index = torch.arange(x0, x0 + width, dtype=torch.int64, device=device).to(torch.int32)
    return _mix(index + signed(COLUMN))


def scattered(planes: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Standard normals at single places: `planes` (int32 keys), `y`, `x` (int32) broadcast against each other."""
    shape = (planes ^ y ^ x).shape
    planes, y, x = planes.expand(shape), y.expand(shape), x.expand(shape)
    flat = [part.reshape(-1) for part in (planes, y, x)]
    if planes.device.type == "cpu" and compiled.available():
        from gpu.noise import rng_compiled

        values = torch.empty(planes.numel(), dtype=torch.float32)
        rng_compiled.fill_scattered(values.numpy(), *(part.contiguous().numpy().view(np.uint32) for part in flat))
        return values.view(shape)
    step = _CHUNK if planes.device.type == "cpu" else max(1, planes.numel())
    out = torch.empty(planes.numel(), dtype=torch.float32, device=planes.device)
    for start in range(0, planes.numel(), step):
        plane_, row, column = (part[start : start + step] for part in flat)
        row = _mix(_mix(row + signed(ROW)) ^ plane_)
        out[start : start + step] = gaussian(_mix(row ^ _mix(column + signed(COLUMN))))
    return out.view(planes.shape)


def words_at(planes: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The hash words (int32) of `planes` (int32 keys) at single places `y`, `x` (int32), broadcast: a few."""
    return _mix(_mix(_mix(y + signed(ROW)) ^ planes) ^ _mix(x + signed(COLUMN)))


def words(plane: int, y0: int, x0: int, height: int, width: int, device: torch.device) -> torch.Tensor:
    """(height, width) int32 holding the 32-bit hash words of plane `plane` (from `key`) over a rectangle."""
    return _mix(_rows(plane, y0, height, device)[:, None] ^ _columns(x0, width, device)[None, :])


def words_between(planes: torch.Tensor, y: torch.Tensor, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The hash words (int32) of pairs of pixels: one at `y`, `x`, one with the flat index `other`, all int32, broadcast."""
    between = _mix(_mix(x + signed(COLUMN)) ^ _mix(other + signed(SALT)))
    return _mix(_mix(_mix(y + signed(ROW)) ^ planes) ^ between)


def _logarithm(q: torch.Tensor) -> torch.Tensor:
    """ln q of normal float32 numbers, in steps that every device and the compiled kernels do alike."""
    pattern = q.view(torch.int32)
    exponent = (pattern - ROOT_HALF_BITS) >> 23
    f = (pattern - (exponent << 23)).view(torch.float32).sub_(1)
    e, z = exponent.to(torch.float32), f * f
    y = (f * LOGARITHM[0]).add_(LOGARITHM[1])
    for coefficient in LOGARITHM[2:]:
        y.mul_(f).add_(coefficient)
    y = y.mul_(f).mul_(z) + e * LN2_LOW
    y -= z.mul_(0.5)
    return f.add_(y).add_(e.mul_(LN2_HIGH))


def _root(w: torch.Tensor) -> torch.Tensor:
    """The nearest float32 to the square root, by way of double precision: torch's own is off by a bit on some processors."""
    return w.sqrt() if w.device.type == "mps" else w.double().sqrt_().float()  # mps has no double precision


def gaussian(word: torch.Tensor) -> torch.Tensor:
    """Standard normals from 32-bit words (int32 tensor of any shape), by the inverse of the normal distribution.

    The top bit is the sign; the other 31 bits are a probability in (0, 1/2) kept to full relative precision, so that
    the tails reach 6.4 standard deviations.
    """
    probability = (word & 0x7FFFFFFF).to(torch.float32)
    probability.add_(0.5).mul_(2.0**-32)
    w = _logarithm((1 - probability).mul_(probability).mul_(4)).neg_()
    tail = torch.nonzero(w.view(-1) >= 5)[:, 0]
    root = _root(w.view(-1)[tail]).sub_(3)
    w.sub_(2.5)
    value = (w * CENTRAL[0]).add_(CENTRAL[1])
    for coefficient in CENTRAL[2:]:
        value.mul_(w).add_(coefficient)
    far = torch.full_like(root, TAIL[0])
    for coefficient in TAIL[1:]:
        far.mul_(root).add_(coefficient)
    value.view(-1)[tail] = far
    value.mul_(probability.mul_(-2).add_(1).mul_(2**0.5))
    value.view(torch.int32).bitwise_xor_(word & -0x80000000)  # the top bit of the word is the sign
    return value


def pairs(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two independent standard normals from two 32-bit words (int32 tensors of one shape): r cos a and r sin a with
    r = sqrt(-2 ln u), u of the lower 31 bits of the first word and a of the second, a whole turn (Box and Muller 1958).

    For kernels that draw many: it takes one logarithm for two values. The tails reach 6.6 standard deviations.
    """
    probability = (first & 0x7FFFFFFF).to(torch.float32).add_(0.5).mul_(2.0**-31)
    radius = _root(_logarithm(probability).mul_(-2))
    # Whole quarters of a turn are taken off as integers, so that single precision holds the rest.
    quadrant = (second + (1 << 29)) >> 30
    angle = (second - (quadrant << 30)).to(torch.float32).mul_(math.pi / 2**31)
    z = angle * angle
    sine, cosine = torch.full_like(z, SINE[0]), torch.full_like(z, COSINE[0])
    for of_sine, of_cosine in zip(SINE[1:], COSINE[1:]):
        sine.mul_(z).add_(of_sine)
        cosine.mul_(z).add_(of_cosine)
    sine.mul_(angle)
    turned = (quadrant & 1) != 0
    x, y = torch.where(turned, sine, cosine), torch.where(turned, cosine, sine)
    x = torch.where(((quadrant + 1) & 2) != 0, -x, x)
    y = torch.where((quadrant & 2) != 0, -y, y)
    return x.mul_(radius), y.mul_(radius)


def plane(
    seed: int, stream: int, frame: int, channel: int, level: int, y0: int, x0: int, height: int, width: int,
    device: torch.device,
) -> torch.Tensor:  # fmt: skip
    """(height, width) float32 independent standard normals: the rectangle at (y0, x0) of an endless plane of noise."""
    hashed = key(seed, stream, frame, channel, level)
    if device.type == "cpu" and compiled.available():
        from gpu.noise import rng_compiled

        values = torch.empty((1, height, width), dtype=torch.float32)
        rng_compiled.fill(np.array([hashed], np.uint32), y0, x0, values.numpy())
        return values[0]
    if device.type != "cpu" or height * width <= _CHUNK:
        return gaussian(words(hashed, y0, x0, height, width, device))
    out = torch.empty((height, width), dtype=torch.float32, device=device)
    rows, columns = _rows(hashed, y0, height, device)[:, None], _columns(x0, width, device)[None, :]
    step = max(1, _CHUNK // width)
    for start in range(0, height, step):
        out[start : start + step] = gaussian(_mix(rows[start : start + step] ^ columns))
    return out


def white(
    seed: int, stream: int, frame: int, channels: int, height: int, width: int, device: torch.device, level: int = 0
) -> torch.Tensor:
    """(channels, height, width) float32 white Gaussian noise of unit variance: a pure function of its arguments.

    >>> noise = white(seed=7, stream=0, frame=12, channels=4, height=32, width=48, device=torch.device("cpu"))
    >>> tuple(noise.shape), round(float(noise.var()), 1)
    ((4, 32, 48), 1.0)
    >>> torch.equal(noise, white(7, 0, 12, 4, 32, 48, torch.device("cpu")))  # nothing else decides it
    True
    """
    planes = [plane(seed, stream, frame, channel, level, 0, 0, height, width, device) for channel in range(channels)]
    return torch.stack(planes)
