"""Noise of a whole frame carried along a motion by several rules, each frame straight from frame 0. No Qt here.

The frame of the lesson is the middle of a larger one, so that all it ever shows was there in frame 0: what comes into view
is a lesson of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from scipy import special

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Bytes
from gpu.metrics import moments, spatial, spectrum
from gpu.noise import field, tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.states import KEPT, UNDEFINED
from gpu.noise.transport import Transport
from gpu.priors.kit.interpolation import BICUBIC, BILINEAR, NEAREST, ROOT_BILINEAR, interpolate
from gpu.session import SourceSettings
from gpu.source.synthetic.source import SyntheticSource, open_synthetic

FRAMES = 33
CHANNELS = 4
MOTIONS: dict[str, tuple[str, dict[str, float]]] = {
    "swirl": ("swirl", {"degrees": 5.0, "radius": 0.2}),
    "rotation": ("rotation", {"degrees": 2.0}),
    "translation": ("translation", {"dx": 0.125, "dy": 0.0625}),
    "zoom": ("zoom", {"factor": 1.02}),
}
KERNELS = {"nearest": NEAREST, "bilinear": BILINEAR, "bicubic": BICUBIC, "root-bilinear": ROOT_BILINEAR}
INTEGRAL = "integral"
RULES = (*KERNELS, INTEGRAL)

Size = tuple[int, int]
"""Rows and columns of the frame that is shown."""

DRAFT: Size = (20, 32)
"""For a first look: carried by a field of level 1 instead of 3."""


def full(size: Size) -> int:
    """Side of the square frame whose middle is shown: it holds the shown one turned by any angle."""
    return 2 * math.ceil(math.hypot(*size) / 2 + 1)


def _middle(size: Size) -> tuple[slice, slice]:
    side = full(size)
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    return slice(top, top + size[0]), slice(left, left + size[1])


@lru_cache(maxsize=16)
def _moving(motion: str, size: Size) -> motions.Moving:
    name, parameters = MOTIONS[motion]
    return motions.deformed(name, parameters, full(size), full(size), FRAMES)


@lru_cache(maxsize=4)
def _transport(size: Size, seed: int) -> Transport:
    side = full(size)
    still = KnownMotion(torch.zeros((side, side, 2)))  # it is told where everything comes from
    return motions.transport(still, side, side, seed, 1 if size == DRAFT else 3)


@lru_cache(maxsize=8)
def _picture(motion: str, size: Size) -> SyntheticSource:
    name, parameters = MOTIONS[motion]
    side = full(size)
    return open_synthetic(
        SourceSettings("synthetic", name=name, parameters=parameters, height=side, width=side, frames=FRAMES)
    )


@lru_cache(maxsize=256)
def picture(motion: str, size: Size, t: int) -> Bytes:
    """(H, W, 3) frame t of a photo under the motion."""
    rows, columns = _middle(size)
    return _picture(motion, size).frame(t)[rows, columns].copy()


def places(motion: str, size: Size, t: int) -> torch.Tensor:
    """(side, side, 2) where the pixels of frame t were in frame 0, exactly, on the full frame."""
    return torch.from_numpy(_moving(motion, size).truth.to_reference(t))


@lru_cache(maxsize=8)
def _first(side: int, seed: int) -> torch.Tensor:
    return field.pixels(seed, 0, CHANNELS, side, side, CPU)


@lru_cache(maxsize=1024)
def noise(rule: str, motion: str, size: Size, seed: int, t: int) -> torch.Tensor:
    """(CHANNELS, H, W) noise of frame t by one of RULES, from the noise of frame 0 at the true places."""
    side = full(size)
    rows, columns = _middle(size)
    position = places(motion, size, t)
    if rule != INTEGRAL:
        first = _first(side, seed)
        some = position[rows, columns].reshape(-1, 2)
        return interpolate(first, some, KERNELS[rule]).view(CHANNELS, *size)
    state = torch.full((side, side), UNDEFINED, dtype=torch.uint8)
    state[rows, columns] = KEPT
    track = tracks.Track(torch.zeros((side, side), dtype=torch.int32), position, state)
    carrier = _transport(size, seed)
    noise, _ = carrier.gather(track, max(t, 1), CHANNELS)
    return noise[:, rows, columns].clone()


@dataclass(frozen=True)
class Measures:
    """Of one frame of noise: its variance, and the correlation of neighbours (Moran's I) with its p-value."""

    variance: float
    neighbours: float
    p: float


@lru_cache(maxsize=4096)
def measures(rule: str, motion: str, size: Size, seed: int, t: int) -> Measures:
    """Measured over all channels."""
    values = noise(rule, motion, size, seed, t)
    centred = values - values.mean()
    squares = float((centred * centred).sum())
    moran = spatial.moran(centred, squares)
    return Measures(squares / (values.numel() - 1), moran.value, moran.p)


def radial(values: torch.Tensor) -> spectrum.Spectrum:
    """The radially averaged power spectrum of noise (C, H, W), relative to white noise of variance 1."""
    power = torch.fft.rfft2(values - values.mean()).abs().square().sum(0)
    return spectrum.radial_spectrum(power, values.shape[2], 1 / values.numel())


def white_variances(size: Size, p: float = 0.001) -> tuple[float, float]:
    """Where the variance of a white frame lies with probability 1 - p."""
    return moments.variance_interval(CHANNELS * size[0] * size[1], p)


def white_neighbours(size: Size, p: float = 0.001) -> float:
    """What the absolute Moran's I of a white frame exceeds with probability p."""
    limit = -special.ndtri(p / 2)
    height, width = size
    pairs = CHANNELS * (height * (width - 1) + width * (height - 1))
    return float(limit / math.sqrt(pairs))
