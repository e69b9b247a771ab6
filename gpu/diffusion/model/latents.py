"""Latents of the bundled autoencoder: its name, its grid, and pictures to scaled latents and back."""

from __future__ import annotations

import torch

from gpu.diffusion.model.autoencoder import AutoencoderConfig
from gpu.diffusion.model.weight_files import AutoencoderModel

AUTOENCODER = "autoencoder"
FACTOR = 4  # pixels along the side of a latent
CHANNELS = AutoencoderConfig().latent_channels


def latent_of(autoencoder: AutoencoderModel, picture: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W) in [0,1] to scaled latents (B,CHANNELS,H/4,W/4) of rms about 0.5 over photos; H, W multiples of 4."""
    return autoencoder.settings["scale"] * autoencoder.network.encode(picture)


def picture_of(autoencoder: AutoencoderModel, latent: torch.Tensor) -> torch.Tensor:
    """The inverse of `latent_of`, as far as there is one; not clamped."""
    return autoencoder.network.decode(latent / autoencoder.settings["scale"])
