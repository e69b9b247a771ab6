"""Gathering: what every transported pixel owns of the fine field, added up.

Outlines of the pixels are cut up over the pieces of anchor frames that they touch. Pieces that many pixels look at are
rasterised whole; those that only a few look at, as when noise of many anchors lives on in small patches, take a sparse way with
the same result. `field` is any FineField, so that nothing here knows where noise comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from gpu.noise import outlines, polygons, sparse, spent
from gpu.noise.field import floating
from gpu.noise.fine_field import FineField
from gpu.noise.ownership import Rasteriser
from gpu.noise.sparse import Claims
from gpu.noise.spent import Cells
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tiling import SLOT, Tiling
from gpu.noise.tracks import Track

SPARSE = 1 / 8
"""A piece of which less than about this share is looked at is gathered the sparse way."""


@dataclass(frozen=True)
class Pieces:
    """Polygons of n pixels cut up over pieces of anchor frames: `polygon` and `piece` list m pairs, `piece` being a name of
    gpu.noise.tiling; `pixel` (flat index) and `rank` are by polygon."""

    contours: polygons.Contours
    pixel: torch.Tensor
    rank: torch.Tensor
    polygon: torch.Tensor
    piece: torch.Tensor


@dataclass(frozen=True)
class ByPiece:
    """The pairs of Pieces piece by piece: `many` of the pieces `names`, `sizes` pairs each, that are rasterised whole, and
    `few` of the pieces `rare`, which number in `rare` each being its `slot`."""

    many: torch.Tensor
    names: torch.Tensor
    sizes: torch.Tensor
    few: torch.Tensor
    slot: torch.Tensor
    rare: torch.Tensor


class Gathered(NamedTuple):
    """Noise (C, H, W), 0 where a pixel owns nothing; how many sub-pixels pixels own, (H, W) int32; and of those that are being
    renewed, which, by anchor."""

    noise: torch.Tensor
    owned: torch.Tensor
    spending: dict[int, Cells]


@dataclass(frozen=True)
class Purse:
    """What was spent of anchors and what is being spent: `used(label)` the cells of an anchor, on level `k`, that nobody may
    own, and the pixels (H, W) bool that are `renewing`, None for nobody."""

    k: int
    used: Callable[[int], Cells]
    renewing: torch.Tensor | None = None


def gather(
    track: Track,
    error: torch.Tensor,
    field: FineField,
    rasteriser: Rasteriser,
    s: int,
    channels: int,
    purse: Purse | None = None,
) -> Gathered:
    """Noise (C, H, W) of the transported pixels of a track, of unit variance, 0 where a pixel owns nothing, and how many
    sub-pixels they own, (H, W) int32.

    Where pixels overlap, the one of the smallest `error` (H, W) owns, in steps of 1/64 pixel. `s` segments a side make an
    outline, see gpu.noise.polygons. What is spent of the `purse` nobody owns.
    """
    grid = field.tiling.grid
    owned: list[Claims] = []
    total = torch.zeros((channels, grid.height * grid.width), dtype=torch.int64, device=grid.device)
    count = torch.zeros(grid.height * grid.width, dtype=torch.int32, device=grid.device)
    pieces = cut(track, error, field.tiling, s)
    if len(pieces.polygon):
        sorted_ = by_piece(pieces, field)
        if len(sorted_.few):
            _sparse(pieces, sorted_, field, total, count, purse, owned)
        _dense(pieces, sorted_, field, rasteriser, total, count, purse, owned)
    total, count = total.view(channels, grid.height, grid.width), count.view(grid.height, grid.width)
    spending = _spending(owned, field.tiling, purse.k) if purse is not None else {}
    return Gathered(normalised(total, count, field.tiling.k), count, spending)


def unspent(owned: Claims, tiling: Tiling, used: Callable[[int], Cells]) -> torch.Tensor:
    """(m,) bool: which of these sub-pixels are not spent."""
    free = torch.ones(len(owned.owner), dtype=torch.bool, device=owned.owner.device)
    for label in torch.unique(owned.label).tolist():
        cells = used(label)
        if len(cells.places):
            here = torch.nonzero(owned.label == label)[:, 0]
            row, column = owned.y[here].cpu().numpy(), owned.x[here].cpu().numpy()
            gone = spent.inside(cells, row, column, tiling.k, tiling.grid.width)
            free[here] = ~torch.from_numpy(gone).to(free.device)
    return free


def _spending(owned: list[Claims], tiling: Tiling, k: int) -> dict[int, Cells]:
    """The cells of level k that were claimed, by anchor; `owned` in sub-pixels of the tiling's level."""
    by_label: dict[int, list[Cells]] = {}
    for claim in owned:
        for label in torch.unique(claim.label).tolist():
            here = claim.label == label
            row, column = claim.y[here].cpu().numpy(), claim.x[here].cpu().numpy()
            cells = spent.of_cells(row, column, tiling.k, k, tiling.grid.width)
            by_label.setdefault(label, []).append(cells)
    return {label: spent.union(parts, k) for label, parts in by_label.items()}


