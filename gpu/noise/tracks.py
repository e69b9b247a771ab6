"""Transport from anchors: each pixel carries the frame its noise was born in and its position there.

Frames are transported from anchors rather than chained, so that frame 0 is not forgotten. A pixel that nothing reaches inherits
the anchor of where it was in the previous frame; where that is not known either it opens a new anchor with fresh noise,
which later frames transport like any other (two-stage handler, after Appendix C.4 of the paper).

Accumulated positions are known at the centres of pixels only. Where a turbulent motion has folded and stretched them until
neighbours lie in no line any more (`bend`), what is between the centres is unknown, and outlines drawn through them no longer
follow the motion: then a whole frame is made the anchor of all its pixels (`reanchored`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from gpu.noise import polygons
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED


class Motion(Protocol):
    """What tracking reads of the motion; shapes as in gpu.priors.Motion."""

    def backward(self, t: int) -> torch.Tensor: ...
    def valid(self, t: int) -> torch.Tensor: ...
    def error(self, t: int) -> torch.Tensor: ...


@dataclass(frozen=True)
class Track:
    """Where each pixel's noise comes from: `label` (H, W) int32 anchor frame, `position` (H, W, 2) float32 absolute
    position in it, `state` (H, W) uint8 of KEPT, INHERITED, NEW, UNDEFINED."""

    label: torch.Tensor
    position: torch.Tensor
    state: torch.Tensor


def fresh(t: int, height: int, width: int, device: torch.device) -> Track:
    """Frame t as the first of a shot: every pixel is its own anchor."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32, device=device) + 0.5,
        torch.arange(width, dtype=torch.float32, device=device) + 0.5,
        indexing="ij",
    )
    label = torch.full((height, width), t, dtype=torch.int32, device=device)
    return Track(label, torch.stack([x, y], -1), torch.zeros_like(label, dtype=torch.uint8))


def bend(track: Track) -> float:
    """How far the positions of neighbours are from lying in a line, in pixels: the median of |p(i+1) - 2 p(i) + p(i-1)| over
    all three pixels in a row or column that have one anchor. Bilinear positions are off by about an eighth of it. 0 of any
    affine motion, however large, and where there are no such pixels."""
    position, label = track.position, track.label
    found = []
    for axis in (0, 1):
        size = label.shape[axis] - 2
        if size < 1:
            continue
        p = [position.narrow(axis, start, size) for start in range(3)]
        one = [label.narrow(axis, start, size) for start in range(3)]
        same = (one[0] == one[1]) & (one[1] == one[2])
        found.append((p[2] - 2 * p[1] + p[0])[same].norm(dim=-1))
    if not found or not sum(map(len, found)):
        return 0.0
    return float(torch.cat(found).median())


def reanchored(track: Track, t: int) -> Track:
    """The track of frame t as that of an anchor: every pixel starts from its own place. What is KEPT stays called so."""
    height, width = track.label.shape
    own = fresh(t, height, width, track.label.device)
    return Track(own.label, own.position, track.state)


def advance(track: Track, t: int, motion: Motion, fill: str) -> Track:
    """The track of frame t+1 from that of frame t.

    Position is bilinear in the track's positions on the surface of the pixel that p + backward(t)(p) falls into.
    """
    height, width = track.label.shape
    own = fresh(t + 1, height, width, track.label.device)
    came_from = own.position + motion.backward(t)
    limit = torch.tensor([width, height], dtype=torch.float32, device=came_from.device)
    valid = motion.valid(t) & ((came_from >= 0) & (came_from <= limit)).all(-1)
    came_from = torch.where(valid[..., None], came_from, own.position)
    column = came_from[..., 0].floor().clamp(0, width - 1).to(torch.int64)
    row = came_from[..., 1].floor().clamp(0, height - 1).to(torch.int64)
    offset = came_from - torch.stack([column, row], -1).to(torch.float32) - 0.5
    source = (row * width + column).view(-1)
    around = polygons.neighbourhoods(track.position, track.label).view(18, -1)
    u, v = offset[..., 0].reshape(-1), offset[..., 1].reshape(-1)
    side_x, side_y = torch.where(u < 0, -1, 1), torch.where(v < 0, -1, 1)
    u, v = u.abs(), v.abs()

    def pick(neighbour: torch.Tensor) -> torch.Tensor:
        """(2, n) positions of one neighbour of each source pixel, numbered 0 to 8 row by row."""
        index = neighbour * (2 * height * width) + source
        return torch.stack([around.view(-1)[index], around.view(-1)[index + height * width]])

    middle = torch.full_like(side_x, 4)
    position = (1 - v) * ((1 - u) * pick(middle) + u * pick(middle + side_x)) + v * (
        (1 - u) * pick(middle + 3 * side_y) + u * pick(middle + 3 * side_y + side_x)
    )
    position = position.T.reshape(height, width, 2)
    label = track.label[row, column]
    valid = valid & ((position >= 0) & (position <= limit)).all(-1)
    if fill == "random":
        valid = valid & (track.state[row, column] != UNDEFINED)
    state = torch.where(track.state[row, column] == KEPT, KEPT, INHERITED).to(torch.uint8)
    born = NEW if fill == "two-stage" else UNDEFINED
    return Track(
        torch.where(valid, label, own.label),
        torch.where(valid[..., None], position, own.position),
        torch.where(valid, state, torch.full_like(state, born)),
    )


def renew(track: Track, pixels: torch.Tensor, t: int, fill: str) -> Track:
    """The track with flat pixel indices `pixels` made anchors of frame t (they own no sub-pixel of their anchor)."""
    if len(pixels) == 0:
        return track
    height, width = track.label.shape
    own = fresh(t, height, width, track.label.device)
    label, position, state = track.label.clone(), track.position.clone(), track.state.clone()
    label.view(-1)[pixels] = t
    position.view(-1, 2)[pixels] = own.position.view(-1, 2)[pixels]
    state.view(-1)[pixels] = NEW if fill == "two-stage" else UNDEFINED
    return Track(label, position, state)
