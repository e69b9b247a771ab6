"""VGG-16 up to its second fully connected layer (Simonyan and Zisserman 2014, arXiv 1409.1556), as a function of tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gpu.metrics.perceptual.weights import State

BLOCKS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Indices of the 3 × 3 convolutions between two halvings of the resolution."""

SIDE = 224
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1], which torchvision's weights expect to be taken away and divided by."""


def features(state: State, pictures: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W) pictures in [0, 1] of any size to (B,4096): the activations of the second hidden layer."""
    x = F.interpolate(pictures, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
    mean, std = (torch.tensor(values, device=x.device).view(1, 3, 1, 1) for values in (MEAN, STD))
    x = (x - mean) / std
    for block in BLOCKS:
        for index in block:
            x = F.relu(F.conv2d(x, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1))
        x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for index in (0, 3):
        x = F.relu(F.linear(x, state[f"classifier.{index}.weight"], state[f"classifier.{index}.bias"]))
    return x
