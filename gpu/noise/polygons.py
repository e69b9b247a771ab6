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


@dataclass(frozen=True)
class Contours:
    """Outlines of n target pixels in sub-pixels of their anchor: `vertices` (n, m, 2) clockwise on the screen from the upper
    left corner, `centre` (n, 2), and `convex` (n,): whether the 4 corners alone (every m/4-th vertex) are the outline."""

    vertices: torch.Tensor
    centre: torch.Tensor
    convex: torch.Tensor


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


def _one_sided(
    before: torch.Tensor, after: torch.Tensor, has_before: torch.Tensor, has_after: torch.Tensor, axis: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Differences to the two neighbours along one axis, mended where a neighbour is of another surface.

    A neighbour is of another surface when it has another anchor, lies outside the frame, or when the two one-sided
    differences disagree as no smooth map would (a jump at an occlusion): then the one nearer to the identity is trusted.
    A stretch beyond FAR pixels is believed only where both sides agree on it. A missing difference is the other side's;
    with none at all the map is locally the identity.
    """
    unit = torch.zeros(2, dtype=before.dtype, device=before.device)
    unit[axis] = 1.0
    apart = (before - after).norm(dim=-1)
    length_before, length_after = before.norm(dim=-1), after.norm(dim=-1)
    both = has_before & has_after
    jump = both & (apart > 1 + 0.5 * torch.minimum(length_before, length_after))
    nearer_before = (before - unit).norm(dim=-1) <= (after - unit).norm(dim=-1)
    agreed = both & (apart <= 0.25 * torch.minimum(length_before, length_after))
    has_before = has_before & ~(jump & ~nearer_before) & (agreed | (length_before <= FAR))
    has_after = has_after & ~(jump & nearer_before) & (agreed | (length_after <= FAR))
    mended_before = torch.where(has_before[..., None], before, torch.where(has_after[..., None], after, unit))
    mended_after = torch.where(has_after[..., None], after, torch.where(has_before[..., None], before, unit))
    return mended_before, mended_after, has_before, has_after


def neighbourhoods(position: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """(H, W, 9, 2) positions of the 3 x 3 pixels around each pixel, as its own surface continues.

    `position` (H, W, 2) are absolute positions in the anchor frame `label` (H, W). Neighbours of another anchor, outside
    the frame or beyond a jump are extrapolated.
    """
    height, width = label.shape
    padded = torch.nn.functional.pad(position.permute(2, 0, 1)[None], (1, 1, 1, 1), mode="replicate")[0].permute(
        1, 2, 0
    )
    labels = torch.full((height + 2, width + 2), -1, dtype=label.dtype, device=label.device)
    labels[1:-1, 1:-1] = label

    def near(dy: int, dx: int) -> tuple[torch.Tensor, torch.Tensor]:
        window = (slice(1 + dy, 1 + dy + height), slice(1 + dx, 1 + dx + width))
        return padded[window] - position, labels[window] == label

    left, has_left = near(0, -1)
    right, has_right = near(0, 1)
    up, has_up = near(-1, 0)
    down, has_down = near(1, 0)
    left, right, has_left, has_right = _one_sided(-left, right, has_left, has_right, 0)
    up, down, has_up, has_down = _one_sided(-up, down, has_up, has_down, 1)
    sides = {(0, -1): -left, (0, 1): right, (-1, 0): -up, (1, 0): down}
    trusted = {(0, -1): has_left, (0, 1): has_right, (-1, 0): has_up, (1, 0): has_down}
    out = torch.empty((height, width, 9, 2), dtype=position.dtype, device=position.device)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy == 0 and dx == 0:
                offset = torch.zeros_like(position)
            elif dy == 0 or dx == 0:
                offset = sides[dy, dx]
            else:
                diagonal, same = near(dy, dx)
                flat = sides[dy, 0] + sides[0, dx]
                smooth = (diagonal - flat).norm(dim=-1) <= 1 + 0.5 * flat.norm(dim=-1)
                use = same & smooth & trusted[dy, 0] & trusted[0, dx]
                offset = torch.where(use[..., None], diagonal, flat)
            out[:, :, (dy + 1) * 3 + dx + 1] = position + offset
    return out


def contours(around: torch.Tensor, k: int, s: int) -> Contours:
    """Outlines in level-k sub-pixels from neighbourhoods (..., 9, 2); leading axes are flattened to n."""
    around = around.reshape(-1, 9, 2)
    scale = float(1 << k)
    points = torch.einsum("mj,njc->nmc", _weights(s, around.device), around) * scale
    vertices = torch.round(points * SNAP) / SNAP
    centre = torch.round(around[:, 4] * scale * SNAP) / SNAP
    return Contours(vertices, centre, _is_convex(vertices))


def _is_convex(vertices: torch.Tensor) -> torch.Tensor:
    """Whether the outline is, to the snapping grid, a convex quadrilateral given by its 4 corners."""
    step = vertices.shape[1] // 4
    corners = vertices[:, ::step]
    edges = corners.roll(-1, 1) - corners
    following = edges.roll(-1, 1)
    turn = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    convex = (turn > 0).all(1) | (turn < 0).all(1)
    for i in range(1, step):
        between = vertices[:, i::step] - (corners + edges * (i / step))
        convex &= (between.abs() <= 1.001 / SNAP).all(dim=2).all(dim=1)
    return convex


def areas(vertices: torch.Tensor) -> torch.Tensor:
    """(n,) signed areas of polygons (n, m, 2), positive when clockwise on the screen (the map keeps orientation)."""
    following = vertices.roll(-1, 1)
    return 0.5 * (vertices[..., 0] * following[..., 1] - vertices[..., 1] * following[..., 0]).sum(1)
