"""Output quality: warp error along the motion with its coverage, PSNR, sharpness."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu import cv
from gpu.metrics.quality import laplacian_variance, psnr, sharpness, warp_error


def centres(height: int, width: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack((x, y), dim=-1)


def picture(height: int = 32, width: int = 44) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))


def test_a_moved_picture_has_no_warp_error() -> None:
    """Content moves by (4, -1), so it was at p + (-4, 1); four columns and one row have no past."""
    previous = picture()
    current = previous.roll((-1, 4), dims=(1, 2))
    valid = torch.ones(32, 44, dtype=torch.bool)
    error, coverage, where = warp_error(current, previous, centres(32, 44) + torch.tensor([-4.0, 1.0]), valid)
    assert error == pytest.approx(0, abs=1e-12)
    assert coverage == pytest.approx(31 * 40 / (32 * 44))
    assert torch.isnan(where[:, :4]).all()
    assert torch.isnan(where[-1]).all()
    assert not torch.isnan(where[:-1, 4:]).any()
    still, _, _ = warp_error(current, previous, centres(32, 44), valid)
    assert still > 0.1  # two independent uniform pictures: 1/6


def test_warp_error_is_the_mean_over_valid_pixels_and_channels() -> None:
    previous = picture()
    current = previous.clone()
    current[0, 5, 6] += 0.3
    current[:, 20, 20] += 5.0
    valid = torch.ones(32, 44, dtype=torch.bool)
    valid[20, 20] = False
    error, coverage, where = warp_error(current, previous, centres(32, 44), valid)
    assert error == pytest.approx(0.09 / 3 / (32 * 44 - 1), rel=1e-4)
    assert coverage == pytest.approx(1 - 1 / (32 * 44))
    assert where[5, 6] == pytest.approx(0.03, rel=1e-4)
    assert torch.isnan(where[20, 20])


def test_warp_error_without_valid_pixels_is_nan() -> None:
    valid = torch.zeros(32, 44, dtype=torch.bool)
    error, coverage, where = warp_error(picture(), picture(), centres(32, 44), valid)
    assert math.isnan(error)
    assert coverage == 0
    assert torch.isnan(where).all()
    positions = torch.full((32, 44, 2), math.nan)
    assert math.isnan(warp_error(picture(), picture(), positions, ~valid)[0])


def test_psnr() -> None:
    image = picture()
    assert psnr(image + 0.1, image) == pytest.approx(20, abs=1e-4)
    assert psnr(image, image) == math.inf


def test_laplacian_variance_is_opencvs() -> None:
    image = (picture() * 255).round().to(torch.uint8)
    luma = 0.299 * image[0].double() + 0.587 * image[1].double() + 0.114 * image[2].double()
    expected = cv.cv2.Laplacian(luma.numpy(), cv.cv2.CV_64F)[1:-1, 1:-1].var()
    assert laplacian_variance(image / 255) == pytest.approx(float(expected), rel=1e-5)
    assert math.isnan(laplacian_variance(image[:, :2] / 255))


def test_blurring_shows_as_lost_sharpness() -> None:
    image = picture(60, 60)
    soft = torch.nn.functional.avg_pool2d(image, 3, 1, 1)
    assert sharpness(image, image) == 1
    assert sharpness(soft, image) < 0.2
    assert math.isnan(sharpness(image, torch.zeros_like(image)))
    assert np.isfinite(psnr(soft, image))
