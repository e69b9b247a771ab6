"""The fine field: sums, variances, independence of blocks (paper: Eq. 1-3)."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from gpu.noise import field, rng
from tests.gpu.noise.motions import CPU


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4])
def test_sub_pixels_sum_to_their_pixel(k: int) -> None:
    values = field.pixels(5, 0, 1, 9, 7, CPU)[0]
    n = 1 << k
    fine = field.refine(values, 5, 0, 0, k, 0, 0)
    assert torch.allclose(fine.view(9, n, 7, n).sum((1, 3)), values, atol=1e-5)


def test_sub_pixels_are_white_noise_of_variance_one_over_n() -> None:
    # Normal at p > 0.001 and the variance within its 99.9 % interval: fails with probability 0.002.
    values = field.pixels(5, 0, 1, 40, 40, CPU)[0]
    fine = field.refine(values, 5, 0, 0, 3, 0, 0).view(-1) * 8
    assert stats.kstest(fine.numpy(), "norm").pvalue > 0.001
    low, high = stats.chi2.interval(0.999, len(fine))
    assert low < float(fine.square().sum()) < high


def test_given_the_pixel_sub_pixels_have_the_covariance_of_a_bridge() -> None:
    """Given x, Cov(w_i, w_j) = (d_ij - 1/N)/N: checked for N = 4 over 40,000 pixels to 5 standard errors."""
    values = torch.zeros(200, 200)
    fine = field.refine(values, 1, 0, 0, 1, 0, 0).view(200, 2, 200, 2).permute(0, 2, 1, 3).reshape(-1, 4)
    expected = (torch.eye(4) - 0.25) / 4
    measured = fine.T @ fine / len(fine)
    assert (measured - expected).abs().max() < 5 * 0.25 / len(fine) ** 0.5


def test_a_block_does_not_depend_on_what_else_was_asked_for() -> None:
    values = field.pixels(5, 3, 1, 32, 48, CPU)[0]
    whole = field.refine(values, 5, 3, 0, 3, 0, 0)
    part = field.refine(values[8:16, 32:40], 5, 3, 0, 3, 8, 32)
    assert torch.equal(part, whole[64:128, 256:320])


def test_pixels_are_the_plane_of_the_field_stream() -> None:
    assert torch.equal(field.pixels(5, 3, 2, 8, 9, CPU)[1], rng.plane(5, rng.FIELD, 3, 1, 0, 0, 0, 8, 9, CPU))
