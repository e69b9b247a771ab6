"""Following points back through a motion, step by step, on the surfaces that they lie on.

A frame's `Surface` says where its pixels were, and which of their neighbours lie on the same surface as they do: a point
between pixels is bilinear in those of its own surface alone, so that nothing is mixed across the edge of an object. Positions
are followed from step to step rather than interpolated in positions that were interpolated themselves, which drift.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from gpu import compiled
from gpu.flow import maps
from gpu.noise import outlines
from gpu.noise.states import UNDEFINED

BEFORE, AFTER = 1, 2
"""Bits of `Surface.joined`: the neighbour before and the one after along x; twice as far up those along y."""

ALONG, CORNER = 2, 4
"""How far bits are shifted: those along y, and one for each corner (before before, after before, before after, after after, the
name of x first)."""

PASS, MOVING, LOST = 255, 254, 253
"""Of marks: points go on through this pixel. Of points: still on their way; come from nothing that is known."""


class Surface(NamedTuple):
    """Where pixels were, `position` (H, W, 2) float32, and which of a pixel's neighbours continue its surface, `joined` (H, W)
    uint8."""

    position: torch.Tensor
    joined: torch.Tensor


def square(vector: torch.Tensor) -> torch.Tensor:
    """(...) the squared lengths of vectors (2, ...)."""
    return vector[0] * vector[0] + vector[1] * vector[1]


def shifted(values: torch.Tensor, axis: int, by: int) -> torch.Tensor:
    """`values` (..., H, W) of the pixel `by` further along x (axis 0) or y (axis 1), the border repeated."""
    dim = values.ndim - 1 - axis
    size = values.shape[dim]
    at = (torch.arange(size, device=values.device) + by).clamp(0, size - 1)
    return values.index_select(dim, at)


def trusted(
    here: torch.Tensor, label: torch.Tensor, moving: torch.Tensor, axis: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which of a pixel's two steps along an axis, (H, W) bool from the neighbour before and to the one after, stay on its
    surface; positions `here` (2, H, W).

    A neighbour is of another surface when it has another anchor, lies outside the frame, or when the two one-sided
    differences disagree as no smooth map would (a jump at an occlusion): then the one nearer to the identity is trusted.
    A stretch beyond FAR pixels is believed only where both sides agree on it.
    """
    size = label.shape[1 - axis]
    number = torch.arange(size, device=label.device)
    number = number if axis == 0 else number[:, None]
    same_after = (shifted(label, axis, 1) == label) & moving & shifted(moving, axis, 1) & (number < size - 1)
    same_before = (shifted(label, axis, -1) == label) & moving & shifted(moving, axis, -1) & (number > 0)
    a, b = here - shifted(here, axis, -1), shifted(here, axis, 1) - here
    apart, length_a, length_b = square(a - b), square(a), square(b)
    shorter = torch.minimum(length_a, length_b)
    both = same_before & same_after
    # |a - b| > 1 + |shorter| / 2, and |a - b| <= |shorter| / 4, compared as squares without a root.
    beyond = apart - 1 - shorter * 0.25
    jump = both & (beyond > 0) & (beyond * beyond > shorter)
    agreed = both & (apart * 16 <= shorter)
    # |a - e|^2 <= |b - e|^2 for the unit vector e, with the common |e|^2 left out.
    nearer = length_a - 2 * a[axis] <= length_b - 2 * b[axis]
    before = same_before & ~(jump & ~nearer) & (agreed | (length_a <= outlines.FAR * outlines.FAR))
    after = same_after & ~(jump & nearer) & (agreed | (length_b <= outlines.FAR * outlines.FAR))
    return before, after


