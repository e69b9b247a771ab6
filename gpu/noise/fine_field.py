"""The fine field of anchor frames as gathering reads it: by pieces, or pixel by pixel. What was refined is kept within bounds,
and made anew when it is asked for again; values never depend on that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from gpu.cache import ByteCache, bytes_of
from gpu.noise import field, rng, sparse
from gpu.noise.blocks import Blocks
from gpu.noise.ownership import Rasteriser
from gpu.noise.sparse import Claims
from gpu.noise.tiling import SLOT, Tiling

FIELD_CACHE_BYTES = 256 << 20

ANCHOR_CACHE_BYTES = 256 << 20
"""Of noise that has been carried to anchors; what the frame at hand looks at is kept in any case."""


class FineField(Protocol):
    """What gathering asks of a field. Every value is zero outside the frame."""

    @property
    def tiling(self) -> Tiling:
        """How its frames are cut up."""
        ...

    def piece(self, name: int, channel: int) -> torch.Tensor:
        """(SLOT, SLOT) int32 the sub-pixels of one piece, in steps of 2^-FRACTION (gpu.noise.field)."""
        ...

    def pieces(self, names: tuple[int, ...], channel: int, keep: bool) -> torch.Tensor:
        """(len(names), SLOT, SLOT) the sub-pixels of several. `keep`: the same ones will be asked for again and again."""
        ...

    def values(self, owned: Claims, channels: int) -> Iterator[torch.Tensor]:
        """(m,) what single sub-pixels hold, one channel after the other."""
        ...


class AnchorField:
    """The field of anchor frames: what their pixels are born with, by the hash; and in frames that pixels were renewed in,
    `renewed()`, the noise that has been carried to these, as it was given to `hold`."""

    def __init__(self, seed: int, tiling: Tiling, rasteriser: Rasteriser, renewed: Callable[[], Sequence[int]]) -> None:
        self.seed, self.rasteriser = seed, rasteriser
        self._tiling, self._renewed = tiling, renewed
        self._blocks = Blocks(seed, tiling, self.carried)
        self._noise: dict[int, torch.Tensor] = {}  # what was asked for last stands last
        self._pieces: ByteCache[tuple[int, int], torch.Tensor] = ByteCache(FIELD_CACHE_BYTES, bytes_of)
        # By channel: which pieces were asked for last, and these side by side.
        self._together: ByteCache[int, tuple[tuple[int, ...], torch.Tensor]] = ByteCache(
            FIELD_CACHE_BYTES // 4, lambda kept: kept[1].nbytes
        )

    @property
    def tiling(self) -> Tiling:
        """See FineField."""
        return self._tiling

    def at_level(self, k: int) -> AnchorField:
        """The same field on another level, with the same noise at hand."""
        other = AnchorField(self.seed, Tiling(self._tiling.grid, k), self.rasteriser, self._renewed)
        other._noise = self._noise
        return other

    def hold(self, label: int, noise: torch.Tensor) -> None:
        """Take over the (C, H, W) noise that has been carried to a frame of `renewed()`, NaN where pixels are born there."""
        self._noise[label] = noise

    def carried(self, label: int) -> torch.Tensor | None:
        """That noise, which must be at hand; None of any other frame."""
        return self._noise[label] if label in self._renewed() else None

    def held(self, label: int) -> npt.NDArray[np.float32] | None:
        """The same for compiled code."""
        noise = self.carried(label)
        return None if noise is None else noise.numpy()

    def holds(self, label: int, channels: int) -> bool:
        """Whether that noise is at hand, with so many channels or more; if so it is the last one to be dropped."""
        noise = self._noise.pop(label, None)
        if noise is None or len(noise) < channels:
            return False
        self._noise[label] = noise
        return True

    def drop_all_but(self, labels: Collection[int]) -> None:
        """Drop noise of anchors that are not among `labels`, the longest unused first, until ANCHOR_CACHE_BYTES hold it."""
        held = sum(noise.nbytes for noise in self._noise.values())
        for label in [label for label in self._noise if label not in labels]:
            if held <= ANCHOR_CACHE_BYTES:
                return
            held -= self._noise.pop(label).nbytes

    def piece(self, name: int, channel: int) -> torch.Tensor:
        """See FineField. Of a frame of `renewed()` its noise must be at hand."""
        kept = self._pieces.get((name, channel))
        if kept is not None:
            return kept
        label, y, x, height, width = self._tiling.pixels(name)
        k = self._tiling.k
        values = rng.plane(self.seed, rng.FIELD, label, channel, 0, y, x, height, width, self._tiling.grid.device)
        carried = self.carried(label)
        if carried is not None:
            values = field.carried_or(carried[channel, y : y + height, x : x + width].to(values.device), values)
        fine = torch.zeros((SLOT, SLOT), dtype=torch.int32, device=values.device)
        pixels = field.fixed(values)
        fine[: height << k, : width << k] = self.rasteriser.cells(pixels, self.seed, label, channel, k, y, x)
        self._pieces[name, channel] = fine
        return fine

    def pieces(self, names: tuple[int, ...], channel: int, keep: bool) -> torch.Tensor:
        """See FineField. Small frames look at the same pieces in every frame: these are kept side by side."""
        kept = self._together.get(channel)
        if kept is not None and kept[0] == names:
            return kept[1]
        fine = torch.stack([self.piece(name, channel) for name in names])
        self._together.pop(channel, None)
        # Only where there is room: channels are asked for in turn, and dropping one for the next would serve none.
        if keep and self._together.bytes + fine.nbytes <= self._together.maxsize:
            self._together[channel] = names, fine
        return fine

    def values(self, owned: Claims, channels: int) -> Iterator[torch.Tensor]:
        """See FineField."""
        return sparse.values(owned, self._blocks, channels)
