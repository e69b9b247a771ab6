"""Exact areas: how much of which pixel of its anchor frame each target pixel's outline covers.

Outlines are cut at the lines between pixels. A piece of an edge that goes down by d within a cell adds d to what the cells on
its right are covered by, and d times what lies on its right to its own cell: added up along rows, that is the area of the
whole outline in every cell (Green's theorem). Where edges cross lines is rounded to 1/UNIT of a pixel, for both pixels that
share an edge alike, and all else is whole numbers: pixels of one surface leave no gap and share no area, in whatever order sums
are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gpu.noise import outlines
from gpu.noise.outlines import NONE, SNAP_BITS, TANGLED
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Track

LEVEL = 4
"""Vertices are whole numbers of 1/SNAP of sub-pixels of this level: 1/4096 pixel."""

UNIT_BITS = 16
UNIT = 1 << UNIT_BITS
"""What a pixel's side is long, where edges are cut."""

FULL = 2 * UNIT * UNIT
"""The area of a pixel: areas are counted twice, as trapezia come out."""

LIFT = UNIT_BITS - SNAP_BITS - LEVEL


@dataclass(frozen=True)
class Overlaps:
    """Where outlines and pixels of anchor frames lie on each other, n times: the target `pixel` and the `source` pixel of the
    frame `label`, flat indices (n,) int64, and the `area` (n,) int64, of which FULL make a pixel. In the order of target
    pixels."""

    pixel: torch.Tensor
    label: torch.Tensor
    source: torch.Tensor
    area: torch.Tensor


