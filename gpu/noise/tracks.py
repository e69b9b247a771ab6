"""Transport from anchors: each pixel carries the frame its noise was born in and its position there.

Frames are transported from anchors rather than chained, so that frame 0 is not forgotten. A pixel that nothing reaches inherits
the anchor of where it was in the previous frame; where that is not known either it opens a new anchor with fresh noise,
which later frames transport like any other (two-stage handler, after Appendix C.4 of the paper).

Positions are traced through the motion (gpu.noise.tracing) back to the anchor, or to a frame at most BASE steps ago whose
positions are known: to interpolate positions in every frame would let them drift. Where outlines through them no longer follow
the motion, pixels are renewed (gpu.noise.renewal): from the next frame on the frame they are in is their anchor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from cachetools import LRUCache

from gpu.flow import maps
from gpu.noise import tracing
from gpu.noise.chain import Chain
from gpu.noise.states import INHERITED, KEPT, NEW, RENEWED, UNDEFINED
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracing import PASS, Points, Surface

TRACK_CACHE_BYTES = 64 << 20  # of either chain of tracks
TRACK_PIXEL_BYTES = 30

BASE = 8
"""Frames from one base to the next, to which points are traced."""


class Motion(Protocol):
    """What tracking reads of the motion; shapes as in gpu.priors.Motion."""

    def backward(self, t: int) -> torch.Tensor: ...
    def valid(self, t: int) -> torch.Tensor: ...
    def error(self, t: int) -> torch.Tensor: ...


@dataclass(frozen=True)
class Track:
    """Where each pixel's noise comes from: `label` (H, W) int32 anchor frame, `position` (H, W, 2) float32 absolute
    position in it, `state` (H, W) uint8 of gpu.noise.states."""

    label: torch.Tensor
    position: torch.Tensor
    state: torch.Tensor


def fresh(t: int, height: int, width: int, device: torch.device) -> Track:
    """Frame t as the first of a shot: every pixel is its own anchor."""
    label = torch.full((height, width), t, dtype=torch.int32, device=device)
    return Track(label, maps.pixel_centres(height, width, device), torch.zeros_like(label, dtype=torch.uint8))


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


class Handed(NamedTuple):
    """What a frame hands on to those that follow: its own `track`; the track `base` of frame `at`, as handed on from there,
    with its `surface`; and for every frame from at + 1 to this one the `marks` (H, W) uint8 of its pixels: PASS where points go
    on through them, else they are an anchor's, and hand on this state."""

    track: Track
    at: int
    base: Track
    surface: Surface
    marks: tuple[torch.Tensor, ...]


def handed(state: torch.Tensor, renewed: torch.Tensor | None) -> torch.Tensor:
    """The states that pixels of `state` (H, W) hand on, those that are `renewed` (H, W) among them."""
    after = torch.where(state == NEW, INHERITED, state)
    if renewed is not None:
        after = torch.where(renewed & (state == KEPT), RENEWED, after)
    return after.to(torch.uint8)


def start(first: int, height: int, width: int, device: torch.device) -> Handed:
    """What a shot's first frame hands on."""
    track = fresh(first, height, width, device)
    return Handed(track, first, track, tracing.surface(track.position, track.label), ())


def moved_on(before: Handed, t: int, step: Callable[[int], Surface], valid: torch.Tensor, fill: str) -> Track:
    """The track of frame t, from what frame t - 1 hands on. `step(u)` is the surface of the step from frame u + 1 to u; `valid`
    (H, W) where that from t is valid."""
    points = Points(step(t - 1), valid)
    for u in range(t - 1, before.at, -1):
        points.through(before.marks[u - before.at - 1], u, step(u - 1))
    points.arrive(before.surface, before.base.label, before.base.state)
    height, width = valid.shape
    born = points.state == tracing.LOST
    own = fresh(t, height, width, valid.device)
    return Track(
        torch.where(born, own.label, points.label),
        torch.where(born[..., None], own.position, points.position),
        torch.where(born, NEW if fill == "two-stage" else UNDEFINED, points.state).to(torch.uint8),
    )


def advance(track: Track, t: int, motion: Motion, fill: str) -> Track:
    """The track of frame t + 1 from that of frame t alone, whose positions are interpolated."""
    base = Track(track.label, track.position, handed(track.state, None))
    valid = motion.valid(t)
    step = tracing.step_surface(motion.backward(t), valid)
    before = Handed(track, t, base, tracing.surface(base.position, base.label), ())
    return moved_on(before, t + 1, lambda _: step, valid, fill)