def surface(position: torch.Tensor, label: torch.Tensor) -> Surface:
    """The surface of pixels at `position` (H, W, 2) of frames `label` (H, W) int32, below 0 where a pixel is on none."""
    if position.device.type == "cpu" and compiled.available():
        from gpu.noise import tracing_compiled

        joined = torch.empty(label.shape, dtype=torch.uint8)
        tracing_compiled.join(position.contiguous().numpy(), label.contiguous().numpy(), joined.numpy())
        return Surface(position.contiguous(), joined)
    here = position.permute(2, 0, 1)
    on = label >= 0
    before_x, after_x = trusted(here, label, on, 0)
    before_y, after_y = trusted(here, label, on, 1)
    joined = before_x.to(torch.uint8) * BEFORE + after_x.to(torch.uint8) * AFTER
    joined = joined + (before_y.to(torch.uint8) * BEFORE + after_y.to(torch.uint8) * AFTER) * (1 << ALONG)
    for number in range(4):
        dx, dy = number % 2 * 2 - 1, number // 2 * 2 - 1
        flat = _to(here, before_x, after_x, 0, dx) + _to(here, before_y, after_y, 1, dy)
        corner = shifted(shifted(here, 0, dx), 1, dy) - here
        same = shifted(shifted(label, 0, dx), 1, dy) == label
        same = same & (after_x if dx > 0 else before_x) & (after_y if dy > 0 else before_y)
        length, off = square(flat), corner - flat
        beyond = square(off) - 1 - length * 0.25
        smooth = (beyond <= 0) | (beyond * beyond <= length)
        joined = joined + (same & smooth).to(torch.uint8) * (1 << (CORNER + number))
    return Surface(position, joined)


def _to(here: torch.Tensor, before: torch.Tensor, after: torch.Tensor, axis: int, side: int) -> torch.Tensor:
    """(2, H, W) the step to the neighbour on a side along an axis, as the pixel's own surface continues."""
    ahead, back = shifted(here, axis, side) - here, here - shifted(here, axis, -side)
    unit = torch.zeros((2, 1, 1), dtype=here.dtype, device=here.device)
    unit[axis] = float(side)
    own, other = (after, before) if side > 0 else (before, after)
    return torch.where(own, ahead, torch.where(other, back, unit))


def followed(points: torch.Tensor, on: Surface) -> torch.Tensor:
    """(n, 2) where `points` (n, 2) of a frame were, by the positions of its pixels. Points lie inside the frame."""
    height, width = on.joined.shape
    column = points[:, 0].floor().clamp(0, width - 1).to(torch.int64)
    row = points[:, 1].floor().clamp(0, height - 1).to(torch.int64)
    u = (points[:, 0] - column.to(torch.float32)) - 0.5
    v = (points[:, 1] - row.to(torch.float32)) - 0.5
    dx, dy = torch.where(u < 0, -1, 1), torch.where(v < 0, -1, 1)
    u, v = u.abs()[:, None], v.abs()[:, None]
    flat, pixel = on.position.reshape(-1, 2), row * width + column
    joined = on.joined.reshape(-1)[pixel].to(torch.int64)
    here = flat[pixel]

    def towards(side: torch.Tensor, stride: int, shift: int, unit: tuple[float, float]) -> torch.Tensor:
        bits = joined >> shift
        own, other = torch.where(side > 0, AFTER, BEFORE), torch.where(side > 0, BEFORE, AFTER)
        ahead = (flat[(pixel + side * stride).clamp(0, len(flat) - 1)] - here) * side[:, None]
        back = (here - flat[(pixel - side * stride).clamp(0, len(flat) - 1)]) * side[:, None]
        step = torch.where(((bits & other) != 0)[:, None], back, flat.new_tensor(unit))
        return side[:, None] * torch.where(((bits & own) != 0)[:, None], ahead, step)

    across = towards(dx, 1, 0, (1.0, 0.0))
    down = towards(dy, width, ALONG, (0.0, 1.0))
    number = (dx > 0).to(torch.int64) + 2 * (dy > 0).to(torch.int64)
    corner = flat[(pixel + dx + dy * width).clamp(0, len(flat) - 1)] - here
    diagonal = torch.where((((joined >> CORNER) >> number) & 1 != 0)[:, None], corner, across + down)
    ax, bx, cx = here + across, here + down, here + diagonal
    return (1 - v) * ((1 - u) * here + u * ax) + v * ((1 - u) * bx + u * cx)


