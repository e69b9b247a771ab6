"""Transport from anchors: each pixel carries the frame its noise was born in and its position there.

Frames are transported from anchors rather than chained, so that frame 0 is not forgotten. A pixel that nothing reaches inherits
the anchor of where it was in the previous frame; where that is not known either it opens a new anchor with fresh noise,
which later frames transport like any other (two-stage handler, after Appendix C.4 of the paper).

Accumulated positions are known at the centres of pixels only. Where a turbulent motion has folded and stretched them until
neighbours lie in no line any more (`bend`), what is between the centres is unknown, and outlines drawn through them no longer
follow the motion: then a whole frame is made the anchor of all its pixels (`reanchored`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch

from gpu import compiled
from gpu.flow import maps
from gpu.noise import polygons
from gpu.noise.chain import Chain
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.tiling import NoiseGrid

TRACK_CACHE_BYTES = 64 << 20  # of either chain of tracks
TRACK_PIXEL_BYTES = 13


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
    label = torch.full((height, width), t, dtype=torch.int32, device=device)
    return Track(label, maps.pixel_centres(height, width, device), torch.zeros_like(label, dtype=torch.uint8))


def bend(track: Track) -> float:
    """How far the positions of neighbours are from lying in a line, in pixels: the median of |p(i+1) - 2 p(i) + p(i-1)| over
    all three pixels in a row or column that have one anchor. Bilinear positions are off by about an eighth of it. 0 of any
    affine motion, however large, and where there are no such pixels."""
    position, label = track.position, track.label
    bends = []
    for axis in (0, 1):
        size = label.shape[axis] - 2
        if size < 1:
            continue
        p = [position.narrow(axis, start, size) for start in range(3)]
        anchor = [label.narrow(axis, start, size) for start in range(3)]
        same = (anchor[0] == anchor[1]) & (anchor[1] == anchor[2])
        bends.append((p[2] - 2 * p[1] + p[0])[same].norm(dim=-1))
    if not bends or not sum(map(len, bends)):
        return 0.0
    return float(torch.cat(bends).median())


def is_bent(track: Track, limit: float) -> bool:
    """Whether `bend` is above `limit`."""
    if limit == math.inf:
        return False
    if track.label.device.type == "cpu" and compiled.available():
        from gpu.noise import tracks_compiled

        number, beyond = tracks_compiled.count_bent(track.position.numpy(), track.label.numpy(), np.float32(limit))
        return bool(beyond > number // 2)
    return bend(track) > limit


def reanchored(track: Track, t: int) -> Track:
    """The track of frame t as that of an anchor: every pixel starts from its own place. What is KEPT stays called so."""
    height, width = track.label.shape
    own = fresh(t, height, width, track.label.device)
    return Track(own.label, own.position, track.state)


class StepBack(NamedTuple):
    """Where the pixels of a frame were in the frame before: `position` (H, W, 2), their own centre where that is not known;
    (H, W) `valid`, where it is; (H, W) int64 `row` and `column` of the pixel that position falls into."""

    position: torch.Tensor
    valid: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor


def step_back(motion: Motion, t: int) -> StepBack:
    """From frame t+1 to frame t: p was at p + backward(t)(p), unless the motion is not valid there or leaves the frame."""
    flow = motion.backward(t)
    height, width = flow.shape[:2]
    centres = maps.pixel_centres(height, width, flow.device)
    position = centres + flow
    valid = motion.valid(t) & maps.inside(position, height, width)
    position = torch.where(valid[..., None], position, centres)
    column = position[..., 0].floor().clamp(0, width - 1).to(torch.int64)
    row = position[..., 1].floor().clamp(0, height - 1).to(torch.int64)
    return StepBack(position, valid, row, column)


def advance(track: Track, t: int, motion: Motion, fill: str) -> Track:
    """The track of frame t+1 from that of frame t.

    Position is bilinear in the track's positions on the surface of the pixel that p + backward(t)(p) falls into.
    """
    height, width = track.label.shape
    if track.label.device.type == "cpu" and compiled.available():
        return _advance_compiled(track, t, motion, fill)
    own = fresh(t + 1, height, width, track.label.device)
    came_from, valid, row, column = step_back(motion, t)
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
    valid = valid & maps.inside(position, height, width)
    if fill == "random":
        valid = valid & (track.state[row, column] != UNDEFINED)
    state = torch.where(track.state[row, column] == KEPT, KEPT, INHERITED).to(torch.uint8)
    born = NEW if fill == "two-stage" else UNDEFINED
    return Track(
        torch.where(valid, label, own.label),
        torch.where(valid[..., None], position, own.position),
        torch.where(valid, state, torch.full_like(state, born)),
    )


def _advance_compiled(track: Track, t: int, motion: Motion, fill: str) -> Track:
    """`advance`, the same to the last bit."""
    from gpu.noise import tracks_compiled

    height, width = track.label.shape
    wide = (height + 2, width + 2)
    x, y = np.empty(wide, np.float32), np.empty(wide, np.float32)
    anchor, across, along = np.empty(wide, np.int32), np.empty(wide, np.uint8), np.empty(wide, np.uint8)
    place = np.ascontiguousarray(track.position.numpy())
    tracks_compiled.surfaces(place, np.ascontiguousarray(track.label.numpy()), x, y, anchor, across, along)
    position = torch.empty((height, width, 2), dtype=torch.float32)
    label = torch.empty((height, width), dtype=torch.int32)
    state = torch.empty((height, width), dtype=torch.uint8)
    tracks_compiled.advance(
        x, y, anchor, across, along, np.ascontiguousarray(track.state.numpy()),
        np.ascontiguousarray(motion.backward(t).numpy()), np.ascontiguousarray(motion.valid(t).numpy()), t + 1,
        KEPT, INHERITED, NEW if fill == "two-stage" else UNDEFINED, UNDEFINED if fill == "random" else -1,
        position.numpy(), label.numpy(), state.numpy(),
    )  # fmt: skip
    return Track(label, position, state)


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


class Tracks:
    """The tracks of every frame along one motion, by random access: by the motion alone, and renewed where pixels own nothing.

    A shot's first frame is its first anchor. `owned(track, t)` counts, (H, W), the sub-pixels that frame t's pixels own along a
    track; it is asked where nobody has counted them (`renewed`) before. Positions more bent than `limit` make their frame the
    anchor of all that follow (see `bend`); a limit of infinity keeps to the anchors that noise was born in.
    """

    def __init__(
        self,
        motion: Motion,
        grid: NoiseGrid,
        shot_start: Callable[[int], int],
        fill: str,
        limit: float,
        owned: Callable[[Track, int], torch.Tensor],
    ) -> None:
        self.motion, self.fill = motion, fill
        self._grid, self._first, self._limit, self._owned = grid, shot_start, limit, owned
        self._whole: dict[int, bool] = {}  # whether a frame is the anchor of all that follow
        self._last: tuple[int, Track] | None = None  # the frame that was stepped to last
        self._empty: dict[int, torch.Tensor] = {}  # pixels of a frame that own no sub-pixel (flat indices)
        keep = max(2, TRACK_CACHE_BYTES // (TRACK_PIXEL_BYTES * grid.height * grid.width))
        self._geometric = Chain(self.start, self._step, shot_start, keep)
        self._transported = Chain(self.start, self._renewing_step, shot_start, keep)

    def first(self, t: int) -> int:
        """The first frame of the shot that frame t belongs to."""
        return self._first(t)

    def start(self, first: int) -> Track:
        """The track of a shot's first frame."""
        return fresh(first, self._grid.height, self._grid.width, self._grid.device)

    def geometric(self, t: int) -> Track:
        """Where frame t's noise comes from by the motion alone."""
        return self._geometric.at(t)

    def before_renewal(self, t: int) -> Track:
        """Where frame t's noise is looked for, before pixels that turn out to own no sub-pixel are born anew."""
        first = self._first(t)
        return self.start(first) if t == first else self._moved(self._transported.at(t - 1), t)

    def transported(self, t: int) -> Track:
        """Where frame t's noise comes from when it is gathered from owned sub-pixels."""
        return self._transported.at(t)

    def renewed(self, moved: Track, t: int, count: torch.Tensor) -> Track:
        """`transported(t)` from `before_renewal(t)` and the number of sub-pixels that its pixels own, (H, W)."""
        if t not in self._empty:
            missing = (count == 0) & (moved.state != NEW) & (moved.state != UNDEFINED)
            self._empty[t] = torch.nonzero(missing.view(-1))[:, 0]
        return renew(moved, self._empty[t], t, self.fill)

    def whole_anchors(self) -> list[int]:
        """The frames, as far as they were looked at, that are the anchor of all that follow."""
        return sorted(t for t, whole in self._whole.items() if whole)

    def _step(self, before: Track, t: int) -> Track:
        """The track of frame t from that of frame t - 1."""
        return advance(before, t - 1, self.motion, self.fill)

    def _moved(self, before: Track, t: int) -> Track:
        """The same, where frame t - 1 may have become the anchor of all its pixels."""
        if t - 1 not in self._whole:
            self._whole[t - 1] = self._first(t - 1) != t - 1 and is_bent(before, self._limit)
        # Asked for twice: before the frame is gathered, and on the way to the next one.
        if self._last is None or self._last[0] != t:
            self._last = t, self._step(reanchored(before, t - 1) if self._whole[t - 1] else before, t)
        return self._last[1]

    def _renewing_step(self, before: Track, t: int) -> Track:
        """The same, and pixels that own no sub-pixel are renewed: later frames depend on them, so they are looked for even
        where nobody asked for this frame's noise."""
        moved = self._moved(before, t)
        if t in self._empty:
            return renew(moved, self._empty[t], t, self.fill)
        return self.renewed(moved, t, self._owned(moved, t))
