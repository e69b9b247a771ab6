"""Transport from anchors: each pixel carries the frame its noise was born in and its position there.

Frames are transported from anchors, never chained, so that frame 0 is not forgotten. A pixel that nothing reaches inherits
the anchor of where it was in the previous frame; where that is not known either it opens a new anchor with fresh noise,
which later frames transport like any other (two-stage handler, after Appendix C.4 of the paper).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from gpu.noise import field, polygons, rng
from gpu.noise.raster import SLOT, Rasteriser

KEPT, INHERITED, NEW, UNDEFINED = 0, 1, 2, 3
"""What a pixel of a noise frame is: transported from the shot's first frame; transported from a later anchor (stage 1); fresh
noise that opens an anchor here (stage 2); fresh noise of the random-fill baseline, never transported."""
FIELD_CACHE_BYTES = 256 << 20
TRACK_CACHE_BYTES = 256 << 20
SLOTS_AT_ONCE = 64


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

    @property
    def bytes(self) -> int:
        return sum(part.numel() * part.element_size() for part in (self.label, self.position, self.state))


def fresh(t: int, height: int, width: int, device: torch.device) -> Track:
    """Frame t as the first of a shot: every pixel is its own anchor."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32, device=device) + 0.5,
        torch.arange(width, dtype=torch.float32, device=device) + 0.5,
        indexing="ij",
    )
    label = torch.full((height, width), t, dtype=torch.int32, device=device)
    return Track(label, torch.stack([x, y], -1), torch.zeros_like(label, dtype=torch.uint8))


