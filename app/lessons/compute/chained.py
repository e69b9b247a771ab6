"""∫-noise chained from frame to frame, as a lesson's counter-example: each frame's fine field is drawn anew, given its pixels.

The program's own ∫-noise is anchored (gpu.noise.transport). Chaining it is what methods do that keep only the last frame,
such as the particle variant of Deng et al. 2025 (arXiv 2411.01212), which is the limit k → ∞ of what is here.
"""

from __future__ import annotations

import torch

from app.lessons.compute.draw_statistics import CPU
from gpu.noise import field, tracks
from gpu.noise.ownership import SLOT, TorchRasteriser
from gpu.noise.states import NEW
from gpu.noise.transport import Pieces, Sorted, Transport
from gpu.priors import Motion


class _Link(Transport):
    """One step of transport: the fine field belongs to the pixels of the frame before, whatever made their values."""

    def __init__(self, motion: Motion, height: int, width: int, seed: int, k: int) -> None:
        super().__init__(motion, height, width, lambda t: 0, seed, TorchRasteriser(), CPU, k=k)
        self.values = torch.zeros(0)

    def sorted(self, pieces: Pieces) -> Sorted:
        """All pieces are rasterised whole: the sparse way asks the hash for their pixels."""
        order = torch.argsort(pieces.piece, stable=True)
        names, sizes = torch.unique_consecutive(pieces.piece[order], return_counts=True)
        return Sorted(order, names, sizes, order[:0], order[:0], names[:0])

    def fine(self, block: tuple[int, ...], channel: int, keep: bool) -> torch.Tensor:
        return torch.stack([self.fine_piece(piece, channel) for piece in block])

    def fine_piece(self, piece: int, channel: int) -> torch.Tensor:
        rest, tile_x = divmod(piece, self.tile_columns)
        label, tile_y = divmod(rest, self.tile_rows)
        n = 1 << self.k
        y0, x0 = tile_y * SLOT // n, tile_x * SLOT // n
        values = self.values[channel, y0 : y0 + SLOT // n, x0 : x0 + SLOT // n].contiguous()
        fine = torch.zeros((SLOT, SLOT))
        part = field.refine(values, self.seed, label, channel, self.k, y0, x0)
        fine[: part.shape[0], : part.shape[1]] = part
        return fine


class ChainedIntegral:
    """∫-noise of frame t from that of frame t - 1 alone: `step` makes one frame of the next."""

    def __init__(self, motion: Motion, height: int, width: int, channels: int, seed: int, k: int = 3) -> None:
        self._link = _Link(motion, height, width, seed, k)
        self._channels = channels

    def start(self) -> torch.Tensor:
        """(C, H, W) the noise of frame 0, the same as that of every prior."""
        return field.pixels(self._link.seed, 0, self._channels, self._link.height, self._link.width, CPU)

    def step(self, before: torch.Tensor, t: int) -> torch.Tensor:
        """Frame t from frame t - 1, both (C, H, W): sub-pixels are drawn given the pixels of frame t - 1, and gathered."""
        link = self._link
        link.values = before
        own = tracks.fresh(t - 1, link.height, link.width, CPU)
        track = tracks.advance(own, t - 1, link.motion, link.fill)
        total, count = link.aggregate(track, t, self._channels)
        noise = link.normalised(total, count)
        born = torch.nonzero(((track.state == NEW) | (count == 0)).view(-1))[:, 0]
        field.write_pixels(noise, born, link.seed, t)
        return noise
