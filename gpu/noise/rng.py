"""Counter-based randomness: every value is a pure function of (seed, stream, frame, channel, level, y, x).

The same integers come from shaders/include/hash.glsl, bit for bit; Gaussians agree to 1e-4. Nothing here has state, so
tiles, threads and the order of frames cannot change a value.

The words are mixed by the two-multiply finaliser with low bias found by Chris Wellons ("Prospecting for hash functions",
nullprogram.com, 2018). A linear seed a x + b y + c frame would make later frames shifted copies of earlier ones; here rows
and columns are hashed on their own before they meet, so no shift of one frame or row reproduces another.
"""

from __future__ import annotations

from functools import lru_cache

import torch

FIELD, FINE, INDEPENDENT, DEGRADE = 1, 2, 3, 4
"""Streams: the noise a frame is born with; the detail below its pixels; the fresh part of mixed priors; the part that γ
mixes in."""

_MASK = 0xFFFFFFFF
_ROW, _COLUMN, _WORD = 0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35
_CHUNK = 1 << 14  # values worked on at once on a CPU: temporaries stay in the cache and out of the page allocator

# Giles 2010, "Approximating the erfinv function", single precision: polynomials in w = -ln(1 - x^2), highest power
# first.
CENTRAL = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)


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
    word = mix(seed + _ROW)
    for part in (stream, frame, channel, level):
        word = mix(word ^ mix(part + _COLUMN)) ^ _WORD
    return mix(word)


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
    return _mix(_mix(index + signed(_ROW)) ^ signed(plane))


def _columns(x0: int, width: int, device: torch.device) -> torch.Tensor:
    index = torch.arange(x0, x0 + width, dtype=torch.int64, device=device).to(torch.int32)
    return _mix(index + signed(_COLUMN))


def scattered(planes: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Standard normals at single places: `planes` (int32 keys), `y`, `x` (int32) broadcast against each other."""
    shape = (planes ^ y ^ x).shape
    planes, y, x = planes.expand(shape), y.expand(shape), x.expand(shape)
    flat = [part.reshape(-1) for part in (planes, y, x)]
    step = _CHUNK if planes.device.type == "cpu" else max(1, planes.numel())
    out = torch.empty(planes.numel(), dtype=torch.float32, device=planes.device)
    for start in range(0, planes.numel(), step):
        plane_, row, column = (part[start : start + step] for part in flat)
        row = _mix(_mix(row + signed(_ROW)) ^ plane_)
        out[start : start + step] = gaussian(_mix(row ^ _mix(column + signed(_COLUMN))))
    return out.view(planes.shape)


def words(plane: int, y0: int, x0: int, height: int, width: int, device: torch.device) -> torch.Tensor:
    """(height, width) int32 holding the 32-bit hash words of plane `plane` (from `key`) over a rectangle."""
    return _mix(_rows(plane, y0, height, device)[:, None] ^ _columns(x0, width, device)[None, :])


def gaussian(word: torch.Tensor) -> torch.Tensor:
    """Standard normals from 32-bit words (int32 tensor of any shape), by the inverse of the normal distribution.

    The top bit is the sign; the other 31 bits are a probability in (0, 1/2) kept to full relative precision, so that
    the tails reach 6.4 standard deviations.
    """
    probability = (word & 0x7FFFFFFF).to(torch.float32)
    probability.add_(0.5).mul_(2.0**-32)
    w = (1 - probability).mul_(probability).mul_(4).log_().neg_()
    tail = torch.nonzero(w.view(-1) >= 5)[:, 0]
    root = w.view(-1)[tail].sqrt_().sub_(3)
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


def plane(
    seed: int, stream: int, frame: int, channel: int, level: int, y0: int, x0: int, height: int, width: int,
    device: torch.device,
) -> torch.Tensor:  # fmt: skip
    """(height, width) float32 independent standard normals: the rectangle at (y0, x0) of an endless plane of noise."""
    hashed = key(seed, stream, frame, channel, level)
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
