"""Gathering where few pixels look at a piece of an anchor frame: only the source pixels that are touched are refined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from gpu.noise import rng
from gpu.noise.ownership import OWNER, SLOT, covered
from gpu.noise.polygons import Contours

BLOCK_CACHE_BYTES = 256 << 20


class Blocks:
    """Refined source pixels of any anchor frame, remembered by (anchor, place); the values of gpu.noise.field.refine."""

    def __init__(self, seed: int, height: int, width: int, k: int, device: torch.device) -> None:
        self.seed, self.height, self.width, self.k, self.device = seed, height, width, k, device
        self._forget(0)

    def _forget(self, channels: int) -> None:
        self._channels = channels
        self._known = torch.empty(0, dtype=torch.int64, device=self.device)  # ascending
        self._row = torch.empty(0, dtype=torch.int64, device=self.device)
        self._values = torch.empty((0, channels, 4**self.k), dtype=torch.float32, device=self.device)

    def rows(self, names: torch.Tensor, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (m,) into the returned table (rows, >= C, 4^k) of the source pixels `names`, (label * H + y) * W + x."""
        if channels > self._channels:
            self._forget(channels)
        missing = names[~self._has(names)]
        if len(missing):
            missing = torch.unique(missing)
            size = 4 * self._channels * 4**self.k
            if (len(self._known) + len(missing)) * size > BLOCK_CACHE_BYTES and len(self._known):
                self._forget(self._channels)
                missing = torch.unique(names)
            first = len(self._values)
            self._values = torch.cat([self._values, self._make(missing)])
            known = torch.cat([self._known, missing])
            row = torch.cat([self._row, torch.arange(first, len(self._values), device=self.device)])
            order = torch.argsort(known)
            self._known, self._row = known[order], row[order]
        return self._row[torch.searchsorted(self._known, names)], self._values

    def _has(self, names: torch.Tensor) -> torch.Tensor:
        if len(self._known) == 0:
            return torch.zeros(len(names), dtype=torch.bool, device=self.device)
        place = torch.searchsorted(self._known, names).clamp(max=len(self._known) - 1)
        return self._known[place] == names

    def _make(self, names: torch.Tensor) -> torch.Tensor:
        x, y = names % self.width, names // self.width % self.height
        labels, which = torch.unique(names // (self.width * self.height), return_inverse=True)
        n = 1 << self.k
        inner = torch.arange(n * n, device=self.device)
        x, y = x.to(torch.int32), y.to(torch.int32)
        fine_x = x[:, None] * n + (inner % n).to(torch.int32)
        fine_y = y[:, None] * n + (inner // n).to(torch.int32)
        out = torch.empty((len(names), self._channels, n * n), dtype=torch.float32, device=self.device)
        for channel in range(self._channels):
            values = rng.scattered(self._keys(labels, which, rng.FIELD, channel, 0), y, x)
            if self.k == 0:
                out[:, channel, 0] = values
                continue
            free = rng.scattered(self._keys(labels, which, rng.FINE, channel, self.k)[:, None], fine_y, fine_x)
            out[:, channel] = (values / (n * n) - free.mean(1) / n)[:, None] + free / n
        return out

    def _keys(self, labels: torch.Tensor, which: torch.Tensor, stream: int, channel: int, level: int) -> torch.Tensor:
        keys = [rng.signed(rng.key(self.seed, stream, label, channel, level)) for label in labels.tolist()]
        return torch.tensor(keys, dtype=torch.int32, device=self.device)[which]


@dataclass(frozen=True)
class Claims:
    """Owned sub-pixels (m,): `owner` the polygon, `label` the anchor frame, and `x`, `y` in sub-pixels of that frame."""

    owner: torch.Tensor
    label: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor


def claims(
    contours: Contours,
    slot: torch.Tensor,
    rank: torch.Tensor,
    label: torch.Tensor,
    corner: torch.Tensor,
    blocks: Blocks,
) -> Claims:
    """The sub-pixels that polygons own, with the ownership rules of Rasteriser.

    Polygons are relative to their slot; `label` (slots,) and `corner` (slots, 2) say which anchor frame a slot belongs to
    and its first sub-pixel (x, y). Sub-pixels outside the frame belong to nobody.
    """
    found = list(covered(contours, slot, rank))
    if not found:
        none = torch.empty(0, dtype=torch.int64, device=slot.device)
        return Claims(none, none, none, none)
    places, which = torch.unique(torch.cat([place for place, _ in found]), return_inverse=True)
    best = torch.full((len(places),), torch.iinfo(torch.int64).max, dtype=torch.int64, device=slot.device)
    best.scatter_reduce_(0, which, torch.cat([key for _, key in found]), reduce="amin")
    owner = best & OWNER
    at = places // (SLOT * SLOT)
    x, y = corner[at, 0] + places % SLOT, corner[at, 1] + places // SLOT % SLOT
    inside = (x < blocks.width << blocks.k) & (y < blocks.height << blocks.k)
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


def gather(owned: Claims, n: int, blocks: Blocks, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums (C, n) and counts (n,) int32 of the sub-pixels that n polygons own."""
    counts = torch.bincount(owned.owner, minlength=n).to(torch.int32)
    sums = torch.zeros((channels, n), dtype=torch.float32, device=owned.owner.device)
    if channels and len(owned.owner):
        for channel, held in enumerate(values(owned, blocks, channels)):
            sums[channel] = torch.bincount(owned.owner, weights=held, minlength=n).to(torch.float32)
    return sums, counts
