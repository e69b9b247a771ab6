"""whiteness: white noise passes within the false alarms that are expected, interpolated noise does not."""

from __future__ import annotations

import pytest
from scipy import stats

from gpu.experiments import settings_for, whiteness
from tests.gpu.experiments.running import finished


@pytest.mark.slow
def test_integral_passes_and_bilinear_fails():
    """8 frames a prior; a white prior exceeds the 99.9 % quantile of false alarms in one of three tests with probability below
    0.003, and the seed is fixed."""
    settings = settings_for(
        "whiteness",
        {
            "priors": "random,bilinear,integral",
            "draws": 4,
            "size": 48,
            "channels": 2,
            "flows": "rotation-zoom,swirl",
            "frame": 3,
        },
    )
    outcome = finished(whiteness.run(settings))
    rows = {row["prior"]: row for row in outcome.tables[0].rows if row["flow"] == "all"}
    assert {prior: row["n"] for prior, row in rows.items()} == {"random": 8, "bilinear": 8, "integral": 8}
    assert rows["bilinear"]["moran_failed"] == 8
    assert rows["bilinear"]["moran"] > 0.1
    assert rows["integral"]["moran_failed"] <= whiteness.allowed(8)
    assert rows["integral"]["published_moran"] == 0.0011
    assert all(claim.holds for claim in outcome.claims)


def test_as_many_false_alarms_are_allowed_as_chance_makes():
    for n in (8, 100, 1000):
        most = whiteness.allowed(n)
        assert stats.binom.sf(most, n, whiteness.LEVEL) <= 0.001 < stats.binom.sf(most - 1, n, whiteness.LEVEL)


def test_noise_without_chance_in_it_counts_once_a_flow():
    settings = settings_for(
        "whiteness",
        {"priors": "ddim-inversion", "draws": 3, "size": 16, "channels": 4, "flows": "translation", "frame": 1},
    )
    rows = finished(whiteness.run(settings)).tables[0].rows
    assert [row["n"] for row in rows] == [1]
    assert rows[0]["published_moran"] is None
    assert rows[0]["moran"] != pytest.approx(0, abs=1e-3)
