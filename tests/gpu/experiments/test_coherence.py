"""coherence and steps: every prior has its columns, and what is published stays apart from what is measured."""

from __future__ import annotations

import pytest

from gpu.experiments import coherence, settings_for, steps
from gpu.priors import PRIORS
from tests.gpu.experiments.running import finished


def test_priors_that_follow_no_motion_are_sampled_once():
    columns = coherence.strands_of(list(PRIORS.names()), "dis")
    for prior in PRIORS.names():
        flows = {flow for name, flow in columns if name == prior}
        assert flows == ({"true motion", "DIS"} if PRIORS.get(prior).info.uses_motion else {"none"})
    assert len({column.label for column in columns.values()}) == len(columns)


@pytest.mark.slow
def test_measured_and_published_stand_beside_each_other():
    settings = settings_for(
        "coherence", {"size": 32, "clips": 1, "tasks": "jpeg-restoration,hub", "priors": "random,integral"}
    )
    outcome = finished(coherence.run(settings))
    rows = {(row["prior"], row["flow"]): row for row in outcome.tables[0].rows}
    assert set(rows) == {("random", "none"), ("integral", "true motion"), ("integral", "DIS")}
    integral = rows["integral", "true motion"]
    assert integral["published"] == 5.98
    assert integral["published_relative"] == pytest.approx(5.98 / 8.28)
    assert integral["relative"] == pytest.approx(integral["warp_error"] / rows["random", "none"]["warp_error"])
    assert integral["relative"] < 1
    assert any("hub is left out" in note for note in outcome.notes)
    published = {column.name for column in outcome.tables[0].columns if column.published}
    assert published == {"published", "published_relative"}


@pytest.mark.slow
def test_more_steps_are_sharper_and_random_gains_nothing_over_itself():
    settings = settings_for("steps", {"steps": "2,6", "tasks": "super-resolution-x8", "size": 32, "clips": 1})
    outcome = finished(steps.run(settings))
    rows = {(row["steps"], row["prior"]): row for row in outcome.tables[0].rows}
    assert set(rows) == {(count, prior) for count in (2, 6) for prior in steps.PRIORS}
    assert rows[6, "random"]["random_over"] == 1
    assert rows[6, "integral"]["random_over"] > 1
    assert rows[6, "random"]["laplacian"] > rows[2, "random"]["laplacian"]
