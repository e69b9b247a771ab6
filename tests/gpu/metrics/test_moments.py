"""Moments, Kolmogorov-Smirnov and their p-values against scipy and the formulas they are from, also of few values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from gpu.metrics import moments


def ascending(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.sort(values).astype(np.float32))


@pytest.mark.parametrize("n", [1, 2, 5, 12])
@pytest.mark.parametrize("shift", [-0.8, 0.0, 0.8])
def test_the_kolmogorov_distance_of_few_values_is_exact(n: int, shift: float) -> None:
    """The empirical distribution steps by 1/n: both sides of each step count, whichever way the values lie."""
    values = np.random.default_rng(n).standard_normal(n) + shift
    expected = stats.kstest(values.astype(np.float32), "norm").statistic
    assert moments.kolmogorov_smirnov(ascending(values)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", [10, 40, 200])
def test_p_of_the_kolmogorov_distance_is_near_the_exact_one(n: int) -> None:
    """Stephens' (√n + 0.12 + 0.11/√n) D against the exact distribution: within 5 % of it for p from 0.2 to 0.01, where
    √n D alone is off by 10 to 40 % at n = 10."""
    for p in (0.2, 0.05, 0.01):
        distance = stats.kstwo.isf(p, n)
        assert moments.kolmogorov_p(distance, n) == pytest.approx(p, rel=0.05)
    root = math.sqrt(n)
    assert moments.kolmogorov_p(0.2, n) == pytest.approx(special.kolmogorov(0.2 * (root + 0.12 + 0.11 / root)))


def test_moments_of_few_values_agree_with_scipy() -> None:
    values = np.array([0.3, -1.7, 2.2, 0.9, 5.0])
    found = moments.moments(torch.from_numpy(values))
    assert [found.n, found.mean, found.variance] == pytest.approx([5, values.mean(), values.var(ddof=1)])
    assert [found.skewness, found.kurtosis] == pytest.approx([stats.skew(values), stats.kurtosis(values)])
    two = moments.moments(torch.tensor([1.0, 3.0]))
    assert [two.mean, two.variance] == [2, 2]
    constant = moments.moments(torch.full((9,), 1.7))
    assert constant.variance == 0
    assert math.isnan(constant.skewness)


def test_p_values_are_scipys() -> None:
    values = np.random.default_rng(4).standard_normal(30)
    assert moments.mean_p(0.4, 30) == pytest.approx(2 * stats.norm.sf(0.4 * math.sqrt(30)))
    assert moments.mean_p(-0.4, 30) == moments.mean_p(0.4, 30)
    for variance in (0.6, 1.0, 1.6):
        tail = stats.chi2.cdf(29 * variance, 29)
        assert moments.variance_p(variance, 30) == pytest.approx(2 * min(tail, 1 - tail))
    assert moments.skewness_p(stats.skew(values), 30) == pytest.approx(stats.skewtest(values).pvalue)
    assert moments.kurtosis_p(stats.kurtosis(values), 30) == pytest.approx(stats.kurtosistest(values).pvalue)
    assert moments.variance_interval(30, 0.1) == pytest.approx(tuple(stats.chi2.ppf([0.05, 0.95], 29) / 29))


def test_p_values_begin_where_the_formulas_hold() -> None:
    assert math.isnan(moments.skewness_p(0.1, 7))
    assert 0 < moments.skewness_p(0.1, 8) < 1
    assert math.isnan(moments.kurtosis_p(0.1, 19))
    assert 0 < moments.kurtosis_p(0.1, 20) < 1
    assert math.isnan(moments.variance_p(1.0, 1))
    assert 0 < moments.variance_p(1.0, 2) <= 1
    assert all(math.isnan(end) for end in moments.variance_interval(1))
    assert moments.variance_interval(2, 0.5) == pytest.approx(tuple(stats.chi2.ppf([0.25, 0.75], 1)))
    for undefined in (moments.normal_p, lambda z: moments.skewness_p(z, 30), lambda z: moments.kurtosis_p(z, 30)):
        assert math.isnan(undefined(math.nan))


def test_the_histogram_is_a_density_of_all_values() -> None:
    """Ten values: one each in the bins [0, 0.1) and [-4.5, -4.4), eight beyond the last edge, which count in the total."""
    found = moments.density(ascending(np.array([0.05, -4.45, *[9.0] * 8])))
    assert found.shape == (90,)
    assert found[45] == pytest.approx(1)
    assert found[0] == pytest.approx(1)
    assert found.sum() == pytest.approx(2)


def test_quantiles_are_hazens() -> None:
    """Levels (i + 1/2) / 101 of n values: numpy's method of that name; the ends are drawn in to what n values resolve."""
    values = np.random.default_rng(8).standard_normal(1000).astype(np.float32)
    theory, empirical = moments.quantiles(ascending(values)).T
    levels = (np.arange(101) + 0.5) / 101
    levels[0], levels[-1] = 3 / 1002, 1 - 3 / 1002
    assert theory == pytest.approx(stats.norm.ppf(levels), abs=1e-6)
    assert empirical == pytest.approx(np.quantile(values, levels, method="hazen"), abs=1e-5)
    few = moments.quantiles(ascending(values[:5])).T[1]
    assert few[[0, 50, 100]].tolist() == pytest.approx(np.sort(values[:5])[[0, 2, 4]].tolist(), abs=0.02)