def _claimed(
    owner: torch.Tensor, names: torch.Tensor, tiling: Tiling, chosen: torch.Tensor | None
) -> tuple[Claims, torch.Tensor]:
    """The sub-pixels of pieces that anybody owns, or one of the `chosen` (pairs,), and where they stand in `owner`."""
    at = torch.nonzero((owner.view(-1) >= 0) if chosen is None else (owner.view(-1) >= 0) & chosen[owner.view(-1)])[
        :, 0
    ]
    piece, inner = at // (SLOT * SLOT), at % (SLOT * SLOT)
    corner = tiling.corners(names)[piece]
    claim = Claims(
        owner.view(-1)[at].to(torch.int64), tiling.labels(names)[piece], corner[:, 0] + inner % SLOT,
        corner[:, 1] + inner // SLOT,
    )  # fmt: skip
    return claim, at


def normalised(total: torch.Tensor, count: torch.Tensor, k: int) -> torch.Tensor:
    """Sums (C, H, W) of `count` (H, W) sub-pixels of level k, whole numbers of steps (gpu.noise.field), brought to unit
    variance: total sqrt(N_k / |Omega|) (paper: Eq. 5)."""
    # By way of double precision, so that the root is the same to the last bit everywhere; mps has none.
    exact = count if count.device.type == "mps" else count.double()
    factor = torch.sqrt(float(4**k) / exact.clamp(min=1)).to(torch.float32)
    return floating(total) * factor


def cut(track: Track, error: torch.Tensor, tiling: Tiling, s: int) -> Pieces:
    """Outlines of the transported pixels of a track, and which pieces of which anchor frame they touch."""
    device = track.label.device
    moving = (track.state != NEW) & (track.state != UNDEFINED)
    pixel = torch.nonzero(moving.view(-1))[:, 0]
    contours = outlines.outlines(track.position, track.label, moving, tiling.k, s).contours(pixel)
    last = torch.tensor([tiling.columns - 1, tiling.rows - 1], device=device)
    low = torch.floor(torch.minimum(contours.vertices.amin(1), contours.centre) / SLOT).to(torch.int64)
    high = torch.ceil(torch.maximum(contours.vertices.amax(1), contours.centre) / SLOT).to(torch.int64) - 1
    low, high = low.clamp(min=0), torch.minimum(torch.maximum(high, low), last)
    extent = (high - low + 1).clamp(min=0)
    times = extent[:, 0] * extent[:, 1]
    polygon = torch.repeat_interleave(torch.arange(len(pixel), device=device), times)
    number = torch.arange(len(polygon), device=device) - (times.cumsum(0) - times)[polygon]
    wide = extent[polygon, 0].clamp(min=1)
    column, row = low[polygon, 0] + number % wide, low[polygon, 1] + number // wide
    label = track.label.view(-1)[pixel][polygon].to(torch.int64)
    rank = torch.nan_to_num(error.reshape(-1)[pixel] * 64, nan=255.0, posinf=255.0).clamp(0, 255).to(torch.int32)
    return Pieces(contours, pixel, rank, polygon, tiling.names(label, row, column))


def by_piece(pieces: Pieces, field: FineField) -> ByPiece:
    """The pairs of `pieces` by piece, those that many pixels look at apart from those that few do."""
    order = torch.argsort(pieces.piece, stable=True)
    names, sizes = torch.unique_consecutive(pieces.piece[order], return_counts=True)
    dense = sizes * 4**field.tiling.k >= SLOT * SLOT * SPARSE
    member = torch.repeat_interleave(dense, sizes)
    number = torch.repeat_interleave(torch.cumsum(~dense, 0) - 1, sizes)
    return ByPiece(order[member], names[dense], sizes[dense], order[~member], number[~member], names[~dense])


