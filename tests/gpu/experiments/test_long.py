"""long: anchored noise keeps what it knows of frame 0, chained interpolation loses its variance; bad names are named."""

from __future__ import annotations

import pytest

from gpu.errors import ChoiceError, SessionError
from gpu.experiments import long, settings_for
from tests.gpu.experiments.running import finished


@pytest.mark.slow
def test_memory_and_variance_over_time():
    """32·32·2 values in two runs: a standard error of about 0.02; every comparison has four of them or more, p < 1e-4."""
    settings = settings_for(
        "long",
        {"frames": 14, "flows": "rotation", "draws": 2, "size": 32, "channels": 2,
         "priors": "integral,nearest:chained,nearest:anchored,bilinear:chained,random"},
    )  # fmt: skip
    outcome = finished(long.run(settings))
    rows = {(row["prior"], row["t"]): row for row in outcome.tables[0].rows}
    last = 13
    assert max(t for _, t in rows) == last
    assert rows["integral", last]["first"] == pytest.approx(rows["integral", last]["ceiling"], abs=0.1)
    assert rows["nearest (chained)", last]["first"] < rows["nearest (anchored)", last]["first"] - 0.1
    assert rows["bilinear (chained)", last]["variance"] < 0.3
    assert rows["integral", last]["variance"] == pytest.approx(1, abs=0.15)
    assert rows["random", last]["first"] == pytest.approx(0, abs=0.1)
    assert all(row["n"] == 2 for row in rows.values())


def test_frames_looked_at_reach_from_the_first_to_the_last():
    times = long.looked_at(128)
    assert times[:3] == [1, 2, 3]
    assert times[-1] == 127
    assert times == sorted(set(times))


def test_names_and_modes_are_checked():
    with pytest.raises(ChoiceError, match="nobody"):
        long.chosen(["nobody"])
    with pytest.raises(SessionError, match="chained"):
        long.chosen(["integral:chained"])
    with pytest.raises(ChoiceError, match="at least one"):
        long.chosen([])


def test_the_priors_shown_are_there():
    assert len(long.chosen(settings_for("long").names("priors"))) == 13
