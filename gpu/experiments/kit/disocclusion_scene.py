"""What is measured of one scene in which things come into view and go: correlations by group of pixels, shares of states."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from gpu.flow import maps

U8 = npt.NDArray[np.uint8]


@dataclass
class Sums:
    """What a correlation of zero-mean values is made of, added up over frames."""

    ab: float = 0.0
    aa: float = 0.0
    bb: float = 0.0
    pixels: int = 0

    def add(self, other: torch.Tensor, this: torch.Tensor, positions: torch.Tensor, chosen: torch.Tensor) -> None:
        """Add `this` (C, H, W) at `chosen` (H, W) against `other` (C, H, W) sampled bilinearly at `positions` (H, W, 2)."""
        height, width = chosen.shape
        used = (chosen & maps.inside(positions, height, width, 0.5)).reshape(-1).nonzero()[:, 0]
        if not len(used):
            return
        a = maps.bilinear(other, positions.reshape(-1, 2)[used]).double()
        b = this.reshape(len(this), -1)[:, used].double()
        self.ab += float((a * b).sum())
        self.aa += float((a * a).sum())
        self.bb += float((b * b).sum())
        self.pixels += len(used)

    @property
    def correlation(self) -> float:
        """NaN where nothing was added."""
        return self.ab / math.sqrt(self.aa * self.bb) if self.aa * self.bb > 0 else math.nan


@dataclass
class Scene:
    """One run, a scene and seed of its own: by fill and group the correlations, by fill and frame the shares of states and the
    correlation of uncovered pixels, the smallest p-value of the whiteness of any frame looked at, and pictures by frame."""

    pattern: int
    groups: dict[tuple[str, str], Sums] = field(default_factory=dict)
    shares: dict[tuple[str, int], list[float]] = field(default_factory=dict)  # state: a share for each frame
    uncovered: dict[str, list[float]] = field(default_factory=dict)
    ceiling: float = math.nan
    smallest_p: dict[str, float] = field(default_factory=dict)
    tests: int = 0
    frames: dict[int, U8] = field(default_factory=dict)
    states: dict[tuple[str, int], U8] = field(default_factory=dict)
