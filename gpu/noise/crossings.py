"""Where edges of outlines cross rows of cells, on any torch device: the whole numbers of gpu.noise.edges_compiled.

What is assumed of a device: that int32 sums wrap around, and that int64 is added, multiplied, compared and sorted exactly.
Quotients are taken by way of floating point, which all devices divide in, and corrected where it is single precision (mps)."""

from __future__ import annotations

import torch

from gpu.noise.outlines import SNAP, SNAP_BITS

HALF = SNAP // 2


def first_row(y: torch.Tensor) -> torch.Tensor:
    """The first row whose centre is at or below vertices at `y`."""
    return (y + (HALF - 1)) >> SNAP_BITS


def quotient(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """floor(a / b) of int64, b > 0, |a| and b below 2^52."""
    if a.device.type == "mps":
        return quotient_in_single_precision(a, b)
    return torch.floor(a.double() / b.double()).to(torch.int64)


def quotient_in_single_precision(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The same, for |a / b| below 2^31. A quotient of 24 bits leaves a rest, whose quotient is off by one at the most."""
    divisor = b.to(torch.float32)
    whole = torch.floor(a.to(torch.float32) / divisor).to(torch.int64)
    whole = whole + torch.floor((a - whole * b).to(torch.float32) / divisor).to(torch.int64)
    rest = a - whole * b
    return whole + (rest >= b).to(torch.int64) - (rest < 0).to(torch.int64)


def column(x0: torch.Tensor, y0: torch.Tensor, x1: torch.Tensor, y1: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """The column, int64, at which edges (int64) from (x0, y0) down to (x1, y1), y1 > y0, cross `row`, on their line."""
    q = ((row << SNAP_BITS) + HALF - y0) * (x1 - x0) - 1
    return ((x0 - HALF + quotient(q, y1 - y0)) >> SNAP_BITS) + 1


class Walk:
    """Walks n edges from (x0, y0) down to (x1, y1), int32, over the rows `low` to `high` - 1, one row of all of them at a time.

    Edges are sorted by how many rows they cross, the most first, so that those that still go on are the first `active`: what
    is done with them is done on slices. `order` (n,) are the places in the arguments of the sorted edges, of which those that
    cross no row are left out.
    """

    def __init__(
        self, x0: torch.Tensor, y0: torch.Tensor, x1: torch.Tensor, y1: torch.Tensor, low: int, high: int
    ) -> None:
        begin = first_row(y0).clamp_(min=low)
        rows = first_row(y1).clamp_(max=high).sub_(begin).clamp_(min=0)
        longest = int(rows.max()) if len(rows) else 0
        # The most first; small ascending numbers are sorted ten times faster than others.
        fewer, order = torch.sort((longest - rows).to(torch.uint8 if longest < 256 else torch.int32), stable=True)
        crossed = int((rows > 0).sum())
        self.order, number = order[:crossed], longest - fewer[:crossed].to(torch.int64)
        # How many edges cross more than i rows.
        self.active = (crossed - torch.bincount(number, minlength=longest + 1).cumsum(0))[:longest].tolist()
        x0, y0, x1, y1, begin = (part[self.order] for part in (x0, y0, x1, y1, begin))
        dx, self._dy = (x1 - x0).to(torch.int64), y1 - y0
        long = self._dy.to(torch.int64)
        q = ((begin << SNAP_BITS) + HALF - y0).to(torch.int64) * dx - 1
        whole, stride = quotient(q, long), quotient(dx << SNAP_BITS, long)
        # floor((q + i (dx << SNAP_BITS)) / dy) goes on from row to row in whole numbers.
        self._rest = (q - whole * long).to(torch.int32)
        self._more = ((dx << SNAP_BITS) - stride * long).to(torch.int32)
        self._whole = whole.to(torch.int32) + (x0 - HALF)
        self._stride = stride.to(torch.int32)
        self._begin = begin

    def rows(self, step: int) -> torch.Tensor:
        """(active[step],) the rows crossed in a step."""
        return self._begin[: self.active[step]] + step

    def columns(self, step: int, last: int) -> torch.Tensor:
        """(active[step],) the columns at which they are crossed, clamped to 0 ... last. Steps are taken in order, each once."""
        count = self.active[step]
        whole = self._whole[:count]
        column_ = (whole >> SNAP_BITS).add_(1).clamp_(0, last)
        if step + 1 < len(self.active):
            count = self.active[step + 1]
            whole, rest, dy = self._whole[:count], self._rest[:count], self._dy[:count]
            rest.add_(self._more[:count])
            over = (rest >= dy).to(torch.int32)
            rest.sub_(over * dy)
            whole.add_(self._stride[:count]).add_(over)
        return column_
