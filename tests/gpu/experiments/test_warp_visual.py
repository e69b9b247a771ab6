"""warp-visual at a small size: high frequencies are measured right, and the claims tell blur from its absence."""

from __future__ import annotations

import pytest
import torch

from gpu.experiments import settings_for, warp_visual
from tests.gpu.experiments.running import finished


def test_power_of_known_noise():
    """White noise of variance 4 has power 4 (8 · 64 · 64 values: one standard error is below 0.04); a pixel mean of 2 × 2 has
    less than a quarter of it at high frequencies, and a constant has none."""
    noise = 2 * torch.randn((8, 64, 64), generator=torch.Generator().manual_seed(4))
    assert warp_visual.high_power(noise) == pytest.approx(4, abs=0.2)
    blurred = (noise + noise.roll(1, 1) + noise.roll(1, 2) + noise.roll((1, 1), (1, 2))) / 4
    assert warp_visual.high_power(blurred) < 1
    assert warp_visual.high_power(torch.ones((1, 64, 64))) == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
def test_claims_tell_blur_from_its_absence():
    """At seed 7; over seeds ∫-noise's claims of power and flatness fail with a probability of 1.1 %."""
    given = {"size": 40, "frame": 1, "seeds": 3, "priors": "bilinear,integral"}
    outcome = finished(warp_visual.run(settings_for("warp-visual", given)))
    assert [claim.holds for claim in outcome.claims] == [True] * 4
    high = {row["prior"]: row["high"] for row in outcome.tables[0].rows}
    assert high["bilinear"] < 0.7
    assert high["integral"] == pytest.approx(1, abs=0.1)
    assert [figure.name for figure in outcome.figures] == ["pictures", "spectrum", "histogram", "autocorrelation"]