class Points:
    """Points on their way back from the centres of frame t's pixels: `position` (H, W, 2), and once they have arrived the
    `label` (H, W) int32 of the frame they are in, and their `state` (H, W) uint8; MOVING or LOST until then."""

    def __init__(self, first: Surface, valid: torch.Tensor) -> None:
        """One step back, by the surface of the step and where it is `valid` (H, W)."""
        height, width = valid.shape
        self.position = first.position.clone()
        good = valid & maps.inside(self.position, height, width)
        self.state = torch.where(good, MOVING, LOST).to(torch.uint8)
        self.label = torch.empty((height, width), dtype=torch.int32, device=valid.device)
        self._compiled = valid.device.type == "cpu" and compiled.available()

    def through(self, marks: torch.Tensor, u: int, step: Surface) -> None:
        """Points arrive in frame u at pixels whose `marks` (H, W) uint8 are a state, are lost at UNDEFINED ones, and go one
        step further back from those to PASS."""
        if self._compiled:
            from gpu.noise import tracing_compiled

            tracing_compiled.through(
                self.position.numpy(), self.state.numpy(), self.label.numpy(), marks.numpy(), u, step.position.numpy(),
                step.joined.numpy(), PASS, MOVING, LOST, UNDEFINED,
            )  # fmt: skip
            return
        moving, mark = self._at(marks)
        arrived = moving & (mark != PASS)
        self.label = torch.where(arrived, u, self.label)
        self.state = torch.where(arrived, torch.where(mark == UNDEFINED, LOST, mark), self.state).to(torch.uint8)
        self._follow(moving & (mark == PASS), step)

    def arrive(self, base: Surface, label: torch.Tensor, state: torch.Tensor) -> None:
        """All others arrive where the pixels of this frame come from: at `base` positions in the frames `label` (H, W), with
        the `state` (H, W) that these hand on."""
        if self._compiled:
            from gpu.noise import tracing_compiled

            tracing_compiled.arrive(
                self.position.numpy(), self.state.numpy(), self.label.numpy(), base.position.numpy(), base.joined.numpy(),
                label.contiguous().numpy(), state.contiguous().numpy(), MOVING, LOST, UNDEFINED,
            )  # fmt: skip
            return
        moving, handed = self._at(state)
        its = self._at(label)[1]
        self.state = torch.where(moving & (handed == UNDEFINED), LOST, self.state).to(torch.uint8)
        moving = moving & (handed != UNDEFINED)
        self._follow(moving, base)
        moving = moving & (self.state == MOVING)
        self.label = torch.where(moving, its, self.label)
        self.state = torch.where(moving, handed, self.state)

    def _at(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(H, W) which points are MOVING, and the value of the pixel that each point lies in."""
        height, width = self.state.shape
        column = self.position[..., 0].floor().clamp(0, width - 1).to(torch.int64)
        row = self.position[..., 1].floor().clamp(0, height - 1).to(torch.int64)
        return self.state == MOVING, values[row, column]

    def _follow(self, chosen: torch.Tensor, on: Surface) -> None:
        height, width = self.state.shape
        there = followed(self.position.reshape(-1, 2), on).view(height, width, 2)
        self.position = torch.where(chosen[..., None], there, self.position)
        lost = chosen & ~maps.inside(self.position, height, width)
        self.state = torch.where(lost, LOST, self.state).to(torch.uint8)


def step_surface(backward: torch.Tensor, valid: torch.Tensor) -> Surface:
    """The surface of one step of a motion: where the pixels of frame t + 1 were in frame t, by `backward` (H, W, 2), and which
    are joined, by where it is `valid` (H, W)."""
    height, width = valid.shape
    position = maps.pixel_centres(height, width, backward.device) + backward
    return surface(position, torch.where(valid, 0, -1).to(torch.int32))