def advance(track: Track, t: int, first: int, motion: Motion, fill: str) -> Track:
    """The track of frame t+1 from that of frame t, in a shot that starts at frame `first`.

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
    around = polygons.neighbourhoods(track.position, track.label)[row, column]  # (H, W, 9, 2)
    u, v = offset[..., 0], offset[..., 1]
    side_x, side_y = torch.where(u < 0, -1, 1), torch.where(v < 0, -1, 1)
    u, v = u.abs()[..., None], v.abs()[..., None]

    def pick(dy: torch.Tensor | int, dx: torch.Tensor | int) -> torch.Tensor:
        index = torch.as_tensor((dy + 1) * 3 + dx + 1, device=around.device).expand(height, width)
        return around.gather(2, index[..., None, None].expand(height, width, 1, 2))[:, :, 0]

    position = (1 - v) * ((1 - u) * pick(0, 0) + u * pick(0, side_x)) + v * (
        (1 - u) * pick(side_y, 0) + u * pick(side_y, side_x)
    )
    label = track.label[row, column]
    valid = valid & ((position >= 0) & (position <= limit)).all(-1)
    if fill == "random":
        valid = valid & (track.state[row, column] != UNDEFINED)
    state = torch.where(label == first, KEPT, INHERITED).to(torch.uint8)
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


class Tracks:
    """Tracks of all frames by random access, with bounded memory: every 8th frame is kept before any other."""

    def __init__(self, step: Callable[[Track, int], Track], start: Callable[[int], Track], first: Callable[[int], int]):
        self._step, self._start, self._first = step, start, first
        self._kept: OrderedDict[int, Track] = OrderedDict()
        self._bytes = 0

    def at(self, t: int) -> Track:
        """The track of frame t."""
        first = self._first(t)
        known = t
        while known > first and known not in self._kept:
            known -= 1
        track = self._kept[known] if known in self._kept else self._start(first)
        if known in self._kept:
            self._kept.move_to_end(known)
        else:
            self._keep(first, track)
        for earlier in range(known, t):
            track = self._step(track, earlier)
            self._keep(earlier + 1, track)
        return track

    def _keep(self, t: int, track: Track) -> None:
        self._kept[t] = track
        self._bytes += track.bytes
        while self._bytes > TRACK_CACHE_BYTES and len(self._kept) > 2:
            ordinary = next((frame for frame in self._kept if frame % 8 and frame != t), None)
            oldest = next(iter(self._kept)) if ordinary is None else ordinary
            self._bytes -= self._kept.pop(oldest).bytes


class Transport:
    """Carries noise of one grid along one motion. Used by every anchored prior; see `track` and `integral`."""

    def __init__(
        self,
        motion: Motion,
        height: int,
        width: int,
        shot_start: Callable[[int], int],
        seed: int,
        rasteriser: Rasteriser,
        device: torch.device,
        k: int = 3,
        s: int = 4,
        fill: str = "two-stage",
    ) -> None:
        self.motion, self.height, self.width, self.seed, self.k, self.s = motion, height, width, seed, k, s
        self.device, self.rasteriser, self.fill, self._first = device, rasteriser, fill, shot_start
        self._empty: dict[int, torch.Tensor] = {}  # pixels of a frame that own no sub-pixel, found by rasterising it
        self._fields: OrderedDict[tuple[int, int, int, int], torch.Tensor] = OrderedDict()
        self._field_bytes = 0
        self._geometric = Tracks(self._geometry, self._begin, shot_start)
        self._transported = Tracks(self._rasterised, self._begin, shot_start)

    def _begin(self, first: int) -> Track:
        return fresh(first, self.height, self.width, self.device)

    def _geometry(self, track: Track, t: int) -> Track:
        return advance(track, t, self._first(t + 1), self.motion, self.fill)

    def _rasterised(self, track: Track, t: int) -> Track:
        """As `_geometry`, and pixels that own no sub-pixel are renewed: later frames depend on them, so they are looked for
        even where nobody asked for this frame's noise."""
        moved = self._geometry(track, t)
        if t + 1 not in self._empty:
            _, count = self._aggregate(moved, t + 1, 0)
            self._note_empty(moved, t + 1, count)
        return renew(moved, self._empty[t + 1], t + 1, self.fill)

    def _note_empty(self, track: Track, t: int, count: torch.Tensor) -> None:
        missing = (count == 0) & (track.state != NEW) & (track.state != UNDEFINED)
        self._empty[t] = torch.nonzero(missing.view(-1))[:, 0]

    def track(self, t: int) -> Track:
        """Where frame t's noise comes from by the motion alone, for priors that interpolate."""
        return self._geometric.at(t)

    def integral(self, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(C, H, W) transported noise of frame t and its (H, W) state (paper: Eq. 4-5, Algorithm 2)."""
        first = self._first(t)
        if t == first:
            values = field.pixels(self.seed, t, channels, self.height, self.width, self.device)
            return values, self._begin(first).state
        moved = self._geometry(self._transported.at(t - 1), t - 1)
        total, count = self._aggregate(moved, t, channels)
        if t not in self._empty:
            self._note_empty(moved, t, count)
        track = renew(moved, self._empty[t], t, self.fill)
        scale = torch.sqrt(float(4**self.k) / count.clamp(min=1).to(torch.float32))
        noise = total * scale
        born = (track.state == NEW) | (track.state == UNDEFINED)
        if bool(born.any()):
            own = field.pixels(self.seed, t, channels, self.height, self.width, self.device)
            noise = torch.where(born, own, noise)
        return noise, track.state

    def _aggregate(self, track: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Sums (C, H, W) of the sub-pixels each transported pixel owns, and their count (H, W)."""
        pieces = self._pieces(track, t)
        total = torch.zeros((channels, self.height * self.width), dtype=torch.float32, device=self.device)
        count = torch.zeros(self.height * self.width, dtype=torch.int64, device=self.device)
        if pieces is None:
            return total.view(channels, self.height, self.width), count.view(self.height, self.width)
        names, inverse = torch.unique(pieces.name, dim=0, return_inverse=True)
        order = torch.argsort(inverse, stable=True)
        sizes = torch.bincount(inverse, minlength=len(names)).tolist()
        begin = 0
        for start in range(0, len(names), SLOTS_AT_ONCE):
            block = names[start : start + SLOTS_AT_ONCE]
            end = begin + sum(sizes[start : start + SLOTS_AT_ONCE])
            some = order[begin:end]
            begin = end
            corner = pieces.name[some, 1:].flip(1).to(torch.float32) * SLOT  # (x, y)
            polygon = pieces.polygon[some]
            owner = self.rasteriser.own(
                pieces.contours.vertices[polygon] - corner[:, None],
                pieces.contours.centre[polygon] - corner,
                pieces.contours.convex[polygon],
                inverse[some] - start,
                pieces.rank[polygon],
                len(block),
            )
            slots = owner.reshape(-1).to(torch.int64) + 1
            pixel = pieces.pixel[polygon]
            count.index_add_(0, pixel, torch.bincount(slots, minlength=len(some) + 1)[1:])
            if channels:
                fine = torch.stack([self._field(*name, channels=channels) for name in block.tolist()], 1)
                for channel in range(channels):
                    sums = torch.bincount(slots, weights=fine[channel].reshape(-1), minlength=len(some) + 1)[1:]
                    total[channel].index_add_(0, pixel, sums.to(torch.float32))
        return total.view(channels, self.height, self.width), count.view(self.height, self.width)

    def _pieces(self, track: Track, t: int) -> _Pieces | None:
        """Outlines of the transported pixels, and which pieces of which anchor frame they touch."""
        moving = (track.state != NEW) & (track.state != UNDEFINED)
        pixel = torch.nonzero(moving.view(-1))[:, 0]
        around = polygons.neighbourhoods(track.position, track.label).view(-1, 9, 2)[pixel]
        contours = polygons.contours(around, self.k, self.s)
        del around
        n = 1 << self.k
        last = torch.tensor([(self.width * n - 1) // SLOT, (self.height * n - 1) // SLOT], device=self.device)
        low = torch.floor(contours.vertices.amin(1) / SLOT).to(torch.int64)
        high = torch.ceil(contours.vertices.amax(1) / SLOT).to(torch.int64) - 1
        low, high = low.clamp(min=0), torch.minimum(torch.maximum(high, low), last)
        extent = (high - low + 1).clamp(min=0)
        times = extent[:, 0] * extent[:, 1]
        polygon = torch.repeat_interleave(torch.arange(len(pixel), device=self.device), times)
        if len(polygon) == 0:
            return None
        number = torch.arange(len(polygon), device=self.device) - torch.repeat_interleave(
            times.cumsum(0) - times, times
        )
        wide = extent[polygon, 0]
        tile_x, tile_y = low[polygon, 0] + number % wide, low[polygon, 1] + number // wide
        label = track.label.view(-1)[pixel][polygon].to(torch.int64)
        error = self.motion.error(t - 1).reshape(-1)[pixel]
        rank = torch.nan_to_num(error * 64, nan=255.0, posinf=255.0).clamp(0, 255).to(torch.int32)
        return _Pieces(contours, pixel, rank, polygon, torch.stack([label, tile_y, tile_x], 1))

    def _field(self, label: int, tile_y: int, tile_x: int, channels: int) -> torch.Tensor:
        """(C, SLOT, SLOT) the fine field of one piece of an anchor frame, zero outside the frame."""
        n = 1 << self.k
        edge = SLOT // n
        y0, x0 = tile_y * edge, tile_x * edge
        height, width = min(edge, self.height - y0), min(edge, self.width - x0)
        planes = []
        for channel in range(channels):
            name = (label, tile_y, tile_x, channel)
            piece = self._fields.get(name)
            if piece is None:
                values = rng.plane(self.seed, rng.FIELD, label, channel, 0, y0, x0, height, width, self.device)
                piece = torch.zeros((SLOT, SLOT), dtype=torch.float32, device=self.device)
                piece[: height * n, : width * n] = field.refine(values, self.seed, label, channel, self.k, y0, x0)
                self._fields[name] = piece
                self._field_bytes += piece.numel() * 4
                while self._field_bytes > FIELD_CACHE_BYTES and len(self._fields) > 1:
                    self._field_bytes -= self._fields.popitem(last=False)[1].numel() * 4
            else:
                self._fields.move_to_end(name)
            planes.append(piece)
        return torch.stack(planes)


@dataclass(frozen=True)
class _Pieces:
    """Polygons of n pixels cut up over pieces of anchor frames: `polygon` and `name` (label, tile row, tile column) list m
    pairs; `pixel` and `rank` are by polygon."""

    contours: polygons.Contours
    pixel: torch.Tensor
    rank: torch.Tensor
    polygon: torch.Tensor
    name: torch.Tensor
