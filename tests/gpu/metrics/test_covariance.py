"""Agreement of covariances with theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gpu.metrics.covariance import counted, deviation, scores, tails


def test_tails_are_those_of_chi_squared_and_of_simulated_products():
    """At correlation 1 the exact distribution is known; at 0.8 the share of 20,000 means of 64 products that have a p below
    1 % lies within 4 standard errors (0.0028) of 1 % with a probability above 0.9999."""
    n = 64
    means = np.array([0.5, 0.8, 1.0, 1.3, 1.7])
    exact = 2 * np.minimum(stats.chi2.cdf(means * n, n), stats.chi2.sf(means * n, n))
    np.testing.assert_allclose(tails(means, np.ones(5), n), exact, rtol=0.02, atol=0.06)
    np.testing.assert_allclose(tails(means[[0, 4]], np.ones(2), n), exact[[0, 4]], rtol=0.02)
    x, y = np.random.default_rng(5).standard_normal((2, 20_000, n))
    products = (x * (0.8 * x + 0.6 * y)).mean(1)
    assert np.mean(tails(products, np.full(20_000, 0.8), n) < 0.01) == pytest.approx(0.01, abs=0.0028)


def test_the_bound_is_exceeded_once_in_a_thousand_and_the_expected_half_of_the_time():
    random = np.random.default_rng(3)
    ones, theory = np.ones(6), np.eye(6)
    apart = []
    for _ in range(400):
        draws = random.standard_normal((600, 6))
        apart.append(deviation(draws.T @ draws / 600, theory, ones, ones, 600, same=True))
    assert apart[0].entries == 21
    assert np.mean([result.deviation > result.expected for result in apart]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([result.holds for result in apart]) > 0.98


def test_scores_are_standard_normal():
    random = np.random.default_rng(4)
    draws = random.standard_normal((20_000, 40))
    ones = np.ones(40)
    apart = counted(scores(draws.T @ draws / 20_000, np.eye(40), ones, ones, 20_000), same=True)
    assert apart.std() == pytest.approx(1, abs=0.1)
