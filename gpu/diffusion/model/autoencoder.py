"""The small convolutional autoencoder whose latents a diffusion model can work on: 4 times smaller, 4 channels.

Latent diffusion (Rombach et al. 2022, arXiv 2112.10752) in miniature. It is built like the U-Net of network.py, without
attention and normalisation and with low-passed changes of size, so that what latents lose in coherence is not the fault
of a careless network.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from gpu import interrupt

LATENT_RMS = 0.5
"""Training pulls every channel of the latents to mean 0 and this rms, the sigma_data of the diffusion models."""

LATENT_NOISE = 0.025
"""Gaussian noise on the latents in training: with the fixed rms it bounds what a latent can hold, so that near latents
decode to near pictures (a variational autoencoder whose posterior has one fixed width)."""

_RMS_WEIGHT, _GRADIENT_WEIGHT, _TEXTURE_WEIGHT = 0.01, 0.5, 0.2


@dataclass(frozen=True)
class AutoencoderConfig:
    """Everything needed to build the network again; stored with the weights."""

    latent_channels: int = 4
    channels: tuple[int, ...] = (48, 96)  # one entry a level; the first level works on the folded picture
    encoder_blocks: tuple[int, ...] = (1, 2)  # residual blocks a level
    decoder_blocks: tuple[int, ...] = (2, 3)
    fold: int = 2  # the picture is folded fold x fold into channels


class _Block(nn.Module):
    """Residual block of two 3×3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():  # start near the identity, as in network.Block
            self.second.weight.mul_(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        interrupt.poll()
        result: torch.Tensor = x + self.second(F.silu(self.first(F.silu(x))))
        return result


def _stack(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(channels) for _ in range(count)))


class Autoencoder(nn.Module):
    """Pictures (B,3,H,W) in [0,1] to latents (B,L,H/f,W/f) of rms about 0.5 and back; H and W multiples of f = `factor`."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        channels, pixel = config.channels, 3 * config.fold**2
        pairs = list(itertools.pairwise(channels))
        self.read = nn.Conv2d(pixel, channels[0], 3, padding=1)
        self.down = nn.ModuleList(_stack(c, n) for c, n in zip(channels, config.encoder_blocks, strict=True))
        self.widen = nn.ModuleList(nn.Conv2d(fine, coarse, 3, padding=1) for fine, coarse in pairs)
        self.squeeze = nn.Conv2d(channels[-1], config.latent_channels, 3, padding=1)
        self.expand = nn.Conv2d(config.latent_channels, channels[-1], 3, padding=1)
        self.up = nn.ModuleList(_stack(c, n) for c, n in zip(channels, config.decoder_blocks, strict=True))
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.write = nn.Conv2d(channels[0], pixel, 3, padding=1)
        # A short way round: the latents hold the reduced picture, and the network adds what that lacks.
        self.reduced = nn.Conv2d(3, config.latent_channels, 1, bias=False)
        self.enlarged = nn.Conv2d(config.latent_channels, 3, 1, bias=False)

    @property
    def factor(self) -> int:
        """Pixels along the side of one latent pixel."""
        return self.config.fold << (len(self.config.channels) - 1)

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) in [0,1] to (B,L,H/f,W/f)."""
        signed = 2 * picture - 1
        h = self.read(F.pixel_unshuffle(signed, self.config.fold))
        for level, stack in enumerate(self.down):
            if level > 0:
                h = self.widen[level - 1](F.avg_pool2d(h, 2))
            h = stack(h)
        latent: torch.Tensor = self.squeeze(F.silu(h)) + self.reduced(F.avg_pool2d(signed, self.factor))
        return latent

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        """(B,L,h,w) to (B,3,f·h,f·w), about [0,1]; not clamped."""
        h = self.expand(latent)
        for level in reversed(range(len(self.up))):
            h = self.up[level](h)
            if level > 0:
                h = F.interpolate(self.narrow[level - 1](h), scale_factor=2.0, mode="bilinear", align_corners=False)
        detail = F.pixel_shuffle(self.write(F.silu(h)), self.config.fold)
        plain = F.interpolate(
            self.enlarged(latent), scale_factor=float(self.factor), mode="bilinear", align_corners=False
        )
        return (detail + plain + 1) / 2

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """There and back: (B,3,H,W) to (B,3,H,W)."""
        return self.decode(self.encode(picture))


def _laplacian(picture: torch.Tensor) -> torch.Tensor:
    around = picture[..., 1:-1, 2:] + picture[..., 1:-1, :-2] + picture[..., 2:, 1:-1] + picture[..., :-2, 1:-1]
    return around - 4 * picture[..., 1:-1, 1:-1]


def _roughness(picture: torch.Tensor) -> torch.Tensor:
    """Root mean square of the Laplacian over windows of 8×8 pixels: how much fine texture is where."""
    return (F.avg_pool2d(_laplacian(picture).square(), 8, stride=4) + 1e-5).sqrt()


def autoencoder_loss(network: Autoencoder, picture: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Loss per example (B,) of the round trip of pictures (B,3,H,W), H and W at least 10 and multiples of `factor`.

    Mean absolute error of values, of differences between neighbours and of `_roughness` (which keeps texture that the
    latents cannot hold from being averaged away: the decoder makes up its phase, as adversarially trained ones do), and
    the distance of every latent channel from mean 0 and rms `LATENT_RMS` over the batch.
    """
    latent = network.encode(picture)
    disturbance = torch.randn(latent.shape, generator=generator).to(latent.device)
    back = network.decode(latent + LATENT_NOISE * disturbance)
    over, difference = (1, 2, 3), back - picture
    slopes = difference.diff(dim=2).abs().mean(over) + difference.diff(dim=3).abs().mean(over)
    texture = (_roughness(back) - _roughness(picture)).abs().mean(over)
    relative = latent / LATENT_RMS
    moments = (relative.square().mean((0, 2, 3)).sqrt() - 1).square() + relative.mean((0, 2, 3)).square()
    return (
        difference.abs().mean(over) + _GRADIENT_WEIGHT * slopes + _TEXTURE_WEIGHT * texture
        + _RMS_WEIGHT * moments.mean()
    )  # fmt: skip
