"""toy1d at a small size: the draws are the pixels at both ends, and every claim about them holds."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.errors import SessionError
from gpu.experiments import settings_for, toy1d
from tests.gpu.experiments.running import finished


def test_at_both_ends_both_rules_give_the_pixel_itself():
    between, integrals = finished(toy1d.draws(3, 500, np.array([0.0, 1.0])))
    np.testing.assert_allclose(integrals, between, atol=2e-5)
    assert abs(np.corrcoef(between)[0, 1]) < 0.2  # two pixels: 0.2 is 4.5 standard errors


@pytest.mark.slow
def test_the_window_shares_the_two_pixels_it_covers():
    """Cov(window, x0) = 1 − α and Cov(window, x1) = α: with 4,000 pairs a standard error is below 0.023, and 0.12 off in any
    of 8 has a probability below 2e-6."""
    alphas = np.array([0.0, 0.25, 0.75, 1.0])
    _, integrals = finished(toy1d.draws(3, 4000, alphas))
    for row, alpha in zip(integrals, alphas):
        assert np.mean(row * integrals[0]) == pytest.approx(1 - alpha, abs=0.12)
        assert np.mean(row * integrals[-1]) == pytest.approx(alpha, abs=0.12)


def test_claims_hold():
    """At seed 7; over seeds each of the claims of all α fails with a probability of 1 %, as the report says."""
    outcome = finished(toy1d.run(settings_for("toy1d", {"draws": 3000})))
    assert [claim.holds for claim in outcome.claims] == [True] * 4
    assert len(outcome.tables[0].rows) == 17
    assert outcome.claims[1].measured.value == pytest.approx(0.5, abs=0.06)


def test_the_claim_fails_where_interpolation_is_taken_for_integration():
    """Interpolated values must be told from values of variance 1."""
    found = [toy1d.intervals.variance(row) for row in finished(toy1d.draws(3, 2000, np.array([0.5])))[0]]
    worst, agree = toy1d.farthest(found, np.ones(1))
    assert not agree
    assert worst.high < 0.6


def test_an_alpha_between_sub_intervals_is_refused():
    with pytest.raises(SessionError, match="1/32"):
        finished(toy1d.run(settings_for("toy1d", {"histograms": "0.3"})))
