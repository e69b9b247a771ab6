"""The radially averaged power spectrum of noise, relative to white noise of variance 1, and whether it is flat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from gpu import compiled

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

RINGS = 48
"""Most rings of equal width between frequency 0 and the corner of the frequency plane."""


@dataclass(frozen=True)
class Spectrum:
    """`curve` (F, 2): frequency in cycles per pixel, mean power there (white noise of variance 1 has power 1).

    `p` is the p-value of the most unusual ring given the total power, adjusted for the number of rings; `frequency`
    and `share` are that ring's frequency and its power relative to the mean power. NaN where there is one ring or none.
    """

    curve: F32
    p: float
    frequency: float
    share: float


def radial_spectrum(power: torch.Tensor, width: int, scale: float) -> Spectrum:
    """The spectrum from `power` (H, W//2 + 1), the sum over channels of |rfft2|^2 of the field with zero mean.

    `scale` makes it relative: 1 / (channels * H * W). With white Gaussian noise, the sums of rings are independent
    gamma variables, so a ring's share of the total power is Beta(m/2, (M - m)/2) for m of M real coefficients: the test
    is exact and does not depend on the variance. The zero frequency, the mean, is left out.
    """
    height = power.shape[0]
    ring, multiplicity, centres, counts = _rings(height, width)
    values = power.detach().double().cpu().numpy().ravel() * multiplicity
    sums = np.bincount(ring, weights=values, minlength=len(counts) + 1)[1:] * scale
    if len(counts) == 0:
        return Spectrum(np.zeros((0, 2), dtype=np.float32), math.nan, math.nan, math.nan)
    curve = np.stack((centres, sums / counts), axis=1).astype(np.float32)
    total, coefficients = float(sums.sum()), float(counts.sum())
    if len(counts) < 2 or not (0 < total < math.inf):
        return Spectrum(curve, math.nan, math.nan, math.nan)
    channels = 1 / (scale * height * width)
    a, b = counts * channels / 2, (coefficients - counts) * channels / 2
    share = np.clip(sums / total, 0, 1)
    each = np.minimum(1, 2 * np.minimum(special.betainc(a, b, share), special.betaincc(a, b, share)))
    worst = int(np.argmin(each))
    if each[worst] < 1e-12:  # where all is unlikely, the strongest deviation is what one sees in the curve
        worst = int(np.argmax(np.where(each < 1e-12, np.abs(share / counts * coefficients - 1), 0)))
    p = -math.expm1(len(counts) * math.log1p(-min(float(each[worst]), 1 - 1e-16)))
    return Spectrum(curve, p, float(centres[worst]), float(share[worst] / counts[worst] * coefficients))


def power(transform: torch.Tensor) -> torch.Tensor:
    """|.|^2 of a tensor of complex numbers."""
    parts = torch.view_as_real(transform)
    if transform.device.type != "cpu" or parts.dtype != torch.float32 or not compiled.available():
        return parts.square().sum(dim=-1)
    from gpu.metrics import spectrum_compiled

    out = torch.empty(transform.shape)
    spectrum_compiled.power(parts.reshape(-1, 2).numpy(), out.view(-1).numpy())
    return out


@lru_cache(maxsize=8)
def _rings(height: int, width: int) -> tuple[I64, F64, F64, F64]:
    """Ring of each rfft2 coefficient (0: zero frequency), its multiplicity in the plane, rings' centres, counts."""
    fy, fx = np.abs(np.fft.fftfreq(height)), np.fft.rfftfreq(width)
    radius = np.hypot(fy[:, None], fx[None, :])
    multiplicity = np.full((height, len(fx)), 2.0)
    multiplicity[:, 0] = 1
    if width % 2 == 0:
        multiplicity[:, -1] = 1
    rings = max(1, min(RINGS, max(height, width) // 4))
    index = np.minimum((radius / (radius.max() or 1.0) * rings).astype(np.int64), rings - 1) + 1
    index[0, 0] = 0
    counts = np.asarray(np.bincount(index.ravel(), weights=multiplicity.ravel(), minlength=rings + 1), np.float64)
    radii = np.bincount(index.ravel(), weights=(multiplicity * radius).ravel(), minlength=rings + 1)
    filled = np.flatnonzero(counts[1:]) + 1
    renumber = np.zeros(rings + 1, dtype=np.int64)
    renumber[filled] = np.arange(1, len(filled) + 1)
    return (
        renumber[index].ravel(),
        multiplicity.ravel(),
        np.asarray(radii[filled] / counts[filled], np.float64),
        counts[filled],
    )
