"""Noise on another grid: exact sums, whiteness over all shifts, and detail that belongs to the noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gpu.diffusion.sampling.resize_noise import normals_of, resize_noise
from gpu.errors import SizeError

# Every statistical test below fails by chance with a probability under 1e-6 for a fresh seed; seeds are fixed.
CHANCE = 1e-6


def _white(channels: int, height: int, width: int, seed: int = 3) -> torch.Tensor:
    return torch.randn((channels, height, width), generator=torch.Generator().manual_seed(seed))


def _check_white(noise: torch.Tensor, tests: int = 5) -> None:
    """Mean, variance, normality, correlation of channels and autocorrelation over all shifts, each at CHANCE / tests."""
    level = CHANCE / tests
    values = noise.double().numpy()
    n = values.size
    assert abs(values.mean()) < stats.norm.isf(level / 2) / math.sqrt(n)
    low, high = stats.chi2.ppf([level / 2, 1 - level / 2], n)
    assert low < (values**2).sum() < high
    assert stats.kstest(values.ravel()[:200_000], "norm").pvalue > level
    spectrum = np.fft.fft2(values)
    count = values[0].size
    for first in range(len(values)):
        for second in range(first, len(values)):
            # Circular correlation at every shift: normal of variance 1/count but for its zero shift with itself.
            correlation = np.fft.ifft2(spectrum[first] * spectrum[second].conj()).real / count
            if first == second:
                correlation[0, 0] = 0
            bound = stats.norm.isf(level / (2 * count * len(values) ** 2)) / math.sqrt(count)
            assert abs(correlation).max() < bound * 1.1  # the products' tails are a little heavier than normal


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((256, 240), (64, 80)),  # whole factors
        ((200, 300), (128, 97)),  # neither divides
        ((150, 131), (149, 130)),  # nearly the same grid: almost every pixel is cut
        ((64, 64), (256, 192)),  # larger by whole factors
        ((60, 50), (133, 177)),  # larger
        ((300, 40), (70, 200)),  # smaller one way, larger the other
    ],
)
def test_white_noise_stays_white(source: tuple[int, int], target: tuple[int, int]) -> None:
    out = resize_noise(_white(3, *source), *target)
    assert out.shape == (3, *target)
    assert out.dtype == torch.float32
    _check_white(out)


def test_the_check_sees_interpolated_noise() -> None:
    """What `_check_white` is worth: averages over overlapping areas, brought back to unit variance, do not pass it."""
    for mode, size in (("area", (128, 97)), ("bilinear", (180, 270)), ("bicubic", (199, 299))):
        out = torch.nn.functional.interpolate(_white(1, 200, 300)[None], size, mode=mode)[0]
        with pytest.raises(AssertionError):
            _check_white(out / out.square().mean().sqrt())


def test_whole_factors_are_sums_of_blocks() -> None:
    noise = _white(2, 12, 20)
    expected = noise.reshape(2, 4, 3, 5, 4).sum(dim=(2, 4)) / math.sqrt(12)
    torch.testing.assert_close(resize_noise(noise, 4, 5), expected)
    assert torch.equal(resize_noise(noise, 12, 20), noise)


def test_larger_and_back_is_the_noise_itself() -> None:
    noise = _white(4, 9, 14)
    torch.testing.assert_close(resize_noise(resize_noise(noise, 72, 42), 9, 14), noise, rtol=0, atol=2e-6)


@pytest.mark.slow
def test_the_mean_given_the_input_is_that_of_the_overlapping_areas() -> None:
    """3 pixels to 2: halves of the middle one. Over many seeds the average is Σ overlap · x / √area."""
    noise = torch.tensor([[[1.0, -2.0, 0.5]]])
    draws = torch.stack([resize_noise(noise, 1, 2, seed=seed)[0, 0] for seed in range(4000)]).double()
    expected = torch.tensor([1.0 - 1.0, -1.0 + 0.5], dtype=torch.float64) / math.sqrt(1.5)
    # Given x, only the split of the middle pixel is random: variance 1/4 of it, over 1.5.
    spread = math.sqrt(0.25 / 1.5)
    bound = stats.norm.isf(CHANCE / 4) * spread / math.sqrt(len(draws))
    assert ((draws.mean(0) - expected).abs() < bound).all()
    torch.testing.assert_close(draws.std(0), torch.full((2,), spread, dtype=torch.float64), rtol=0.07, atol=0)
    # What one target gains the other loses.
    torch.testing.assert_close(draws.sum(1), torch.full((4000,), -0.5 / math.sqrt(1.5)).double(), rtol=0, atol=1e-6)


def test_detail_belongs_to_the_noise() -> None:
    """The same noise gives the same; independent noise nothing in common; noise carried by whole pixels carries it along."""
    noise, other = _white(1, 64, 96), _white(1, 64, 96, seed=4)
    first = resize_noise(noise, 160, 240)
    assert torch.equal(first, resize_noise(noise, 160, 240))
    assert not torch.equal(first, resize_noise(noise, 160, 240, seed=1))
    both = torch.corrcoef(torch.stack([first.flatten(), resize_noise(other, 160, 240).flatten()]))[0, 1]
    assert abs(float(both)) < stats.norm.isf(CHANCE / 2) / math.sqrt(first.numel())
    moved = resize_noise(noise.roll((2, 4), (1, 2)), 160, 240)  # 2 pixels are 5 of the larger grid, 4 are 10
    torch.testing.assert_close(moved, first.roll((5, 10), (1, 2)), rtol=0, atol=1e-6)


def test_hashed_normals_are_normal_and_independent_of_their_values() -> None:
    values = _white(1, 300, 300)[0]
    first, second = normals_of(values, 0, 0), normals_of(values, 0, 1)
    assert stats.kstest(first.flatten().numpy(), "norm").pvalue > CHANCE
    table = torch.corrcoef(torch.stack([values.flatten(), first.flatten(), second.flatten()]))
    table.fill_diagonal_(0)
    assert float(table.abs().max()) < stats.norm.isf(CHANCE / 6) / math.sqrt(values.numel())


def test_what_is_no_noise_is_refused() -> None:
    with pytest.raises(SizeError, match="channels, height, width"):
        resize_noise(torch.zeros(4, 4), 2, 2)
    with pytest.raises(SizeError, match="0×2"):
        resize_noise(torch.zeros(1, 4, 4), 0, 2)
