"""Lesson 7: both ways are white and coherent from frame to frame; only anchored noise remembers frame 0.

Seeds are fixed. Where a bound is statistical it is 5 standard errors wide: it fails by chance with p < 1e-6.
"""

import math

import numpy as np
import pytest

from app.lessons.compute import memory_film
from app.lessons.models import LESSONS, memory
from gpu.metrics import moments

FRAMES = 8


@pytest.fixture(scope="module")
def film():
    made = memory_film.film("rotation", 0.4, 7)
    made.expect(FRAMES)
    while made.measured < FRAMES:
        made.measure()
    return made


@pytest.mark.slow
def test_chained_noise_is_white_in_every_frame(film):
    for noise in film.chained:
        low, high = moments.variance_interval(noise.numel(), 1e-6)
        assert low < float(noise.var()) < high
        for beside in ((noise[:, :, 1:], noise[:, :, :-1]), (noise[:, 1:], noise[:, :-1])):
            n = beside[0].numel()
            assert abs(float((beside[0] * beside[1]).mean())) < 5 / math.sqrt(n)


@pytest.mark.slow
def test_from_frame_to_frame_both_lie_at_the_ceiling(film):
    anchored, chained = film.curves(first=False)
    for values in (anchored, chained):
        # k = 2 moves outlines by up to an eighth of a pixel, which the ceiling knows nothing of.
        assert np.abs(values - film.ceilings_previous[:FRAMES]).max() < 5 / math.sqrt(3000) + 0.03
    # It is that of the pixels compared: a rotation takes the fast ones out of view, and those that stay share more.
    assert film.ceilings_previous[FRAMES - 1] > film.ceilings_previous[0] + 0.003


def test_only_anchored_noise_remembers_frame_0(film):
    anchored, chained = film.curves(first=True)
    error = 5 / math.sqrt(film.used(FRAMES)[1])
    assert abs(anchored[-1] - film.ceilings_first[FRAMES - 1]) < error + 0.03
    assert chained[-1] < 0.5 * anchored[-1]
    # What is left of it is what repeated interpolation leaves.
    assert abs(chained[-1] - film.forecast[FRAMES - 1]) < error + 0.03


def test_the_parts_of_chained_noise_add_up(film):
    left, whole = film.blurred[FRAMES], film.chained[FRAMES]
    inner = (slice(None), slice(4, -4), slice(4, -4))
    drawn = (whole - left)[inner]
    n = drawn.numel()
    assert float(left[inner].var()) < 0.3
    # Var(left) + Var(drawn) = 1, as the two are independent.
    assert abs(float(left[inner].var() + drawn.var()) - 1) < 5 * math.sqrt(2 / n) + 0.03


@pytest.mark.slow
def test_whole_pixels_cost_a_chain_nothing_and_half_pixels_what_theory_says():
    t = 4
    whole = memory.translation(1.0, t, 7)
    assert whole[0] == pytest.approx(1, abs=1e-4)
    assert whole[1] == pytest.approx(1, abs=1e-4)
    anchored, chained, n = memory.translation(0.375, t, 7)
    speed = np.array([0.375])
    assert abs(chained - memory.chained_theory(speed, t)[0]) < 5 / math.sqrt(n)
    assert abs(anchored - memory.anchored_theory(speed, t)[0]) < 5 / math.sqrt(n)
    assert chained < anchored - 0.1


def test_theory_of_few_steps_is_that_by_hand():
    assert memory.chained_theory(np.array([0.3]), 1)[0] == pytest.approx(math.hypot(0.7, 0.3))
    assert memory.chained_theory(np.array([0.5]), 2)[0] == pytest.approx(
        0.5
    )  # weights 1/4, 1/2, 1/4; read in the middle
    assert memory.chained_theory(np.array([0.0, 1.0, 2.0]), 9) == pytest.approx(1)


def test_steps_begin_roughly_and_end_with_what_was_asked_for():
    lesson = LESSONS.get("memory")
    settings = {**lesson.settings(), "frame": 3.0}
    scenes = list(memory.followed(settings))
    assert not scenes[-1].rough
    assert scenes[-1].panel("chained").title == "Chained, frame 3"
    assert list(memory.followed(settings))[-1].fact("Correlation, chained") == scenes[-1].fact("Correlation, chained")


def test_marks_travel_with_the_motion(film):
    places = memory.marks(film.anchored[0])
    there = film.places_in(FRAMES, places)
    centre = memory_film.SIZE / 2
    before, after = (places - centre).norm(dim=1), (there - centre).norm(dim=1)
    assert np.allclose(before, after, atol=1e-3)  # a rotation keeps distances from the centre
    assert float((there - places).norm(dim=1).max()) > 1


def test_a_measurement_that_is_given_up_half_way_goes_on_where_it_stood(film):
    left = memory_film.film.__wrapped__("rotation", 0.4, 7)
    for _ in range(4):
        next(left.measuring())  # as while a slider is dragged: after the anchored half something else is wanted
    assert left.measured == 0
    left.measure()
    left.measure()
    assert left.measured == 2
    assert left.correlations == film.correlations[:2]
    assert all((mine == theirs).all() for mine, theirs in zip(left.chained, film.chained, strict=False))
