"""AlexNet's convolutions (Krizhevsky 2014, arXiv 1404.5997, as torchvision numbers them), as a function of its tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gpu.metrics.perceptual.weights import State

LAYERS = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
"""Index of each convolution, its stride and padding, and whether a 3 × 3 maximum of stride 2 goes before it."""

LEAST = 63
"""Smallest height and width whose last map still has a pixel to compare around its border."""


def features(state: State, x: torch.Tensor) -> list[torch.Tensor]:
    """(B,3,H,W) normalised pictures to the five maps after each convolution's ReLU, (B,C,h,w) each."""
    maps = []
    for index, stride, padding, pooled in LAYERS:
        if pooled:
            x = F.max_pool2d(x, 3, 2)
        weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
        x = F.relu(F.conv2d(x, weight, bias, stride, padding))
        maps.append(x)
    return maps
