"""Transport of noise: gathers, for every target pixel, the sub-pixels of the persistent field that it owns.

Memory is bounded whatever the frame: anchor frames are worked on in pieces (slots) of SLOT x SLOT sub-pixels, whose fine field
is regenerated from the hash when the cache has dropped it. Pieces that only a few pixels look at, as when noise of many
anchors lives on in small patches, take a sparse way with the same result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch

from gpu import interrupt
from gpu.noise import field, polygons, rng, tracks
from gpu.noise.chain import Chain
from gpu.noise.ownership import SLOT, Rasteriser
from gpu.noise.sparse import Blocks, Claims, claims, gather
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Motion, Track

FIELD_CACHE_BYTES = 256 << 20
TRACK_CACHE_BYTES = 128 << 20  # of either chain of tracks
TRACK_PIXEL_BYTES = 13
BEND = 0.3
"""Pixels that neighbours may lie out of line (gpu.noise.tracks.bend) before their frame is made the anchor of all that
follow. Measured by `python -m tests.gpu.noise.measure_reanchoring` on two clips of turbulent smoke, means over 48 frames:
correlations over 1, 5 and 10 frames are 0.65, 0.45 and 0.29 with bounds of 0.25 to 0.35; 0.66, 0.38 and 0.22 with one of 0.12;
0.53, 0.24 and 0.15 with none. The bundled deformations stay below 0.17 over 96 frames, scenes and clips below 0.03 over
their 48, so that their noise remembers frame 0."""

ANCHOR_CACHE_BYTES = 64 << 20
"""Of whole frames of noise that later frames are anchored in; the last one is kept in any case."""

SPARSE = 1 / 8
"""A piece of which less than about this share is looked at is gathered the sparse way."""


@dataclass(frozen=True)
class Pieces:
    """Polygons of n pixels cut up over pieces of anchor frames: `polygon` and `piece` list m pairs, `piece` being
    (label * tile rows + tile row) * tile columns + tile column; `pixel` (flat index) and `rank` are by polygon."""

    contours: polygons.Contours
    pixel: torch.Tensor
    rank: torch.Tensor
    polygon: torch.Tensor
    piece: torch.Tensor


@dataclass(frozen=True)
class Sorted:
    """The pairs of Pieces piece by piece: `many` of the pieces `names`, `sizes` pairs each, that are rasterised whole, and
    `few` of the pieces `rare`, which number in `rare` each being its `slot`."""

    many: torch.Tensor
    names: torch.Tensor
    sizes: torch.Tensor
    few: torch.Tensor
    slot: torch.Tensor
    rare: torch.Tensor


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
        bend: float = BEND,
    ) -> None:
        """`bend` of infinity keeps to the anchors that noise was born in, whatever the motion."""
        self.bend = bend
        self._anchored: dict[int, bool] = {}  # whether a frame is the anchor of all that follow
        self._anchor_noise: OrderedDict[int, torch.Tensor] = OrderedDict()
        self.motion, self.height, self.width, self.seed, self.k, self.s = motion, height, width, seed, k, s
        self.device, self.rasteriser, self.fill, self._first = device, rasteriser, fill, shot_start
        self.tile_rows, self.tile_columns = -(-(height << k) // SLOT), -(-(width << k) // SLOT)
        self._empty: dict[int, torch.Tensor] = {}  # pixels of a frame that own no sub-pixel, found by rasterising it
        self._fields: OrderedDict[tuple[int, int], torch.Tensor] = OrderedDict()
        self._field_bytes = 0
        self._together: dict[int, tuple[tuple[int, ...], torch.Tensor]] = {}
        self.blocks = Blocks(seed, height, width, k, device)
        keep = max(2, TRACK_CACHE_BYTES // (TRACK_PIXEL_BYTES * height * width))
        self._geometric = Chain(self._begin, self._geometry, shot_start, keep)
        self._transported = Chain(self._begin, self._rasterised, shot_start, keep)

    def _begin(self, first: int) -> Track:
        return tracks.fresh(first, self.height, self.width, self.device)

    def _geometry(self, before: Track, t: int) -> Track:
        """The track of frame t from that of frame t - 1."""
        return tracks.advance(before, t - 1, self.motion, self.fill)

    def _moved(self, before: Track, t: int) -> Track:
        """The same, where frame t - 1 may have become the anchor of all its pixels."""
        if t - 1 not in self._anchored:
            self._anchored[t - 1] = not self.is_first(t - 1) and tracks.bend(before) > self.bend
        return self._geometry(tracks.reanchored(before, t - 1) if self._anchored[t - 1] else before, t)

    def _rasterised(self, before: Track, t: int) -> Track:
        """As `_geometry`, and pixels that own no sub-pixel are renewed: later frames depend on them, so they are looked for
        even where nobody asked for this frame's noise."""
        moved = self._moved(before, t)
        if t not in self._empty:
            self._note_empty(moved, t, self.aggregate(moved, t, 0)[1])
        return tracks.renew(moved, self._empty[t], t, self.fill)

    def _note_empty(self, track: Track, t: int, count: torch.Tensor) -> None:
        missing = (count == 0) & (track.state != NEW) & (track.state != UNDEFINED)
        self._empty[t] = torch.nonzero(missing.view(-1))[:, 0]

    def is_first(self, t: int) -> bool:
        """Whether a shot starts at frame t."""
        return self._first(t) == t

    def track(self, t: int) -> Track:
        """Where frame t's noise comes from by the motion alone, for priors that interpolate."""
        return self._geometric.at(t)

    def before_renewal(self, t: int) -> Track:
        """Where frame t's noise is looked for, before pixels that turn out to own no sub-pixel are born anew."""
        first = self._first(t)
        return self._begin(first) if t == first else self._moved(self._transported.at(t - 1), t)

    def transported(self, t: int) -> Track:
        """Where frame t's noise comes from when it is gathered from owned sub-pixels."""
        return self._transported.at(t)

    def integral(self, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(C, H, W) transported noise of frame t and its (H, W) state (paper: Eq. 4-5, Algorithm 2)."""
        first = self._first(t)
        if t == first:
            values = field.pixels(self.seed, t, channels, self.height, self.width, self.device)
            return values, self._begin(first).state
        return self._carried(self.prepared(t, channels), t, channels)

    def _carried(self, moved: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`integral` of a frame that is not its shot's first, along its track `moved`."""
        total, count = self.aggregate(moved, t, channels)
        if t not in self._empty:
            self._note_empty(moved, t, count)
        track = tracks.renew(moved, self._empty[t], t, self.fill)
        noise = self.normalised(total, count)
        born = torch.nonzero(((track.state == NEW) | (track.state == UNDEFINED)).view(-1))[:, 0]
        field.write_pixels(noise, born, self.seed, t)
        return noise, track.state

    def prepared(self, t: int, channels: int) -> Track:
        """`before_renewal`, with the noise at hand of the frames that it is anchored in: one after the other, for each but
        the first is carried from the one before."""
        moved, first = self.before_renewal(t), self._first(t)
        frames = [at for at in range(first + 1, t) if self._anchored.get(at)]
        for at in reversed(frames):
            known = self._anchor_noise.get(at)
            if known is not None and len(known) >= channels:
                frames = [later for later in frames if later > at]
                self._anchor_noise.move_to_end(at)
                break
        for at in frames if channels else []:
            interrupt.poll()
            self._anchor_noise[at] = self._carried(self.before_renewal(at), at, channels)[0]
            self._anchor_noise.move_to_end(at)
            while (
                len(self._anchor_noise) > 1
                and sum(one.nbytes for one in self._anchor_noise.values()) > ANCHOR_CACHE_BYTES
            ):
                self._anchor_noise.popitem(last=False)
        return moved

    def normalised(self, total: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Sums of `count` sub-pixels brought to unit variance: total sqrt(N_k / |Omega|) (paper: Eq. 5)."""
        return total * torch.sqrt(float(4**self.k) / count.clamp(min=1).to(torch.float32))

    def aggregate(self, track: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Sums (C, H, W) of the sub-pixels each transported pixel owns, and their count (H, W) int32."""
        total = torch.zeros((channels, self.height * self.width), dtype=torch.float32, device=self.device)
        count = torch.zeros(self.height * self.width, dtype=torch.int32, device=self.device)
        pieces = self.pieces(track, t)
        if len(pieces.polygon):
            sorted_ = self.sorted(pieces)
            if len(sorted_.few):
                self._sparse(pieces, sorted_, total, count)
            self._dense(pieces, sorted_, total, count)
        return total.view(channels, self.height, self.width), count.view(self.height, self.width)

    def sorted(self, pieces: Pieces) -> Sorted:
        """The pairs of `pieces` by piece, those that many pixels look at apart from those that few do."""
        order = torch.argsort(pieces.piece, stable=True)
        names, sizes = torch.unique_consecutive(pieces.piece[order], return_counts=True)
        dense = sizes * 4**self.k >= SLOT * SLOT * SPARSE
        whole = [at for at, anchored in self._anchored.items() if anchored]
        if whole:  # the sparse way asks the hash what pixels hold, which knows only those that were born there
            label = names // (self.tile_columns * self.tile_rows)
            dense |= torch.isin(label, torch.tensor(whole, device=label.device))
        member = torch.repeat_interleave(dense, sizes)
        number = torch.repeat_interleave(torch.cumsum(~dense, 0) - 1, sizes)
        return Sorted(order[member], names[dense], sizes[dense], order[~member], number[~member], names[~dense])

    def corners(self, names: torch.Tensor) -> torch.Tensor:
        """(m, 2) the first sub-pixel (x, y) of pieces."""
        column, row = names % self.tile_columns, names // self.tile_columns % self.tile_rows
        return torch.stack([column, row], 1) * SLOT

    def _dense(self, pieces: Pieces, given: Sorted, total: torch.Tensor, count: torch.Tensor) -> None:
        """Rasterise whole pieces and add up by owner."""
        listed = given.sizes.tolist()
        begin, step = 0, self.rasteriser.capacity
        for start in range(0, len(given.names), step):
            block, sizes = given.names[start : start + step], given.sizes[start : start + step]
            end = begin + sum(listed[start : start + step])
            some, begin = given.many[begin:end], end
            owner = self.owners(pieces, some, block, sizes).reshape(-1).add_(1)
            pixel = pieces.pixel[pieces.polygon[some]]
            owned = torch.bincount(owner, minlength=len(some) + 1)[1:]
            count.index_add_(0, pixel, owned.to(torch.int32))
            for channel in range(len(total)):
                fine = self.fine(tuple(block.tolist()), channel, keep=len(given.names) <= step)
                sums = torch.bincount(owner, weights=fine.view(-1), minlength=len(some) + 1)[1:]
                total[channel].index_add_(0, pixel, sums.to(torch.float32))

    def owners(self, pieces: Pieces, some: torch.Tensor, block: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
        """(slots, SLOT, SLOT) int32: which of the pairs `some`, listed piece by piece, owns each sub-pixel of the pieces named
        `block`, `sizes` pairs each; -1 where nobody does."""
        slot = torch.repeat_interleave(torch.arange(len(block), device=self.device), sizes)
        corners = self.corners(block)
        polygon = pieces.polygon[some]
        outlines = pieces.contours.relative(polygon, corners[slot].to(torch.float32))
        owner = self.rasteriser.own(outlines, slot, pieces.rank[polygon], len(block))
        self._clip(owner, corners.tolist())
        return owner

    def _clip(self, owner: torch.Tensor, corners: list[list[int]]) -> None:
        """Nobody owns what lies outside the frame: the field ends there."""
        for slot, (x, y) in enumerate(corners):
            owner[slot, max(0, (self.height << self.k) - y) :] = -1
            owner[slot, :, max(0, (self.width << self.k) - x) :] = -1

    def _sparse(self, pieces: Pieces, given: Sorted, total: torch.Tensor, count: torch.Tensor) -> None:
        pixel = pieces.pixel[pieces.polygon[given.few]]
        sums, owned = gather(self.claims(pieces, given), len(pixel), self.blocks, len(total))
        count.index_add_(0, pixel, owned)
        total.index_add_(1, pixel, sums)

    def claims(self, pieces: Pieces, given: Sorted) -> Claims:
        """Which sub-pixels the pairs `given.few` own."""
        polygon = pieces.polygon[given.few]
        corner = self.corners(given.rare)
        outlines = pieces.contours.relative(polygon, corner[given.slot].to(torch.float32))
        label = given.rare // (self.tile_columns * self.tile_rows)
        return claims(outlines, given.slot, pieces.rank[polygon], label, corner, self.blocks)

    def pieces(self, track: Track, t: int) -> Pieces:
        """Outlines of the transported pixels of frame t, and which pieces of which anchor frame they touch."""
        moving = (track.state != NEW) & (track.state != UNDEFINED)
        pixel = torch.nonzero(moving.view(-1))[:, 0]
        around = polygons.neighbourhoods(track.position, track.label).view(9, 2, -1)
        if len(pixel) < around.shape[2]:
            around = around[:, :, pixel]
        contours = polygons.contours(around, self.k, self.s)
        del around
        last = torch.tensor([self.tile_columns - 1, self.tile_rows - 1], device=self.device)
        low = torch.floor(contours.vertices.amin(1) / SLOT).to(torch.int64)
        high = torch.ceil(contours.vertices.amax(1) / SLOT).to(torch.int64) - 1
        low, high = low.clamp(min=0), torch.minimum(torch.maximum(high, low), last)
        extent = (high - low + 1).clamp(min=0)
        times = extent[:, 0] * extent[:, 1]
        polygon = torch.repeat_interleave(torch.arange(len(pixel), device=self.device), times)
        number = torch.arange(len(polygon), device=self.device) - (times.cumsum(0) - times)[polygon]
        wide = extent[polygon, 0].clamp(min=1)
        tile_x, tile_y = low[polygon, 0] + number % wide, low[polygon, 1] + number // wide
        label = track.label.view(-1)[pixel][polygon].to(torch.int64)
        error = self.motion.error(t - 1).reshape(-1)[pixel]
        rank = torch.nan_to_num(error * 64, nan=255.0, posinf=255.0).clamp(0, 255).to(torch.int32)
        piece = (label * self.tile_rows + tile_y) * self.tile_columns + tile_x
        return Pieces(contours, pixel, rank, polygon, piece)

    def fine(self, block: tuple[int, ...], channel: int, keep: bool) -> torch.Tensor:
        """(len(block), SLOT, SLOT) the fine field of several pieces. Small frames look at the same ones again and again: these
        are kept side by side."""
        known = self._together.get(channel)
        if known is not None and known[0] == block:
            return known[1]
        fine = torch.stack([self.fine_piece(piece, channel) for piece in block])
        self._together.pop(channel, None)
        if keep and (len(self._together) + 1) * fine.numel() * 4 <= FIELD_CACHE_BYTES // 4:
            self._together[channel] = block, fine
        return fine

    def fine_piece(self, piece: int, channel: int) -> torch.Tensor:
        """(SLOT, SLOT) the fine field of one piece of an anchor frame, zero outside the frame."""
        known = self._fields.get((piece, channel))
        if known is not None:
            self._fields.move_to_end((piece, channel))
            return known
        rest, tile_x = divmod(piece, self.tile_columns)
        label, tile_y = divmod(rest, self.tile_rows)
        n = 1 << self.k
        edge = SLOT // n
        y0, x0 = tile_y * edge, tile_x * edge
        height, width = min(edge, self.height - y0), min(edge, self.width - x0)
        if self._anchored.get(label):
            values = self._anchor_noise[label][channel, y0 : y0 + height, x0 : x0 + width].contiguous()
        else:
            values = rng.plane(self.seed, rng.FIELD, label, channel, 0, y0, x0, height, width, self.device)
        fine = torch.zeros((SLOT, SLOT), dtype=torch.float32, device=self.device)
        fine[: height * n, : width * n] = self.rasteriser.refine(values, self.seed, label, channel, self.k, y0, x0)
        self._fields[piece, channel] = fine
        self._field_bytes += fine.numel() * 4
        while self._field_bytes > FIELD_CACHE_BYTES and len(self._fields) > 1:
            self._field_bytes -= self._fields.popitem(last=False)[1].numel() * 4
        return fine
