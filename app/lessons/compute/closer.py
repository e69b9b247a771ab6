"""Noise that one moves into, ever closer, as the deformation `deep-zoom` does: what lesson 2 shows of it. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Floats
from gpu.flow import maps
from gpu.metrics import coherence
from gpu.noise import field, levels, tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.states import KEPT
from gpu.noise.transport import Transport

SIDE, CHANNELS, LEVEL = 48, 4, 3
FRAMES, TIMES = 200, 64

Place = tuple[float, float]
"""Where one moves to, as shares of the frame's width and height."""


@dataclass(frozen=True)
class Frame:
    """One frame: `noise` (CHANNELS, SIDE, SIDE), the `level` at which frame 0 was looked at, how many cells a pixel owns on
    `average`, and how many pixels own none."""

    noise: torch.Tensor
    level: int
    average: float
    empty: int


def times(t: int) -> float:
    """How much closer frame t is than frame 0."""
    return float(TIMES ** (t / (FRAMES - 1)))


@lru_cache(maxsize=4)
def _moving(place: Place) -> motions.Moving:
    x, y = place
    return motions.deformed(
        "deep-zoom", {"times": float(TIMES), "over": float(FRAMES), "x": x, "y": y}, SIDE, SIDE, FRAMES
    )


@lru_cache(maxsize=2)
def _transport(seed: int) -> Transport:
    still = KnownMotion(torch.zeros((SIDE, SIDE, 2)))  # it is told where everything comes from
    return motions.transport(still, SIDE, SIDE, seed, LEVEL)


@lru_cache(maxsize=256)
def frame(seed: int, place: Place, t: int) -> Frame:
    """Frame t, straight from frame 0."""
    if t == 0:
        return Frame(field.pixels(seed, 0, CHANNELS, SIDE, SIDE, CPU), LEVEL, float(4**LEVEL), 0)
    position = torch.from_numpy(_moving(place).truth.to_reference(t))
    label = torch.zeros((SIDE, SIDE), dtype=torch.int32)
    track = tracks.Track(label, position, torch.full((SIDE, SIDE), KEPT, dtype=torch.uint8))
    noise, count = _transport(seed).gather(track, t, CHANNELS)
    level = levels.levels(track, LEVEL).get(0, LEVEL)
    return Frame(noise.clone(), level, float(count.double().mean()), int((count == 0).sum()))


def kept(seed: int, place: Place, t: int) -> tuple[float, float]:
    """The correlation of frame t, from 1 on, with the frame before along the motion, and what carried areas give."""
    centre = torch.tensor([place[0] * SIDE, place[1] * SIDE])
    before = centre + (maps.pixel_centres(SIDE, SIDE) - centre) * (times(t - 1) / times(t))
    everywhere = torch.ones((SIDE, SIDE), dtype=torch.bool)
    there, here = (frame(seed, place, number).noise for number in (t - 1, t))
    return coherence.correlation(there, here, before, everywhere)[0], coherence.ceiling(before, everywhere)


def empty_at(level: int, closer: Floats) -> Floats:
    """The share of pixels without a cell, so much closer, where no level beyond `level` is looked at: a pixel is so many cells
    wide, and of pixels narrower than a cell that share of a side meets the centre of one."""
    wide = np.minimum((1 << level) / closer, 1.0)
    return np.asarray(1.0 - wide * wide)
