"""FID: distance of two sets of pictures by the Gaussians of their features (Heusel et al. 2017, arXiv 1706.08500, Eq. 6)."""

from __future__ import annotations

import math

import torch

from gpu.errors import SizeError
from gpu.metrics.perceptual.weights import INCEPTION

NEEDS = (INCEPTION,)

RELIABLE = 2048
"""Pictures a set below which the covariance of 2048 features is singular and FID is biased upwards by much; compare only
figures of equal n."""


def frechet(first: torch.Tensor, second: torch.Tensor) -> float:
    """Fréchet distance of two sets of features (n,F) and (m,F): |μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½). NaN below two a set.

    The trace of the root is the nuclear norm of A·Bᵀ, where Σ = AᵀA: exact also where covariances are singular, and its
    cost is that of the smaller side.
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise SizeError(f"FID compares features (n, F) of one F, not {tuple(first.shape)} and {tuple(second.shape)}.")
    if min(len(first), len(second)) < 2:
        return math.nan
    first, second = first.double(), second.double()
    means = first.mean(dim=0) - second.mean(dim=0)
    a, b = ((x - x.mean(dim=0)) / math.sqrt(len(x) - 1) for x in (first, second))
    if min(len(a), len(b)) > a.shape[1]:  # roots as square as the covariance keep the product small
        a, b = (torch.linalg.qr(x, mode="r")[1] for x in (a, b))
    root = torch.linalg.svdvals(a @ b.T).sum()
    return max(0.0, float(means.square().sum() + a.square().sum() + b.square().sum() - 2 * root))
