"""The fine field of anchor frames added up along its rows, on any torch device: what gpu.noise.walking reads where edges cross.

Sums are int32 and wrap around, as what is added up of them does; what is asked for fits. They are kept within a bound, and made
anew in parts where they do not fit, so that values never depend on that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch

from gpu import compiled, interrupt
from gpu.noise import field, rng
from gpu.noise.blocks import Blocks
from gpu.noise.tiling import NoiseGrid, Tiling

PART_BYTES = 64 << 20
"""Of a field that is made anew for each frame: as much at once."""

WORK_CELLS = 1 << 16
"""Cells refined at once."""

LANES = 4
"""Channels that lie side by side, so that one read serves all of them."""

Held = Callable[[int], torch.Tensor | None]
"""The (C, H, W) noise that has been carried to an anchor frame, NaN where pixels are born there; None where all are."""


@dataclass(frozen=True)
class Rows:
    """Sums over rows of cells from `low` to `high` - 1 of one anchor, `columns` to a row: `sums` (N, lanes) int32, the sum of
    the first c cells of row r being at `place(r, c)`; None where only cells are counted."""

    sums: torch.Tensor | None
    k: int
    columns: int
    low: int
    high: int

    def place(self, row: torch.Tensor, column: torch.Tensor, label: torch.Tensor | None) -> torch.Tensor:
        """(n,) where sums stand. The rows of one pixel lie beside each other, as edges cross them at about one column."""
        n, first = 1 << self.k, self.low >> self.k
        pixel = (row >> self.k) - first if first else row >> self.k
        return (pixel.mul_(self.columns + 1).add_(column) << self.k).add_(row & (n - 1))


@dataclass(frozen=True)
class Patches:
    """Sums over the cells of single source pixels of any anchors, `names` (m,) int64 ascending, (label H + y) W + x, one after
    the other as if they lay in a row: what lies between two places of one run of neighbours is right. `sums` (m n n + n,
    lanes) int32; rows `low` to `high` - 1 are there."""

    sums: torch.Tensor | None
    names: torch.Tensor
    k: int
    height: int
    width: int
    low: int
    high: int

    @property
    def columns(self) -> int:
        """Of cells in a row of the frame."""
        return self.width << self.k

    def place(self, row: torch.Tensor, column: torch.Tensor, label: torch.Tensor | None) -> torch.Tensor:
        """See Rows. `label` (n,) int64 are the anchors. The end of a run is the beginning of what comes next in `names`."""
        assert label is not None
        n = 1 << self.k
        name = (label * self.height + (row >> self.k)) * self.width + (column >> self.k)
        at = torch.searchsorted(self.names, name)
        return (((at << self.k) + (column & (n - 1))) << self.k) + (row & (n - 1))


_NUMBERS = count()


class PrefixSums:
    """Sums along the rows of cells of the fields of one seed. `limit` bounds the bytes that are kept; `held` is what has been
    carried to anchors. Its `number` is no other's."""

    def __init__(self, seed: int, grid: NoiseGrid, limit: int, held: Held) -> None:
        self.seed, self.grid, self.limit, self._held = seed, grid, limit, held
        self._kept: dict[tuple[int, int, int, int], torch.Tensor] = {}  # the last used last
        self.number = next(_NUMBERS)
        self._blocks: dict[int, tuple[int, Blocks]] = {}  # by level: for how many channels, and these

    @property
    def nbytes(self) -> int:
        """What is kept now of whole anchors."""
        return sum(sums.nbytes for sums in self._kept.values())

    def take_over(self, other: PrefixSums, label: int) -> None:
        """Have what the field of the same seed and grid, of another motion, holds of an anchor that is born in both."""
        if (other.seed, other.grid) == (self.seed, self.grid):
            self._kept.update({name: sums for name, sums in other._kept.items() if name[0] == label})

    def bound(self, limit: int) -> None:
        """Keep at most `limit` bytes from now on; what was used the longest ago goes first."""
        self.limit = limit
        while self._kept and self.nbytes > limit:
            del self._kept[next(iter(self._kept))]

    def rows(self, label: int, k: int, first: int, lanes: int) -> Iterator[Rows]:
        """The whole field of anchor `label` at level k, channels `first` to `first` + `lanes` - 1: in one part, or one after
        the other where there is no room."""
        height, columns = self.grid.height, self.grid.width << k
        if lanes == 0:
            yield Rows(None, k, columns, 0, height << k)
            return
        row_bytes = (columns + 1) * (4 * lanes << k)
        step = height if height * row_bytes <= self.limit else max(1, PART_BYTES // row_bytes)
        for y in range(0, height, step):
            h = min(step, height - y)
            yield Rows(self._part(label, k, first, lanes, y, h), k, columns, y << k, (y + h) << k)

    def _part(self, label: int, k: int, first: int, lanes: int, y: int, h: int) -> torch.Tensor:
        name, places = (label, k, first, y), h * ((self.grid.width << k) + 1) << k
        sums = self._kept.pop(name, None)
        if sums is None or sums.shape[1] < lanes or len(sums) != places:
            sums = None  # before the next one is made: both at once would be twice the memory
            self._make_room(places * 4 * lanes, name)
            sums = self.strip(label, k, first, lanes, y, h)
        if self.nbytes + sums.nbytes <= self.limit:
            self._kept[name] = sums
        return sums

    def _make_room(self, size: int, name: tuple[int, int, int, int]) -> None:
        """Drop what was used the longest ago, but for parts of the same field: dropping these would serve none."""
        for other in list(self._kept):
            if self.nbytes + size <= self.limit:
                return
            if other[:3] != name[:3]:
                del self._kept[other]

    def strip(self, label: int, k: int, first: int, lanes: int, y: int, h: int) -> torch.Tensor:
        """Sums (h (W n + 1) n, lanes) int32, n = 2^k, of the rows of pixels y to y + h - 1: see Rows."""
        if self.grid.device.type == "cpu" and compiled.available():
            return self._compiled(label, k, first, lanes, y, h)
        n, width, device = 1 << k, self.grid.width, self.grid.device
        out = torch.empty((h, width * n + 1, n, lanes), dtype=torch.int32, device=device)
        out[:, 0] = 0
        step = max(1, WORK_CELLS // (width * n * n))
        held = self._held(label)
        for start in range(0, h, step):
            interrupt.poll()
            rows = min(step, h - start)
            for lane in range(lanes):
                channel = first + lane
                values = rng.plane(self.seed, rng.FIELD, label, channel, 0, y + start, 0, rows, width, device)
                if held is not None:
                    values = field.carried_or(held[channel, y + start : y + start + rows].to(device), values)
                cells = field.cells(field.fixed(values), self.seed, label, first + lane, k, y + start, 0)
                sums = torch.cumsum(cells.view(rows, n, width * n), 2, dtype=torch.int32)
                out[start : start + rows, 1:, :, lane] = sums.transpose(1, 2)
        return out.view(-1, lanes)

    def _compiled(self, label: int, k: int, first: int, lanes: int, y: int, h: int) -> torch.Tensor:
        """`strip` by compiled code, which adds up LANES channels at once."""
        from gpu.noise.summed_field import SummedField

        held = self._held(label)
        made = SummedField(
            self.seed, self.grid.height, self.grid.width, 0, lambda _: None if held is None else held.numpy()
        )
        row = ((self.grid.width << k) + 1) << k
        out = torch.empty((h * row, lanes), dtype=torch.int32)
        wanted = np.zeros((self.grid.height, 1), np.uint8)
        wanted[y : y + h] = 1
        for part in made.at(label, k, first // LANES, lanes, wanted):
            pairs = torch.from_numpy(part.sums).view(-1, part.sums.shape[2]).view(torch.int32)
            pairs[:, 1::2] += pairs[:, ::2] < 0  # a pair is low + 2^32 high
            begin = max((part.low >> k) - y, 0) * row
            out[begin : begin + len(pairs)] = pairs[:, :lanes]
        return out

    def patches(
        self, names: torch.Tensor, k: int, first: int, lanes: int, channels: int, low: int, high: int
    ) -> Patches:
        """The fields of the source pixels `names` (m,) int64, ascending, of whatever anchors, all that is looked at of the
        rows of pixels `low` to `high` - 1."""
        height, width, n = self.grid.height, self.grid.width, 1 << k
        sums = None
        if lanes:
            if k not in self._blocks or self._blocks[k][0] != channels:
                self._blocks[k] = channels, Blocks(self.seed, Tiling(self.grid, k), self._held)
            row, table = self._blocks[k][1].rows(names, channels)
            cells = table[row, first : first + lanes].view(len(names), lanes, n, n).permute(1, 2, 0, 3)
            along = torch.cumsum(cells.reshape(lanes, n, len(names) * n), 2, dtype=torch.int32)
            sums = torch.zeros((len(names) * n + 1, n, lanes), dtype=torch.int32, device=names.device)
            sums[1:] = along.permute(2, 1, 0)
            sums = sums.view(-1, lanes)
        return Patches(sums, names, k, height, width, low << k, high << k)
