"""`agreement` and `deviation` on a few numbers, against the formulas written out and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from gpu.metrics import covariance


def test_standard_errors_are_isserlis() -> None:
    """Var(mean a b) = (σ_a² σ_b² + c²) / n: with variances 4 and 9 and covariance 3, (36 + 9) / 5."""
    theory = np.array([[3.0, 0.0]])
    errors = covariance.standard_errors(theory, np.array([4.0]), np.array([9.0, 1.0]), 5)
    assert errors[0].tolist() == pytest.approx([3.0, math.sqrt(0.8)])
    scores = covariance.scores(np.array([[6.0, -1.0]]), theory, np.array([4.0]), np.array([9.0, 1.0]), 5)
    assert scores[0].tolist() == pytest.approx([1.0, -1 / math.sqrt(0.8)])


def test_of_a_matrix_that_is_the_same_both_ways_a_half_is_counted() -> None:
    matrix = np.arange(9.0).reshape(3, 3)
    assert covariance.counted(matrix, True).tolist() == [0, 1, 2, 4, 5, 8]
    assert covariance.counted(matrix, False).tolist() == list(range(9))


@pytest.mark.parametrize("same", [True, False])
def test_agreement_is_of_the_entry_that_deviates_most(same: bool) -> None:
    random = np.random.default_rng(2)
    a = random.standard_normal((50, 3)) * [1.0, 2.8, 0.5]  # the second wider than theory has it
    b = a if same else random.standard_normal((50, 2)) + 0.4 * a[:, :2]
    variances = np.array([1.0, 4.0, 0.25]), np.array([1.0, 4.0, 0.25]) if same else np.array([1.16, 1.64])
    theory = np.diag([1.0, 4.0, 0.25]) if same else np.array([[0.4, 0.0], [0.0, 1.6], [0.0, 0.0]])
    found = covariance.agreement(a, b, theory, *variances, same)
    empirical = np.array([[np.mean(a[:, i] * b[:, j]) for j in range(b.shape[1])] for i in range(3)])
    assert found.empirical == pytest.approx(empirical)
    assert found.theory is theory
    z = (empirical - theory) / np.sqrt((np.outer(*variances) + theory**2) / 50)
    assert found.z == pytest.approx(z)
    assert found.worst == pytest.approx(np.abs(z).max())
    assert found.entries == 6
    scale = np.sqrt(np.outer(*variances))
    each = covariance.tails((empirical / scale).reshape(-1), (theory / scale).reshape(-1), 50)
    assert found.p == pytest.approx(min(1.0, 6 * each.min()))
    assert 0 < found.p < 1


def test_the_p_of_one_product_of_equal_values_is_chi_squareds() -> None:
    """One value of variance 4, 30 draws: n s² / 4 is chi-squared of 30 degrees of freedom."""
    a = np.random.default_rng(3).standard_normal((30, 1)) * 2.5
    found = covariance.agreement(a, a, np.array([[4.0]]), np.array([4.0]), np.array([4.0]), True)
    exact = 2 * stats.chi2.sf(float((a**2).sum()) / 4, 30)
    assert found.p == pytest.approx(exact, rel=0.02)


def test_the_largest_deviation_is_that_of_independent_normals() -> None:
    """P(all |x_i| < d) = Π (1 − 2 Φ(−d/σ_i)) = 1 − p, solved by scipy; on n draws 1/√n of it."""
    errors = np.array([0.5, 1.0, 2.0])
    for p in (0.5, 0.001):
        exact = optimize.brentq(lambda d, p=p: np.prod(1 - 2 * stats.norm.sf(d / errors)) - (1 - p), 0.01, 50)
        assert covariance.largest_deviation(errors, 16, p) == pytest.approx(exact / 4, rel=1e-6)


def test_deviation_says_what_it_found_and_what_it_may_be() -> None:
    theory, ones = np.eye(2), np.ones(2)
    empirical = np.array([[1.1, -0.3], [-0.3, 1.0]])
    found = covariance.deviation(empirical, theory, ones, ones, 100, True)
    errors = np.array([math.sqrt(2), 1.0, math.sqrt(2)])
    assert found.deviation == pytest.approx(0.3)
    assert found.entries == 3
    assert found.expected == pytest.approx(covariance.largest_deviation(errors, 100, 0.5))
    assert found.bound == pytest.approx(covariance.largest_deviation(errors, 100, 0.001))
    assert found.holds
    assert not covariance.deviation(empirical, theory, ones, ones, 400, True).holds
