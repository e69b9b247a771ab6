"""Improved Precision: the share of pictures that lie where real ones do (Kynkäänniemi et al. 2019, arXiv 1904.06991)."""

from __future__ import annotations

import math

import torch

from gpu.errors import SizeError
from gpu.metrics.perceptual.weights import VGG16

NEEDS = (VGG16,)

NEIGHBOURS = 3
"""k of the paper: the radius around a real picture reaches to its k-th nearest."""


def precision(made: torch.Tensor, real: torch.Tensor, neighbours: int = NEIGHBOURS) -> float:
    """Share of `made` features (n,F) within the manifold of the `real` ones (m,F), as in Algorithm 1. NaN with
    no made or with m ≤ k real.

    The paper takes the features of VGG-16's second hidden layer; torchvision's weights, used here, were trained anew, so that
    figures differ a little from those of the authors' code. Recall is the same with the sets exchanged.
    """
    if made.ndim != 2 or real.ndim != 2 or made.shape[1] != real.shape[1]:
        raise SizeError(
            f"Precision compares features (n, F) of one F, not {tuple(made.shape)} and {tuple(real.shape)}."
        )
    if not len(made) or len(real) <= neighbours:
        return math.nan
    made, real = made.double(), real.double()
    radii = torch.cdist(real, real).kthvalue(neighbours + 1, dim=1).values  # the nearest is the picture itself
    return float((torch.cdist(made, real) <= radii).any(dim=1).double().mean())
