"""runtime: the interval of a median, times over the floor, published figures where sizes agree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpu.errors import SessionError
from gpu.experiments import runtime, settings_for
from tests.gpu.experiments.running import finished


def test_the_interval_of_a_median_covers_as_often_as_it_says():
    """Of 2,000 samples of 7 values the share that covers is within 4 standard errors (0.0022·4, at p = 0.984) of what is said:
    failure probability below 1e-4 for a right interval; a seed is set anyway."""
    random = np.random.default_rng(4)
    found = [runtime.median(list(random.exponential(size=7))) for _ in range(2000)]
    said = found[0].confidence
    assert said == pytest.approx(1 - 2 / 2**7)
    share = np.mean([math.log(2) in one for one in found])
    assert share == pytest.approx(said, abs=4 * math.sqrt(said * (1 - said) / 2000))
    assert math.isnan(runtime.median([1.0, 2.0, 3.0]).low)  # three values promise 75 % only


def test_rows_are_times_over_the_floor_beside_what_is_published():
    settings = settings_for(
        "runtime",
        {"sizes": "16,256", "repeats": 2, "priors": "random,bilinear,ddim-inversion", "inversion": 0, "channels": 1},
    )
    outcome = finished(runtime.run(settings))
    rows = {(row["prior"], row["height"]): row for row in outcome.tables[0].rows}
    assert set(rows) == {(prior, size) for prior in ("random", "bilinear") for size in (16, 256)}
    for row in rows.values():
        assert row["median_ms"] > 0
        assert row["ratio"] == pytest.approx(row["median_ms"] / row["floor_ms"])
        assert row["n"] == 2
    assert rows["bilinear", 256]["published_ms"] == 5.26
    assert rows["bilinear", 16]["published_ms"] is None
    assert sum("ddim-inversion" in note for note in outcome.notes) == 2


def test_sizes_out_of_range_are_named():
    with pytest.raises(SessionError, match="9000"):
        finished(runtime.run(settings_for("runtime", {"sizes": "9000"})))
