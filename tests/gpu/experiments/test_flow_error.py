"""flow-error: the errors have the size that is asked for, and noise carried along wrong motion is less coherent."""

from __future__ import annotations

import pytest
import torch

from gpu.engine.clip import opened, with_first
from gpu.errors import ChoiceError
from gpu.experiments import flow_error, settings_for
from gpu.session import NoiseSettings, PriorSettings, SourceSettings
from tests.gpu.experiments.running import finished

CLIP = SourceSettings("synthetic", name="rotation-zoom", height=48, width=56, frames=7)


def test_errors_have_the_size_asked_for_and_smooth_ones_are_smooth():
    smooth = flow_error.smooth_errors(48, 56, 1.5, seed=3, t=2)
    assert smooth.shape == (48, 56, 2)
    assert float(smooth.square().sum(-1).mean().sqrt()) == pytest.approx(1.5, rel=1e-5)
    # A Gaussian of 4 px smooths white noise to a correlation of exp(-1/64) between neighbours.
    assert float((smooth[:, 1:] - smooth[:, :-1]).square().sum(-1).mean()) < 0.1 * 1.5**2
    assert not torch.equal(smooth, flow_error.smooth_errors(48, 56, 1.5, seed=3, t=3))
    bias = flow_error.constant_errors(48, 56, 0.5, seed=3)
    assert torch.linalg.vector_norm(bias, dim=-1) == pytest.approx(torch.full((48, 56), 0.5), rel=1e-5)


@pytest.mark.slow
def test_measured_end_point_errors_are_the_sizes_and_coherence_falls_with_them():
    found = []
    with opened(CLIP) as clip:
        for size in (0.0, 0.5, 2.0):
            motion = flow_error.with_errors(flow_error.BIAS, size, 5)(clip)
            assert flow_error.end_point_error(motion, clip.motion, 7) == pytest.approx(size, abs=1e-4)
            run = clip.start(PriorSettings("integral"), NoiseSettings(channels=3, seed=5), motion)
            found.append(with_first(clip, run, 6, 3)[0])
        ceiling = with_first(clip, run, 6, 3)[1]
        estimated = clip.estimated("dis")
        assert 0 < flow_error.end_point_error(estimated, clip.motion, 7) < 2
    # With about 48·56·3 values the standard error is 0.012: 0.05 is four of them, exceeded with probability below 1e-4.
    assert found[0] == pytest.approx(ceiling, abs=0.05)
    assert found[0] > found[1] + 0.1
    assert found[2] == pytest.approx(0, abs=0.05)  # 12 px off after 6 frames


@pytest.mark.slow
def test_the_experiment_sets_every_flow_beside_random_and_fixed(monkeypatch):
    monkeypatch.setattr(flow_error, "CARRIED", ("integral",))  # for speed
    settings = settings_for(
        "flow-error",
        {"smooth": "2", "bias": "", "estimators": "", "size": 32, "clips": 1, "task": "super-resolution-x8"},
    )
    outcome = finished(flow_error.run(settings))
    rows = {(row["prior"], row["flow"]): row for row in outcome.tables[0].rows}
    assert set(rows) == {
        ("random", "none"), ("fixed", "none"), ("integral", "true motion"), ("integral", "smooth errors of 2 px"),
    }  # fmt: skip
    true, wrong = rows["integral", "true motion"], rows["integral", "smooth errors of 2 px"]
    assert true["end_point_error"] == 0
    assert true["warp_error"] < wrong["warp_error"]
    assert true["first"] > wrong["first"]


def test_an_unknown_estimator_is_named():
    with pytest.raises(ChoiceError, match="no-such"):
        finished(flow_error.run(settings_for("flow-error", {"estimators": "no-such"})))
