"""Outlines: where the contour of each target pixel lies in its anchor frame (paper: Section 3.2, Algorithm 2).

The map is bilinear between pixel centres, so a side of a pixel maps to two straight segments that meet at the middle of the
side. Contour points between corner, middle and corner would lie on those segments: every even s gives the same outline
with 8 vertices, s = 1 the 4 corners, odd s cuts across the middle with 4 s vertices.

Pixels of one surface are **linked**: they share their side, vertex for vertex, whoever works it out. Vertices are whole
numbers of 1/SNAP of a sub-pixel, so that all backends see the same corners and no sum of theirs is rounded."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gpu.noise.polygons import Contours

SNAP_BITS = 8
SNAP = 1 << SNAP_BITS
"""Vertices are rounded to 1/256 of a sub-pixel, as rasterising hardware does."""

FAR = 8.0
"""Neighbours further apart than this in the anchor frame are believed only where both sides agree on the stretch."""

NONE, KEEPS, TURNS, TANGLED = 0, 1, -1, 2
"""What an outline is like: of a pixel that is not carried; seen from its centre all the way round, as the pixel itself or in a
mirror; anything else, and then it stands for the union of the triangles between its centre and its sides."""


@dataclass(frozen=True)
class Outlines:
    """Outlines of a frame's pixels in 1/SNAP of sub-pixels of their anchor frames, int32: vertices in `planes` (m, 2, H, W)
    of x and y, clockwise on the screen from the upper left corner, m / 4 a side; `centre` (H, W, 2). `kind` (H, W) int8;
    `right` and `down` (H, W) bool: whether the pixel is linked to the one on its right, and to the one below."""

    planes: torch.Tensor
    centre: torch.Tensor
    kind: torch.Tensor
    right: torch.Tensor
    down: torch.Tensor

    @property
    def vertices(self) -> torch.Tensor:
        """(H, W, m, 2) int32."""
        return self.planes.permute(2, 3, 0, 1)

    def ends(self, v: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(H, W) int32 x0, y0, x1, y1 of the edges from vertex v on."""
        (x0, y0), (x1, y1) = self.planes[v], self.planes[(v + 1) % len(self.planes)]
        return x0, y0, x1, y1

    def linked(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(H, W) bool: which pixels share their top, right, bottom and left side with a neighbour."""
        top, left = torch.zeros_like(self.down), torch.zeros_like(self.right)
        top[1:], left[:, 1:] = self.down[:-1], self.right[:, :-1]
        return top, self.right, self.down, left

    def contours(self, pixel: torch.Tensor) -> Contours:
        """The outlines of the pixels `pixel` (n,) (flat indices) as rasterisers take them."""
        m = len(self.planes)
        vertices, centre = self.planes.view(m, 2, -1)[..., pixel].permute(2, 0, 1), self.centre.view(-1, 2)[pixel]
        corners = vertices[:, :: m // 4].to(torch.int64)
        edge = corners.roll(-1, 1) - corners
        turn = edge[..., 0] * edge.roll(-1, 1)[..., 1] - edge[..., 1] * edge.roll(-1, 1)[..., 0]
        plain = ((turn > 0).all(1) | (turn < 0).all(1)) & (self.kind.view(-1)[pixel] != TANGLED)
        ahead = vertices.roll(-1, 1)
        for v in range(m):
            if v % (m // 4):  # between the corners nothing but what has fallen onto one
                plain &= (vertices[:, v] == vertices[:, v - 1]).all(1) | (vertices[:, v] == ahead[:, v]).all(1)
        return Contours(vertices.to(torch.float32) / SNAP, centre.to(torch.float32) / SNAP, plain)


def segments(s: int) -> int:
    """Segments of a side that tell outlines of `s` contour segments apart."""
    return 2 if s % 2 == 0 else s


def outlines(position: torch.Tensor, label: torch.Tensor, moving: torch.Tensor, k: int, s: int) -> Outlines:
    """Outlines in level-k sub-pixels of the pixels that are `moving` (H, W), whose centres are at `position` (H, W, 2) in the
    anchor frames `label` (H, W)."""
    here = position.permute(2, 0, 1).contiguous()
    across, right = _steps(here, label, moving, 0)
    along, down = _steps(here, label, moving, 1)
    halves = [step * 0.5 for step in (*across, *along)]
    corners = _corners(here, halves, right, down)
    scale = float(1 << (k + SNAP_BITS))
    sides = _sides(here, corners, halves, right, down, s, scale)
    planes = torch.stack([vertex for side in sides for vertex in side], 0)
    centre = torch.round(position * scale).to(torch.int32)
    kind = torch.where(moving, _kind(planes, centre), NONE).to(torch.int8)
    plain = (kind == KEEPS) | (kind == TURNS)
    right, down = right.clone(), down.clone()
    right[:, :-1] &= plain[:, :-1] & (kind[:, :-1] == kind[:, 1:])
    down[:-1] &= plain[:-1] & (kind[:-1] == kind[1:])
    return Outlines(planes, centre, kind, right, down)


def _square(vector: torch.Tensor) -> torch.Tensor:
    return vector[0] * vector[0] + vector[1] * vector[1]


Both = tuple[torch.Tensor, torch.Tensor]


def _ends(values: torch.Tensor, axis: int) -> Both:
    """`values` (..., H, W) without the last and without the first along x (axis 0) or y (axis 1)."""
    dim = values.ndim - 1 - axis
    size = values.shape[dim] - 1
    return values.narrow(dim, 0, size), values.narrow(dim, 1, size)


def _steps(here: torch.Tensor, label: torch.Tensor, moving: torch.Tensor, axis: int) -> tuple[Both, torch.Tensor]:
    """Differences (2, H, W) of position along an axis, towards the pixel before and the one after, both pointing along it; and
    (H, W) which pixels are linked to the one after.

    A neighbour is of another surface when it has another anchor, lies outside the frame, or when the two one-sided
    differences disagree as no smooth map would (a jump at an occlusion): then the one nearer to the identity is trusted.
    A stretch beyond FAR pixels is believed only where both sides agree on it. A missing difference is the other side's;
    with none at all the map is locally the identity.
    """
    unit = torch.zeros((2, 1, 1), dtype=here.dtype, device=here.device)
    unit[axis] = 1.0
    dim = 1 - axis
    if label.shape[dim] == 1:
        none = unit.expand_as(here)
        return (none, none), torch.zeros_like(moving)
    before, after = _ends(here, axis)
    step = after - before  # between neighbours: one less than there are pixels
    (label_before, label_after), (moving_before, moving_after) = _ends(label, axis), _ends(moving, axis)
    same = (label_before == label_after) & moving_before & moving_after
    length = _square(step)
    # Of pixels that have both neighbours: a is the step to them, b the one from them on.
    (a, b), (length_a, length_b), (same_a, same_b) = (_ends(part, axis) for part in (step, length, same))
    apart, shorter, both = _square(a - b), torch.minimum(length_a, length_b), same_a & same_b
    # |a - b| > 1 + |shorter| / 2, and |a - b| <= |shorter| / 4, compared as squares without a root.
    beyond = apart - 1 - shorter * 0.25
    jump = both & (beyond > 0) & (beyond * beyond > shorter)
    agreed = both & (apart * 16 <= shorter)
    # |a - e|^2 <= |b - e|^2 for the unit vector e, with the common |e|^2 left out.
    nearer, other = _ends(length - 2 * step[axis], axis)
    first = nearer <= other
    link = length <= FAR * FAR
    by_pixel_after, by_pixel_before = link.clone(), link
    some = _ends(by_pixel_after, axis)[0]  # a step as the pixel after it sees it
    some |= agreed
    some &= ~(jump & ~first)
    some = _ends(by_pixel_before, axis)[1]
    some |= agreed
    some &= ~(jump & first)
    link = by_pixel_before & by_pixel_after & same
    step = torch.where(link, step, unit)
    (a, b), (link_a, link_b) = _ends(step, axis), _ends(link, axis)
    size = step.shape[1 + dim]
    start, end = step.narrow(1 + dim, 0, 1), step.narrow(1 + dim, size - 1, 1)
    last = torch.zeros_like(moving.narrow(dim, 0, 1))
    return (
        torch.cat([start, torch.where(link_a, a, b), end], 1 + dim),
        torch.cat([start, torch.where(link_b, b, a), end], 1 + dim),
    ), torch.cat([link, last], dim)


def _corners(
    here: torch.Tensor, halves: list[torch.Tensor], right: torch.Tensor, down: torch.Tensor
) -> list[torch.Tensor]:
    """(2, H, W) the upper left, upper right, lower right and lower left corner of every pixel: where its own surface continues
    to, averaged over the pixels around the corner that are linked with each other. `halves` are of the steps to the left, to
    the right, up and down."""
    left, to_right, up, to_down = halves
    before, after = here - left, here + to_right
    own = [before - up, after - up, after + to_down, before + to_down]
    corners = [torch.empty_like(here) for _ in range(4)]
    height, width = right.shape
    # At each corner of the grid: pixel A upper left of it, B upper right, C lower left, D lower right.
    windows = [
        (2, 0, 0),
        (3, 0, 1),
        (1, 1, 0),
        (0, 1, 1),
    ]  # which corner of theirs; row and column of the first of them
    apart = torch.ones((height + 1, width + 1), dtype=torch.bool, device=here.device)
    if height > 1 and width > 1:
        a, b, c, d = (own[which][:, y : height - 1 + y, x : width - 1 + x] for which, y, x in windows)
        mean = (((a + b) + c) + d).mul_(0.25)
        for which, y, x in windows:
            corners[which][:, y : height - 1 + y, x : width - 1 + x] = mean
        linked = (right[:-1, :-1] & right[1:, :-1]) & (down[:-1, :-1] & down[:-1, 1:])
        torch.logical_not(linked, out=apart[1:-1, 1:-1])
    # Where not all of them are linked, and on the border of the frame.
    row, column = torch.nonzero(apart, as_tuple=True)
    inside, places = [], []
    for _, y, x in windows:
        i, j = row - 1 + y, column - 1 + x
        inside.append((i >= 0) & (i < height) & (j >= 0) & (j < width))
        places.append(i.clamp(0, height - 1) * width + j.clamp(0, width - 1))
    e = [own[which].view(2, -1)[:, place] for (which, _, _), place in zip(windows, places, strict=True)]
    top, bottom = right.reshape(-1)[places[0]] & inside[0], right.reshape(-1)[places[2]] & inside[2]  # A-B, C-D
    left_, right_ = down.reshape(-1)[places[0]] & inside[0], down.reshape(-1)[places[1]] & inside[1]  # A-C, B-D
    ab, ac = top | (left_ & bottom & right_), left_ | (top & right_ & bottom)
    bd, cd = right_ | (top & left_ & bottom), bottom | (left_ & top & right_)
    ad, bc = (top & right_) | (left_ & bottom), (top & left_) | (right_ & bottom)
    yes = torch.ones_like(ab)
    members = ((yes, ab, ac, ad), (ab, yes, bc, bd), (ac, bc, yes, cd), (ad, bd, cd, yes))
    for (which, _, _), with_, here_, place in zip(windows, members, inside, places, strict=True):
        total, count = torch.zeros_like(e[0]), torch.zeros_like(e[0][0])
        for corner, member in zip(e, with_, strict=True):
            total = total + torch.where(member, corner, 0.0)
            count = count + member
        corners[which].view(2, -1)[:, place[here_]] = (total / count)[:, here_]
    return corners


def _sides(
    here: torch.Tensor,
    corners: list[torch.Tensor],
    halves: list[torch.Tensor],
    right: torch.Tensor,
    down: torch.Tensor,
    s: int,
    scale: float,
) -> list[list[torch.Tensor]]:
    """The vertices (2, H, W) int32 of the top, right, bottom and left side, each clockwise without its last."""
    upper_left, upper_right, lower_right, lower_left = corners
    left, to_right, up, to_down = halves
    middles = [here - up, here + to_right, here + to_down, here - left]
    for axis, link, (first, second) in ((0, right, (1, 3)), (1, down, (2, 0))):
        before, after = _ends(here, axis)
        shared, linked = (before + after).mul_(0.5), _ends(link, axis)[0]
        for middle in (_ends(middles[first], axis)[0], _ends(middles[second], axis)[1]):
            middle.copy_(torch.where(linked, shared, middle))
    # Worked out from left to right and from top to bottom, so that both pixels of a side come to the same numbers.
    top = _side(upper_left, middles[0], upper_right, s, scale)
    right_side = _side(upper_right, middles[1], lower_right, s, scale)
    bottom = _side(lower_left, middles[2], lower_right, s, scale)
    left_side = _side(upper_left, middles[3], lower_left, s, scale)
    return [top[:-1], right_side[:-1], bottom[:0:-1], left_side[:0:-1]]


def _side(first: torch.Tensor, middle: torch.Tensor, last: torch.Tensor, s: int, scale: float) -> list[torch.Tensor]:
    """Vertices (2, H, W) int32 from `first` to `last`, both included. A middle that lies on the line between them falls onto
    the first."""

    def snapped(place: torch.Tensor) -> torch.Tensor:
        return (place * scale).round_().to(torch.int32)

    ends = snapped(first), snapped(last)
    if s == 1:
        return [*ends]
    if s % 2 == 0:
        between = snapped(middle)
        off = ((2 * between).sub_(ends[0]).sub_(ends[1])).abs_() <= 1
        straight = off[0] & off[1]
        return [ends[0], torch.where(straight, ends[0], between), ends[1]]
    inner = []
    for i in range(1, s):
        f = 2 * i / s
        inner.append(first + (middle - first) * f if f < 1 else middle + (last - middle) * (f - 1))
    return [ends[0], *map(snapped, inner), ends[1]]


def _kind(planes: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """(H, W) int8 of KEEPS, TURNS, TANGLED."""
    spoke = planes - centre.permute(2, 0, 1)
    if spoke.numel() and int(spoke.abs().max()) >= 1 << 15:  # else products stay below 2^31
        spoke = spoke.to(torch.int64)
    keeps = torch.ones(planes.shape[2:], dtype=torch.bool, device=planes.device)
    turns = keeps.clone()
    for v, (x0, y0) in enumerate(spoke):
        x1, y1 = spoke[(v + 1) % len(spoke)]
        one_way, other_way = x0 * y1, y0 * x1
        keeps &= one_way >= other_way
        turns &= one_way <= other_way
    return torch.where(keeps, KEEPS, torch.where(turns, TURNS, TANGLED)).to(torch.int8)
