"""The distribution of noise values: moments, Kolmogorov-Smirnov against N(0, 1), histogram, quantiles; p-values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

F32 = npt.NDArray[np.float32]

EDGES: F32 = np.linspace(-4.5, 4.5, 91).astype(np.float32)
"""Edges of the histogram's 90 bins."""

STRIDE = 64
"""Of ascending values, every so many-th is looked at first."""

ROUNDING = 1e-6
"""What float32 may add to a distribution function."""

QUANTILES = 101
"""Points of the Q-Q plot."""


@dataclass(frozen=True)
class Moments:
    """Sample moments of n values; `kurtosis` is the excess over 3. Skewness and kurtosis are NaN without variance."""

    n: int
    mean: float
    variance: float
    skewness: float
    kurtosis: float


def moments(values: torch.Tensor) -> Moments:
    """Moments of a flat tensor; `variance` divides by n - 1 (NaN for one value)."""
    n = values.numel()
    mean = float(values.mean())
    centred = values - mean
    squares = centred * centred
    second = float(squares.mean())
    if n < 2:
        return Moments(n, mean, math.nan, math.nan, math.nan)
    variance = second * n / (n - 1)
    # Rounding leaves a constant field a variance of the order of (1e-7 mean)^2: that is no variance.
    if not second > 1e-12 * mean * mean:
        return Moments(n, mean, 0.0 if math.isfinite(second) else variance, math.nan, math.nan)
    third = float(torch.dot(squares, centred)) / n
    fourth = float(torch.dot(squares, squares)) / n
    if not math.isfinite(fourth):
        return Moments(n, mean, variance, math.nan, math.nan)
    return Moments(n, mean, variance, third / second**1.5, fourth / second**2 - 3)


def mean_p(mean: float, n: int) -> float:
    """Two-sided p-value of a mean of n standard normals."""
    return normal_p(mean * math.sqrt(n))


def normal_p(z: float) -> float:
    """Two-sided p-value of a standard normal."""
    return math.erfc(abs(z) / math.sqrt(2)) if not math.isnan(z) else math.nan


def variance_p(variance: float, n: int) -> float:
    """Two-sided p-value of the sample variance of n normals of variance 1: (n - 1) s^2 is chi-squared."""
    if n < 2 or math.isnan(variance):
        return math.nan
    half, x = (n - 1) / 2, variance * (n - 1) / 2
    return float(min(1.0, 2 * min(special.gammainc(half, x), special.gammaincc(half, x))))


@lru_cache(maxsize=64)
def variance_interval(n: int, p: float = 0.001) -> tuple[float, float]:
    """Where the sample variance of n standard normals lies with probability 1 - p."""
    if n < 2:
        return math.nan, math.nan
    half = (n - 1) / 2
    return float(special.gammaincinv(half, p / 2)) / half, float(special.gammainccinv(half, p / 2)) / half


def skewness_p(skewness: float, n: int) -> float:
    """Two-sided p-value of a normal sample's skewness, by D'Agostino's transformation (1970); NaN below 8 values."""
    if n < 8 or math.isnan(skewness):
        return math.nan
    y = skewness * math.sqrt((n + 1) * (n + 3) / (6.0 * (n - 2)))
    beta = 3.0 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2.0) * (n + 5) * (n + 7) * (n + 9))
    w2 = math.sqrt(2 * (beta - 1)) - 1
    delta = 1 / math.sqrt(0.5 * math.log(w2))
    return normal_p(delta * math.asinh(y / math.sqrt(2 / (w2 - 1))))


def kurtosis_p(kurtosis: float, n: int) -> float:
    """Two-sided p-value of a normal sample's excess kurtosis, by Anscombe and Glynn (1983); NaN below 20 values."""
    if n < 20 or math.isnan(kurtosis):
        return math.nan
    expected = 3.0 * (n - 1) / (n + 1)
    variance = 24.0 * n * (n - 2) * (n - 3) / ((n + 1.0) ** 2 * (n + 3) * (n + 5))
    x = (kurtosis + 3 - expected) / math.sqrt(variance)
    root = 6.0 * (n * n - 5 * n + 2) / ((n + 7.0) * (n + 9))
    root *= math.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2.0) * (n - 3)))
    a = 6 + 8 / root * (2 / root + math.sqrt(1 + 4 / root**2))
    denominator = 1 + x * math.sqrt(2 / (a - 4))
    if denominator == 0:
        return 0.0
    term = math.copysign(((1 - 2 / a) / abs(denominator)) ** (1 / 3), denominator)
    return normal_p((1 - 2 / (9 * a) - term) / math.sqrt(2 / (9 * a)))