def hand_on(before: Handed, track: Track, t: int, renewed: torch.Tensor | None) -> Handed:
    """What frame t hands on, of `track`, after what frame t - 1 did; its pixels `renewed` (H, W) become anchors."""
    states = handed(track.state, renewed)
    if t - before.at < BASE:
        anchors = track.label == t if renewed is None else (track.label == t) | renewed
        mark = torch.where(anchors, states, PASS).to(torch.uint8)
        return Handed(track, before.at, before.base, before.surface, (*before.marks, mark))
    base = Track(track.label, track.position, states)
    if renewed is not None:
        height, width = renewed.shape
        own = fresh(t, height, width, renewed.device)
        position = torch.where(renewed[..., None], own.position, track.position)
        base = Track(torch.where(renewed, own.label, track.label), position, states)
    return Handed(track, t, base, tracing.surface(base.position, base.label), ())


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
    """The tracks of every frame along one motion, by random access: by the motion alone, and with pixels renewed that own
    nothing or can be followed no further.

    A shot's first frame is its first anchor. `owned(track, t)` counts, (H, W), the sub-pixels that frame t's pixels own along a
    track; it is asked where nobody has counted them (`renewed`) before. `renewing(track, t)` are the pixels (H, W) of frame t
    that become an anchor for those that follow, None for nobody.
    """

    def __init__(
        self,
        motion: Motion,
        grid: NoiseGrid,
        shot_start: Callable[[int], int],
        fill: str,
        renewing: Callable[[Track, int], torch.Tensor | None],
        owned: Callable[[Track, int], torch.Tensor],
    ) -> None:
        self.motion, self.fill = motion, fill
        self._grid, self._first, self._owned = grid, shot_start, owned
        self._choose = renewing
        self._anchors: dict[int, float] = {}  # the share of pixels that were renewed in a frame
        self._steps: LRUCache[int, Surface] = LRUCache(BASE)
        self._last: tuple[int, Track] | None = None  # the frame that was stepped to last
        self._empty: dict[int, torch.Tensor] = {}  # pixels of a frame that own no sub-pixel (flat indices)
        keep = max(2, TRACK_CACHE_BYTES // (TRACK_PIXEL_BYTES * grid.height * grid.width))
        self._geometric = Chain(self._start, self._step, shot_start, keep)
        self._transported = Chain(self._start, self._renewing_step, shot_start, keep)

    def first(self, t: int) -> int:
        """The first frame of the shot that frame t belongs to."""
        return self._first(t)

    def start(self, first: int) -> Track:
        """The track of a shot's first frame."""
        return fresh(first, self._grid.height, self._grid.width, self._grid.device)

    def geometric(self, t: int) -> Track:
        """Where frame t's noise comes from by the motion alone."""
        return self._geometric.at(t).track

    def before_renewal(self, t: int) -> Track:
        """Where frame t's noise is looked for, before pixels that turn out to own no sub-pixel are born anew."""
        first = self._first(t)
        return self.start(first) if t == first else self._moved(self._transported.at(t - 1), t)

    def transported(self, t: int) -> Track:
        """Where frame t's noise comes from when it is gathered from owned sub-pixels."""
        return self._transported.at(t).track

    def renewed(self, moved: Track, t: int, count: torch.Tensor) -> Track:
        """`transported(t)` from `before_renewal(t)` and the number of sub-pixels that its pixels own, (H, W)."""
        if t not in self._empty:
            missing = (count == 0) & (moved.state != NEW) & (moved.state != UNDEFINED)
            self._empty[t] = torch.nonzero(missing.view(-1))[:, 0]
        return renew(moved, self._empty[t], t, self.fill)

    def renewing(self, moved: Track, t: int) -> torch.Tensor | None:
        """(H, W) the pixels of `before_renewal(t)` that become an anchor for the frames that follow; None for nobody."""
        return None if self._anchors.get(t) == 0 else self._choose(moved, t)

    def anchors(self) -> list[int]:
        """The frames, as far as they were looked at, in which pixels were renewed: anchors that noise has been carried to."""
        return sorted(t for t, share in self._anchors.items() if share)

    def renewals(self, t: int) -> dict[int, float]:
        """The frames up to t, of its shot, in which pixels became an anchor for those that follow, and the share that did."""
        self.transported(t)
        return {frame: self._anchors[frame] for frame in self.anchors() if self._first(t) < frame <= t}

    def _start(self, first: int) -> Handed:
        return start(first, self._grid.height, self._grid.width, self._grid.device)

    def _surface(self, t: int) -> Surface:
        """The surface of the step from frame t + 1 to frame t."""
        if t not in self._steps:
            self._steps[t] = tracing.step_surface(self.motion.backward(t), self.motion.valid(t))
        return self._steps[t]

    def _follow(self, before: Handed, t: int) -> Track:
        return moved_on(before, t, self._surface, self.motion.valid(t - 1), self.fill)

    def _step(self, before: Handed, t: int) -> Handed:
        """What frame t hands on by the motion alone."""
        return hand_on(before, self._follow(before, t), t, None)

    def _moved(self, before: Handed, t: int) -> Track:
        """The track of frame t from what frame t - 1 hands on."""
        # Asked for twice: before the frame is gathered, and on the way to the next one.
        if self._last is None or self._last[0] != t:
            self._last = t, self._follow(before, t)
        return self._last[1]

    def _renewing_step(self, before: Handed, t: int) -> Handed:
        """The same, and pixels that own no sub-pixel are born anew: later frames depend on them, so they are looked for even
        where nobody asked for this frame's noise."""
        moved = self._moved(before, t)
        chosen = self.renewing(moved, t)
        count = self._owned(moved, t) if t not in self._empty else torch.empty(0)
        track = self.renewed(moved, t, count)
        if chosen is not None:
            chosen = chosen & (track.label != t)
        self._anchors[t] = 0.0 if chosen is None else float(chosen.to(torch.float32).mean())
        return hand_on(before, track, t, chosen)
