"""What the lesson on the limit measures: shares of sub-pixels beside areas, and priors on motions that tell them apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import motions
from app.lessons.compute.scene import Floats
from gpu.flow import maps
from gpu.metrics import coherence
from gpu.noise import areas, outlines
from gpu.noise.outlines import SNAP
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.tiling import SLOT
from gpu.noise.tracks import Track
from gpu.priors import Run

SIZE = 4  # pixels a side, so that level 6 fits a piece of the rasteriser
LEVELS = (1, 2, 3, 4, 5, 6)
INNER = [SIZE * row + column for row in range(1, SIZE - 1) for column in range(1, SIZE - 1)]
SEGMENTS = 4  # s of the paper
FILM, FRAMES, CHANNELS = 32, 25, 4
CARRIED = ("integral", "integral-exact", "infinite-particle")
HELD = 40  # pixels a side of the frame that is held still


def turned(angle: float, shift: tuple[float, float] = (0.0, 0.0), zoom: float = 1.0) -> Track:
    """SIZE x SIZE pixels that are seen in one anchor turned by `angle` degrees, `zoom` times as large, moved by `shift`."""
    a, middle = math.radians(angle), SIZE / 2
    matrix = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) / zoom
    position = (maps.pixel_centres(SIZE, SIZE) - middle) @ matrix.T + middle + torch.tensor(shift)
    return Track(torch.zeros((SIZE, SIZE), dtype=torch.int32), position, torch.zeros((SIZE, SIZE), dtype=torch.uint8))


def outline(track: Track, k: int) -> outlines.Outlines:
    """Outlines of all pixels in 1/SNAP of sub-pixels of level k."""
    return outlines.outlines(track.position, track.label, torch.ones((SIZE, SIZE), dtype=torch.bool), k, SEGMENTS)


def owners(track: Track, k: int) -> torch.Tensor:
    """(SIZE n, SIZE n) which pixel owns each sub-pixel of level k, -1 where none does."""
    pixel = torch.arange(SIZE * SIZE)
    contours = outline(track, k).contours(pixel)
    nobody = torch.zeros(len(pixel), dtype=torch.int64)
    owner = TorchRasteriser().own(contours, nobody, nobody.to(torch.int32), 1)[0]
    assert SIZE << LEVELS[-1] <= SLOT
    return owner[: SIZE << k, : SIZE << k]


def counted(track: Track, k: int) -> torch.Tensor:
    """(pixels, pixels) what share of the sub-pixels of each source pixel (column) each pixel (row) owns at level k."""
    owner = owners(track, k)
    row = torch.arange(SIZE << k) >> k
    source = (row[:, None] * SIZE + row[None]).expand_as(owner)
    has = owner >= 0
    shares = torch.zeros(SIZE**4)
    shares.index_add_(0, owner[has].long() * SIZE**2 + source[has], torch.full((int(has.sum()),), 4.0**-k))
    return shares.view(SIZE**2, SIZE**2)


def exact(track: Track) -> torch.Tensor:
    """The same by exact area."""
    meeting = areas.overlaps(track, SEGMENTS)
    shares = torch.zeros(SIZE**4, dtype=torch.float64)
    shares.index_add_(0, meeting.pixel * SIZE**2 + meeting.source, meeting.area.double() / areas.FULL)
    return shares.view(SIZE**2, SIZE**2).float()


def crossings(track: Track, k: int) -> float:
    """Rows of level k that edges of a pixel cross on average, an edge that two pixels share counted for one of them."""
    y = outline(track, k).vertices[..., 1].long()
    row = (y + (SNAP // 2 - 1)) // SNAP
    return float((row.roll(-1, 2) - row).abs().sum(2).float().mean()) / 2


def meetings(track: Track) -> float:
    """Source pixels that a pixel has a share of, on average over those amid the frame."""
    return float((exact(track)[INNER] > 0).sum(1).float().mean())


@dataclass
class Converged:
    """Grows draw by draw: by level, the errors (n,) of |Omega| / N."""

    seed: int

    total: dict[int, list[Floats]] = field(default_factory=lambda: {k: [] for k in LEVELS})

    @property
    def draws(self) -> int:
        """How many maps were tried."""
        return len(self.total[LEVELS[-1]])

    def add(self) -> None:
        """One map more, turned and moved by chance."""
        generator = torch.Generator().manual_seed(1000 * self.seed + self.draws)
        dx, dy, angle = (torch.rand(3, generator=generator) - 0.5).tolist()
        track = turned(180 * angle, (dx, dy))
        area = exact(track).sum(1)
        for k in LEVELS:
            self.total[k].append((counted(track, k).sum(1) - area)[INNER].double().numpy())

    def rms(self) -> Floats:
        """(levels,) of |Omega| / N less the area."""
        return np.array([np.sqrt(np.mean(np.concatenate(self.total[k]) ** 2)) for k in LEVELS])


@lru_cache(maxsize=16)
def converged(seed: int) -> Converged:
    """The maps of one seed, none at first."""
    return Converged(seed)


def empty(zoom: float, k: int, angle: float, seed: int, draws: int = 6) -> tuple[float, float]:
    """Which share of the pixels owns nothing where the picture has grown `zoom` times: no sub-pixel of level k, and no area."""
    none, no_area = 0, 0
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        dx, dy = (torch.rand(2, generator=generator) - 0.5).tolist()
        track = turned(angle, (dx, dy), zoom)
        none += int((counted(track, k).sum(1) == 0).sum())
        no_area += int((exact(track).sum(1) == 0).sum())
    return none / (draws * SIZE**2), no_area / (draws * SIZE**2)


@dataclass(frozen=True)
class Grown:
    """gpu.priors.Motion of a picture that grows `zoom` times from frame 0 to frame 1, and is held still from then on."""

    zoom: float

    def backward(self, t: int) -> torch.Tensor:
        centres = maps.pixel_centres(HELD, HELD)
        middle = HELD / 2 + 0.27  # no pixel's corner stays on a corner
        return (centres - middle) * (1 / self.zoom - 1) if t == 0 else torch.zeros_like(centres)

    def forward(self, t: int) -> torch.Tensor:
        centres = maps.pixel_centres(HELD, HELD)
        return (centres - HELD / 2 - 0.27) * (self.zoom - 1) if t == 0 else torch.zeros_like(centres)

    def valid(self, t: int) -> torch.Tensor:
        centres = maps.pixel_centres(HELD, HELD)
        return maps.inside(centres + self.backward(t), HELD, HELD)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros((HELD, HELD))


@lru_cache(maxsize=256)
def held(name: str, zoom: float, seed: int) -> tuple[float, int]:
    """The correlation of frames 1 and 2 of a prior, between which nothing moves, and of how many values."""
    run = motions.run(name, Grown(zoom), (HELD, HELD), 3, CHANNELS, seed)
    first, second = run.frame(1).noise.reshape(-1), run.frame(2).noise.reshape(-1)
    return float(torch.corrcoef(torch.stack([first, second]))[0, 1]), len(first)


def held_theory(zoom: float) -> float:
    """What it is by theory for exact areas: the mean of sum t^2 / sum t over the pixels."""
    centres = maps.pixel_centres(HELD, HELD)
    label, state = torch.zeros((HELD, HELD), dtype=torch.int32), torch.zeros((HELD, HELD), dtype=torch.uint8)
    meeting = areas.overlaps(Track(label, centres + Grown(zoom).backward(0), state), SEGMENTS)
    t = meeting.area.double() / areas.FULL
    squares, total = torch.zeros((2, HELD * HELD), dtype=torch.float64)
    squares.index_add_(0, meeting.pixel, t * t)
    total.index_add_(0, meeting.pixel, t)
    return float((squares / total).mean())


@dataclass
class Memory:
    """Grows frame by frame: by prior, the correlations with frame 0 and with the frame before of frames 1 to n."""

    moving: motions.Moving
    runs: dict[str, Run]
    latest: dict[str, torch.Tensor]
    first: torch.Tensor
    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {name: [] for name in CARRIED})
    values: int = 0

    @property
    def measured(self) -> int:
        """The last frame that is."""
        return len(self.pairs[CARRIED[-1]])

    def measuring(self) -> Iterator[None]:
        """One frame more, a prior at a time."""
        t = self.measured + 1
        motion = self.moving.motion()
        places, valid = motions.to_first(self.moving, t)
        before, there = motions.to_previous(motion, t)
        for name in CARRIED:
            if len(self.pairs[name]) >= t:
                continue  # begun, and then something else was wanted
            frame = self.runs[name].frame(t)
            kept = frame.state == 0
            with_first, seen = coherence.correlation(self.first, frame.noise, places, valid & kept)[:2]
            with_previous = coherence.correlation(self.latest[name], frame.noise, before, there & kept)[0]
            self.values = int(seen)
            self.pairs[name].append((with_first, with_previous))
            self.latest[name] = frame.noise
            yield


@lru_cache(maxsize=12)
def memory(degrees: float, seed: int) -> Memory:
    """Of a rotation of so many degrees a frame."""
    moving = motions.deformed("rotation", {"degrees": degrees}, FILM, FILM, FRAMES)
    size = (FILM, FILM)
    runs = {name: motions.run(name, moving.motion(), size, FRAMES, CHANNELS, seed, k=2) for name in CARRIED}
    first = {name: run.frame(0).noise for name, run in runs.items()}
    return Memory(moving, runs, first, first[CARRIED[0]])
