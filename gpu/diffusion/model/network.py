"""The small convolutional U-Net that all models trained in this project share.

No attention and no normalisation: both look at the whole picture, so the output at one place would change when
something elsewhere does, and the same texture could not follow a motion. Down- and up-sampling are low-passed
(average, bilinear) for the same reason: Zhang 2019, "Making Convolutional Networks Shift-Invariant Again".
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from gpu import interrupt


@dataclass(frozen=True)
class NetworkConfig:
    """Everything needed to build the network again; stored with the weights."""

    image_channels: int = 3
    condition_channels: int = 3  # 0: nothing is conditioned on
    channels: tuple[int, ...] = (48, 96)  # one entry a level; the first level works on the folded picture
    blocks: tuple[int, ...] = (2, 3)  # residual blocks a level, on the way down and (but the last) again on the way up
    embedding: int = 64
    fold: int = 2  # the picture is folded fold x fold into channels; 1 for latents, which are small already


class NoiseEmbedding(nn.Module):
    """c_noise (B,) to (B, width): fixed Fourier features and two layers."""

    frequencies: torch.Tensor

    def __init__(self, width: int, count: int = 8) -> None:
        super().__init__()
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.linspace(-2, 2, count), persistent=False)
        self.first = nn.Linear(2 * count, width)
        self.second = nn.Linear(width, width)

    def forward(self, c_noise: torch.Tensor) -> torch.Tensor:
        angles = c_noise[:, None] * self.frequencies[None, :]
        features = torch.cat([angles.cos(), angles.sin()], dim=1)
        return F.silu(self.second(F.silu(self.first(features))))


class Block(nn.Module):
    """Residual block of two 3×3 convolutions whose middle is scaled and shifted by the noise level."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.level = nn.Linear(embedding, 2 * channels)
        with torch.no_grad():  # start near the identity: there is no normalisation to tame a deep sum
            self.second.weight.mul_(0.2)
            self.level.weight.mul_(0.2)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        interrupt.poll()
        scale, shift = self.level(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.first(F.silu(x)) * (1 + scale) + shift
        result: torch.Tensor = x + self.second(F.silu(h))
        return result


class UNet(nn.Module):
    """F(x, condition, c_noise): (B,I,H,W), (B,C,H,W), (B,) to (B,I,H,W); H and W multiples of `size_multiple`.

    I image and C condition channels are those of the configuration; without condition channels `condition` is not read.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        channels, blocks = config.channels, config.blocks
        self.embedding = NoiseEmbedding(config.embedding)
        inputs = config.image_channels + config.condition_channels
        self.input = nn.Conv2d(config.fold**2 * inputs, channels[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.ModuleList(Block(c, config.embedding) for _ in range(n)) for c, n in zip(channels, blocks, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ModuleList(Block(c, config.embedding) for _ in range(n))
            for c, n in zip(channels[:-1], blocks[:-1], strict=True)
        )
        pairs = list(itertools.pairwise(channels))
        self.widen = nn.ModuleList(nn.Conv2d(fine, coarse, 3, padding=1) for fine, coarse in pairs)
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.output = nn.Conv2d(channels[0], config.fold**2 * config.image_channels, 3, padding=1)
        nn.init.zeros_(self.output.weight)
        assert self.output.bias is not None
        nn.init.zeros_(self.output.bias)

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this."""
        return self.config.fold << (len(self.config.channels) - 1)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None, c_noise: torch.Tensor) -> torch.Tensor:
        embedding = self.embedding(c_noise)
        if self.config.condition_channels:
            assert condition is not None
            x = torch.cat([x, condition], dim=1)
        h = self.input(F.pixel_unshuffle(x, self.config.fold))
        kept: list[torch.Tensor] = []
        for level, stack in enumerate(self.down):
            if level > 0:
                kept.append(h)
                h = self.widen[level - 1](F.avg_pool2d(h, 2))
            for block in stack:  # type: ignore[attr-defined]
                h = block(h, embedding)
        for level in reversed(range(len(self.up))):
            coarse = F.interpolate(self.narrow[level](h), scale_factor=2.0, mode="bilinear", align_corners=False)
            h = kept[level] + coarse
            for block in self.up[level]:  # type: ignore[attr-defined]
                h = block(h, embedding)
        return F.pixel_shuffle(self.output(F.silu(h)), self.config.fold)
