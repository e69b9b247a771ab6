"""Quality of output videos: warp error with its coverage, PSNR, sharpness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from gpu.flow.maps import bilinear, inside


@dataclass(frozen=True)
class Quality:
    """Measures of one output frame; NaN where there is nothing to compare with.

    Warp errors (gaps of 1 and 5 frames) are mean squared differences of images in [0, 1], coverages the shares of
    pixels they rest on; `psnr` in dB; `laplacian` the variance of the Laplacian of the luma on the 0-255 scale, and
    `sharpness` the same relative to the true frame's.
    """

    warp_error: float
    coverage: float
    warp_error_5: float
    coverage_5: float
    psnr: float
    sharpness: float
    laplacian: float


def warp_error(
    current: torch.Tensor, previous: torch.Tensor, positions: torch.Tensor, valid: torch.Tensor
) -> tuple[float, float, torch.Tensor]:
    """Mean over valid pixels and channels of (current(p) - previous(positions(p)))^2, bilinear.

    Args:
        current: (3, H, W) the later picture, in [0, 1].
        previous: (3, H, W) the earlier one.
        positions: (H, W, 2) absolute places in `previous` of what the pixel centres of `current` see: p + backward(p).
        valid: (H, W) bool, where that holds.

    Returns the error (NaN where no pixel is valid), the coverage (share of pixels used), and the map (H, W) of squared
    differences averaged over channels, NaN where not used.

    >>> from gpu.flow.maps import pixel_centres
    >>> before = torch.linspace(0, 1, 16).expand(3, 8, 16)
    >>> now = before.roll(2, dims=-1)
    >>> came_from = pixel_centres(8, 16) - torch.tensor([2.0, 0.0])
    >>> error, coverage, _ = warp_error(now, before, came_from, torch.ones(8, 16, dtype=torch.bool))
    >>> round(error, 6), coverage  # all but the two columns that came into sight
    (0.0, 0.875)
    >>> round(warp_error(now, before, pixel_centres(8, 16), torch.ones(8, 16, dtype=torch.bool))[0], 3)  # not followed
    0.124
    """
    height, width = valid.shape
    used = valid & inside(positions, height, width)
    difference = (current - bilinear(previous, positions)).square().mean(dim=0)
    n = int(used.sum())
    error = float(difference[used].mean()) if n else math.nan
    return error, n / (height * width), torch.where(used, difference, torch.full_like(difference, math.nan))


def psnr(image: torch.Tensor, truth: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB of (3, H, W) images in [0, 1]; infinite where they are equal.

    >>> round(psnr(torch.full((3, 4, 4), 0.6), torch.full((3, 4, 4), 0.5)), 2)
    20.0
    """
    error = float((image - truth).square().mean())
    return -10 * math.log10(error) if error > 0 else (math.inf if error == 0 else math.nan)


def laplacian_variance(image: torch.Tensor) -> float:
    """Variance of the Laplacian (4 neighbours) of the Rec. 601 luma on the 0-255 scale, image (3, H, W) in [0, 1].

    The measure of focus of Pech-Pacheco et al. 2000, over the interior; NaN for images thinner than 3 pixels.
    """
    if min(image.shape[1:]) < 3:
        return math.nan
    luma = 255 * (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2])
    around = luma[1:-1, 2:] + luma[1:-1, :-2] + luma[2:, 1:-1] + luma[:-2, 1:-1]
    return float((around - 4 * luma[1:-1, 1:-1]).var(correction=0))


def sharpness(image: torch.Tensor, truth: torch.Tensor) -> float:
    """`laplacian_variance` of an image relative to that of the true one; NaN where the true one has none.

    >>> picture = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    >>> blurred = (picture + picture.roll(1, -1)) / 2
    >>> sharpness(picture, picture), sharpness(blurred, picture) < 0.6
    (1.0, True)
    """
    reference = laplacian_variance(truth)
    return laplacian_variance(image) / reference if reference > 0 else math.nan
