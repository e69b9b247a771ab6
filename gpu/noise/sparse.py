"""Gathering where few pixels look at a piece of an anchor frame: only the source pixels that are touched are refined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from gpu.noise.blocks import Blocks
from gpu.noise.ownership import OWNER, covered
from gpu.noise.polygons import Contours
from gpu.noise.tiling import SLOT, Tiling


@dataclass(frozen=True)
class Claims:
    """Owned sub-pixels (m,): `owner` the polygon, `label` the anchor frame, and `x`, `y` in sub-pixels of that frame."""

    owner: torch.Tensor
    label: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor

    def of(self, chosen: torch.Tensor) -> Claims:
        """Those that are `chosen` (m,) bool."""
        return Claims(self.owner[chosen], self.label[chosen], self.x[chosen], self.y[chosen])


def claims(
    contours: Contours,
    slot: torch.Tensor,
    rank: torch.Tensor,
    label: torch.Tensor,
    corner: torch.Tensor,
    tiling: Tiling,
) -> Claims:
    """The sub-pixels that polygons own, with the ownership rules of Rasteriser.

    Polygons are relative to their slot; `label` (slots,) and `corner` (slots, 2) say which anchor frame a slot belongs to
    and its first sub-pixel (x, y). Sub-pixels outside the frame belong to nobody.
    """
    parts = list(covered(contours, slot, rank))
    if not parts:
        none = torch.empty(0, dtype=torch.int64, device=slot.device)
        return Claims(none, none, none, none)
    places, which = torch.unique(torch.cat([place for place, _ in parts]), return_inverse=True)
    best = torch.full((len(places),), torch.iinfo(torch.int64).max, dtype=torch.int64, device=slot.device)
    best.scatter_reduce_(0, which, torch.cat([key for _, key in parts]), reduce="amin")
    owner = best & OWNER
    at = places // (SLOT * SLOT)
    x, y = corner[at, 0] + places % SLOT, corner[at, 1] + places // SLOT % SLOT
    inside = tiling.inside(x, y)
    if not bool(inside.all()):
        owner, at, x, y = owner[inside], at[inside], x[inside], y[inside]
    return Claims(owner, label[at], x, y)


def values(owned: Claims, blocks: Blocks, channels: int) -> Iterator[torch.Tensor]:
    """(m,) what owned sub-pixels hold, one channel after the other."""
    side = 1 << blocks.k
    names = (owned.label * blocks.height + (owned.y >> blocks.k)) * blocks.width + (owned.x >> blocks.k)
    row, table = blocks.rows(names, channels)
    part = (owned.y & (side - 1)) * side + (owned.x & (side - 1))
    for channel in range(channels):
        yield table[row, channel, part]


def sums(owned: Claims, n: int, held: Iterable[torch.Tensor], channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums (C, n) int64 and counts (n,) int32 of the sub-pixels that n polygons own; `held` is what these hold, by channel."""
    counts = torch.bincount(owned.owner, minlength=n).to(torch.int32)
    out = torch.zeros((channels, n), dtype=torch.int64, device=owned.owner.device)
    for channel, weights in enumerate(held):
        out[channel].index_add_(0, owned.owner, weights.to(torch.int64))
    return out, counts
