"""Contours: where the outline of each target pixel lies in its anchor frame (paper: Section 3.2, Algorithm 2).

The map Phi is bilinear between pixel centres, so a side of a pixel maps to two straight segments that meet at the middle of
the side. Contour points between corner, middle and corner would lie on those segments: every even s gives the same outline
with 8 vertices, s = 1 the 4 corners, odd s cuts across the middle with 4 s vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

SNAP = 256
"""Vertices are rounded to 1/256 of a sub-pixel, as rasterising hardware does, so that all backends see the same corners."""

FAR = 8.0
"""Neighbours further apart than this in the anchor frame are believed only where both sides agree on the stretch."""


@dataclass(frozen=True)
class Contours:
    """Outlines of n target pixels in sub-pixels of their anchor: `vertices` (n, m, 2) clockwise on the screen from the
    upper left corner, `centre` (n, 2), and `convex` (n,): whether the 4 corners (every m/4-th vertex) are the outline."""

    vertices: torch.Tensor
    centre: torch.Tensor
    convex: torch.Tensor

    def relative(self, chosen: torch.Tensor, corner: torch.Tensor) -> Contours:
        """The outlines `chosen` (m,) with positions relative to `corner` (m, 2)."""
        return Contours(self.vertices[chosen] - corner[:, None], self.centre[chosen] - corner, self.convex[chosen])


def template(s: int) -> list[tuple[float, float]]:
    """Contour points (u, v) of the square [-1/2, 1/2]^2, clockwise on the screen from the upper left corner."""
    segments = 2 if s % 2 == 0 else s
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    points = []
    for index, (u0, v0) in enumerate(corners):
        u1, v1 = corners[(index + 1) % 4]
        points += [(u0 + (u1 - u0) * i / segments, v0 + (v1 - v0) * i / segments) for i in range(segments)]
    return points


def _weights(s: int, device: torch.device) -> torch.Tensor:
    """(m, 9) bilinear weights of the 3 x 3 neighbourhood of centres at each contour point."""
    rows = []
    for u, v in template(s):
        weight = [0.0] * 9
        for dy, wy in ((0, 1 - abs(v)), (1 if v > 0 else -1, abs(v))):
            for dx, wx in ((0, 1 - abs(u)), (1 if u > 0 else -1, abs(u))):
                weight[(dy + 1) * 3 + dx + 1] += wy * wx
        rows.append(weight)
    return torch.tensor(rows, dtype=torch.float32, device=device)


@dataclass
class _Step:
    """Differences (2, H, W) of position towards one neighbour, and where that neighbour is of the same surface."""

    difference: torch.Tensor
    trusted: torch.Tensor


def _square(vector: torch.Tensor) -> torch.Tensor:
    return vector[0] * vector[0] + vector[1] * vector[1]


def _mend(before: _Step, after: _Step, axis: int) -> None:
    """Replace differences to neighbours of another surface; both steps point along +axis.

    A neighbour is of another surface when it has another anchor, lies outside the frame, or when the two one-sided
    differences disagree as no smooth map would (a jump at an occlusion): then the one nearer to the identity is trusted.
    A stretch beyond FAR pixels is believed only where both sides agree on it. A missing difference is the other side's;
    with none at all the map is locally the identity.
    """
    a, b = before.difference, after.difference
    apart, length_a, length_b = _square(a - b), _square(a), _square(b)
    shorter = torch.minimum(length_a, length_b)
    both = before.trusted & after.trusted
    # |a - b| > 1 + |shorter| / 2 and |a - b| <= |shorter| / 4, compared as squares without a root.
    beyond = apart - 1 - shorter * 0.25
    jump = both & (beyond > 0) & (beyond * beyond > shorter)
    agreed = both & (apart * 16 <= shorter)
    # |a - e|^2 <= |b - e|^2 for the unit vector e, with the common |e|^2 left out.
    nearer = length_a - 2 * a[axis] <= length_b - 2 * b[axis]
    before.trusted = before.trusted & ~(jump & ~nearer) & (agreed | (length_a <= FAR * FAR))
    after.trusted = after.trusted & ~(jump & nearer) & (agreed | (length_b <= FAR * FAR))
    if bool((before.trusted & after.trusted).all()):
        return
    unit = torch.zeros((2, 1, 1), dtype=a.dtype, device=a.device)
    unit[axis] = 1.0
    before.difference = torch.where(before.trusted, a, torch.where(after.trusted, b, unit))
    after.difference = torch.where(after.trusted, b, torch.where(before.trusted, a, unit))


def neighbourhoods(position: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """(9, 2, H, W) positions of the 3 x 3 pixels around each pixel, row by row, as its own surface continues.

    `position` (H, W, 2) are absolute positions in the anchor frame `label` (H, W). Neighbours of another anchor, outside
    the frame or beyond a jump are extrapolated.
    """
    height, width = label.shape
    here = position.permute(2, 0, 1).contiguous()
    padded = torch.nn.functional.pad(here[None], (1, 1, 1, 1), mode="replicate")[0]
    labels = torch.nn.functional.pad(label, (1, 1, 1, 1), value=-1)

    def near(dy: int, dx: int) -> _Step:
        rows, columns = slice(1 + dy, 1 + dy + height), slice(1 + dx, 1 + dx + width)
        return _Step(padded[:, rows, columns] - here, labels[rows, columns] == label)

    left, right, up, down = near(0, -1), near(0, 1), near(-1, 0), near(1, 0)
    left.difference, up.difference = -left.difference, -up.difference
    _mend(left, right, 0)
    _mend(up, down, 1)
    out = torch.empty((9, 2, height, width), dtype=position.dtype, device=position.device)
    sides = {(0, -1): (left, -1), (0, 1): (right, 1), (-1, 0): (up, -1), (1, 0): (down, 1)}
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            place = out[(dy + 1) * 3 + dx + 1]
            if dy == 0 and dx == 0:
                place.copy_(here)
            elif dy == 0 or dx == 0:
                step, sign = sides[dy, dx]
                torch.add(here, step.difference, alpha=sign, out=place)
            else:
                (across, sign_x), (along, sign_y) = sides[0, dx], sides[dy, 0]
                flat = sign_x * across.difference + sign_y * along.difference
                corner = near(dy, dx)
                length = _square(flat)
                beyond = _square(corner.difference - flat) - 1 - length * 0.25
                smooth = (beyond <= 0) | (beyond * beyond <= length)
                use = corner.trusted & smooth & across.trusted & along.trusted
                torch.add(here, torch.where(use, corner.difference, flat), out=place)
    return out


def jacobian(around: torch.Tensor) -> torch.Tensor:
    """(n,) determinant of the map's derivative by central differences in neighbourhoods `around` (9, 2, n): the area of the
    anchor frame that a pixel of unit area covers to first order, negative where the map is folded."""
    across, down = (around[5] - around[3]) / 2, (around[7] - around[1]) / 2
    return across[0] * down[1] - across[1] * down[0]


def contours(around: torch.Tensor, k: int, s: int) -> Contours:
    """Outlines in level-k sub-pixels of n pixels with neighbourhoods `around` (9, 2, n)."""
    scale = float(1 << k)
    n = around.shape[2]
    points = (_weights(s, around.device) * scale) @ around.reshape(9, 2 * n)
    vertices = torch.round(points.mul_(SNAP)).div_(SNAP).view(len(points), 2, n).permute(2, 0, 1).contiguous()
    centre = torch.round(around[4].T * (scale * SNAP)).div_(SNAP)
    return Contours(vertices, centre, _is_convex(vertices))


def _is_convex(vertices: torch.Tensor) -> torch.Tensor:
    """Whether the outline is, to the snapping grid, a convex quadrilateral given by its 4 corners."""
    step = vertices.shape[1] // 4
    x, y = vertices[..., 0].T.contiguous(), vertices[..., 1].T.contiguous()
    corner_x, corner_y = x[::step], y[::step]
    edge_x, edge_y = corner_x.roll(-1, 0) - corner_x, corner_y.roll(-1, 0) - corner_y
    turn = edge_x * edge_y.roll(-1, 0) - edge_y * edge_x.roll(-1, 0)
    convex = (turn > 0).all(0) | (turn < 0).all(0)
    for i in range(1, step):
        for point, corner, edge in ((x, corner_x, edge_x), (y, corner_y, edge_y)):
            convex &= ((point[i::step] - corner - edge * (i / step)).abs() <= 1.001 / SNAP).all(0)
    return convex


def areas(vertices: torch.Tensor) -> torch.Tensor:
    """(n,) signed areas of polygons (n, m, 2), positive when clockwise on the screen (the map keeps orientation)."""
    following = vertices.roll(-1, 1)
    return 0.5 * (vertices[..., 0] * following[..., 1] - vertices[..., 1] * following[..., 0]).sum(1)
