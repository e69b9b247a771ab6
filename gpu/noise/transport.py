"""Transport of noise: carries the noise of one grid along one motion, from anchors.

The parts: where noise comes from (gpu.noise.tracks), what is there (gpu.noise.fine_field), and what of it every pixel owns
(gpu.noise.gathering). Priors see gpu.priors.Transported, which is less than what is here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gpu import compiled, interrupt
from gpu.noise import field, field_limit, footprints, gathering, inspection, levels, renewal, walking
from gpu.noise.fine_field import AnchorField
from gpu.noise.gathering import Gathered, Purse
from gpu.noise.inspection import Footprint, Inspection
from gpu.noise.ownership import Rasteriser
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.spent import Ledger
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tiling import NoiseGrid, Tiling
from gpu.noise.tracks import Motion, Track, Tracks

if TYPE_CHECKING:
    from gpu.noise.edges import Room
    from gpu.noise.summed_field import SummedField

BEND = 2.0
"""Pixels that a position may lie out of line with those beside it before it is renewed (gpu.noise.renewal)."""


@dataclass(frozen=True)
class TransportSettings:
    """The level `k` of sub-pixels and the `s` segments of a side of an outline; what fills disocclusions, `two-stage` or
    `random`; and how far positions may `bend` before pixels are renewed: infinity keeps to the anchors that noise was born in,
    whatever the motion."""

    seed: int = 0
    k: int = 3
    s: int = 4
    fill: str = "two-stage"
    bend: float = BEND


class Transport:
    """Frames of noise by random access; see gpu.priors.Transported. `shot_start(t)` is the first frame of frame t's shot.
    `before`: one along another motion, whose field of frame 0 serves here too where seed and grid are the same."""

    def __init__(
        self,
        motion: Motion,
        grid: NoiseGrid,
        shot_start: Callable[[int], int],
        rasteriser: Rasteriser,
        settings: TransportSettings,
        before: Transport | None = None,
    ) -> None:
        self.motion, self.grid, self.rasteriser, self.settings = motion, grid, rasteriser, settings
        self._shot_start = shot_start
        self.tracks = Tracks(motion, grid, shot_start, settings.fill, self._renewing, self._count)
        self.field = AnchorField(settings.seed, Tiling(grid, settings.k), rasteriser, self.tracks.anchors)
        self._ledger = Ledger(settings.k)
        self._prefix: PrefixSums | None = None  # made where edges are walked
        self._summed: SummedField | None = None  # the same for compiled code
        self._room: Room | None = None
        self._finer: dict[int, AnchorField] = {}
        if before is not None:
            self._take_over(before)

    @property
    def fill(self) -> str:
        """What fills disocclusions: `two-stage` or `random`."""
        return self.settings.fill

    @property
    def s(self) -> int:
        """Segments of a side of an outline."""
        return self.settings.s

    @property
    def field_bytes(self) -> int:
        """Bytes that are kept now of fields added up along their rows; field_limit bounds them."""
        return sum(kept.nbytes for kept in (self._prefix, self._summed) if kept is not None)

    def tracks_where(self, owned: Callable[[Track, int], torch.Tensor]) -> Tracks:
        """The tracks along which pixels are born anew that have 0 in `owned(track, t)` (H, W), and frames are renewed as a
        whole."""

        def whole(track: Track, t: int) -> torch.Tensor | None:
            return renewal.whole(track, self.settings.bend)

        return Tracks(self.motion, self.grid, self._shot_start, self.settings.fill, whole, owned)

    def track(self, t: int) -> Track:
        """Where each pixel of frame t was when its noise was born, by the motion alone: what priors interpolate at."""
        return self.tracks.geometric(t)

    def renewals(self, t: int) -> dict[int, float]:
        """The frames up to t in which pixels were renewed, and what share of them was."""
        return self.tracks.renewals(t)

    def integral(self, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(C, H, W) transported noise of frame t and its (H, W) state (paper: Eq. 4-5, Algorithm 2)."""
        if t == self.tracks.first(t):
            grid = self.grid
            values = field.pixels(self.settings.seed, t, channels, grid.height, grid.width, grid.device)
            return values, self.tracks.start(t).state
        moved = self.prepared(t, channels)
        noise, state = self._carried(moved, t, channels)
        self.field.drop_all_but(torch.unique(moved.label).tolist())
        return noise, state

    def inspect(self, t: int, x: int, y: int, channels: int) -> Inspection:
        """What pixel (x, y) of `integral(t, channels)` is made of."""
        track, state = self.prepared(t, channels), int(self.tracks.transported(t).state[y, x])
        first = t == self.tracks.first(t)
        if not first and state not in (NEW, UNDEFINED):
            carried = self._footprint(track, t, x, y, channels)
            sentence = inspection.carried(carried.anchor)
            return Inspection(t, x, y, state, carried.value, carried.value, sentence, footprint=carried)
        if first:
            sentence = inspection.first(t)
        elif int(track.state[y, x]) in (NEW, UNDEFINED):
            sentence = inspection.not_followed(self.motion, t, x, y, state)
        else:
            sentence = inspection.owns_nothing(self._footprint(track, t, x, y, 0), state)
        born = footprints.born(self.field, t, x, y, channels)
        return Inspection(t, x, y, state, born.value, born.value, sentence, footprint=born)

    def prepared(self, t: int, channels: int) -> Track:
        """The track that frame t is gathered along, with the noise at hand that has been carried to the frames it is anchored
        in."""
        moved = self.tracks.before_renewal(t)
        if channels:
            self._hold(self._anchors_of(moved, t), channels)
        return moved

    def _anchors_of(self, track: Track, t: int) -> list[int]:
        """The anchors before frame t, of its track, that noise has been carried to."""
        anchors = [anchor for anchor in self.tracks.anchors() if anchor < t]
        return [label for label in torch.unique(track.label).tolist() if label in anchors] if anchors else []

    def _hold(self, labels: list[int], channels: int) -> None:
        """See that the noise of anchors is at hand: each may be anchored in others before it."""
        waiting = labels
        while waiting:
            interrupt.poll()
            t = waiting[-1]
            if self.field.holds(t, channels):
                waiting = waiting[:-1]
                continue
            moved = self.tracks.before_renewal(t)
            before = [label for label in self._anchors_of(moved, t) if not self.field.holds(label, channels)]
            if before:
                waiting = [*waiting, *before]
            else:
                self._carried(moved, t, channels)

    def gather(self, track: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise (C, H, W) of frame t along a track, 0 where a pixel owns nothing, and how many sub-pixels pixels own, (H, W)
        int32."""
        return self._gathered(track, t, channels, None)[:2]

    def _gathered(self, track: Track, t: int, channels: int, renewing: torch.Tensor | None) -> Gathered:
        """The same, and what the pixels that are `renewing` (H, W) own."""
        error, settings = self.motion.error(t - 1), self.settings
        finer = levels.levels(track, settings.k)
        purse = Purse(settings.k, lambda label: self._ledger.before(label, t), renewing)
        if self.rasteriser.by_edges:
            return self._on_the_device(track, error, channels, finer, purse) or self._walked(
                track, error, channels, finer, purse
            )
        noise, count, spending = self._drawn(self._only(track, None, finer), error, settings.k, channels, purse)
        for level in sorted(set(finer.values())):
            some = self._drawn(self._only(track, level, finer), error, level, channels, purse)
            # A pixel owns cells of one anchor, at one level.
            noise, count, spending = noise + some.noise, count + some.owned, spending | some.spending
        return Gathered(noise, count, spending)

    def _on_the_device(
        self, track: Track, error: torch.Tensor, channels: int, finer: Mapping[int, int], purse: Purse
    ) -> Gathered | None:
        """`gather` where the rasteriser has a device of its own, which serves the anchors that a good part of a frame looks at
        and nothing is spent of; None where it has not."""
        if not self.rasteriser.on_a_device or purse.renewing is not None:
            return None
        anchors = [
            anchor for anchor in walking.many(track) if anchor not in finer and not len(purse.used(anchor).places)
        ]
        drawn = anchors and self.rasteriser.walk(
            track, error, self._prefix_sums(), self.settings.k, self.settings.s, channels, anchors
        )
        if not drawn:
            return None
        here = torch.isin(track.label, torch.tensor(anchors, dtype=track.label.dtype, device=track.label.device))
        rest = Track(track.label, track.position, torch.where(here, NEW, track.state).to(torch.uint8))
        if bool(((rest.state == NEW) | (rest.state == UNDEFINED)).all()):
            return Gathered(*drawn, {})
        noise, count, _ = self._walked(rest, error, channels, finer, purse)
        return Gathered(noise + drawn[0], count + drawn[1], {})  # a pixel owns cells of one anchor

    def _walked(
        self, track: Track, error: torch.Tensor, channels: int, finer: Mapping[int, int], purse: Purse
    ) -> Gathered:
        """`gather` by compiled code on the processor, where it is there, and else by torch."""
        settings = self.settings
        if self.grid.device.type != "cpu" or not compiled.available():
            return walking.gather(track, error, self._prefix_sums(), settings.k, settings.s, channels, finer, purse)
        from gpu.noise import edges

        summed = self._summed_field()
        return edges.gather(track, error, summed, settings.k, settings.s, channels, self._room, finer, purse)

    def _take_over(self, before: Transport) -> None:
        """Have the field of frame 0, which is born there along any motion: it takes ten times as long to make as a frame."""
        if before._summed is not None:
            self._summed_field().take_over(before._summed, 0)
        if before._prefix is not None:
            self._prefix_sums().take_over(before._prefix, 0)

    def _summed_field(self) -> SummedField:
        from gpu.noise import edges
        from gpu.noise.summed_field import SummedField

        if self._summed is None:
            self._room = edges.Room()
            limit, grid = field_limit.limit(), self.grid
            self._summed = SummedField(self.settings.seed, grid.height, grid.width, limit, self.field.held)
        self._summed.bound(field_limit.limit())
        return self._summed

    def _prefix_sums(self) -> PrefixSums:
        if self._prefix is None:
            self._prefix = PrefixSums(self.settings.seed, self.grid, field_limit.limit(), self.field.carried)
        self._prefix.bound(field_limit.limit())
        return self._prefix

    def _drawn(self, track: Track, error: torch.Tensor, k: int, channels: int, purse: Purse) -> Gathered:
        return gathering.gather(track, error, self.field_at(k), self.rasteriser, self.settings.s, channels, purse)

    def _only(self, track: Track, level: int | None, finer: Mapping[int, int]) -> Track:
        """A track of those pixels alone whose anchors are looked at on a level (None: that of the settings)."""
        if not finer:
            return track
        anchors = [anchor for anchor, its in finer.items() if level is None or its == level]
        inside = torch.isin(track.label, torch.tensor(anchors, dtype=track.label.dtype, device=track.label.device))
        away = inside if level is None else ~inside
        return Track(track.label, track.position, torch.where(away, NEW, track.state).to(torch.uint8))

    def field_at(self, k: int) -> AnchorField:
        """The field as drawing looks at it on level k."""
        if k == self.settings.k:
            return self.field
        if k not in self._finer:
            self._finer[k] = self.field.at_level(k)
        return self._finer[k]

    def _renewing(self, track: Track, t: int) -> torch.Tensor | None:
        """The pixels of frame t that are renewed, see gpu.noise.renewal."""
        since = t - self._shot_start(t)
        return renewal.renewing(track, self.settings.bend) if since > 0 and since % renewal.EVERY == 0 else None

    def _count(self, track: Track, t: int) -> torch.Tensor:
        return self._settled(track, t, 0).owned

    def _settled(self, moved: Track, t: int, channels: int) -> Gathered:
        """What frame t gathers along its track `moved`; what its renewed pixels take is spent for all frames that follow."""
        gathered = self._gathered(moved, t, channels, self.tracks.renewing(moved, t) if t not in self._ledger else None)
        if t not in self._ledger:
            self._ledger.enter(t, gathered.spending)
        return gathered

    def _carried(self, moved: Track, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`integral` of a frame that is not its shot's first, along its track `moved`."""
        gathered = self._settled(moved, t, channels)
        noise, track = gathered.noise, self.tracks.renewed(moved, t, gathered.owned)
        born = torch.nonzero(((track.state == NEW) | (track.state == UNDEFINED)).view(-1))[:, 0]
        field.write_pixels(noise, born, self.settings.seed, t)
        chosen = self.tracks.renewing(moved, t)
        if chosen is not None and channels and not self.field.holds(t, channels):
            self.field.hold(t, torch.where(chosen & (track.label != t), noise, math.nan))
        return noise, track.state

    def _footprint(self, track: Track, t: int, x: int, y: int, channels: int) -> Footprint:
        error = self.motion.error(t - 1)
        level = levels.levels(track, self.settings.k).get(int(track.label[y, x]), self.settings.k)
        return footprints.gathered(
            track, error, self.field_at(level), self.rasteriser, self.settings.s, x, y, channels,
            lambda label: self._ledger.before(label, t),
        )  # fmt: skip
