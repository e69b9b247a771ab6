"""LPIPS: distance of two pictures in a network's features (Zhang et al. 2018, arXiv 1801.03924, Eq. 1; AlexNet, v0.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from gpu.errors import SizeError
from gpu.metrics.perceptual import alexnet
from gpu.metrics.perceptual.weights import ALEXNET, LPIPS_HEADS, load

NEEDS = (ALEXNET, LPIPS_HEADS)

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""Mean and deviation of ImageNet's pictures in [-1, 1], as the published heads were trained with."""


def measure(folder: Path | None, device: torch.device) -> Callable[[torch.Tensor, torch.Tensor], float]:
    """A function of two pictures (3,H,W) in [0, 1] that gives their distance: 0 for the same, about 0.1 where one has to look,
    0.7 for unrelated ones. ModelError when the weights (NEEDS) are missing; it raises SizeError below 63 pixels a side."""
    network, heads = load(ALEXNET, folder, device), load(LPIPS_HEADS, folder, device)
    shift, scale = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (SHIFT, SCALE))

    def distance(first: torch.Tensor, second: torch.Tensor) -> float:
        if first.shape != second.shape or first.ndim != 3 or min(first.shape[-2:]) < alexnet.LEAST:
            raise SizeError(
                f"LPIPS compares two pictures of one size, at least {alexnet.LEAST} pixels a side, not "
                f"{tuple(first.shape)} and {tuple(second.shape)}."
            )
        pair = (2 * torch.stack([first, second]).to(device, torch.float32) - 1 - shift) / scale
        total = 0.0
        for number, maps in enumerate(alexnet.features(network, pair)):
            unit = maps / (maps.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
            head = heads[f"lin{number}.model.1.weight"].flatten()
            total += float(((unit[0] - unit[1]).square() * head.view(-1, 1, 1)).sum(dim=0).mean())
        return total

    return distance
