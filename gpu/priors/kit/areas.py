"""The shares of the limit k → ∞ with exact areas, from anchors (Deng et al. 2025, arXiv 2411.01212, grid variant).

A pixel's outline in its anchor frame covers the area a_r of each source pixel r (gpu.noise.areas). A source pixel that is asked
for S = Σ a in all hands out t = a where S ≤ 1, and t = a / S where a fold asks for more. Its value x is cut into all shares at
once, as in gpu.priors.kit.shares: with e_r ~ N(0, t_r) and e_0 ~ N(0, 1 - Σ t) for what nobody asked for,

    share_r = e_r + t_r (x - Σ e - e_0)

and a pixel is the sum of its shares over the root of their total. What is drawn belongs to a frame and its anchor, and so
frames of one anchor have the values x in common and no more.

`Areas` runs compiled code on the processor (areas_compiled) and torch anywhere else, with the same values to 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from cachetools import LRUCache

from gpu import compiled, interrupt
from gpu.noise import rng
from gpu.noise.areas import FULL, LEVEL, Overlaps, overlaps
from gpu.noise.inspection import Inspection, Shares, not_followed
from gpu.noise.tracks import Track
from gpu.priors import NEW, UNDEFINED, NoiseFrame, PriorContext
from gpu.priors.kit.sequence import born

SHARED, REST = 0, 1
"""Levels of rng.AREAS, 2 anchor + either: the normals of shares, and those of what nobody asked for."""

HELD = 2
"""Anchor frames whose noise is kept: all pixels look at one or two."""

DENSE = 1 / 8
"""Of an anchor that this share of a frame looks at, all the noise is drawn at once, and kept."""

FIRST = "Frame {t} is the first of its shot: its noise is drawn afresh, and later frames take shares of it."
CARRIED = (
    "Shares of the pixels of frame {anchor} that its outline covers, by exact area: each value is cut into the shares that "
    "this frame asks for, as if sub-pixels were endlessly fine."
)
COVERED = (
    "The outline of this pixel has shrunk to a line in frame {anchor}, or left it, and covers no area there. "
    "It opens an anchor here: fresh noise, which later frames carry on."
)


@dataclass(frozen=True)
class Asked:
    """What the outlines of a frame ask for, n overlaps and m source pixels: of each overlap the target `pixel`, its `anchor`,
    its `source` (a number) and the `share` it gets; of each source its `label` (anchor frame), `place` (flat index) and the
    `rest` that nobody gets; (H W,) the `total` of each target pixel."""

    pixel: torch.Tensor
    anchor: torch.Tensor
    source: torch.Tensor
    share: torch.Tensor
    label: torch.Tensor
    place: torch.Tensor
    rest: torch.Tensor
    total: torch.Tensor


def ask(meeting: Overlaps, pixels: int) -> Asked:
    """The shares that overlaps get, in a frame of so many `pixels`."""
    both, source = torch.unique(meeting.label * pixels + meeting.source, return_inverse=True)
    asked = torch.zeros_like(both).index_add_(0, source, meeting.area)
    share = meeting.area.to(torch.float32) / asked.clamp(min=FULL)[source].to(torch.float32)
    rest = (FULL - asked).clamp(min=0).to(torch.float32) * (1 / FULL)
    total = torch.zeros(pixels, device=share.device).index_add_(0, meeting.pixel, share)
    return Asked(meeting.pixel, meeting.label, source, share, both // pixels, both % pixels, rest, total)


class Areas:
    """Frames of noise by shares of exact areas; see gpu.priors.Run."""

    def __init__(self, context: PriorContext) -> None:
        self.context = context
        self.tracks = context.transport.tracks_where(self._owned)
        self._whole: LRUCache[int, torch.Tensor] = LRUCache(HELD)  # noise of frames that are whole anchors, by frame
        self._born: LRUCache[int, torch.Tensor] = LRUCache(HELD)  # of frames that noise is born in

    def frame(self, t: int) -> NoiseFrame:
        if t == self.tracks.first(t):
            return born(self.context, t)
        noise, track = self._carried(self.prepared(t), t)
        return NoiseFrame(noise, track.state)

    def renewals(self, t: int) -> dict[int, float]:
        """See gpu.priors.Renewing."""
        return self.tracks.renewals(t)

    def prepared(self, t: int) -> Track:
        """The track of frame t, with the noise at hand of the frames it is anchored in."""
        moved, first = self.tracks.before_renewal(t), self.tracks.first(t)
        anchors = [frame for frame in self.tracks.anchors() if first < frame < t]
        held = max((frame for frame in anchors if frame in self._whole), default=first)
        for frame in anchors:
            if frame > held:
                interrupt.poll()
                self._whole[frame] = self._carried(self.tracks.before_renewal(frame), frame)[0]
        return moved

    def _carried(self, moved: Track, t: int) -> tuple[torch.Tensor, Track]:
        if self._by_kernels():
            noise, owned = self._compiled(moved, t, self.context.channels)
        else:
            noise, owned = self.by_torch(moved, t)
        track = self.tracks.renewed(moved, t, owned)
        fresh = torch.nonzero(((track.state == NEW) | (track.state == UNDEFINED)).view(-1))[:, 0]
        at = (part.to(torch.int32)[None] for part in (fresh // self.context.width, fresh % self.context.width))
        keys = torch.from_numpy(rng.keys(self.context.seed, rng.FIELD, t, self.context.channels).view(np.int32))
        values = rng.scattered(keys.to(noise.device)[:, None], *at)
        noise.view(self.context.channels, -1).index_copy_(1, fresh, values)
        return noise, track

    def _by_kernels(self) -> bool:
        return self.context.device.type == "cpu" and compiled.available()

    def _owned(self, track: Track, t: int) -> torch.Tensor:
        """(H, W) which pixels of a track get anything."""
        if self._by_kernels():
            return self._compiled(track, t, 0)[1]
        return self._gets(overlaps(track, self.context.transport.s))

    def _gets(self, meeting: Overlaps) -> torch.Tensor:
        owned = torch.zeros(self.context.height * self.context.width, dtype=torch.int32, device=self.context.device)
        owned[meeting.pixel] = 1
        return owned.view(self.context.height, self.context.width)

    def by_torch(self, moved: Track, t: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise (C, H, W) of a frame along its track, 0 where a pixel gets nothing, and (H, W) int32 which get any."""
        context = self.context
        meeting = overlaps(moved, context.transport.s)
        asked = ask(meeting, context.height * context.width)
        out = torch.zeros((context.channels, context.height * context.width), device=context.device)
        root, rest = asked.share.sqrt(), asked.rest.sqrt()
        factor = torch.where(asked.total > 0, asked.total.rsqrt(), 0.0)
        for channel in range(context.channels):
            drawn = root * self._normals(asked, t, channel)
            residual = self.held(asked, channel) - rest * self._rest_normals(asked, t, channel)
            # With accumulation index_put takes sums in a fixed order on every device.
            residual.index_put_((asked.source,), -drawn, accumulate=True)
            received = drawn + asked.share * residual[asked.source]
            out[channel].index_put_((asked.pixel,), received, accumulate=True)
        return (out * factor).view(context.channels, context.height, context.width), self._gets(meeting)

    def held(self, asked: Asked, channel: int) -> torch.Tensor:
        """(m,) what the source pixels hold of a channel."""
        at = asked.place // self.context.width, asked.place % self.context.width
        value = rng.scattered(self._keys(rng.FIELD, asked.label, channel, 1, 0), *(part.to(torch.int32) for part in at))
        for frame in self.tracks.anchors():
            here = asked.label == frame
            if bool(here.any()):
                value[here] = self._whole[frame][channel].view(-1)[asked.place[here]]
        return value

    def _keys(
        self, stream: int, label: torch.Tensor, channel: int, levels: int, level: int, t: int = -1
    ) -> torch.Tensor:
        """int32 keys by anchor frame: of the frame itself, or of frame t with a level for each anchor."""
        labels, place = torch.unique(label, return_inverse=True)
        seed = self.context.seed
        words = [
            rng.key(seed, stream, t, channel, levels * frame + level)
            if t >= 0
            else rng.key(seed, stream, frame, channel)
            for frame in labels.tolist()
        ]
        planes = torch.tensor([rng.signed(word) for word in words], dtype=torch.int32, device=label.device)
        return planes[place] if len(planes) else label.to(torch.int32)

    def _normals(self, asked: Asked, t: int, channel: int) -> torch.Tensor:
        """(n,) of the overlaps: pairs serve two channels."""
        width = self.context.width
        y, x = (part.to(torch.int32) for part in (asked.pixel // width, asked.pixel % width))
        other = asked.place[asked.source].to(torch.int32)
        even = channel - channel % 2
        planes = [self._keys(rng.AREAS, asked.anchor, at, 2, SHARED, t) for at in (even, even + 1)]
        return rng.pairs(*(rng.words_between(plane, y, x, other) for plane in planes))[channel % 2]

    def _rest_normals(self, asked: Asked, t: int, channel: int) -> torch.Tensor:
        """(m,) of the source pixels."""
        width = self.context.width
        y, x = (part.to(torch.int32) for part in (asked.place // width, asked.place % width))
        even = channel - channel % 2
        planes = [self._keys(rng.AREAS, asked.label, at, 2, REST, t) for at in (even, even + 1)]
        return rng.pairs(*(rng.words_at(plane, y, x) for plane in planes))[channel % 2]

    def _compiled(self, moved: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`by_torch` by kernels."""
        from gpu.noise import edges
        from gpu.priors.kit import areas_groups

        context = self.context
        outline = edges.shapes(moved, LEVEL, context.transport.s)
        noise = torch.zeros((channels, context.height * context.width))
        owned = torch.zeros(context.height * context.width, dtype=torch.int32)
        room = areas_groups.Room(context.height * context.width)
        for label, pixels in edges.by_label(moved, outline):
            interrupt.poll()
            asked = room.overlaps(pixels, outline, context.height, owned.numpy())
            if channels:
                dense = len(pixels) >= DENSE * len(owned)
                padded = areas_groups.padded(channels)
                keys = (
                    rng.keys(context.seed, rng.FIELD, label, padded),
                    rng.keys(context.seed, rng.AREAS, t, padded, 2 * label + SHARED),
                    rng.keys(context.seed, rng.AREAS, t, padded, 2 * label + REST),
                )
                anchor = self._anchor(label, dense)
                areas_groups.hand_out(pixels, asked, noise.numpy(), anchor, context.width, keys)
        return noise.view(channels, context.height, context.width), owned.view(context.height, context.width)

    def _anchor(self, label: int, dense: bool) -> torch.Tensor | None:
        """(C, H, W) noise of an anchor frame, None where it is to be drawn at the pixels alone that are looked at."""
        if label in self.tracks.anchors():
            return self._whole[label]
        if dense and label not in self._born:
            self._born[label] = self.context.white(rng.FIELD, label)
        return self._born.get(label) if dense else None

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        frame = self.frame(t)
        state, value = int(frame.state[y, x]), frame.noise[:, y, x].cpu().numpy()
        if t == self.tracks.first(t):
            return Inspection(t, x, y, state, value, value, FIRST.format(t=t))
        track = self.prepared(t)
        anchor = int(track.label[y, x])
        if int(track.state[y, x]) in (NEW, UNDEFINED):
            return Inspection(t, x, y, state, value, value, not_followed(self.context.motion, t, x, y, state))
        if state in (NEW, UNDEFINED):
            return Inspection(t, x, y, state, value, value, COVERED.format(anchor=anchor))
        received = self._received(track, t, x, y, value)
        return Inspection(t, x, y, state, value, value, CARRIED.format(anchor=anchor), shares=received)

    def _overlaps(self, track: Track, label: int) -> Overlaps:
        """The overlaps with one anchor frame, by kernels where they are to be had."""
        if not self._by_kernels():
            every = overlaps(track, self.context.transport.s)
            here = every.label == label
            return Overlaps(every.pixel[here], every.label[here], every.source[here], every.area[here])
        from gpu.noise import edges
        from gpu.priors.kit import areas_groups

        outline, size = edges.shapes(track, LEVEL, self.context.transport.s), self.context.height * self.context.width
        pixels = dict(edges.by_label(track, outline))[label]
        meeting = areas_groups.Room(size).overlaps(pixels, outline, self.context.height, np.zeros(size, np.int32))
        pixel = torch.from_numpy(np.repeat(pixels, np.diff(meeting.ends, prepend=0)))
        source = torch.from_numpy(meeting.places[meeting.source].astype(np.int64))
        return Overlaps(pixel, torch.full_like(pixel, label), source, torch.from_numpy(meeting.area))

    def _received(self, track: Track, t: int, x: int, y: int, value: np.ndarray) -> Shares:
        """The shares of a pixel, drawn once more with all others of the same source pixels."""
        width, channels = self.context.width, self.context.channels
        pixel, anchor = y * width + x, int(track.label[y, x])
        every = self._overlaps(track, anchor)
        near = torch.isin(every.source, every.source[every.pixel == pixel])
        beside = Overlaps(every.pixel[near], every.label[near], every.source[near], every.area[near])
        asked = ask(beside, self.context.height * width)
        here = asked.pixel == pixel
        share, source = asked.share[here], asked.source[here]
        parts, held = [], []
        for channel in range(channels):
            drawn = asked.share.sqrt() * self._normals(asked, t, channel)
            has = self.held(asked, channel)
            residual = has - asked.rest.sqrt() * self._rest_normals(asked, t, channel)
            residual.index_add_(0, asked.source, -drawn)
            parts.append(drawn[here] + share * residual[source])
            held.append(has[source])
        place = asked.place[source].cpu().numpy()
        return Shares(
            source=anchor,
            position=track.position[y, x].cpu().numpy(),
            pixels=np.stack([place % width, place // width], -1),
            values=torch.stack(held).cpu().numpy(),
            shares=share.cpu().numpy(),
            parts=torch.stack(parts).cpu().numpy(),
            weights=(torch.ones_like(share) * asked.total[pixel].rsqrt()).cpu().numpy(),
            fresh=np.zeros(channels, np.float32),
            value=value,
        )
