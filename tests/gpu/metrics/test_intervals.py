"""Intervals hold what they say as often as they say; each test is of 1000 draws and fails by chance below 1e-4."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

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


def test_intervals_of_small_samples_are_those_of_the_books() -> None:
    """Student's t and chi-squared of scipy, on three values whose moments can be worked out by hand."""
    found = intervals.mean([1.0, 2.0, 6.0])
    expected = stats.t.interval(0.95, 2, 3.0, stats.sem([1.0, 2.0, 6.0]))
    assert [found.value, found.low, found.high, found.n] == pytest.approx([3, *expected, 3])
    found = intervals.variance([1.0, 2.0, 6.0], 0.9)  # 14 about the mean, over 2
    assert [found.value, found.low, found.high] == pytest.approx(
        [7, 14 / stats.chi2.ppf(0.95, 2), 14 / stats.chi2.ppf(0.05, 2)]
    )
    assert intervals.variance_known(7.0, 3, 0.9) == found
    found = intervals.positive([1.0, 2.0, 6.0])
    reach = math.exp(stats.t.ppf(0.975, 2) * stats.sem([1 / 3, 2 / 3, 2.0]))
    assert [found.value, found.low, found.high] == pytest.approx([3, 3 / reach, 3 * reach])


def test_the_interval_of_a_ratio_is_the_delta_methods() -> None:
    """a/ā − b/b̄ of (2, 4, 6) over (1, 2, 1.5) is (-1/6, -1/3, 1/2): variance 7/36 with n − 1, so 0.2546 of standard error."""
    found = intervals.ratio([2.0, 4.0, 6.0], [1.0, 2.0, 1.5])
    reach = math.exp(4.302653 * math.sqrt(7 / 36 / 3))  # Student's t of 2 degrees of freedom at 97.5 %
    assert [found.value, found.low, found.high] == pytest.approx([8 / 3, 8 / 3 / reach, 8 / 3 * reach], rel=1e-6)
    assert intervals.ratio([2.0, 4.0, math.nan, 6.0], [1.0, 2.0, 9.0, 1.5]) == found
    assert intervals.ratio([2.0, 4.0, 6.0], [1.0, 2.0, 1.5], 0.5).high == pytest.approx(
        8 / 3 * math.exp(stats.t.ppf(0.75, 2) * math.sqrt(7 / 108))
    )
    assert intervals.ratio([2.0, 4.0, 6.0], [1.0, 2.0, 1.5], 0.5).confidence == 0.5
    assert (intervals.ratio([3.0], [2.0], 0.5).confidence, intervals.mean([1.0, 2.0], 0.5).confidence) == (0.5, 0.5)
    assert (intervals.positive([1.0, 2.0], 0.5).confidence, intervals.share(1, 2, 0.5).confidence) == (0.5, 0.5)
    for undefined in (intervals.ratio([-1.0, 1.0], [1.0, 2.0]), intervals.ratio([1.0, 2.0], [0.0, 0.0])):
        assert math.isnan(undefined.value)
    assert intervals.ratio([1e-9, 1e-9], [1.0, 1.0]).value == 1e-9


def test_wilsons_interval_of_a_share() -> None:
    """(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), with p = 3/10 and z = 1.96."""
    z = stats.norm.ppf(0.975)
    reach = z * math.sqrt(0.3 * 0.7 / 10 + z * z / 400)
    found = intervals.share(3, 10)
    assert [found.value, found.low, found.high, found.n] == pytest.approx(
        [0.3, *((0.3 + z * z / 20 + sign * reach) / (1 + z * z / 10) for sign in (-1, 1)), 10]
    )
    assert math.isnan(intervals.share(0, 0).value)
    assert intervals.share(1, 1).value == 1


def test_an_interval_in_another_unit_and_what_it_holds() -> None:
    found = Interval(2.0, 1.0, 4.0, 7, 0.9)
    assert found.times(3) == Interval(6.0, 3.0, 12.0, 7, 0.9)
    assert [x in found for x in (0.99, 1.0, 4.0, 4.01)] == [False, True, True, False]
    assert intervals.joint(0.95, 0) == pytest.approx(0.95)
    assert intervals.joint(0.9, 2) == pytest.approx(0.95)
