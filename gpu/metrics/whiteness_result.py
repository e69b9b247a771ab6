"""What is measured of noise to see whether it is white: the figures, and a verdict on each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]

LEVEL = 0.001
"""Probability with which one verdict calls true white noise not white; also that of the overall verdict."""


@dataclass(frozen=True)
class Verdict:
    """A judgement and its sentence; `ok` is None where nothing can be judged."""

    ok: bool | None
    text: str


@dataclass(frozen=True)
class Whiteness:
    """Measures of how white and how Gaussian n values are. A number is NaN where the grid or the values leave it undefined.

    `verdicts` and `p` have the keys mean, variance, skewness, kurtosis, ks, moran, autocorrelation, channels, spectrum;
    each verdict is the test at p = 0.001 alone, `verdict` allows for there being nine of them.
    """

    n: int
    mean: float
    variance: float
    variance_low: float  # where the variance of white noise lies with probability 0.999
    variance_high: float
    skewness: float
    kurtosis: float  # excess over 3
    ks: float
    ks_p: float
    moran: float
    moran_z: float
    moran_p: float
    autocorrelation: float  # largest absolute value over all periodic shifts, within and across channels
    autocorrelation_expected: float
    autocorrelation_limit: float
    autocorrelation_shift: tuple[int, int]  # (dy, dx)
    channel_correlation: float
    channel_limit: float
    verdicts: Mapping[str, Verdict]
    verdict: Verdict
    edges: F32  # (B+1,)
    density: F32  # (B,)
    quantiles: F32  # (Q, 2) theoretical, empirical
    spectrum: F32  # (F, 2) cycles per pixel, power relative to white noise of variance 1
    autocorrelation_map: F32  # (33, 33) shifts -16 .. 16, centre = 1
    p: Mapping[str, float] = field(default_factory=dict)
    spectrum_peak: tuple[float, float] = (math.nan, math.nan)  # the ring that deviates most: frequency, power / mean
    frames: int = 1
