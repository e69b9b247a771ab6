"""Objects that cross a frame, and noise carried along with them by both disocclusion handlers. No Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Bytes
from gpu.assets import asset
from gpu.metrics import coherence
from gpu.noise import field, tracks
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from gpu.noise.transport import Transport, TransportSettings
from gpu.source.motion import SourceMotion
from gpu.source.stills import read_picture, resize
from gpu.source.synthetic.source import STILL, SyntheticSource
from gpu.source.synthetic.truth import DeformationTruth

SIZE = (36, 58)
FRAMES = 25
CHANNELS = 4
TWO_STAGE, RANDOM = "two-stage", "random"
FILLS = (TWO_STAGE, RANDOM)
STATES = (KEPT, INHERITED, NEW, UNDEFINED)
ARRANGEMENT = {"objects": 3, "size": 0.55, "degrees": 1.0, "pattern": 2}
BACKGROUND = 0.6  # pixels a frame
SHARPER = 3


@dataclass(frozen=True)
class Film:
    """Objects that cross each other, and the motion that is known of them exactly."""

    truth: DeformationTruth
    motion: SourceMotion


def _parameters(speed: float, times: int) -> dict[str, float]:
    """Of the deformation `layers`, on a grid of `times` as many pixels a side."""
    return {**ARRANGEMENT, "speed": speed * times, "background": BACKGROUND * times}


@lru_cache(maxsize=12)
def film(speed: float) -> Film:
    """Objects at about `speed` pixels a frame."""
    moving = motions.deformed("layers", _parameters(speed, 1), *SIZE, FRAMES)
    return Film(moving.truth, moving.motion())


@lru_cache(maxsize=1)
def _still() -> Bytes:
    height, width = SIZE[0] * SHARPER * 2, SIZE[1] * SHARPER * 2
    return resize(read_picture(asset(STILL)), height, width)


@lru_cache(maxsize=4)
def _source(speed: float) -> SyntheticSource:
    height, width = SIZE[0] * SHARPER, SIZE[1] * SHARPER
    moving = motions.deformed("layers", _parameters(speed, SHARPER), height, width, FRAMES)
    return SyntheticSource("objects", _still(), moving.truth.warp, moving.truth.grid)


@lru_cache(maxsize=64)
def photo(speed: float, t: int) -> Bytes:
    """(SHARPER H, SHARPER W, 3) what frame t shows, sharper than the grid of the noise, to be recognised."""
    return _source(speed).frame(t)


@lru_cache(maxsize=24)
def carrier(speed: float, fill: str, seed: int, k: int = 3) -> Transport:
    """Transport of the whole film with one of FILLS."""
    settings = TransportSettings(seed, k, fill=fill, bend=math.inf)  # anchors are kept, whatever comes of them
    return Transport(film(speed).motion, NoiseGrid(*SIZE, CPU), lambda t: 0, TorchRasteriser(), settings)


@dataclass(frozen=True)
class Frame:
    """Noise (CHANNELS, H, W) of a frame and the state (H, W) of its pixels."""

    noise: torch.Tensor
    state: torch.Tensor


@lru_cache(maxsize=256)
def frame(speed: float, fill: str, seed: int, t: int) -> Frame:
    """∫-noise of frame t. Frames before it are computed on the way, where nobody has asked for them yet."""
    return Frame(*carrier(speed, fill, seed).integral(t, CHANNELS))


@lru_cache(maxsize=64)
def draft(speed: float, fill: str, seed: int, t: int) -> Frame:
    """The same, sooner: of level 1, and by the motion alone, without renewing the few pixels that turned out to own nothing on
    the way. What both fills keep of frame 0 is the same, so that random fill takes it from the other's."""
    track = carrier(speed, fill, seed).track(t)
    if fill == RANDOM:
        noise = draft(speed, TWO_STAGE, seed, t).noise.clone()
        lost = torch.nonzero((track.state != KEPT).view(-1))[:, 0]
        field.write_pixels(noise, lost, seed, t)
        return Frame(noise, track.state)
    return Frame(_gathered(carrier(speed, fill, seed, 1), track, t), track.state)


