"""The grid of pixels that noise is made for, and how the sub-pixels of its anchor frames are cut up into pieces.

Memory is bounded whatever the frame: anchor frames are worked on in pieces of SLOT x SLOT sub-pixels. A piece has one number,
its name, which also says which anchor frame it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

SLOT = 256
"""Edge of a piece in sub-pixels."""


@dataclass(frozen=True)
class NoiseGrid:
    """`height` x `width` pixels, whose noise is computed on `device`."""

    height: int
    width: int
    device: torch.device


@dataclass(frozen=True)
class Tiling:
    """Pieces of anchor frames with 2^k x 2^k sub-pixels a pixel. The name of a piece is (label * rows + row) * columns +
    column, `label` being the anchor frame."""

    grid: NoiseGrid
    k: int

    @property
    def rows(self) -> int:
        """Rows of pieces in a frame."""
        return -(-(self.grid.height << self.k) // SLOT)

    @property
    def columns(self) -> int:
        """Columns of pieces in a frame."""
        return -(-(self.grid.width << self.k) // SLOT)

    def names(self, label: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        """Names (...,) of the pieces at `row` and `column` of the anchor frames `label`."""
        return (label * self.rows + row) * self.columns + column

    def labels(self, names: torch.Tensor) -> torch.Tensor:
        """(m,) the anchor frames that pieces belong to."""
        return names // (self.columns * self.rows)

    def corners(self, names: torch.Tensor) -> torch.Tensor:
        """(m, 2) the first sub-pixel (x, y) of pieces, in the sub-pixels of their frame."""
        column, row = names % self.columns, names // self.columns % self.rows
        return torch.stack([column, row], 1) * SLOT

    def pixels(self, name: int) -> tuple[int, int, int, int, int]:
        """The anchor frame of a piece, its upper left pixel (y, x), and how many rows and columns of pixels of it are inside
        the frame."""
        rest, column = divmod(name, self.columns)
        label, row = divmod(rest, self.rows)
        edge = SLOT >> self.k
        y, x = row * edge, column * edge
        return label, y, x, min(edge, self.grid.height - y), min(edge, self.grid.width - x)

    def inside(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Which sub-pixels lie in the frame, and not only in its last row or column of pieces."""
        return (x < self.grid.width << self.k) & (y < self.grid.height << self.k)
