"""Lesson 10: counted shares tend to exact areas by 2.8 a level; areas are never empty; exact shares keep nothing below a pixel.

Seeds are fixed. Where a bound is statistical it is 5 standard errors wide: it fails by chance with p < 1e-6.
"""

import math

import numpy as np
import pytest
import torch

from app.lessons.compute import limit
from app.lessons.compute.limit import INNER, LEVELS


@pytest.mark.slow
def test_errors_fall_by_two_to_the_three_halves_a_level():
    made = limit.Converged(7)
    for _ in range(16):
        made.add()
    slope = np.polyfit(LEVELS, np.log2(made.rms()), 1)[0]
    assert slope == pytest.approx(-1.5, abs=0.25)


@pytest.mark.slow
def test_counted_shares_are_of_the_areas_that_are_asked_for():
    track = limit.turned(31, (0.1, -0.2))
    areas = limit.exact(track)[INNER]
    assert torch.allclose(areas.sum(1), torch.tensor(1.0), atol=1e-3)
    off = [float((limit.counted(track, k)[INNER] - areas).abs().max()) for k in LEVELS]
    assert off[-1] < 0.002 < off[0]


def test_crossings_double_and_overlaps_stay():
    track = limit.turned(27)
    crossed = [limit.crossings(track, k) for k in LEVELS]
    assert crossed[-1] / crossed[0] == pytest.approx(32, rel=0.05)
    assert 4 <= limit.meetings(track) <= 6


@pytest.mark.slow
def test_pixels_smaller_than_sub_pixels_own_nothing_but_have_an_area():
    """At twice 2^k times one in four is hit: of 20 x 16 pixels, which lie on grids, within 0.1."""
    none, without_area = limit.empty(8, 2, 23, 7, draws=20)
    assert none == pytest.approx(0.75, abs=0.1)
    assert without_area == 0


@pytest.mark.slow
@pytest.mark.parametrize("zoom", [1.5, 2.5])
def test_a_picture_that_is_held_boils_without_sub_pixels(zoom):
    assert limit.held("integral", zoom, 7)[0] == pytest.approx(1, abs=1e-5)
    boils, n = limit.held("integral-exact", zoom, 7)
    # A source pixel serves zoom^2 pixels, which are not independent.
    assert boils == pytest.approx(limit.held_theory(zoom), abs=5 * zoom / math.sqrt(n))
    assert boils < 0.4


@pytest.mark.slow
def test_a_chain_forgets_the_first_frame_and_areas_the_one_before():
    made = limit.memory(2.0, 7)
    while made.measured < 12:
        for _ in made.measuring():
            pass
    integral, exact, chain = (np.array(made.pairs[name])[-1] for name in limit.CARRIED)
    assert exact[0] == pytest.approx(integral[0], abs=0.06)
    assert chain[1] == pytest.approx(integral[1], abs=0.06)
    assert chain[0] < 0.3 < exact[1] < integral[1] - 0.1
