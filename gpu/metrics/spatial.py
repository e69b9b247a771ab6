"""Correlation in space: Moran's I, and the largest correlation over all shifts within and across channels, frames."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from gpu.metrics.moments import normal_p

F32 = npt.NDArray[np.float32]

REACH = 16
"""The autocorrelation map shows shifts of -REACH .. REACH pixels."""

ALL_PAIRS = 8
"""Up to this many channels every pair is compared at every shift; beyond, each channel with the next one (cyclic)."""


@dataclass(frozen=True)
class Moran:
    """Moran's I with rook weights, its z and two-sided p under the normality assumption. NaN where undefined."""

    value: float
    z: float
    p: float


def moran(centred: torch.Tensor, sum_of_squares: float) -> Moran:
    """Moran's I (Moran 1950) of a (C, H, W) field less its mean, over all pairs of pixels that share an edge.

    I = n / S0 * sum_ij w_ij z_i z_j / sum_i z_i^2, w = 1 for each pixel's up to 4 neighbours in the same channel.
    Expected value and variance are exact for normal values on this grid (Cliff and Ord 1981, Eq. 1.38-1.40).
    """
    channels, height, width = centred.shape
    n = centred.numel()
    weights, s1, s2 = _rook_sums(channels, height, width)
    if weights == 0 or n < 4 or not sum_of_squares > 0:
        return Moran(math.nan, math.nan, math.nan)
    products = float((centred[:, :, 1:] * centred[:, :, :-1]).sum())
    products += float((centred[:, 1:] * centred[:, :-1]).sum())
    value = n / weights * 2 * products / sum_of_squares
    expected = -1 / (n - 1)
    variance = (n * n * s1 - n * s2 + 3 * weights**2) / ((n * n - 1) * weights**2) - expected**2
    z = (value - expected) / math.sqrt(variance) if variance > 0 else math.nan
    return Moran(value, z, normal_p(z))


@lru_cache(maxsize=64)
def _rook_sums(channels: int, height: int, width: int) -> tuple[float, float, float]:
    """S0, S1, S2 of the rook weights of `channels` separate grids: sums of weights, of edges, of squared degrees."""
    edges = height * (width - 1) + width * (height - 1)
    vertical = np.full(height, 2.0)
    vertical[0] -= 1
    vertical[-1] -= 1
    horizontal = np.full(width, 2.0)
    horizontal[0] -= 1
    horizontal[-1] -= 1
    squares = width * (vertical**2).sum() + 2 * vertical.sum() * horizontal.sum() + height * (horizontal**2).sum()
    total = 2.0 * channels * edges
    return total, 2 * total, 4.0 * channels * float(squares)


@dataclass(frozen=True)
class Peak:
    """The largest absolute correlation over many shifts and what white noise would show there.

    `shift` is (dy, dx): the value at (y, x) of channel b resembles that at (y + dy, x + dx) of channel a.
    `expected` is the expected maximum of `comparisons` independent correlations, `limit` what it exceeds with
    probability 0.001, `p` the probability of a maximum at least as large as `value`. NaN where nothing can be compared.
    """

    value: float
    p: float
    expected: float
    limit: float
    shift: tuple[int, int]
    channels: tuple[int, int]
    comparisons: int


NO_PEAK = Peak(math.nan, math.nan, math.nan, math.nan, (0, 0), (0, 0), 0)


def peak_p(value: float, n: int, comparisons: int) -> float:
    """Probability that the largest of `comparisons` independent |r| of n normal pairs is at least `value`.

    r^2 of n pairs is Beta(1/2, (n - 2) / 2): exact for two channels, to O(1/n) for a channel with itself.
    """
    tail = float(special.betaincc(0.5, (n - 2) / 2, min(1.0, value * value)))
    return -math.expm1(comparisons * math.log1p(-tail)) if tail < 1 else 1.0


@lru_cache(maxsize=64)
def peak_of_white(n: int, comparisons: int, p: float = 0.001) -> tuple[float, float]:
    """Expected largest |r| of `comparisons` independent correlations of n normal pairs, and its limit at p."""
    tail = -math.expm1(math.log1p(-p) / comparisons)
    limit = math.sqrt(float(special.betainccinv(0.5, (n - 2) / 2, tail)))
    r = np.linspace(0, min(1.0, 1.6 * limit), 2049)
    tails = np.minimum(special.betaincc(0.5, (n - 2) / 2, np.minimum(r * r, 1 - 1e-15)), 1 - 1e-15)
    exceeds = -np.expm1(comparisons * np.log1p(-tails))
    return float(np.trapezoid(exceeds, r)), limit


def channel_pairs(channels: int) -> list[tuple[int, int]]:
    """Pairs of different channels compared at all shifts: all of them up to ALL_PAIRS channels, else neighbours."""
    if channels <= ALL_PAIRS:
        return [(a, b) for a in range(channels) for b in range(a + 1, channels)]
    return [(a, (a + 1) % channels) for a in range(channels)]


