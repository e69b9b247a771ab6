"""Refined source pixels of any anchor frames, kept within bounds: the cells of those that only a few outlines touch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from gpu.noise import field, rng
from gpu.noise.tiling import Tiling

BLOCK_CACHE_BYTES = 64 << 20
"""Of refined source pixels; more where one frame asks for more."""


class Blocks:
    """Refined source pixels of any anchor frame, remembered by (anchor, place); the values of gpu.noise.field.cells. `held`
    tells the (C, H, W) noise that has been carried to an anchor, NaN where pixels are born there, None where all are."""

    def __init__(
        self, seed: int, tiling: Tiling, held: Callable[[int], torch.Tensor | None] = lambda label: None
    ) -> None:
        self.seed, self.k, self.device = seed, tiling.k, tiling.grid.device
        self._held = held
        self.height, self.width = tiling.grid.height, tiling.grid.width
        self._forget(0)

    def _forget(self, channels: int) -> None:
        self._channels = channels
        self._names = torch.empty(0, dtype=torch.int64, device=self.device)  # ascending
        self._row = torch.empty(0, dtype=torch.int64, device=self.device)
        self._values = self._room(0)

    def _room(self, rows: int) -> torch.Tensor:
        return torch.empty((rows, self._channels, 4**self.k), dtype=torch.int32, device=self.device)

    def rows(self, names: torch.Tensor, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (m,) into the returned table (rows, >= C, 4^k) of the source pixels `names`, (label * H + y) * W + x."""
        if channels > self._channels:
            self._forget(channels)
        missing = names[~self._has(names)]
        if len(missing):
            missing = torch.unique(missing)
            most = max(1, BLOCK_CACHE_BYTES // (4 * max(1, self._channels) * 4**self.k))
            if len(self._names) + len(missing) > most and len(self._names):
                self._forget(self._channels)
                missing = torch.unique(names)
            first, end = len(self._names), len(self._names) + len(missing)
            if end > len(self._values):  # only the first time: the memory is taken when something is written there
                self._values = self._room(max(most, end))
            self._make(missing, self._values[first:end])
            there = torch.cat([self._names, missing])
            row = torch.cat([self._row, torch.arange(first, end, device=self.device)])
            order = torch.argsort(there)
            self._names, self._row = there[order], row[order]
        return self._row[torch.searchsorted(self._names, names)], self._values

    def _has(self, names: torch.Tensor) -> torch.Tensor:
        if len(self._names) == 0:
            return torch.zeros(len(names), dtype=torch.bool, device=self.device)
        place = torch.searchsorted(self._names, names).clamp(max=len(self._names) - 1)
        return self._names[place] == names

    def _make(self, names: torch.Tensor, out: torch.Tensor) -> None:
        """Write the refined source pixels `names` (m,) to `out` (m, C, 4^k)."""
        x, y = names % self.width, names // self.width % self.height
        labels, which = torch.unique(names // (self.width * self.height), return_inverse=True)
        x, y = x.to(torch.int32), y.to(torch.int32)
        carried = [
            (which == at, held) for at, label in enumerate(labels.tolist()) if (held := self._held(label)) is not None
        ]
        for channel in range(self._channels):
            values = rng.scattered(self._keys(labels, which, rng.FIELD, channel, 0), y, x)
            for there, noise in carried:
                values[there] = field.carried_or(noise[channel, y[there], x[there]].to(self.device), values[there])
            values = field.fixed(values)
            planes = partial(self._keys, labels, which, rng.FINE, channel)
            out[:, channel] = field.cells_at(values, planes, self.k, y, x)

    def _keys(self, labels: torch.Tensor, which: torch.Tensor, stream: int, channel: int, level: int) -> torch.Tensor:
        keys = [rng.signed(rng.key(self.seed, stream, label, channel, level)) for label in labels.tolist()]
        return torch.tensor(keys, dtype=torch.int32, device=self.device)[which]
