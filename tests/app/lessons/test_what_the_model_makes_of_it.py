"""Lesson 8: outputs with random noise boil, with fixed noise stand still, with ∫-noise move; bilinear noise blurs.

The models and seeds are fixed, so nothing here is left to chance; margins are wide.
"""

import math

import numpy as np
import pytest
import torch

from app.lessons.compute import videos
from app.lessons.models import LESSONS
from app.lessons.models import what_the_model_makes_of_it as lesson

MOVING = (("dx", 2.0), ("dy", 0.0))


@pytest.fixture(scope="module")
def texture():
    video = videos.video("unconditional-texture", "translation", MOVING, 7, 3)
    steps = 0
    while video.advance():
        steps += 1
    assert steps == len(videos.PRIORS) * 3 * videos.STEPS
    return video


@pytest.mark.slow
def test_random_boils_fixed_stands_and_integral_moves(texture):
    fixed = texture.outputs["fixed"]
    assert torch.equal(fixed[0], fixed[2])
    error = {prior: texture.measured(prior).warp_error for prior in videos.PRIORS}
    assert error["integral"] < 0.5 * error["fixed"] < 0.5 * error["random"]
    random = texture.outputs["random"]
    moved, stood = (float((random[1] - other).square().mean()) for other in (random[0], random[2]))
    assert min(moved, stood) > 0.01


@pytest.mark.slow
def test_slices_show_what_is_there_and_grey_where_nothing_is(texture):
    video = videos.video("unconditional-texture", "translation", MOVING, 8, 3)
    assert (video.row("fixed", 5) == 128).all()
    lines = texture.row("fixed", 5)
    assert lines.shape == (3, videos.SIZE, 3)
    assert (lines[0] == lines[1]).all()
    moving = texture.row("integral", 32).astype(float)
    there, shifted = np.abs(moving[1] - moving[0]).mean(), np.abs(moving[1, 12:-8] - moving[0, 10:-10]).mean()
    assert shifted < 0.8 * there


@pytest.mark.slow
def test_work_that_is_given_up_is_not_lost():
    video = videos.video("super-resolution-x8", "translation", (("dx", 1.5), ("dy", 0.0)), 9, 2)
    settings = {**LESSONS.get("what-the-model-makes-of-it").settings(), "seed": 9.0}
    scenes = lesson._sampled(video)
    for _ in range(4):
        next(scenes)
    scenes.close()
    assert video.going is not None
    left = 0
    while video.advance():
        left += 1
    assert left == len(videos.PRIORS) * 2 * videos.STEPS - 3
    assert settings["speed"] == 1.5


def test_bilinear_noise_blurs_at_half_pixels():
    video = videos.video("super-resolution-x8", "translation", (("dx", 1.5), ("dy", 0.0)), 9, 2)
    while video.advance(("integral", "bilinear")):
        pass
    sharp = {prior: video.details[prior][1] for prior in ("integral", "bilinear")}
    assert sharp["bilinear"] < 0.7 * sharp["integral"]
    # Frame 0 is the same: there is nothing to interpolate yet.
    assert torch.equal(video.outputs["bilinear"][0], video.outputs["integral"][0])


def test_the_first_scene_comes_without_sampling():
    settings = {**LESSONS.get("what-the-model-makes-of-it").settings(), "seed": 99.0}
    for step in LESSONS.get("what-the-model-makes-of-it").steps:
        scene = next(step.compute(settings))
        assert scene.rough
        assert "Sampling, 0 of" in scene.caption
    assert math.isnan(videos.video("super-resolution-x8", "translation", MOVING, 99).measured("fixed").warp_error)
