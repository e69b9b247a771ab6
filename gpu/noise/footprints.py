"""The footprint of one pixel of noise: its outline in the anchor frame, and the sub-pixels that it owns there.

Everything is asked of the code that makes the noise (gathering, the rasteriser, the fine field), for one pixel; nothing is
computed a second way, so that the numbers shown are those that were used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from gpu.noise import gathering, polygons, rng, spent
from gpu.noise.field import fixed, floating, write_pixels
from gpu.noise.fine_field import AnchorField, FineField
from gpu.noise.gathering import Pieces
from gpu.noise.inspection import Footprint, Neighbour
from gpu.noise.ownership import Rasteriser, covered
from gpu.noise.sparse import Claims
from gpu.noise.spent import Cells
from gpu.noise.tiling import SLOT, NoiseGrid, Tiling
from gpu.noise.tracks import Track


def born(field: AnchorField, t: int, x: int, y: int, channels: int) -> Footprint:
    """A pixel whose noise is born in frame t: it owns all sub-pixels of its own square."""
    grid, k = field.tiling.grid, field.tiling.k
    n = 1 << k
    inner_y, inner_x = np.divmod(np.arange(n * n), n)
    parts = torch.stack(
        [
            field.rasteriser.cells(
                fixed(rng.plane(field.seed, rng.FIELD, t, channel, 0, y, x, 1, 1, grid.device)),
                field.seed, t, channel, k, y, x,
            ).reshape(-1)
            for channel in range(channels)
        ]
    )  # fmt: skip
    noise = torch.zeros((channels, grid.height, grid.width), device=grid.device)
    write_pixels(noise, torch.tensor([y * grid.width + x], device=grid.device), field.seed, t)
    square = np.array([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], np.float32)
    beside = [
        Neighbour(x + dx, y + dy, square + np.array([dx, dy], np.float32))
        for dx, dy in _around(grid, x, y)
    ]  # fmt: skip
    return Footprint(
        anchor=t,
        position=np.array([x + 0.5, y + 0.5], np.float32),
        polygon=square,
        neighbours=tuple(beside),
        level=k,
        subpixels=np.stack([x * n + inner_x, y * n + inner_y], 1),
        values=floating(parts).cpu().numpy(),
        area=1.0,
        jacobian=1.0,
        covered=n * n,
        total=floating(parts.sum(1)).cpu().numpy(),
        value=noise[:, y, x].cpu().numpy(),
    )


def gathered(
    track: Track,
    error: torch.Tensor,
    field: FineField,
    rasteriser: Rasteriser,
    s: int,
    x: int,
    y: int,
    channels: int,
    used: Callable[[int], Cells] | None = None,
) -> Footprint:
    """What pixel (x, y), which the track moves, owns in its anchor frame, but for cells that are `used` up
    (gpu.noise.gathering.Purse); other arguments as of gpu.noise.gathering.gather."""
    tiling = field.tiling
    grid, k = tiling.grid, tiling.k
    pieces = gathering.cut(track, error, tiling, s)
    polygon = _polygon_of(pieces, y * grid.width + x)
    assert polygon is not None
    scale = float(1 << k)
    outline = pieces.contours.vertices[polygon]
    label = int(track.label[y, x])
    subpixels, values = _owned(pieces, polygon, field, rasteriser, channels)
    if used is not None and len(subpixels):
        spent_ones = spent.inside(
            used(label), subpixels[:, 1].cpu().numpy(), subpixels[:, 0].cpu().numpy(), k, grid.width
        )
        free = ~torch.from_numpy(spent_ones).to(subpixels.device)
        subpixels, values = subpixels[free], values[:, free]
    total = values.to(torch.int64).sum(1)
    count = torch.tensor(len(subpixels), device=grid.device)
    beside = []
    for dx, dy in _around(grid, x, y):
        other = _polygon_of(pieces, (y + dy) * grid.width + x + dx)
        if other is not None and int(track.label[y + dy, x + dx]) == label:
            shape = (pieces.contours.vertices[other] / scale).cpu().numpy()
            beside.append(Neighbour(x + dx, y + dy, shape))
    return Footprint(
        anchor=label,
        position=track.position[y, x].cpu().numpy(),
        polygon=(outline / scale).cpu().numpy(),
        neighbours=tuple(beside),
        level=k,
        subpixels=subpixels.cpu().numpy(),
        values=floating(values).cpu().numpy(),
        area=float(polygons.areas(outline[None])[0]) / scale**2,
        jacobian=_jacobian(track, x, y),
        covered=_covered(pieces, polygon, tiling),
        total=floating(total).cpu().numpy(),
        value=gathering.normalised(total, count, k).cpu().numpy(),
    )


def _around(grid: NoiseGrid, x: int, y: int) -> list[tuple[int, int]]:
    """Offsets (dx, dy) to the up to eight neighbours inside the frame."""
    return [
        (dx, dy)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dx or dy) and 0 <= x + dx < grid.width and 0 <= y + dy < grid.height
    ]


def _polygon_of(pieces: Pieces, pixel: int) -> int | None:
    """The number of the polygon that belongs to a pixel (flat index); None where the pixel is not moved."""
    at = int(torch.searchsorted(pieces.pixel, torch.tensor(pixel, device=pieces.pixel.device)))
    return at if at < len(pieces.pixel) and int(pieces.pixel[at]) == pixel else None


def _owned(
    pieces: Pieces, polygon: int, field: FineField, rasteriser: Rasteriser, channels: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Places (n, 2) and values (C, n) of the sub-pixels that a polygon owns, against all that it meets."""
    tiling, device = field.tiling, pieces.piece.device
    touched = pieces.piece[pieces.polygon == polygon]
    near = torch.isin(pieces.piece, touched)
    meeting = dataclasses.replace(pieces, polygon=pieces.polygon[near], piece=pieces.piece[near])
    places, values = [], []
    if len(meeting.polygon):
        given = gathering.by_piece(meeting, field)
        parts = torch.split(given.many, given.sizes.tolist())
        for number, pairs in enumerate(parts):
            name, size = given.names[number : number + 1], given.sizes[number : number + 1]
            owner = gathering.owners(meeting, pairs, name, size, tiling, rasteriser)[0]
            mine = torch.nonzero(meeting.polygon[pairs] == polygon)[:, 0]
            row, column = torch.nonzero(torch.isin(owner, mine.to(owner.dtype)), as_tuple=True)
            places.append(torch.stack([column, row], 1) + tiling.corners(name))
            fine = [field.piece(int(name), channel)[row, column] for channel in range(channels)]
            values.append(torch.stack(fine) if fine else torch.zeros((0, len(row)), dtype=torch.int32, device=device))
        if len(given.few):
            owned = gathering.claims(meeting, given, tiling)
            mine = meeting.polygon[given.few][owned.owner] == polygon
            owned = Claims(owned.owner[mine], owned.label[mine], owned.x[mine], owned.y[mine])
            places.append(torch.stack([owned.x, owned.y], 1))
            fine = list(field.values(owned, channels)) if channels else []
            values.append(
                torch.stack(fine) if fine else torch.zeros((0, len(owned.x)), dtype=torch.int32, device=device)
            )
    if not places:
        nothing = torch.zeros((0, 2), dtype=torch.int64, device=device)
        return nothing, torch.zeros((channels, 0), dtype=torch.int32, device=device)
    return torch.cat(places), torch.cat(values, 1)


def _covered(pieces: Pieces, polygon: int, tiling: Tiling) -> int:
    """How many sub-pixels' centres inside the frame lie in the outline, whoever owns them."""
    names = pieces.piece[pieces.polygon == polygon]
    if not len(names):
        return 0
    corners = tiling.corners(names)
    chosen = torch.full((len(names),), polygon, device=names.device)
    slot = torch.arange(len(names), device=names.device)
    outlines = pieces.contours.relative(chosen, corners.to(torch.float32))
    places = [place for place, _ in covered(outlines, slot, torch.zeros_like(slot, dtype=torch.int32))]
    if not places:
        return 0
    place = torch.unique(torch.cat(places))
    at = place // (SLOT * SLOT)
    x, y = corners[at, 0] + place % SLOT, corners[at, 1] + place // SLOT % SLOT
    return int(tiling.inside(x, y).sum())


def _jacobian(track: Track, x: int, y: int) -> float:
    """Determinant of the map's derivative at a pixel, from the same neighbourhood that its outline is made of."""
    rows, columns = slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2)
    around = polygons.neighbourhoods(track.position[rows, columns], track.label[rows, columns])
    return float(polygons.jacobian(around[:, :, y - rows.start, x - columns.start, None])[0])
