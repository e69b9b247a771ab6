"""∫-noise chained from frame to frame, as a lesson's counter-example: each frame's fine field is drawn anew, given its pixels.

The program's own ∫-noise is anchored (gpu.noise.transport). Chaining it is what methods do that keep only the last frame,
such as the particle variant of Deng et al. 2025 (arXiv 2411.01212), which is the limit k → ∞ of what is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from app.lessons.compute.draw_statistics import CPU
from gpu.noise import field, gathering, tracks
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.sparse import Claims
from gpu.noise.states import NEW
from gpu.noise.tiling import SLOT, NoiseGrid, Tiling
from gpu.priors import Motion

SEGMENTS = 4  # of a side of an outline


@dataclass(frozen=True)
class _FrameField:
    """gpu.noise.fine_field.FineField of the `noise` (C, H, W) of one frame, whatever made it."""

    seed: int
    tiling: Tiling
    noise: torch.Tensor

    def piece(self, name: int, channel: int) -> torch.Tensor:
        label, y, x, height, width = self.tiling.pixels(name)
        k = self.tiling.k
        values = self.noise[channel, y : y + height, x : x + width].contiguous()
        fine = torch.zeros((SLOT, SLOT), dtype=torch.int32)
        fine[: height << k, : width << k] = field.cells(field.fixed(values), self.seed, label, channel, k, y, x)
        return fine

    def pieces(self, names: tuple[int, ...], channel: int, keep: bool) -> torch.Tensor:
        return torch.stack([self.piece(name, channel) for name in names])

    def by_pixel(self, label: torch.Tensor) -> torch.Tensor:
        """Of none: every piece is rasterised whole."""
        return torch.zeros_like(label, dtype=torch.bool)

    def values(self, owned: Claims, channels: int) -> Iterator[torch.Tensor]:
        raise NotImplementedError("no pixel of a frame's field is refined on its own")


class ChainedIntegral:
    """∫-noise of frame t from that of frame t - 1 alone: `step` makes one frame of the next."""

    def __init__(self, motion: Motion, height: int, width: int, channels: int, seed: int, k: int = 3) -> None:
        self._motion, self._channels, self._seed = motion, channels, seed
        self._tiling, self._rasteriser = Tiling(NoiseGrid(height, width, CPU), k), TorchRasteriser()

    def start(self) -> torch.Tensor:
        """(C, H, W) the noise of frame 0, the same as that of every prior."""
        grid = self._tiling.grid
        return field.pixels(self._seed, 0, self._channels, grid.height, grid.width, CPU)

    def step(self, before: torch.Tensor, t: int) -> torch.Tensor:
        """Frame t from frame t - 1, both (C, H, W): sub-pixels are drawn given the pixels of frame t - 1, and gathered."""
        grid = self._tiling.grid
        own = tracks.fresh(t - 1, grid.height, grid.width, CPU)
        track = tracks.advance(own, t - 1, self._motion, "two-stage")
        fine = _FrameField(self._seed, self._tiling, before)
        error = self._motion.error(t - 1)
        noise, count, _ = gathering.gather(track, error, fine, self._rasteriser, SEGMENTS, self._channels)
        born = torch.nonzero(((track.state == NEW) | (count == 0)).view(-1))[:, 0]
        field.write_pixels(noise, born, self._seed, t)
        return noise
