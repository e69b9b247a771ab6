"""Confidence intervals of what is estimated: means, ratios, variances and shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95

Values = npt.NDArray[np.floating] | Sequence[float]


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its confidence interval, NaN where `n` values are too few for one."""

    value: float
    low: float
    high: float
    n: int
    confidence: float = CONFIDENCE

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def times(self, factor: float) -> Interval:
        """The same in another unit; `factor` > 0."""
        return Interval(self.value * factor, self.low * factor, self.high * factor, self.n, self.confidence)


def mean(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Mean of independent values with Student's t interval; exact for normal ones, good for others from n of about 30."""
    x = _finite(values)
    n = x.size
    value = float(x.mean()) if n else math.nan
    if n < 2:
        return Interval(value, math.nan, math.nan, n, confidence)
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * float(x.std(ddof=1)) / math.sqrt(n)
    return Interval(value, value - reach, value + reach, n, confidence)


def positive(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Mean of independent positive values, such as errors, with an interval that stays positive.

    The logarithm of the mean has by the delta method the variance of x / x̄, over n; its interval is Student's, as in `ratio`.
    """
    x = _finite(values)
    estimate = mean(x, confidence)
    if x.size < 2 or not (x > 0).all():
        return estimate
    reach = math.exp((estimate.high - estimate.value) / estimate.value)
    return Interval(estimate.value, estimate.value / reach, estimate.value * reach, estimate.n, confidence)


def ratio(above: Values, below: Values, confidence: float = CONFIDENCE) -> Interval:
    """Mean of `above` over mean of `below`, positive values measured in pairs (the same clip and seed).

    The logarithm of the ratio of means has by the delta method the variance of the differences a/ā − b/b̄, over n; its
    interval is Student's.
    """
    a, b = np.asarray(above, np.float64), np.asarray(below, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"pairs are needed, not {a.size} and {b.size} values")
    keep = np.isfinite(a) & np.isfinite(b)
    a, b = a[keep], b[keep]
    n = a.size
    if not n or a.mean() <= 0 or b.mean() <= 0:
        return Interval(math.nan, math.nan, math.nan, n, confidence)
    value = float(a.mean() / b.mean())
    if n < 2:
        return Interval(value, math.nan, math.nan, n, confidence)
    spread = float((a / a.mean() - b / b.mean()).std(ddof=1)) / math.sqrt(n)
    reach = math.exp(float(stats.t.ppf((1 + confidence) / 2, n - 1)) * spread)
    return Interval(value, value / reach, value * reach, n, confidence)


def variance(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Variance of independent normal values with the chi-squared interval (exact for normal values only)."""
    x = _finite(values)
    if x.size < 2:
        return Interval(math.nan, math.nan, math.nan, x.size, confidence)
    return variance_known(float(x.var(ddof=1)), x.size, confidence)


def variance_known(value: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The chi-squared interval of a variance `value` that was measured (with n − 1) on n independent normal values."""
    if n < 2:
        return Interval(value, math.nan, math.nan, n, confidence)
    tail = (1 - confidence) / 2
    low, high = (float(stats.chi2.ppf(q, n - 1)) for q in (tail, 1 - tail))
    return Interval(value, value * (n - 1) / high, value * (n - 1) / low, n, confidence)


def share(count: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval of a share of `count` in n independent trials."""
    if n < 1:
        return Interval(math.nan, math.nan, math.nan, n, confidence)
    bounds = stats.binomtest(count, n).proportion_ci(confidence, method="wilson")
    return Interval(count / n, float(bounds.low), float(bounds.high), n, confidence)


def joint(confidence: float, tests: int) -> float:
    """The confidence that each of `tests` intervals needs for all to hold together with `confidence` (Bonferroni)."""
    return 1 - (1 - confidence) / max(tests, 1)


def _finite(values: Values) -> npt.NDArray[np.float64]:
    x = np.asarray(values, np.float64).ravel()
    return x[np.isfinite(x)]
