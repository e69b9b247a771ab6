"""What models are trained on: sources of (target, condition) pairs, each pair a pure function of its generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from gpu.diffusion.data.photos import Photos
from gpu.errors import ModelError

# What a recipe makes of clean crops (B,3,S,S) in [0,1]: target (B,I,h,w) and condition (B,C,h,w), or None for no condition.
Pair = Callable[[torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor | None]]


class Examples(Protocol):
    """Endless training examples."""

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """`count` targets (B,I,h,w) of rms about sigma_data and their conditions (B,C,h,w), float32 on the CPU."""
        ...


class PhotoPairs:
    """Examples made of random photo crops of `size` pixels a side."""

    def __init__(self, folder: Path | None, use: str, size: int, pair: Pair, choices: int = 2) -> None:
        """`use` is "train" or "validate"; of `choices` crops the one with most detail is taken. ModelError without photos."""
        if folder is None:
            raise ModelError("This recipe is trained on photos: give their folder with --photos.")
        self._photos, self._size, self._pair, self._choices = Photos(folder, use), size, pair, choices

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return self._pair(self._photos.batch(rng, count, self._size, self._choices), generator)