def overlaps(track: Track, s: int) -> Overlaps:
    """The overlaps of a track's transported pixels, whose outlines have `s` segments a side (gpu.noise.outlines).

    An outline that is TANGLED asks for the areas of the triangles between its centre and its sides, for a whole pixel at most
    where these lie on each other."""
    height, width = track.label.shape
    device = track.label.device
    moving = (track.state != NEW) & (track.state != UNDEFINED)
    drawn = outlines.outlines(track.position, track.label, moving, LEVEL, s)
    kind = drawn.kind.reshape(-1)
    vertices = drawn.vertices.reshape(height * width, -1, 2)
    if device.type == "mps":  # no double precision
        kind, vertices = kind.cpu(), vertices.cpu()
    simple = torch.nonzero((kind != NONE) & (kind != TANGLED))[:, 0]
    polygon, column, row, area = _cells(vertices[simple].to(torch.int64) << LIFT)
    pixel, area = simple[polygon], -kind[simple[polygon]].to(torch.int64) * area
    tangled = torch.nonzero(kind == TANGLED)[:, 0]
    if len(tangled):
        corner = vertices[tangled].to(torch.int64)
        centre = drawn.centre.to(kind.device).reshape(-1, 2)[tangled].to(torch.int64)[:, None].expand_as(corner)
        triangles = torch.stack([corner, corner.roll(-1, 1), centre], 2).reshape(-1, 3, 2)
        number, *cell, part = _cells(triangles << LIFT)
        of = torch.cat([pixel, tangled[number // corner.shape[1]]])
        column, row = torch.cat([column, cell[0]]), torch.cat([row, cell[1]])
        pixel, area = of, torch.cat([area, part.abs()])
    has = (area > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    pixel, source, area = pixel[has], (row * width + column)[has], area[has]
    if len(tangled):
        # One line each for a target and a source, in order: triangles of one outline meet in many cells.
        both, place = torch.unique(pixel * (height * width) + source, return_inverse=True)
        area = torch.zeros_like(both).index_add_(0, place, area).clamp(max=FULL)
        pixel, source = both // (height * width), both % (height * width)
    pixel, source, area = pixel.to(device), source.to(device), area.to(device)
    return Overlaps(pixel, track.label.reshape(-1)[pixel].to(torch.int64), source, area)


def _repeated(times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every index as often as `times` (n,) says, and the number of each repetition."""
    index = torch.repeat_interleave(torch.arange(len(times), device=times.device), times)
    return index, torch.arange(len(index), device=times.device) - (times.cumsum(0) - times)[index]


def _along(at: torch.Tensor, whole: torch.Tensor, rise: torch.Tensor) -> torch.Tensor:
    """at * rise / whole rounded: what a line that rises by `rise` over `whole` has risen by after `at`."""
    return torch.round(at.double() * rise.double() / whole.double()).to(torch.int64)


def _cells(vertices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Twice the signed areas of polygons (n, m, 2) in cells of UNIT, positive where they run against the clock on the screen:
    the polygon's number, column, row and area, (k,) int64 each."""
    low, high = vertices.amin(1), vertices.amax(1)
    first = low >> UNIT_BITS
    columns = (high[:, 0] >> UNIT_BITS) - first[:, 0] + 1
    rows = ((high[:, 1] - 1) >> UNIT_BITS).clamp(min=first[:, 1]) - first[:, 1] + 1
    size = columns * rows
    begin = size.cumsum(0) - size
    n, m = vertices.shape[:2]
    start = (vertices - (first << UNIT_BITS)[:, None]).reshape(-1, 2)
    end = start.view(n, m, 2).roll(-1, 1).reshape(-1, 2)
    edge = torch.nonzero(start[:, 1] != end[:, 1])[:, 0]
    polygon = edge // m
    start, end = start[edge], end[edge]
    upwards = start[:, 1] > end[:, 1]
    sign = torch.where(upwards, -1, 1)
    (x0, y0), (x1, y1) = torch.where(upwards[:, None], end, start).T, torch.where(upwards[:, None], start, end).T
    # Cut at the lines between rows.
    top, bottom = y0 >> UNIT_BITS, (y1 - 1) >> UNIT_BITS
    e, number = _repeated(bottom - top + 1)
    row = top[e] + number
    x0, y0, x1, y1, polygon, sign = x0[e], y0[e], x1[e], y1[e], polygon[e], sign[e]
    dx, dy = x1 - x0, y1 - y0
    above, below = row << UNIT_BITS, (row + 1) << UNIT_BITS
    starts, ends = row == top[e], row == bottom[e]
    xa, ya = torch.where(starts, x0, x0 + _along(above - y0, dy, dx)), torch.where(starts, y0, above)
    xb, yb = torch.where(ends, x1, x0 + _along(below - y0, dy, dx)), torch.where(ends, y1, below)
    # And from left to right at the lines between columns.
    turned = xa > xb
    xa, xb = torch.where(turned, xb, xa), torch.where(turned, xa, xb)
    ya, yb = torch.where(turned, yb, ya), torch.where(turned, ya, yb)
    left = xa >> UNIT_BITS
    right = torch.maximum((xb - 1) >> UNIT_BITS, left)
    e, number = _repeated(right - left + 1)
    column = left[e] + number
    xa, ya, xb, yb = xa[e], ya[e], xb[e], yb[e]
    across, down = (xb - xa).clamp(min=1), yb - ya
    before, after = column << UNIT_BITS, (column + 1) << UNIT_BITS
    starts, ends = column == left[e], column == right[e]
    xl, yl = torch.where(starts, xa, before), torch.where(starts, ya, ya + _along(before - xa, across, down))
    xr, yr = torch.where(ends, xb, after), torch.where(ends, yb, ya + _along(after - xa, across, down))
    fall = (yr - yl).abs() * sign[e]
    polygon, row = polygon[e], row[e]
    cell = begin[polygon] + row * columns[polygon] + column
    cover, inner = torch.zeros((2, int(size.sum())), dtype=torch.int64, device=vertices.device)
    cover.index_add_(0, cell, fall)
    inner.index_add_(0, cell, fall * (xl + xr - 2 * before))
    # Whatever goes down a row of a closed polygon comes up it as well, so that one sum runs over all rows.
    area = 2 * UNIT * cover.cumsum(0) - inner
    polygon, number = _repeated(size)
    wide = columns[polygon]
    return polygon, first[polygon, 0] + number % wide, first[polygon, 1] + number // wide, area
