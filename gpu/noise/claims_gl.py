"""Owners of contested cells in OpenGL: outlines drawn into a texture of ids, which gpu.noise.edges_gl adds up by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from gpu import gl
from gpu.noise import contested
from gpu.noise.crossings import first_row
from gpu.noise.outlines import NONE, SNAP_BITS, TANGLED

PIECE_BITS = 6
"""Pieces in which owners are drawn have edges of so many bits: 64 cells."""

PIECES, ACROSS = 1024, 16
"""Pieces drawn at once, 16 MB of ids, and how many lie side by side."""

NOBODY = -2  # who owns cells that are spent


@dataclass(frozen=True)
class Shapes:
    """Outlines of a frame of pixels: vertices in `planes` (m, 2, H, W) int32, a view of all of `numbers`; by flat index `kind`
    (n,) int8, and `linked` (n,) uint8 the sides that are shared, bit 0 the top and so on clockwise. `contested` tells (H, W)
    where several of some pixels (flat indices) of one anchor cover a cell, or None."""

    planes: torch.Tensor
    numbers: torch.Tensor
    kind: torch.Tensor
    linked: torch.Tensor
    contested: Callable[[torch.Tensor], torch.Tensor | None]


class Claims:
    """Who claims cells of one anchor that several outlines cover, or that are spent: `by_cells` (n,) are the pixels that do."""

    def __init__(
        self,
        context: gl.Context,
        shapes: Shapes,
        kind: torch.Tensor,
        k: int,
        centre: torch.Tensor,
        rank: torch.Tensor,
        spent: torch.Tensor | None,
    ) -> None:
        self.context, self.k, self.rank = context, k, rank
        self.height, self.width = shapes.planes.shape[2:]
        self.spent = torch.zeros((0, 3), dtype=torch.int64) if spent is None else spent.cpu().to(torch.int64)
        self.pixels = torch.nonzero(kind != NONE)[:, 0]
        tangled = kind == TANGLED
        contest = self._with_spent(shapes.contested(self.pixels))
        self.by_cells = self.pixels[:0]
        if contest is None and not bool(tangled.any()):
            return
        self.box = _boxes(shapes.planes, tangled, centre, self.height << k, self.width << k)
        there = (kind != NONE) & (self.box[:, :2] < self.box[:, 2:]).all(1)
        row, first, after = self.spent.unbind(1)
        self.box = torch.cat([self.box, torch.stack([first, row, after, row + 1], 1).to(self.box.dtype)])
        self.pixels, near = torch.nonzero(there)[:, 0], there & tangled
        if contest is not None:
            box = self.box[self.pixels]
            near[self.pixels] |= _any_in(contest, box >> k, ((box - 1) >> k) + 1)
        self.by_cells = torch.nonzero(near)[:, 0]

    def _with_spent(self, contest: torch.Tensor | None) -> torch.Tensor | None:
        """`contest` (H, W), and the pixels that spent cells lie in."""
        if not len(self.spent):
            return contest
        k, size = self.k, (self.height, self.width)
        contest = torch.zeros(size, dtype=torch.bool) if contest is None else contest != 0
        row, first, last = self.spent[:, 0] >> k, self.spent[:, 1] >> k, (self.spent[:, 2] - 1) >> k
        which, number = contested.numbered(last - first + 1)
        contest[row[which], first[which] + number] = True
        return contest

    def drawn(self, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Textures of who owns cells of pieces, and what shaders are told of them, PIECES at a time."""
        if not len(self.by_cells):
            return
        high, wide = (-(-(size << self.k) >> PIECE_BITS) for size in (self.height, self.width))
        names = torch.unique(self._pieces(self.by_cells, wide)[1])
        pixel, piece = self._pieces(self.pixels, wide)
        row = self.spent[:, 0]
        nobody, there = self._pieces(torch.arange(len(row)) + len(self.box) - len(row), wide)
        pixel, piece = torch.cat([nobody, pixel]), torch.cat([there, piece])
        for start in range(0, len(names), PIECES):
            some = names[start : start + PIECES]
            slots = torch.full((high * wide,), -1, dtype=torch.int32)
            slots[some] = torch.arange(len(some), dtype=torch.int32)
            inside = slots[piece] >= 0
            with ExitStack() as stack:
                yield self._owners(stack, common, pixel[inside], piece[inside], slots.view(high, wide), len(some))

    def _pieces(self, pixel: torch.Tensor, wide: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Pairs of pixels, in order, and of pieces that their outlines touch, `wide` of them in a row."""
        box = self.box[pixel].to(torch.int64)
        low, size = box[:, :2] >> PIECE_BITS, (box[:, 2:] - 1 >> PIECE_BITS) - (box[:, :2] >> PIECE_BITS) + 1
        which, number = contested.numbered(size[:, 0] * size[:, 1])
        across = size[which, 0]
        return pixel[which], (low[which, 1] + number // across) * wide + low[which, 0] + number % across

    def _owners(
        self, stack: ExitStack, common: dict[str, Any], pixel: torch.Tensor, piece: torch.Tensor, slots: torch.Tensor,
        number: int,
    ) -> dict[str, Any]:  # fmt: skip
        """Draw what pixels claim of pieces that have a slot."""
        context, edge = self.context, 1 << PIECE_BITS
        make, wide = context.gl, slots.shape[1]
        atlas = (ACROSS * edge, -(-number // ACROSS) * edge)

        def held(part: Any) -> Any:
            stack.callback(part.release)
            return part

        owners, depth = held(make.texture(atlas, 1, dtype="i4")), held(make.depth_renderbuffer(atlas))
        target = held(make.framebuffer([owners], depth))
        where = held(make.texture((wide, len(slots)), 1, slots.numpy(), dtype="i4"))
        slot = slots.view(-1)[piece]
        corner = torch.stack([piece % wide, piece // wide], 1) * edge
        instances = torch.empty((len(pixel), 8), dtype=torch.int32)
        instances[:, :2] = torch.maximum(self.box[pixel, :2], corner)
        instances[:, 2:4] = torch.minimum(self.box[pixel, 2:], corner + edge)
        instances[:, 4:6] = torch.stack([slot % ACROSS, slot // ACROSS], 1) * edge - corner
        mine = pixel < len(self.rank)  # what comes after that is spent, and comes before all ranks
        instances[:, 6] = torch.where(mine, pixel, NOBODY)
        instances[:, 7] = torch.where(mine, self.rank[pixel.clamp(max=len(self.rank) - 1)], -1)
        target.use()
        target.depth_mask = True
        target.clear(depth=1.0)
        # glClear on an integer target is undefined; a triangle over everything writes -1 behind all that is claimed.
        make.enable_only(0)
        for program, values in (
            (context.program("full", "nobody"), None),
            (context.program("claims", "claims"), instances),
        ):
            bind(program, {**common, "atlas": atlas})
            buffer = None if values is None else held(make.buffer(values.numpy()))
            content = [] if buffer is None else [(buffer, "4i 2i 2i/i", "box", "shift", "claimant")]
            array = held(make.vertex_array(program, content))
            if values is None:
                array.render(vertices=3)
            else:
                # Equal depths keep what was drawn first: the first pixel.
                make.enable_only(make.DEPTH_TEST)
                array.render(make.TRIANGLE_STRIP, vertices=4, instances=len(values))
        return {"owners": owners, "slots": where, "piece": PIECE_BITS, "across": ACROSS}


def _any_in(mask: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """(n,) whether `mask` (H, W) is set anywhere in boxes from the (x, y) of `low` (n, 4) to before those of `high`."""
    sums = torch.nn.functional.pad(mask.to(torch.int32).cumsum(0).cumsum(1), (1, 0, 1, 0)).view(-1)
    wide = mask.shape[1] + 1
    x0, y0, x1, y1 = low[:, 0], low[:, 1] * wide, high[:, 2], high[:, 3] * wide
    return sums[y1 + x1] - sums[y0 + x1] - sums[y1 + x0] + sums[y0 + x0] > 0


def bind(program: Any, given: dict[str, Any]) -> None:
    """Set the uniforms of a program that it has; textures are bound to units of their own."""
    unit = 0
    for name, value in given.items():
        uniform = program.get(name, None)
        if uniform is None:
            continue
        if hasattr(value, "use"):
            value.use(unit)
            value, unit = unit, unit + 1
        uniform.value = value


def _boxes(planes: torch.Tensor, tangled: torch.Tensor, centre: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """(n, 4) the first cell (x, y) that outlines may cover, and the one after the last."""
    low, high = planes.amin(0).reshape(2, -1).T, planes.amax(0).reshape(2, -1).T
    # Triangles reach to the centre, which may lie outside of an outline's sides.
    low = torch.where(tangled[:, None], torch.minimum(low, centre), low)
    high = torch.where(tangled[:, None], torch.maximum(high, centre), high)
    left, right = (low[:, 0] >> SNAP_BITS).clamp(0, columns), ((high[:, 0] >> SNAP_BITS) + 1).clamp(0, columns)
    return torch.stack([left, first_row(low[:, 1]).clamp(min=0), right, first_row(high[:, 1]).clamp(max=rows)], 1)