def _gathered(transport: Transport, track: Track, t: int) -> torch.Tensor:
    noise, count = transport.gather(track, max(t, 1), CHANNELS)
    empty = (track.state == NEW) | (track.state == UNDEFINED) | (count == 0)
    field.write_pixels(noise, torch.nonzero(empty.view(-1))[:, 0], transport.settings.seed, t)
    return noise


@lru_cache(maxsize=64)
def remembering(speed: float, seed: int, t: int) -> torch.Tensor:
    """(CHANNELS, H, W) ∫-noise of frame t straight from frame 0 by the exact map, wherever what is seen was seen there: what
    a handler could reach that remembered everything. Fresh elsewhere."""
    truth = film(speed).truth
    seen_before = torch.from_numpy(truth.reference_valid(t))
    start = tracks.fresh(0, *SIZE, CPU)
    place = torch.where(seen_before[..., None], torch.from_numpy(truth.to_reference(t)), start.position)
    state = torch.where(seen_before, KEPT, NEW).to(torch.uint8)
    label = torch.where(seen_before, 0, t).to(torch.int32)
    return _gathered(carrier(speed, TWO_STAGE, seed), Track(label, place, state), t)


def fractions(state: torch.Tensor) -> dict[int, float]:
    """The share of each of STATES among the pixels."""
    counts = torch.bincount(state.view(-1).long(), minlength=4)
    return {kind: float(counts[kind]) / state.numel() for kind in STATES}


def appeared(speed: float, t: int) -> torch.Tensor:
    """(H, W) what came into view after frame 0 and is seen in frames t - 1 and t: by the motion alone, so that all methods
    are asked about the same pixels."""
    return carrier(speed, TWO_STAGE, 0).track(t).state == INHERITED


def returned(speed: float, t: int) -> torch.Tensor:
    """(H, W) what was seen in frame 0, then hidden or out of view, and is seen again in frame t."""
    seen_before = torch.from_numpy(film(speed).truth.reference_valid(t))
    return seen_before & (carrier(speed, TWO_STAGE, 0).track(t).state != KEPT)


@dataclass(frozen=True)
class Correlation:
    """A correlation along the true motion over n pixels, and what its absolute value exceeds with probability 0.001 where the
    noises are independent."""

    value: float
    n: int

    @property
    def chance(self) -> float:
        """NaN where there is nothing to correlate."""
        return 3.29 / math.sqrt(CHANNELS * self.n) if self.n > 1 else math.nan


LEAST = 20  # pixels: fewer say nothing


@lru_cache(maxsize=512)
def with_previous(speed: float, fill: str, seed: int, t: int) -> Correlation:
    """Of what has appeared, between frames t - 1 and t."""
    places, valid = motions.to_previous(film(speed).motion, t)
    before, now = frame(speed, fill, seed, t - 1), frame(speed, fill, seed, t)
    return _correlation(before.noise, now.noise, places, valid & appeared(speed, t))


@lru_cache(maxsize=128)
def ceiling(speed: float, t: int) -> float:
    """What perfect transport reaches over the same pixels; NaN where there are none."""
    places, valid = motions.to_previous(film(speed).motion, t)
    some = valid & appeared(speed, t)
    return coherence.ceiling(places, some) if int(some.sum()) >= LEAST else math.nan


@lru_cache(maxsize=512)
def with_first(speed: float, rule: str, seed: int, t: int) -> Correlation:
    """Of what has returned, between frames 0 and t; `rule` is one of FILLS or "remembering"."""
    places = torch.from_numpy(film(speed).truth.to_reference(t))
    now = remembering(speed, seed, t) if rule == "remembering" else frame(speed, rule, seed, t).noise
    first = field.pixels(seed, 0, CHANNELS, *SIZE, CPU)
    return _correlation(first, now, places, returned(speed, t))


def _correlation(other: torch.Tensor, now: torch.Tensor, places: torch.Tensor, valid: torch.Tensor) -> Correlation:
    value, n = coherence.correlation(other, now, places, valid)
    return Correlation(value if n >= LEAST else math.nan, n)
