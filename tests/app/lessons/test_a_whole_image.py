"""Lesson 5: interpolation loses variance or ties neighbours, ∫-noise does neither. Seeds are fixed; bounds on ∫-noise fail by
chance with probability 0.001 for all frames of a test together."""

from __future__ import annotations

import pytest

from app.lessons.compute import whole_frame
from app.lessons.compute.whole_frame import INTEGRAL, MOTIONS, RULES
from app.lessons.models.a_whole_image import ROUGH
from gpu.metrics import intervals

SEED = 3
TIMES = (5, 18, 29)


@pytest.mark.slow
@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_integral_noise_is_white_in_every_frame(motion: str) -> None:
    p = 1 - intervals.joint(0.999, 3 * len(TIMES) * len(MOTIONS))
    low, high = whole_frame.white_variances(ROUGH, p)
    for t in TIMES:
        found = whole_frame.measures(INTEGRAL, motion, ROUGH, SEED, t)
        assert low <= found.variance <= high, (motion, t)
        assert found.p > p, (motion, t)
        assert whole_frame.radial(whole_frame.noise(INTEGRAL, motion, ROUGH, SEED, t)).p > p, (motion, t)


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["rotation", "swirl"])
def test_interpolation_fails_one_test_or_the_other(motion: str) -> None:
    reach = whole_frame.white_neighbours(ROUGH)
    for t in TIMES:
        found = {rule: whole_frame.measures(rule, motion, ROUGH, SEED, t) for rule in RULES}
        # (2/3)^2 on average; between 5,760 values that share sources the measured mean is off by less than 0.05.
        assert found["bilinear"].variance == pytest.approx(4 / 9, abs=0.05)
        assert found["bilinear"].variance < found["bicubic"].variance < 0.85
        assert found["root-bilinear"].variance == pytest.approx(1, abs=0.12)
        assert found["root-bilinear"].neighbours > 5 * reach
        assert found["root-bilinear"].neighbours > found["bilinear"].neighbours


def test_slow_pan_breathes_as_the_parabolas_say() -> None:
    """0.125 px a frame along x, half of that along y: theory at every frame, within 8 % (about 4 standard errors)."""
    for t in (0, 4, 8, 16):
        f, g = t * 0.125 % 1, t * 0.0625 % 1
        expected = (f * f + (1 - f) ** 2) * (g * g + (1 - g) ** 2)
        assert whole_frame.measures("bilinear", "translation", ROUGH, SEED, t).variance == pytest.approx(
            expected, rel=0.08
        )


def test_zoom_ties_whatever_copies_old_pixels() -> None:
    late = {rule: whole_frame.measures(rule, "zoom", ROUGH, SEED, 29).neighbours for rule in RULES}
    assert all(late[rule] > 0.3 for rule in RULES if rule != INTEGRAL)
    assert abs(late[INTEGRAL]) < whole_frame.white_neighbours(ROUGH)


def test_frame_0_is_the_same_for_all() -> None:
    first = whole_frame.noise("nearest", "swirl", ROUGH, SEED, 0)
    for rule in RULES:
        assert float((whole_frame.noise(rule, "swirl", ROUGH, SEED, 0) - first).abs().max()) < 1e-5
