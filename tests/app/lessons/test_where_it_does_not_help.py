"""Lesson 9: folds, a wrong flow, latents, and speeds below which fixed noise is ahead.

Seeds are fixed. Where a bound is statistical it is 5 standard errors wide: it fails by chance with p < 1e-6.
"""

import math

import numpy as np
import pytest
import torch

from app.lessons.compute import folding, latents, videos, wrong_flow
from app.lessons.models import LESSONS
from app.lessons.models import where_it_does_not_help as lesson
from gpu.flow import maps
from gpu.metrics import coherence, moments


def test_no_two_pixels_of_a_fold_share_noise_though_they_see_the_same():
    found = folding.folded(2.0)
    assert found.overlap > 0.4
    assert found.owners == 0
    assert found.seen.max() >= 3
    assert (found.owned <= found.covered).all()
    assert found.owned.sum() == (found.seen > 0).sum()  # nothing that is seen is given away
    (x, y), (u, v) = found.pair
    assert found.inner[y, x] == 0
    assert found.inner[v, u] == 1


def test_the_surface_seen_first_keeps_its_noise():
    found = folding.folded(2.0)
    kept = found.owned / np.maximum(found.covered, 1)
    assert kept[found.inner == 0].mean() > 0.98
    assert kept[found.inner == 1].mean() < 0.1


@pytest.mark.slow
def test_a_wrong_flow_costs_coherence_as_the_spline_says_and_no_variance():
    values = {size: wrong_flow.result(size, True, 7) for size in (0.0, 1.0)}
    for size, found in values.items():
        # Rotation spreads phases well but not evenly, and k = 2 moves outlines a little.
        assert abs(found.previous - found.expected) < 5 / math.sqrt(found.n_previous) + 0.05, size
        low, high = moments.variance_interval(wrong_flow.SIZE**2 * wrong_flow.CHANNELS, 1e-6)
        assert low < found.variance < high
    assert values[1.0].previous < 0.6 * values[0.0].previous
    assert values[0.0].first > 0.6
    assert abs(values[1.0].first) < 0.1


def test_the_spline_is_the_cubic_one():
    error = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.5, 0.0]])
    assert wrong_flow.spline(error).tolist() == pytest.approx(
        [4 / 9, 1 / 9, 0, (2 / 3 - 0.25 + 0.0625) * 2 / 3], abs=1e-6
    )
    assert float(wrong_flow.smooth(3).square().sum(-1).mean()) == pytest.approx(1, abs=1e-5)


def test_latents_keep_what_their_squares_share():
    for shift in range(latents.MOST + 1):
        pixels, kept, n = latents.noise_kept(shift, 7)
        assert pixels == pytest.approx(1, abs=1e-5)
        assert abs(kept - latents.latent_theory(shift)) < 5 / math.sqrt(n)
    assert latents.noise_kept(4, 7)[1] == pytest.approx(1, abs=1e-5)


def test_the_autoencoder_knows_where_its_grid_lies():
    assert latents.trip(0).error == 0
    assert latents.trip(4).error < 0.1 * latents.trip(2).error


def test_fixed_noise_is_ahead_below_half_a_pixel():
    way = np.array([0.25, 0.5, 0.75])
    fixed, moved = lesson.fixed_theory(way), lesson.moved_theory(way)
    assert fixed[0] > moved[0]
    assert fixed[1] == pytest.approx(moved[1])
    assert fixed[2] < moved[2]
    noise = torch.randn((4, 64, 64), generator=torch.Generator().manual_seed(7))
    for d, expected in zip(way, fixed, strict=True):
        places = maps.pixel_centres(64, 64) - torch.tensor([float(d), 0.0])
        found, n = coherence.correlation(noise, noise, places, torch.ones((64, 64), dtype=torch.bool))
        assert abs(found - expected) < 5 / math.sqrt(4 * n)


@pytest.mark.slow
def test_outputs_follow_suit():
    errors = {}
    for speed in (0.25, 1.5):
        video = videos.video(lesson.TASK, "translation", (("dx", speed), ("dy", 0.0)), 7, 2)
        while video.advance(lesson.PRIORS):
            pass
        errors[speed] = [video.measured(prior).warp_error for prior in lesson.PRIORS]
    assert errors[0.25][0] < errors[0.25][1]
    assert errors[1.5][0] > errors[1.5][1]


def test_every_step_shows_something_at_once():
    found = LESSONS.get("where-it-does-not-help")
    for step in found.steps:
        scene = next(step.compute(found.settings()))
        assert scene.rows
        assert scene.caption
