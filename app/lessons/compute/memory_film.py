"""What the lesson on memory measures: one motion, its noise anchored and chained, frame after frame as they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import motions
from app.lessons.compute.chained import ChainedIntegral
from app.lessons.compute.motions import Moving
from app.lessons.compute.scene import Floats
from gpu.flow import maps
from gpu.metrics import coherence
from gpu.noise.states import KEPT
from gpu.noise.transport import Transport
from gpu.priors import NoiseFrame, Run
from gpu.source.motion import SourceMotion

SIZE, CHANNELS, FRAMES = 32, 4, 64
LEVEL = 2  # k: coarser than the program's 3, for speed; outlines are off by an eighth of a pixel at most
RADIUS = 0.3826  # mean distance of a square's points from its centre, of its side
SWIRL = 0.35  # radius of the swirl, of the frame


@dataclass
class Film:
    """Grows frame by frame. Lists of noise start with frame 0, lists of correlations and ceilings with frame 1.

    `forecast` is the correlation with frame 0 that chained ∫-noise is expected to have: it is bilinear chained noise, which
    is all that is left of frame 0, plus independent noise up to variance 1. `drift` is how far the accumulated positions are
    from the true ones, rms in pixels. `others` are the program's own priors that chain: of each the last noise is kept in
    `latest`, and its correlations with frame 0 and with the frame before in `remembered`.
    """

    moving: Moving
    motion: SourceMotion
    integral: Run
    bilinear: Run
    chain: ChainedIntegral
    carrier: Transport
    anchored: list[torch.Tensor] = field(default_factory=list)
    chained: list[torch.Tensor] = field(default_factory=list)
    blurred: list[torch.Tensor] = field(default_factory=list)
    seen: list[torch.Tensor] = field(default_factory=list)
    drift: list[float] = field(default_factory=list)
    ceilings_first: list[float] = field(default_factory=list)
    ceilings_previous: list[float] = field(default_factory=list)
    forecast: list[float] = field(default_factory=list)
    correlations: list[tuple[float, float, float, float]] = field(default_factory=list)
    others: dict[str, Run] = field(default_factory=dict)
    latest: dict[str, torch.Tensor] = field(default_factory=dict)
    remembered: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    begun: NoiseFrame | None = None  # anchored noise of the next frame

    @property
    def measured(self) -> int:
        """The last frame whose noise is at hand."""
        return len(self.anchored) - 1

    @property
    def expected(self) -> int:
        """The last frame with ceilings and a forecast."""
        return len(self.blurred) - 1

    def expect(self, frames: int) -> None:
        """Ceilings and forecast of some frames more."""
        for t in range(self.expected + 1, min(self.expected + frames, FRAMES - 1) + 1):
            places, valid = motions.to_first(self.moving, t)
            before, there = motions.to_previous(self.motion, t)
            kept = self.carrier.track(t).state == KEPT  # only these are compared
            valid, there = valid & kept, there & kept
            noise = self.bilinear.frame(t).noise
            used = valid & maps.inside(places, SIZE, SIZE, 0.5)
            sample = maps.bilinear(self.anchored[0], places)[:, used]
            self.forecast.append(float((noise[:, used] * sample).mean() / sample.square().mean().sqrt()))
            self.ceilings_first.append(coherence.ceiling(places, valid))
            self.ceilings_previous.append(coherence.ceiling(before, there))
            self.blurred.append(noise)

    def measure(self) -> None:
        """Both noises of one frame more, and their correlations."""
        for _ in self.measuring():
            pass

    def measuring(self) -> Iterator[None]:
        """The same in pieces, for whoever has to be back soon; what was begun and left is not lost."""
        t = self.measured + 1
        if self.begun is None:
            self.begun = self.integral.frame(t)
            yield
        frame = self.begun
        following = self.chain.step(self.chained[-1], t)
        yield
        kept = frame.state == KEPT
        places, valid = motions.to_first(self.moving, t)
        before, there = motions.to_previous(self.motion, t)
        frames = {}
        for name, run in self.others.items():
            frames[name] = run.frame(t).noise
            yield
        for name, noise in frames.items():
            with_first = coherence.correlation(self.anchored[0], noise, places, valid & kept)[0]
            with_previous = coherence.correlation(self.latest[name], noise, before, there & kept)[0]
            self.remembered[name].append((with_first, with_previous))
            self.latest[name] = noise
        correlations = []
        for noises, noise in ((self.anchored, frame.noise), (self.chained, following)):
            correlations.append(coherence.correlation(noises[0], noise, places, valid & kept)[0])
            correlations.append(coherence.correlation(noises[-1], noise, before, there & kept)[0])
        self.begun = None
        self.anchored.append(frame.noise)
        self.chained.append(following)
        seen = valid & kept & maps.inside(places, SIZE, SIZE, 0.5)
        self.seen.append(seen)
        error = (self.carrier.track(t).position - places)[seen]
        self.drift.append(float(error.square().sum(-1).mean().sqrt()))
        self.correlations.append((correlations[0], correlations[2], correlations[1], correlations[3]))

    def with_first(self, t: int) -> tuple[float, float]:
        """Correlations with frame 0 of anchored and chained noise; 1 of frame 0 itself."""
        return self.correlations[t - 1][:2] if t else (1.0, 1.0)

    def curves(self, first: bool) -> tuple[Floats, Floats]:
        """(n,) correlations of frames 1 to n, anchored and chained, with frame 0 or with the frame before."""
        table = np.array(self.correlations).reshape(-1, 4)
        return (table[:, 0], table[:, 1]) if first else (table[:, 2], table[:, 3])

    def others_curves(self, first: bool) -> dict[str, Floats]:
        """By prior, (n,) correlations of frames 1 to n with frame 0 or with the frame before."""
        return {name: np.array(pairs).reshape(-1, 2)[:, 0 if first else 1] for name, pairs in self.remembered.items()}

    def used(self, t: int) -> tuple[float, int]:
        """Share of the pixels that are compared with frame 0, and how many values these are."""
        if not t:
            return 1.0, SIZE * SIZE * CHANNELS
        seen = self.seen[t - 1]
        return float(seen.float().mean()), int(seen.sum()) * CHANNELS

    def places_in(self, t: int, places: torch.Tensor) -> torch.Tensor:
        """Where (n, 2) places of frame 0 are in frame t."""
        warp = self.moving.truth.warp
        points = places.to(torch.float64)
        return warp.from_reference(t, points, warp.surface(0, points), points).to(torch.float32)


@lru_cache(maxsize=24)
def film(motion: str, speed: float, seed: int) -> Film:
    """The film of one choice of settings: `speed` is the mean displacement from frame to frame, in pixels."""
    if motion == "rotation":
        moving = motions.deformed("rotation", {"degrees": _degrees(speed)}, SIZE, SIZE, FRAMES)
    elif motion == "swirl":
        share = motions.mean_speed(motions.deformed("swirl", {"degrees": 1.0, "radius": SWIRL}, SIZE, SIZE, 2))
        moving = motions.deformed("swirl", {"degrees": min(speed / share, 15.0), "radius": SWIRL}, SIZE, SIZE, FRAMES)
    elif motion == "translation":
        moving = motions.deformed("translation", {"dx": speed, "dy": 0.0}, SIZE, SIZE, FRAMES)
    else:
        moving = motions.circling(speed, SIZE, FRAMES)
    true, k = moving.motion(), 3 if motion == "translation" else LEVEL  # there all pixels would be off alike
    size = (SIZE, SIZE)
    chain = ChainedIntegral(true, SIZE, SIZE, CHANNELS, seed, k)
    made = Film(
        moving,
        true,
        motions.run("integral", true, size, FRAMES, CHANNELS, seed, k=k),
        motions.run("bilinear", true, size, FRAMES, CHANNELS, seed, "chained"),
        chain,
        motions.transport(true, SIZE, SIZE, seed, k),
    )
    first = chain.start()
    for name in motions.chained_priors():
        made.others[name] = motions.run(name, true, size, FRAMES, CHANNELS, seed)
        made.latest[name], made.remembered[name] = made.others[name].frame(0).noise, []
    for noises in (made.anchored, made.chained, made.blurred):
        noises.append(first)
    return made


def _degrees(speed: float) -> float:
    return min(math.degrees(speed / (RADIUS * SIZE)), 15.0)
