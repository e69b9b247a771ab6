"""k-ablation: fewer undefined pixels at finer levels, the same outline for every even s, and tests that can fail."""

from __future__ import annotations

import pytest

from gpu.engine.clip import opened
from gpu.experiments import k_ablation, settings_for
from gpu.session import SourceSettings
from tests.gpu.experiments.running import finished


@pytest.mark.slow
def test_undefined_pixels_vanish_at_finer_levels_and_coherence_rises():
    outcome = finished(
        k_ablation.run(
            settings_for("k-ablation", {"k": 2, "s": "1,4", "flows": "rotation-zoom", "size": 32, "frames": 6})
        )
    )
    rows = {(row["k"], row["s"]): row for row in outcome.tables[0].rows}
    assert set(rows) == {(k, s) for k in range(3) for s in (1, 4)}
    # At k = 0 a pixel owns a sub-pixel only where one's centre lies in its outline: after 5 frames of turning by a degree and
    # growing by a percent a good part of them own none (geometry, no chance in it).
    assert rows[0, 4]["undefined"] > 1
    assert rows[2, 4]["undefined"] == 0
    # 30·30 values: a standard error of about 0.03, and the gap is above 5 of them.
    assert rows[2, 4]["previous"] > rows[0, 4]["previous"]
    assert rows[2, 4]["tests"] == len(k_ablation.TESTS)
    by_text = {claim.text: claim for claim in outcome.claims}
    assert any("falls with k" in text and claim.holds for text, claim in by_text.items())


@pytest.mark.slow
def test_even_segments_give_one_outline_and_an_odd_one_another():
    with opened(SourceSettings("synthetic", name="swirl", height=32, width=32, frames=3)) as clip:
        assert k_ablation.same_outline(clip, 3, 3, 2, 8)
        assert not k_ablation.same_outline(clip, 3, 3, 2, 1)


def test_both_figures_show_every_level():
    settings = settings_for("k-ablation", {"k": 1, "s": "2", "flows": "translation", "size": 16, "frames": 3})
    curves, grid = finished(k_ablation.run(settings)).figures
    assert len(curves.panels) == 4
    assert [panel.values.shape for panel in grid.panels] == [(1, 2)] * 3
    assert curves.panels[0].series[0].x == [0, 1]
    assert pytest.approx(1, abs=0.05) == curves.panels[2].y.high
