"""Pictures to and from the grids and value ranges of pipelines."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from gpu.diffusion.hub.family import Pipeline, Settings


def resized(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(3,H,W) to (3,height,width): bicubic, low-pass where it becomes smaller."""
    if image.shape[-2:] == (height, width):
        return image
    there = image.cpu() if image.device.type == "mps" else image  # has no antialiasing
    out = F.interpolate(there[None], (height, width), mode="bicubic", antialias=True, align_corners=False)[0]
    return out.to(image.device)


def working_size(image: torch.Tensor, shorter: int, multiple: int) -> tuple[int, int]:
    """(height, width) of the shape of `image`, the shorter side about `shorter`, both multiples of `multiple`."""
    height, width = image.shape[-2:]
    scale = shorter / min(height, width)
    rows, columns = (max(1, round(side * scale / multiple)) * multiple for side in (height, width))
    return rows, columns


def latent_working_picture(pipeline: Pipeline, frame: torch.Tensor, settings: Settings) -> torch.Tensor:
    """`frame` (3,H,W) at the size that a latent model works at: its own shape, the shorter side as in training."""
    factor = pipeline.parts.vae_scale_factor
    shorter = settings.size or pipeline.parts.unet.config.sample_size * factor
    return resized(frame, *working_size(frame, shorter, factor)).clamp(0, 1)


def encode(vae: Any, image: torch.Tensor) -> torch.Tensor:
    """(3,H,W) in [0,1] to the latents (1,C,h,w) that the UNet works on: the mean of the encoder's distribution."""
    latents = vae.encode((2 * image - 1)[None].to(vae.dtype)).latent_dist.mode().float()
    mean, std = _statistics(vae, latents)
    scaled: torch.Tensor = (latents - mean) * vae.config.scaling_factor / std
    return scaled


def decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """(1,C,h,w) latents of the UNet to the picture (3,H,W) in about [0,1]."""
    mean, std = _statistics(vae, latents)
    plain = latents * std / vae.config.scaling_factor + mean
    image: torch.Tensor = vae.decode(plain.to(vae.dtype), return_dict=False)[0].float()
    return (image[0] + 1) / 2


def _statistics(vae: Any, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation by channel that a few autoencoders are configured with; else 0 and 1."""
    mean, std = vae.config.get("latents_mean"), vae.config.get("latents_std")
    if mean is None or std is None:
        return latents.new_zeros(()), latents.new_ones(())
    column = (1, -1, 1, 1)
    return latents.new_tensor(mean).view(column), latents.new_tensor(std).view(column)
