"""Flow brought from fine pictures to a grid: exact on smooth fields, and never between two motions."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.flow.averaging import area_means, averaged


def linear(rows: int, columns: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A turn with a zoom as flow in pixels of a fine grid, and of a coarse one over the same area."""

    def at(i: int, j: int) -> np.ndarray:
        y, x = (np.arange(i) + 0.5) / i, (np.arange(j) + 0.5) / j
        x, y = np.meshgrid(x, y)
        return np.stack([(0.05 * x - 0.11 * y + 0.02) * j, (0.11 * x + 0.03 * y - 0.01) * i], axis=-1).astype(
            np.float32
        )

    return at(rows, columns), at(height, width)


@pytest.mark.parametrize("fine", [(64, 96), (61, 37), (16, 24), (17, 24), (300, 25)])
def test_a_smooth_motion_is_averaged_exactly_and_scaled(fine: tuple[int, int]) -> None:
    """Also where only one axis is finer; where sizes do not divide, to the part of a fine pixel that is cut."""
    flow, expected = linear(*fine, 16, 24)
    everywhere = np.ones(fine, bool)
    tolerance = 2e-4 if fine in ((64, 96), (16, 24)) else 5e-3
    np.testing.assert_allclose(averaged(flow, everywhere, everywhere, 16, 24), expected, atol=tolerance)


def test_what_is_not_finite_or_not_trusted_takes_no_part() -> None:
    flow, expected = linear(64, 96, 16, 24)
    trusted = np.random.default_rng(3).random((64, 96)) < 0.7
    flow[~trusted] += (40, -30)
    finite = np.random.default_rng(4).random((64, 96)) < 0.9
    flow[~finite] = np.nan
    out = averaged(flow, trusted, finite, 16, 24)
    # What is left of a pixel lies off its centre by up to half a pixel: 0.11 of a pixel of motion at most.
    assert np.abs(out - expected).max() < 0.11
    assert np.abs(out - expected).mean() < 0.02


def test_where_nothing_is_trusted_all_that_is_finite_counts_and_where_nothing_is_finite_nothing() -> None:
    flow = np.full((8, 8, 2), (4.0, -8.0), np.float32)
    trusted, finite = np.ones((8, 8), bool), np.ones((8, 8), bool)
    trusted[:4] = False
    finite[:4, :4] = False
    flow[:4, :4] = np.inf
    out = averaged(flow, trusted, finite, 2, 2)
    assert out.tolist() == [[[0, 0], [1, -2]], [[1, -2], [1, -2]]]


def test_one_vector_far_off_does_not_move_its_pixel() -> None:
    flow = np.full((20, 20, 2), (10.0, 5.0), np.float32)
    flow[3, 3], flow[12, 7] = (900, -900), (-30, 5)
    everywhere = np.ones((20, 20), bool)
    np.testing.assert_allclose(averaged(flow, everywhere, everywhere, 4, 4), np.full((4, 4, 2), (2.0, 1.0)), atol=1e-5)


@pytest.mark.parametrize("edge", [5, 9, 10, 13, 15])
def test_across_an_outline_the_motion_of_the_larger_part_counts(edge: int) -> None:
    """A pixel of 8 columns of which `edge` - 8 move by 5 pixels of the grid and the others not at all."""
    flow = np.zeros((24, 24, 2), np.float32)
    flow[:, :edge] = (40, 0)
    everywhere = np.ones((24, 24), bool)
    out = averaged(flow, everywhere, everywhere, 3, 3)
    expected = [5 if min(max(edge - start, 0), 8) > 4 else 0 for start in (0, 8, 16)]
    np.testing.assert_allclose(out[1, :, 0], expected, atol=1e-5)
    np.testing.assert_allclose(out[..., 1], 0, atol=1e-5)


def test_of_three_motions_one_counts_and_no_mixture() -> None:
    flow = np.zeros((3, 3, 2), np.float32)
    flow[0], flow[1], flow[2] = (30, 0), (0, 30), (-30, -30)
    everywhere = np.ones((3, 3), bool)
    assert averaged(flow, everywhere, everywhere, 1, 1)[0, 0].tolist() in [[10, 0], [0, 10], [-10, -10]]


def test_means_over_areas_by_hand() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(
        area_means(values, 1, 2), [[(0 + 0.5 * 1 + 3 + 0.5 * 4) / 3, (0.5 * 1 + 2 + 0.5 * 4 + 5) / 3]], rtol=1e-6
    )
    assert area_means(values > 2, 1, 1).tolist() == [[0.5]]
