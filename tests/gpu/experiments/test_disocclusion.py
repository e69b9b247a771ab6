"""disocclusion at a small size: groups are what they say, and the two-stage handler carries on what random fill draws again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu.engine.clip import opened
from gpu.experiments import disocclusion
from gpu.experiments.disocclusion import Sums
from gpu.experiments.kit.disocclusion_report import exceeds, report
from gpu.metrics.intervals import Interval
from gpu.priors import INHERITED, NEW, UNDEFINED
from tests.gpu.experiments.running import finished

FRAMES, SIZE = 7, 32


@pytest.fixture(scope="module")
def scenes():
    found = []
    for number in range(2):
        with opened(disocclusion.layers(number, SIZE, FRAMES), "torch") as clip:
            found.append(finished(disocclusion.look(clip, number, 7 + number, (3, 6) if number == 0 else ())))
    return found


@pytest.mark.slow
def test_shares_add_up(scenes):
    """What one fill leaves undefined the other has inherited or drawn; new pixels are never more than undefined ones."""
    for scene in scenes:
        inherited, new, undefined = (
            np.array(scene.shares[key]) for key in (("two-stage", INHERITED), ("two-stage", NEW), ("random", UNDEFINED))
        )
        assert undefined[0] == 0
        assert undefined[-1] > 0.1
        # Random fill follows nothing over a pixel that was undefined in any frame on the way, and so never loses less: what it
        # loses beside that lies along the edges of inherited surfaces.
        assert (inherited + new <= undefined + 1e-6).all()
        np.testing.assert_allclose(inherited + new, undefined, atol=0.07)
        assert (new <= undefined + 1e-6).all()
        assert new[-1] < undefined[-1] / 2
        assert max(scene.shares["random", INHERITED]) == 0


@pytest.mark.slow
def test_what_came_into_view_is_carried_on_by_one_handler_only(scenes):
    """Each group has more than 1,000 values, so that a correlation of independent ones exceeds 0.15 with p < 1e-5. What is kept
    was 0.397 and more over 1,899 values, whose standard error is 0.02: 0.35 is two of these below."""
    for scene in scenes:
        kept, drawn = scene.groups["two-stage", "uncovered"], scene.groups["random", "uncovered"]
        assert kept.pixels == drawn.pixels > 250
        assert kept.correlation > 0.35
        assert abs(drawn.correlation) < 0.15
        assert scene.groups["two-stage", "all"].correlation < 1
        assert scene.groups["two-stage", "reappeared"].pixels <= kept.pixels
        assert scene.smallest_p["two-stage"] * scene.tests > 1e-3


@pytest.mark.slow
def test_the_report_has_a_number_for_every_claim(scenes):
    outcome = report(scenes, [], "super-resolution", SIZE, (3, 6), ())
    assert {claim.answers for claim in outcome.claims} >= {"disocclusion", "whiteness"}
    for claim in outcome.claims:
        value = claim.measured.value if isinstance(claim.measured, Interval) else claim.measured
        assert math.isfinite(value), claim.text
    assert outcome.figures[3].panels[0].pictures[0][0].shape == (SIZE, SIZE, 3)


def test_sums_are_a_correlation():
    a = torch.randn((2, 8, 8), generator=torch.Generator().manual_seed(1))
    y, x = torch.meshgrid(torch.arange(8) + 0.5, torch.arange(8) + 0.5, indexing="ij")
    here, everywhere = torch.stack([x, y], -1), torch.ones((8, 8), dtype=torch.bool)
    sums = Sums()
    assert math.isnan(sums.correlation)
    sums.add(a, -2 * a, here, everywhere)
    assert sums.correlation == pytest.approx(-1)
    assert sums.pixels == 64
    sums.add(a, a, here, torch.zeros_like(everywhere))
    assert sums.pixels == 64


def test_an_interval_about_the_bound_decides_nothing():
    assert exceeds(Interval(0.5, 0.1, 0.9, 3), 0) is True
    assert exceeds(Interval(0.5, 0.1, 0.9, 3), 1) is False
    assert exceeds(Interval(0.5, 0.1, 0.9, 3), 0.2) is None
    assert exceeds(Interval(0.5, math.nan, math.nan, 1), 0.2) is None
