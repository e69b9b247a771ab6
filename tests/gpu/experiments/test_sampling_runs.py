"""Sampling runs outside of the engine give what the engine gives; clips and jobs differ; table1 puts them together."""

from __future__ import annotations

import pytest

from gpu.engine import Engine
from gpu.experiments import settings_for, table1
from gpu.experiments.kit import sampling_runs
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings
from tests.gpu.experiments.running import finished


@pytest.mark.slow
def test_a_run_measures_what_the_engine_measures():
    source = SourceSettings("synthetic", name="rotation-zoom", height=32, width=40, frames=7)
    task, names = TaskSettings("super-resolution", steps=2), ("random", "integral")
    run = finished(sampling_runs.render(source, task, names, seed=5, frames=sampling_runs.PAIRS))
    engine = Engine(
        Session(source, noise=NoiseSettings(seed=5, channels=3), priors=tuple(map(PriorSettings, names)), task=task)
    )
    try:
        results = {u.result.t: u.result for u in engine.fill(sampling_runs.PAIRS) if u.result and u.result.complete}
    finally:
        engine.close()
    for name in names:
        columns = {t: result.columns[name] for t, result in results.items()}
        quality = {t: column.quality for t, column in columns.items()}
        found = run.measures[name]
        assert found["warp_error"] == pytest.approx(1e3 * quality[2].warp_error)
        assert found["warp_error_5"] == pytest.approx(1e3 * quality[6].warp_error_5)
        assert found["laplacian"] == pytest.approx(sum(q.laplacian for q in quality.values()) / 3)
        assert found["psnr"] == pytest.approx(sum(q.psnr for q in quality.values()) / 3)
        assert found["previous"] == pytest.approx(sum(c.coherence.previous for c in columns.values()) / 3, abs=1e-5)
        assert found["first"] == pytest.approx(sum(c.coherence.first for c in columns.values()) / 3, abs=1e-5)
    assert run.slices["integral"].shape == (3, 40, 3)


def test_clips_are_different_and_jobs_have_seeds_of_their_own():
    for task in ("super-resolution", "appearance-transfer"):
        clips = sampling_runs.clips(task, 32, 32, 7, 9)
        assert len(clips) == 9
        assert len({(clip.path, clip.name, tuple(clip.parameters.items())) for clip in clips}) == 9
    jobs = sampling_runs.jobs("super-resolution", 32, 7, 4, 3, 11)
    assert sorted(seed for _, seed in jobs) == list(range(11, 23))
    assert [clip.name for clip, _ in jobs[:4]] == [clip.name for clip, _ in jobs[4:8]]


@pytest.mark.slow
def test_table1_has_a_row_for_each_task_and_prior_and_names_what_it_leaves_out():
    settings = settings_for(
        "table1",
        {
            "size": 32,
            "frames": 7,
            "clips": 2,
            "tasks": "super-resolution,hub",
            "priors": "random,fixed,integral",
        },
    )
    outcome = finished(table1.run(settings))
    (table,) = outcome.tables
    assert [row["prior"] for row in table.rows] == ["random", "fixed", "integral"]
    by_prior = {row["prior"]: row for row in table.rows}
    assert by_prior["integral"]["warp_error"] < by_prior["random"]["warp_error"]
    assert by_prior["random"]["published"] == 8.91
    assert all(
        row["n"] == 2 and row["warp_error_lo"] <= row["warp_error"] <= row["warp_error_hi"] for row in table.rows
    )
    assert [note for note in outcome.notes if note.startswith("hub is left out: No model is chosen")]
