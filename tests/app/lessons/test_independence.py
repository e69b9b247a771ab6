"""Lesson 4: measured covariances agree with theory, and one owner a sub-pixel is what makes them the identity.

Each comparison of a measured matrix with theory fails with probability 0.001 at most where theory holds; seeds are fixed.
"""

from __future__ import annotations

import pytest
import torch

from app.lessons.compute import covariances as cov
from app.lessons.compute.covariances import BILINEAR_RULE, CHUNK, OVERLAPPING, OWNED
from app.lessons.models import independence as lesson

CHUNKS = 6


def _measured(warped: cov.Warped, rule: str, seed: int = 3) -> cov.Covariance:
    *_, last = cov.measure(warped, (rule,), seed, CHUNKS)
    return last[rule]


@pytest.mark.parametrize("rule", [BILINEAR_RULE, OWNED])
@pytest.mark.parametrize("shift", [3.6, 0.5])
def test_measured_agrees_with_theory(rule: str, shift: float) -> None:
    warped = lesson.row(shift)
    found, expected = _measured(warped, rule), cov.theory(warped, rule)
    for own in (False, True):
        one = cov.agreement(found, expected, CHUNKS * CHUNK, own)
        assert one.holds, (one, own)
        assert one.deviation > 0.2 * one.expected  # theory is not compared with itself


def test_grid_agrees_with_theory() -> None:
    warped = lesson.grid("fold", 0.9)
    for rule in (OWNED, OVERLAPPING):
        one = cov.agreement(_measured(warped, rule), cov.theory(warped, rule), CHUNKS * CHUNK, True)
        assert one.holds, (rule, one)


def test_wrong_theory_is_noticed() -> None:
    """A shift that is off by an eighth of a pixel is far outside the bound."""
    found = _measured(lesson.row(3.6), OWNED)
    one = cov.agreement(found, cov.theory(lesson.row(3.75), OWNED), CHUNKS * CHUNK, False)
    assert not one.holds


def test_theory_by_hand() -> None:
    """At 3.6 px: bilinear 0.6 and 0.4 with frame 0, 0.52 and 0.24 with itself; 5/8 and 3/8 for sums, and the identity."""
    warped = lesson.row(3.6)
    assert warped.fresh.tolist() == [True] * 4 + [False] * 8
    bilinear, owned = cov.theory(warped, BILINEAR_RULE), cov.theory(warped, OWNED)
    assert bilinear.cross[3:5, 7].tolist() == pytest.approx([0.6, 0.4], abs=1e-5)
    assert bilinear.own[6:9, 7].tolist() == pytest.approx([0.24, 0.52, 0.24], abs=1e-5)
    assert owned.cross[3:5, 7].tolist() == pytest.approx([0.625, 0.375], abs=1e-6)
    assert torch.allclose(owned.own, torch.eye(lesson.ROW), atol=1e-6)


@pytest.mark.parametrize("motion", ["fold", "turn", "zoom"])
@pytest.mark.parametrize("amount", [0.0, 0.45, 1.0])
def test_one_owner_makes_the_identity(motion: str, amount: float) -> None:
    warped = lesson.grid(motion, amount)
    assert int(warped.owned.sum(1).max()) <= 1
    assert bool((warped.owned <= warped.covered).all())
    assert torch.allclose(cov.theory(warped, OWNED).own, torch.eye(warped.pixels), atol=1e-6)


def test_overlapping_outlines_tie_pixels_together() -> None:
    warped = lesson.grid("fold", 0.9)
    own = cov.theory(warped, OVERLAPPING).own
    assert float((own - torch.eye(warped.pixels)).max()) > 0.3
    calm = cov.theory(lesson.grid("turn", 0.9), OVERLAPPING).own
    assert float((calm - torch.eye(warped.pixels)).abs().max()) < 1e-6


def test_batches_deviate_as_theory_says() -> None:
    """The deviations of batches spread as the standard errors say: of 16 x 78 scores the mean square has a standard error of
    0.04, so it is outside 1 +- 0.15 with probability 0.0002. And about half of the batches' largest deviations exceed their
    median: fewer than 2 or more than 14 of 16 with probability 0.0005."""
    warped = lesson.row(3.6)
    expected = cov.theory(warped, OWNED)
    median = cov.largest_deviation(expected, CHUNK, True, 0.5)
    before, scores, above = torch.zeros((lesson.ROW, lesson.ROW)), [], 0
    for done, found in enumerate(cov.measure(warped, (OWNED,), 3, 16), 1):
        total = found[OWNED].own * done
        batch = cov.Covariance(found[OWNED].cross, total - before)
        scores.append(cov.scores(batch, expected, CHUNK, True))
        above += int(float((batch.own - expected.own).abs().max()) > median)
        before = total
    assert float((torch.cat(scores) ** 2).mean()) == pytest.approx(1, abs=0.15)
    assert 2 <= above <= 14
    assert cov.largest_deviation(expected, 4 * CHUNK, True, 0.5) == pytest.approx(median / 2)


@pytest.mark.slow
def test_priors_without_sub_pixels_share_areas_or_jump_and_are_white() -> None:
    """At 3.6 px: shares 0.6 and 0.4 of exact areas, where sub-pixels make 5/8 and 3/8; a whole pixel that jumps by 4."""
    names = cov.motions.chained_priors()
    assert {"infinite-particle", "go-with-the-flow"} <= set(names)
    *_, last = cov.measure_priors(names, lesson.ROW, 3.6, 3, CHUNKS)
    n, identity = CHUNKS * CHUNK, torch.eye(lesson.ROW)
    areas, jumps = torch.zeros(lesson.ROW, lesson.ROW), torch.zeros(lesson.ROW, lesson.ROW)
    for pixel in range(4, lesson.ROW):
        areas[pixel - 4, pixel], areas[pixel - 3, pixel] = 0.6, 0.4
        jumps[pixel - 4, pixel] = 1
    for name, cross in (("infinite-particle", areas), ("go-with-the-flow", jumps)):
        expected = cov.Covariance(cross, identity)
        for own in (False, True):
            assert cov.agreement(last[name], expected, n, own).holds, (name, own)
        other = cov.Covariance(cov.theory(lesson.row(3.6), OWNED).cross.roll(1, 0), identity)
        assert not cov.agreement(last[name], other, n, False).holds, "a wrong theory is noticed"
