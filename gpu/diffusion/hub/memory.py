"""How much memory is free for a model's weights, asked before they are loaded."""

from __future__ import annotations

import torch

from gpu.diffusion.hub.libraries import library
from gpu.errors import ModelError

WORKING_SHARE = 1.2
"""Activations and copies, as a factor on the weights; a frame much larger than the model was made for takes more."""


def available(device: torch.device) -> int:
    """Bytes that can be taken on `device` now without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return int(library("psutil").virtual_memory().available)


def check_room(name: str, weights: int, device: torch.device) -> None:
    """ModelError when `weights` bytes, with what working with them takes, are more than is free on `device`."""
    needed, free = int(weights * WORKING_SHARE), available(device)
    if needed > free:
        raise ModelError(
            f"There is not enough memory for {name}: it needs about {needed / 1e9:.1f} GB on {device} and "
            f"{free / 1e9:.1f} GB are free. Close other programs or choose a smaller model or another device."
        )