def autocorrelation(transform: torch.Tensor, power: torch.Tensor, width: int) -> tuple[Peak, F32]:
    """Largest periodic correlation over all shifts within and across channels, and the map around shift zero.

    `transform` (C, H, W//2 + 1) is the rfft2 of a field whose channels have mean zero, scaled to unit variance each,
    `power` its |.|^2, `width` W. The map is the average over channels for shifts -16 .. 16 with its centre at
    [16, 16] = 1; shifts that the grid does not have are NaN.
    """
    channels, height, _ = transform.shape
    n = height * width
    near = np.full((2 * REACH + 1, 2 * REACH + 1), np.nan, dtype=np.float32)
    if n < 4:
        return NO_PEAK, near
    # A shift that is its own opposite compares only n/2 pairs: its standard deviation is sqrt(2) times larger.
    twins = [(y, x) for y in {0, height / 2} for x in {0, width / 2} if (y, x) != (0, 0)]
    own = [(int(y), int(x)) for y, x in twins if y == int(y) and x == int(x)]
    rows = [dy for dy in range(-REACH, REACH + 1) if abs(dy) <= height // 2]
    columns = [dx for dx in range(-REACH, REACH + 1) if abs(dx) <= width // 2]
    around = torch.tensor(
        [[dy % height * width + dx % width for dx in columns] for dy in rows], device=transform.device
    )
    total = torch.zeros(around.shape, dtype=torch.float32, device=transform.device)
    best, where, pair = -1.0, (0, 0), (0, 0)
    for c in range(channels):
        r = torch.fft.irfft2(power[c], s=(height, width)).div_(n)
        total += r.view(-1)[around]
        r[0, 0] = 0
        for y, x in own:
            r[y, x] *= math.sqrt(0.5)
        value, index = _largest(r, best)
        if value > best:
            best, where, pair = value, (index // width, index % width), (c, c)
    distinct = channels * ((n - 1 + len(own)) // 2)
    for a, b in channel_pairs(channels):
        r = torch.fft.irfft2(transform[a] * transform[b].conj(), s=(height, width)).div_(n)
        value, index = _largest(r, best)
        if value > best:
            best, where, pair = value, (index // width, index % width), (a, b)
    distinct += len(channel_pairs(channels)) * n
    inside = np.ix_([dy + REACH for dy in rows], [dx + REACH for dx in columns])
    near[inside] = total.cpu().numpy() / channels
    if distinct == 0:
        return NO_PEAK, near
    peak = _peak(best, where, pair, n, distinct, (height, width))
    if pair[0] == pair[1] and where in own:
        peak = Peak(best * math.sqrt(2), peak.p, peak.expected, peak.limit, peak.shift, pair, distinct)
    return peak, near


def cross_correlation(a: torch.Tensor, b: torch.Tensor) -> Peak:
    """Largest |correlation| over all periodic shifts between the channels of two (C, H, W) fields.

    All C x C pairs of channels up to ALL_PAIRS channels; beyond, each channel of a with its own and the next one of b.
    """
    channels, height, width = a.shape
    n = height * width
    if n < 4:
        return NO_PEAK
    pairs: Iterable[tuple[int, int]] = [(i, j) for i in range(channels) for j in range(channels)]
    if channels > ALL_PAIRS:
        pairs = [(i, j % channels) for i in range(channels) for j in (i, i + 1)]
    first, second = standardise(a), standardise(b)
    if first is None or second is None:
        return NO_PEAK
    first_spectrum, second_spectrum = torch.fft.rfft2(first), torch.fft.rfft2(second).conj()
    best, where, pair, count = -1.0, (0, 0), (0, 0), 0
    for i, j in pairs:
        r = torch.fft.irfft2(first_spectrum[i] * second_spectrum[j], s=(height, width)).div_(n)
        value, index = _largest(r, best)
        count += n
        if value > best:
            best, where, pair = value, (index // width, index % width), (i, j)
    return _peak(best, where, pair, n, count, (height, width))


def standardise(noise: torch.Tensor) -> torch.Tensor | None:
    """Each channel less its mean and over its standard deviation; None where a channel has none."""
    centred = noise - noise.mean(dim=(1, 2), keepdim=True)
    low, high = torch.aminmax(noise)
    return scaled(centred, mean_squares(centred), max(float(high), -float(low)))


def mean_squares(centred: torch.Tensor) -> torch.Tensor:
    """(C,) mean of the squares of each channel."""
    lengths: torch.Tensor = torch.linalg.vector_norm(centred, dim=(1, 2))
    return lengths.square() / centred[0].numel()


def scaled(centred: torch.Tensor, squares: torch.Tensor, largest: float) -> torch.Tensor | None:
    """Channels without a mean over their standard deviation, the root of `squares` (C,); None where one has none beside the
    `largest` absolute value that there was."""
    deviation = squares.sqrt()
    if not bool((deviation > 1e-6 * largest).all()) or not bool(torch.isfinite(deviation).all()):
        return None
    return centred / deviation[:, None, None]


def _largest(r: torch.Tensor, best: float) -> tuple[float, int]:
    """Largest absolute value and its flat index (0 where it does not exceed `best`: the search costs more)."""
    low, high = (float(value) for value in torch.aminmax(r))
    value = max(high, -low)
    return value, int(r.argmax() if high >= -low else r.argmin()) if value > best else 0


def _peak(
    value: float, where: tuple[int, int], pair: tuple[int, int], n: int, comparisons: int, size: tuple[int, int]
) -> Peak:
    expected, limit = peak_of_white(n, comparisons)
    signed = tuple(int(d - length if d > length // 2 else d) for d, length in zip(where, size, strict=True))
    return Peak(value, peak_p(value, n, comparisons), expected, limit, (signed[0], signed[1]), pair, comparisons)


def channel_correlation(standardised: torch.Tensor) -> tuple[float, float, float]:
    """Largest |correlation| between two channels at the same pixel, its limit at p = 0.001, and its p. NaN for one."""
    channels, height, width = standardised.shape
    n = height * width
    if channels < 2 or n < 4:
        return math.nan, math.nan, math.nan
    flat = standardised.reshape(channels, n)
    gram = (flat @ flat.T / n).triu(diagonal=1).abs()
    value, comparisons = float(gram.max()), channels * (channels - 1) // 2
    return value, peak_of_white(n, comparisons)[1], peak_p(value, n, comparisons)