def owners(
    pieces: Pieces,
    pairs: torch.Tensor,
    names: torch.Tensor,
    sizes: torch.Tensor,
    tiling: Tiling,
    rasteriser: Rasteriser,
) -> torch.Tensor:
    """(slots, SLOT, SLOT) int32: which of `pairs`, listed piece by piece, owns each sub-pixel of the pieces `names`, `sizes`
    pairs each; -1 where nobody does."""
    slot = torch.repeat_interleave(torch.arange(len(names), device=names.device), sizes)
    corners = tiling.corners(names)
    polygon = pieces.polygon[pairs]
    shapes = pieces.contours.relative(polygon, corners[slot].to(torch.float32))
    owner = rasteriser.own(shapes, slot, pieces.rank[polygon], len(names))
    # Nobody owns what lies outside the frame: the field ends there.
    for number, (x, y) in enumerate(corners.tolist()):
        owner[number, max(0, (tiling.grid.height << tiling.k) - y) :] = -1
        owner[number, :, max(0, (tiling.grid.width << tiling.k) - x) :] = -1
    return owner


def claims(pieces: Pieces, given: ByPiece, tiling: Tiling) -> Claims:
    """Which sub-pixels the pairs `given.few` own."""
    polygon = pieces.polygon[given.few]
    corner = tiling.corners(given.rare)
    shapes = pieces.contours.relative(polygon, corner[given.slot].to(torch.float32))
    return sparse.claims(shapes, given.slot, pieces.rank[polygon], tiling.labels(given.rare), corner, tiling)


def _dense(
    pieces: Pieces,
    given: ByPiece,
    field: FineField,
    rasteriser: Rasteriser,
    total: torch.Tensor,
    count: torch.Tensor,
    purse: Purse | None,
    spending: list[Claims],
) -> None:
    """Rasterise whole pieces and add up by owner."""
    listed = given.sizes.tolist()
    begin, step = 0, rasteriser.capacity
    for start in range(0, len(given.names), step):
        names, sizes = given.names[start : start + step], given.sizes[start : start + step]
        end = begin + sum(listed[start : start + step])
        pairs, begin = given.many[begin:end], end
        owner = owners(pieces, pairs, names, sizes, field.tiling, rasteriser).reshape(-1)
        pixel = pieces.pixel[pieces.polygon[pairs]]
        if purse is not None:
            labels = field.tiling.labels(names)
            some = torch.tensor([len(purse.used(label).places) > 0 for label in labels.tolist()], device=labels.device)
            if bool(some.any()):
                claim, at = _claimed(owner, names, field.tiling, None)
                owner[at[~unspent(claim, field.tiling, purse.used)]] = -1
            if purse.renewing is not None:
                spending.append(_claimed(owner, names, field.tiling, purse.renewing.view(-1)[pixel])[0])
        owner = owner.add_(1)
        owned = torch.bincount(owner, minlength=len(pairs) + 1)[1:]
        count.index_add_(0, pixel, owned.to(torch.int32))
        for channel in range(len(total)):
            fine = field.pieces(tuple(names.tolist()), channel, keep=len(given.names) <= step)
            # Whole numbers far below 2^53: sums in double precision are exact, whatever their order.
            sums = torch.bincount(owner, weights=fine.view(-1).double(), minlength=len(pairs) + 1)[1:]
            total[channel].index_add_(0, pixel, sums.to(torch.int64))


def _sparse(
    pieces: Pieces,
    given: ByPiece,
    field: FineField,
    total: torch.Tensor,
    count: torch.Tensor,
    purse: Purse | None,
    spending: list[Claims],
) -> None:
    """Find the owners of single sub-pixels and add up what these hold."""
    pixel = pieces.pixel[pieces.polygon[given.few]]
    owned = claims(pieces, given, field.tiling)
    if purse is not None:
        owned = owned.of(unspent(owned, field.tiling, purse.used))
        if purse.renewing is not None:
            spending.append(owned.of(purse.renewing.view(-1)[pixel[owned.owner]]))
    held = field.values(owned, len(total)) if len(total) and len(owned.owner) else ()
    sums, number = sparse.sums(owned, len(pixel), held, len(total))
    count.index_add_(0, pixel, number)
    total.index_add_(1, pixel, sums)
