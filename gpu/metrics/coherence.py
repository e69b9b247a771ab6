"""Coherence of noise along the true motion, and the ceiling that even perfect transport has under this measure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from gpu import compiled
from gpu.flow.maps import bilinear, inside

SAMPLES = 16384
"""The ceiling is averaged over at most about this many pixels."""

PARTS = 3
"""The image of a pixel is taken as PARTS x PARTS boxes."""


@dataclass(frozen=True)
class Coherence:
    """Correlation along the true motion with the previous frame's noise and with the shot's first frame's.

    `ceiling` is what perfect area transport reaches with the previous frame; `n` pixels were compared with it.
    """

    previous: float
    first: float
    ceiling: float
    n: int


def correlation(
    other: torch.Tensor, this: torch.Tensor, positions: torch.Tensor, valid: torch.Tensor
) -> tuple[float, int]:
    """Correlation of `this` (C, H, W) with `other` (C, H, W) sampled bilinearly at `positions`, and the pixels used.

    Args:
        other: (C, H, W) noise of another frame, the previous one say.
        this: (C, H, W) noise of this frame.
        positions: (H, W, 2) absolute places in the other frame of what this frame's pixel centres see.
        valid: (H, W) bool, where that holds.

    Positions closer to the border than half a pixel, where two neighbours to interpolate are missing, do not count. All
    channels enter one Pearson correlation; NaN where fewer than 2 pixels or no variance is left.

    >>> from gpu.flow.maps import pixel_centres
    >>> first = torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(1))
    >>> second = first.roll(3, dims=-1)  # moved to the right by 3 pixels
    >>> came_from = pixel_centres(32, 32) - torch.tensor([3.0, 0.0])
    >>> value, pixels = correlation(first, second, came_from, torch.ones(32, 32, dtype=torch.bool))
    >>> round(value, 4), pixels
    (1.0, 928)
    """
    _, height, width = this.shape
    if _compilable(other, this, positions):
        return _correlation(other, this, positions, valid)
    used = (valid & inside(positions, height, width, 0.5)).reshape(-1).nonzero()[:, 0]
    n = int(used.numel())
    if n < 2:
        return math.nan, n
    a = bilinear(other, positions.reshape(-1, 2)[used])
    b = this.reshape(this.shape[0], -1)[:, used]
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float((a * a).sum())) * math.sqrt(float((b * b).sum()))
    return (float((a * b).sum()) / scale, n) if scale > 0 else (math.nan, n)


def _compilable(*tensors: torch.Tensor) -> bool:
    """Whether compiled code can work on these: float32 on the processor."""
    return compiled.available() and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)


def _correlation(
    other: torch.Tensor, this: torch.Tensor, positions: torch.Tensor, valid: torch.Tensor
) -> tuple[float, int]:
    """`correlation` by compiled code."""
    from gpu.metrics import coherence_compiled

    sums = np.zeros(5)
    there, here = (frame.detach().contiguous().numpy() for frame in (other, this))
    places, usable = positions.detach().reshape(-1, 2).contiguous().numpy(), valid.reshape(-1).contiguous().numpy()
    pixels = coherence_compiled.sums(there, here, places, usable, sums)
    values = pixels * len(this)
    if pixels < 2:
        return math.nan, pixels
    mean_a, mean_b, squares_a, squares_b, products = sums / values
    spread_a, spread_b = squares_a - mean_a**2, squares_b - mean_b**2
    if not (spread_a > 1e-12 * squares_a and spread_b > 1e-12 * squares_b):
        return math.nan, pixels  # what is left of a constant is rounding
    return float((products - mean_a * mean_b) / math.sqrt(spread_a * spread_b)), pixels


def ceiling(positions: torch.Tensor, valid: torch.Tensor) -> float:
    """The `correlation` that perfect area transport of white noise would have for this motion.

    Perfect transport gives pixel p the white noise W of its image A in the other frame, G = W(A) / sqrt|A|. The measure
    compares it with the bilinear sample S = sum_i w_i W(Q_i) over the four pixels Q_i around the image of p's centre.
    So Var S = sum w_i^2 and Cov(G, S) = sum_i w_i |A n Q_i| / sqrt|A|, and the correlation over all pixels is
    mean Cov / sqrt(mean Var S). For a translation by a fraction (a, b), |A n Q_i| = w_i, which gives sqrt(sum w_i^2):
    1 at whole pixels, 1/2 at half pixels, and over uniformly spread fractions sqrt(4/9) = 2/3.

    A is approximated by PARTS x PARTS boxes whose centres and second moments follow the Jacobian of `positions`
    (central differences): exact for translation and axis-parallel scaling; for rotation and shear within 0.001 of
    the limit of many boxes. Pixels without valid neighbours, or stretched more than fourfold, are left out. NaN where
    no pixel is left.

    >>> from gpu.flow.maps import pixel_centres
    >>> valid = torch.ones(32, 32, dtype=torch.bool)
    >>> [round(ceiling(pixel_centres(32, 32) + shift, valid), 3) for shift in (3.0, 0.5)]
    [1.0, 0.5]
    """
    height, width = valid.shape
    if height < 3 or width < 3:
        return math.nan
    if _compilable(positions):
        from gpu.metrics import coherence_compiled

        places, sums = positions.detach().reshape(-1, 2).contiguous().numpy(), np.zeros(2)
        there = coherence_compiled.usable_rows(places, valid.reshape(-1).contiguous().numpy(), height, width)
        pixels = coherence_compiled.ceiling(places, there, PARTS, SAMPLES, sums)
        return float(sums[0] / pixels / math.sqrt(sums[1] / pixels)) if pixels else math.nan
    usable = valid & inside(positions, height, width, 0.5)
    middle = usable[1:-1, 1:-1] & usable[1:-1, 2:] & usable[1:-1, :-2] & usable[2:, 1:-1] & usable[:-2, 1:-1]
    picked = middle.reshape(-1).nonzero()[:, 0]
    if picked.numel() > SAMPLES:
        # Spread evenly by a fractional step, so that no row or column pattern is met in step.
        index = torch.arange(SAMPLES, device=picked.device, dtype=torch.float64) * (picked.numel() / SAMPLES)
        picked = picked[index.long()]
    along_x = ((positions[1:-1, 2:] - positions[1:-1, :-2]) / 2).reshape(-1, 2)[picked]
    along_y = ((positions[2:, 1:-1] - positions[:-2, 1:-1]) / 2).reshape(-1, 2)[picked]
    centre = positions[1:-1, 1:-1].reshape(-1, 2)[picked]
    area = (along_x[:, 0] * along_y[:, 1] - along_x[:, 1] * along_y[:, 0]).abs()
    half = torch.hypot(along_x, along_y) / (2 * PARTS)  # half sides of a part's box, with the part's second moments
    fine = (half * 2 * PARTS).amax(dim=1) < 4
    centre, along_x, along_y, area, half = (value[fine] for value in (centre, along_x, along_y, area, half))
    if centre.numel() == 0:
        return math.nan
    corner = (centre - 0.5).floor()  # the four pixels meet at corner + 1
    share = centre - 0.5 - corner
    half = half.clamp(min=1e-6)
    mean_weight = torch.zeros_like(area)
    for u in range(PARTS):
        for v in range(PARTS):
            at = centre + along_x * ((u + 0.5) / PARTS - 0.5) + along_y * ((v + 0.5) / PARTS - 0.5) - corner
            low, high = at - half, at + half
            first = high.clamp(0, 1) - low.clamp(0, 1)
            second = high.clamp(1, 2) - low.clamp(1, 2)
            weight = ((1 - share) * first + share * second) / (high - low)
            mean_weight += weight[:, 0] * weight[:, 1]
    covariance = area.sqrt() * mean_weight / PARTS**2
    variance = (share.square() + (1 - share).square()).prod(dim=1)
    return float(covariance.mean() / variance.mean().sqrt())
