"""Flat pictures: texture taken out of a frame, its large shapes kept, its tones drawn together to a few.

Everything here is a fixed filter that looks the same at every pixel and has no thresholds, so the flat picture of a moving
frame moves smoothly with it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F

from gpu import interrupt

LUMA = (0.299, 0.587, 0.114)  # Rec. 601
EDGE = 0.05  # a step of luma in [0,1] well above this stays sharp, one well below is smoothed away
ROUNDS = 3
STEP = 1.5 / 255  # what varies less over 3x3 pixels is of one colour
FLAT_SHARE = (0.1, 0.35)  # of one-coloured pixels: below the first a place is textured, above the second it is flat
FLAT_REACH = 8.0  # pixels: standard deviation of the window that this share is counted in


@lru_cache(maxsize=64)
def _kernel(sigma: float) -> torch.Tensor:
    """(2r+1,) a Gaussian of standard deviation `sigma` pixels, of unit sum."""
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float32) / sigma).square())
    return weights / weights.sum()


def gaussian(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """(B,C,H,W) to the same, low-passed by a Gaussian of standard deviation `sigma` pixels; edges repeat."""
    if sigma <= 0:
        return image
    interrupt.poll()
    kernel = _kernel(sigma).to(image)
    reach, channels = len(kernel) // 2, image.shape[1]
    rows, columns = (kernel.view(shape).repeat(channels, 1, 1, 1) for shape in ((1, 1, 1, -1), (1, 1, -1, 1)))
    image = image.contiguous(memory_format=torch.channels_last)  # ten times as fast as the other layout
    image = F.conv2d(F.pad(image, (reach, reach, 0, 0), mode="replicate"), rows, groups=channels)
    return F.conv2d(F.pad(image, (0, 0, reach, reach), mode="replicate"), columns, groups=channels)


def luma(image: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W) to (B,1,H,W), Rec. 601."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def _guided(guide: torch.Tensor, image: torch.Tensor, sigma: float) -> torch.Tensor:
    """The guided filter of He, Sun, Tang 2013 (TPAMI 35, 6; Equations 4-6 and 8) with a Gaussian window.

    `guide` (B,1,H,W), `image` (B,C,H,W): in every window the image is fitted as a · guide + b.
    """
    channels = image.shape[1]
    stacked = gaussian(torch.cat([guide, guide * guide, image, guide * image], dim=1), sigma)
    mean_guide, square, mean_image, product = torch.split(stacked, [1, 1, channels, channels], dim=1)
    slope = (product - mean_guide * mean_image) / (square - mean_guide * mean_guide + EDGE**2)
    fitted = gaussian(torch.cat([slope, mean_image - slope * mean_guide], dim=1), sigma)
    return fitted[:, :channels] * guide + fitted[:, channels:]


def without_texture(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """(B,3,H,W) to the same without structure smaller than about `sigma` pixels, but with the outlines of what is larger.

    Rolling guidance (Zhang, Shen, Xu, Jia 2014, ECCV, Section 3): blur, and then filter the picture again and again under
    the guidance of the last result, with the guided filter in place of their bilateral one.
    """
    if sigma <= 0:
        return image
    result = gaussian(image, sigma)
    for _ in range(ROUNDS):
        result = _guided(luma(result), image, sigma)
    return result


def posterised(image: torch.Tensor, levels: int, phase: float = 0.0) -> torch.Tensor:
    """(B,3,H,W) to the same with its luma drawn towards `levels` + 1 tones in [0,1]; the colour differences stay.

    The stairs are soft (twice y = x − sin(2π n x) / (2π n), which is flat at the tones), so that a tone between two of
    them does not flip when it changes a little. `phase` in 0..1 moves the tones by a part of their distance.
    """
    tone = luma(image)
    stairs = tone
    for _ in range(2):
        stairs = stairs - torch.sin(2 * math.pi * (levels * stairs - phase)) / (2 * math.pi * levels)
    return image + (stairs - tone)


def flatness(image: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W) in [0,1] to (B,1,H,W): 1 where the picture is made of areas of one colour, as drawings are, 0 where it has
    texture or grain."""
    around = F.pad(image, (1, 1, 1, 1), mode="replicate")
    spread = F.max_pool2d(around, 3, 1) + F.max_pool2d(-around, 3, 1)
    share = gaussian((spread.amax(dim=1, keepdim=True) < STEP).to(image), FLAT_REACH)
    low, high = FLAT_SHARE
    x = ((share - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)
