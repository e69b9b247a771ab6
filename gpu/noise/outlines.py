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
    here = position.permute(2, 0, 1)
    across, right = _steps(here, label, moving, 0)
    along, down = _steps(here, label, moving, 1)
    corners = _corners(here, across, along, right, down, moving)
    scale = float(1 << (k + SNAP_BITS))
    sides = _sides(here, corners, across, along, right, down, s, scale)
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


def _shifted(values: torch.Tensor, axis: int, by: int) -> torch.Tensor:
    """`values` (..., H, W) of the pixel `by` further along x (axis 0) or y (axis 1), the border repeated."""
    dim = values.ndim - 1 - axis
    size = values.shape[dim]
    at = (torch.arange(size, device=values.device) + by).clamp(0, size - 1)
    return values.index_select(dim, at)


def _steps(
    here: torch.Tensor, label: torch.Tensor, moving: torch.Tensor, axis: int
) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Differences (2, H, W) of position along an axis, towards the pixel before and the one after, both pointing along it; and
    (H, W) which pixels are linked to the one after.

    A neighbour is of another surface when it has another anchor, lies outside the frame, or when the two one-sided
    differences disagree as no smooth map would (a jump at an occlusion): then the one nearer to the identity is trusted.
    A stretch beyond FAR pixels is believed only where both sides agree on it. A missing difference is the other side's;
    with none at all the map is locally the identity.
    """
    size = label.shape[1 - axis]
    number = torch.arange(size, device=label.device)
    number = number if axis == 0 else number[:, None]
    same_after = (_shifted(label, axis, 1) == label) & moving & _shifted(moving, axis, 1) & (number < size - 1)
    same_before = (_shifted(label, axis, -1) == label) & moving & _shifted(moving, axis, -1) & (number > 0)
    a, b = here - _shifted(here, axis, -1), _shifted(here, axis, 1) - here
    apart, length_a, length_b = _square(a - b), _square(a), _square(b)
    shorter = torch.minimum(length_a, length_b)
    both = same_before & same_after
    # |a - b| > 1 + |shorter| / 2, and |a - b| <= |shorter| / 4, compared as squares without a root.
    beyond = apart - 1 - shorter * 0.25
    jump = both & (beyond > 0) & (beyond * beyond > shorter)
    agreed = both & (apart * 16 <= shorter)
    # |a - e|^2 <= |b - e|^2 for the unit vector e, with the common |e|^2 left out.
    nearer = length_a - 2 * a[axis] <= length_b - 2 * b[axis]
    before = same_before & ~(jump & ~nearer) & (agreed | (length_a <= FAR * FAR))
    after = same_after & ~(jump & nearer) & (agreed | (length_b <= FAR * FAR))
    link_after = after & _shifted(before, axis, 1)
    link_before = before & _shifted(after, axis, -1)
    unit = torch.zeros((2, 1, 1), dtype=a.dtype, device=a.device)
    unit[axis] = 1.0
    return (
        torch.where(link_before, a, torch.where(link_after, b, unit)),
        torch.where(link_after, b, torch.where(link_before, a, unit)),
    ), link_after


Both = tuple[torch.Tensor, torch.Tensor]


def _corners(
    here: torch.Tensor, across: Both, along: Both, right: torch.Tensor, down: torch.Tensor, moving: torch.Tensor
) -> list[torch.Tensor]:
    """(2, H, W) the upper left, upper right, lower right and lower left corner of every pixel: where its own surface continues
    to, averaged over the pixels around the corner that are linked with each other."""
    left, to_right = across[0] * 0.5, across[1] * 0.5
    up, to_down = along[0] * 0.5, along[1] * 0.5
    own = [(here - left) - up, (here + to_right) - up, (here + to_right) + to_down, (here - left) + to_down]
    # At each corner of the grid: pixel A upper left of it, B upper right, C lower left, D lower right.
    pad = torch.nn.functional.pad
    e = [
        pad(own[which], place)
        for which, place in ((2, (1, 0, 1, 0)), (3, (0, 1, 1, 0)), (1, (1, 0, 0, 1)), (0, (0, 1, 0, 1)))
    ]
    top, bottom = pad(right, (1, 0, 1, 0)), pad(right, (1, 0, 0, 1))  # A-B, C-D
    left_, right_ = pad(down, (1, 0, 1, 0)), pad(down, (0, 1, 1, 0))  # A-C, B-D
    ab, ac = top | (left_ & bottom & right_), left_ | (top & right_ & bottom)
    bd, cd = right_ | (top & left_ & bottom), bottom | (left_ & top & right_)
    ad, bc = (top & right_) | (left_ & bottom), (top & left_) | (right_ & bottom)
    yes = torch.ones_like(ab)
    height, width = moving.shape
    windows = {0: (1, 1), 1: (1, 0), 2: (0, 1), 3: (0, 0)}  # of pixel A, B, C, D on the grid of corners: row, column
    means = []
    for which, with_ in enumerate(((yes, ab, ac, ad), (ab, yes, bc, bd), (ac, bc, yes, cd), (ad, bd, cd, yes))):
        total, count = torch.zeros_like(e[0]), torch.zeros_like(e[0][0])
        for corner, member in zip(e, with_, strict=True):
            total = total + torch.where(member, corner, 0.0)
            count = count + member
        row, column = windows[which]
        means.append((total / count)[:, row : row + height, column : column + width])
    lower_right, lower_left, upper_right, upper_left = means
    return [upper_left, upper_right, lower_right, lower_left]


def _sides(
    here: torch.Tensor,
    corners: list[torch.Tensor],
    across: Both,
    along: Both,
    right: torch.Tensor,
    down: torch.Tensor,
    s: int,
    scale: float,
) -> list[list[torch.Tensor]]:
    """The vertices (2, H, W) int32 of the top, right, bottom and left side, each clockwise without its last."""
    upper_left, upper_right, lower_right, lower_left = corners
    linked_left, linked_up = torch.zeros_like(right), torch.zeros_like(down)
    linked_left[:, 1:], linked_up[1:] = right[:, :-1], down[:-1]
    middle = {
        "right": torch.where(right, (here + _shifted(here, 0, 1)) * 0.5, here + across[1] * 0.5),
        "left": torch.where(linked_left, (_shifted(here, 0, -1) + here) * 0.5, here - across[0] * 0.5),
        "down": torch.where(down, (here + _shifted(here, 1, 1)) * 0.5, here + along[1] * 0.5),
        "up": torch.where(linked_up, (_shifted(here, 1, -1) + here) * 0.5, here - along[0] * 0.5),
    }
    # Worked out from left to right and from top to bottom, so that both pixels of a side come to the same numbers.
    top = _side(upper_left, middle["up"], upper_right, s, scale)
    right_side = _side(upper_right, middle["right"], lower_right, s, scale)
    bottom = _side(lower_left, middle["down"], lower_right, s, scale)
    left = _side(upper_left, middle["left"], lower_left, s, scale)
    return [top[:-1], right_side[:-1], bottom[:0:-1], left[:0:-1]]


def _side(first: torch.Tensor, middle: torch.Tensor, last: torch.Tensor, s: int, scale: float) -> list[torch.Tensor]:
    """Vertices (2, H, W) int32 from `first` to `last`, both included. A middle that lies on the line between them falls onto
    the first."""

    def snapped(place: torch.Tensor) -> torch.Tensor:
        return torch.round(place * scale).to(torch.int32)

    ends = snapped(first), snapped(last)
    if s == 1:
        return [*ends]
    if s % 2 == 0:
        between = snapped(middle)
        straight = ((2 * between - ends[0] - ends[1]).abs() <= 1).all(0)
        return [ends[0], torch.where(straight, ends[0], between), ends[1]]
    inner = []
    for i in range(1, s):
        f = 2 * i / s
        inner.append(first + (middle - first) * f if f < 1 else middle + (last - middle) * (f - 1))
    return [ends[0], *map(snapped, inner), ends[1]]


def _kind(planes: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """(H, W) int8 of KEEPS, TURNS, TANGLED."""
    # Whole numbers below 2^26, whose products double precision holds, which is faster than int64 but which mps has not.
    spoke = (planes - centre.permute(2, 0, 1)).to(torch.int64 if planes.device.type == "mps" else torch.float64)
    keeps = torch.ones(planes.shape[2:], dtype=torch.bool, device=planes.device)
    turns = keeps.clone()
    for v, (x0, y0) in enumerate(spoke):
        x1, y1 = spoke[(v + 1) % len(spoke)]
        one_way, other_way = x0 * y1, y0 * x1
        keeps &= one_way >= other_way
        turns &= one_way <= other_way
    return torch.where(keeps, KEEPS, torch.where(turns, TURNS, TANGLED)).to(torch.int8)