def ordered(values: torch.Tensor) -> torch.Tensor:
    """The values in ascending order. On the CPU numpy's vectorised sort is about ten times as fast as torch's."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy()))
    return torch.sort(values).values


def kolmogorov_smirnov(ascending: torch.Tensor) -> float:
    """Largest distance between the empirical distribution of ascending values and N(0, 1).

    Of many values, N(0, 1) is worked out first at every STRIDE-th. Between two of these both distributions only grow, which
    bounds the distance there; where the bound does not exceed what was found, nothing more is worked out.
    """
    n = ascending.numel()
    if n < 64 * STRIDE:
        return _distance(ascending, torch.arange(n, device=ascending.device), n)
    coarse = torch.arange(0, n, STRIDE, device=ascending.device)
    best = _distance(ascending[coarse], coarse, n)
    ends = torch.cat((coarse[1:], coarse.new_tensor([n - 1])))
    low, high = _normal(ascending[coarse]), _normal(ascending[ends])
    bound = torch.maximum(high - coarse / n, (ends + 1) / n - low)
    open_ = coarse[bound + ROUNDING > best]
    index = (open_[:, None] + torch.arange(STRIDE, device=coarse.device)).reshape(-1)
    index = index[index < n]
    return max(best, _distance(ascending[index], index, n))


def _normal(values: torch.Tensor) -> torch.Tensor:
    """The distribution function of N(0, 1)."""
    return torch.erf(values * math.sqrt(0.5)).mul_(0.5).add_(0.5)


def _distance(values: torch.Tensor, index: torch.Tensor, n: int) -> float:
    """Largest distance from N(0, 1) at `values` that stand at `index` among n in ascending order."""
    low, high = torch.aminmax(_normal(values).sub_(index.to(torch.float32).div_(n)))
    return max(float(high), 1 / n - float(low))


def kolmogorov_p(distance: float, n: int) -> float:
    """p-value of the Kolmogorov-Smirnov distance of n values, asymptotic with Stephens' correction (1970)."""
    root = math.sqrt(n)
    return float(special.kolmogorov(distance * (root + 0.12 + 0.11 / root)))


def density(ascending: torch.Tensor) -> F32:
    """Histogram of ascending values over EDGES as a density; values outside count in the total, not in a bin."""
    edges = torch.from_numpy(EDGES).to(ascending.device)
    counts = torch.searchsorted(ascending, edges).diff().cpu().numpy()
    return np.asarray(counts / (ascending.numel() * np.diff(EDGES)), dtype=np.float32)


def quantiles(ascending: torch.Tensor) -> F32:
    """(QUANTILES, 2): quantiles of N(0, 1) and those of the ascending values, for a Q-Q plot.

    Levels are (i + 1/2) / QUANTILES, plus the two ends that n values still resolve.
    """
    n = ascending.numel()
    levels = np.linspace(0, 1, QUANTILES + 1)[:-1] + 0.5 / QUANTILES
    levels[0], levels[-1] = min(levels[0], 3 / (n + 2)), max(levels[-1], 1 - 3 / (n + 2))
    # Position of level p among n ascending values: (n p - 1/2), Hazen's rule.
    position = np.clip(levels * n - 0.5, 0, n - 1)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, n - 1)
    picked = ascending[torch.from_numpy(np.concatenate((low, high))).to(ascending.device)].cpu().numpy()
    share = position - low
    empirical = picked[:QUANTILES] * (1 - share) + picked[QUANTILES:] * share
    return np.stack((special.ndtri(levels), empirical), axis=1).astype(np.float32)
