"""Intervals hold what they say as often as they say; each test is of 1000 draws and fails by chance below 1e-4."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gpu.metrics import intervals
from gpu.metrics.intervals import Interval

TRIALS = 1000
# A share of 0.95 in 1000 trials has a standard deviation of 0.0069; four of them are left by chance in 6e-5 of all runs.
LOW, HIGH = 0.95 - 4 * 0.0069, 0.95 + 4 * 0.0069


def covered(make: Callable[[np.random.Generator], Interval], truth: float) -> float:
    random = np.random.default_rng(11)
    return sum(truth in make(random) for _ in range(TRIALS)) / TRIALS


def test_mean() -> None:
    assert LOW < covered(lambda r: intervals.mean(r.normal(3, 2, 5)), 3) < HIGH


def test_mean_of_positive_values() -> None:
    # Gamma values of shape 4: skewed as errors are. The delta method is approximate at n = 20; within 2 % there.
    share = covered(lambda r: intervals.positive(r.gamma(4, 0.5, 20)), 2)
    assert LOW - 0.02 < share < HIGH
    few = intervals.positive([1.0, 3.0])
    assert few.value == 2
    assert 0 < few.low < 2 < few.high
    assert math.isnan(intervals.positive([1.0]).low)
    assert intervals.positive([0.0, 1.0]) == intervals.mean([0.0, 1.0])


def test_variance() -> None:
    assert LOW < covered(lambda r: intervals.variance(r.normal(3, 2, 20)), 4) < HIGH


def test_ratio_of_pairs() -> None:
    def make(random: np.random.Generator) -> Interval:
        clip = random.uniform(0.5, 1.5, 12)  # what both share does not widen the interval
        return intervals.ratio(clip * random.normal(4, 0.2, 12), clip * random.normal(2, 0.1, 12))

    assert LOW < covered(make, 2) < HIGH
    random = np.random.default_rng(0)
    clip = random.uniform(0.1, 10, 30)
    tight = intervals.ratio(4 * clip, 2 * clip)
    assert tight.low == pytest.approx(2)
    assert tight.high == pytest.approx(2)


def test_share_and_joint() -> None:
    none = intervals.share(0, 20)
    assert none.low == pytest.approx(0, abs=1e-12)
    assert 0.1 < none.high < 0.2
    assert intervals.joint(0.95, 10) == pytest.approx(0.995)


def test_too_few_values_have_no_interval() -> None:
    for found in (intervals.mean([1.0]), intervals.variance([1.0]), intervals.ratio([1.0], [2.0]), intervals.mean([])):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    assert intervals.ratio([1.0], [2.0]).value == 0.5
    assert intervals.mean([1.0, 3.0, math.nan]).n == 2
    with pytest.raises(ValueError):
        intervals.ratio([1.0], [1.0, 2.0])
