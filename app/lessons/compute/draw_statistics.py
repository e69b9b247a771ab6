"""What several lessons show of many draws: histograms over the normal density, and intervals of variances."""

from __future__ import annotations

import math

import numpy as np
import torch

from app.lessons.compute.scene import Bars, Curve, Floats
from gpu.metrics import moments

NORMAL_X = np.linspace(-4, 4, 161)
NORMAL = Curve(NORMAL_X, np.exp(-(NORMAL_X**2) / 2) / math.sqrt(2 * math.pi), "dim", "N(0, 1)", fill=True, width=0.7)
"""The density of the standard normal, as the reference below histograms."""

CPU = torch.device("cpu")


def histogram(values: torch.Tensor, ink: str, label: str, every: int = 2) -> Bars:
    """The density of values as bars of `every` bins of gpu.metrics.moments.EDGES."""
    density = moments.density(moments.ordered(values.reshape(-1)))
    heights = density.reshape(-1, every).mean(1)
    return Bars(moments.EDGES[::every].astype(np.float64), heights.astype(np.float64), ink, label, fill=False)


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign, as it is printed."""
    return f"{value:+.{digits}f}".replace("-", "−")


def variance_text(values: torch.Tensor) -> str:
    """The sample variance, with as many digits as n values give."""
    return f"{float(values.var()):.3f}"


def within(variance: float, expected: float, n: int, p: float = 0.001) -> bool:
    """Whether a sample variance of n normals agrees with `expected`, at level p."""
    low, high = moments.variance_interval(n, p)
    return low <= variance / expected <= high


def interval(expected: Floats, n: int, p: float = 0.001) -> tuple[Floats, Floats]:
    """Where the sample variances of n normals of variances `expected` lie with probability 1 - p."""
    low, high = moments.variance_interval(n, p)
    return np.asarray(expected) * low, np.asarray(expected) * high
