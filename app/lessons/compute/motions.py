"""Small grids under an exactly known motion, as priors ask for them: what lessons carry noise along. No Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from app.lessons.compute.draw_statistics import CPU
from gpu.engine.clip import Clip
from gpu.flow import maps
from gpu.noise import tracks
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import Transport, TransportSettings
from gpu.priors import PRIORS, Motion, Run
from gpu.session import MotionSettings, NoiseSettings, PriorSettings
from gpu.source import U8
from gpu.source.deformations import DEFORMATIONS, Grid, Points, Warp, one_surface, ones, resolve
from gpu.source.motion import SourceMotion
from gpu.source.synthetic.truth import DeformationTruth

CIRCLE = 5.0  # pixels: radius of the circle that `circling` moves on, so that little leaves the frame


@dataclass(frozen=True)
class NoPictures:
    """gpu.source.Source without a picture: a grid of `height` x `width` pixels, in one shot."""

    height: int
    width: int
    frames: int
    truth: DeformationTruth | None = None
    title: str = "lesson"
    fps: float = 24.0
    cuts: tuple[int, ...] = ()

    def frame(self, t: int) -> U8:
        raise IndexError(f"frame {t}: there is no picture here")

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Moving(NoPictures):
    """The grid under the deformation behind `truth`."""

    truth: DeformationTruth = field(kw_only=True)

    def motion(self) -> SourceMotion:
        """Its true motion, as gpu.priors.Motion."""
        return SourceMotion(self, MotionSettings("truth"), CPU)


def deformed(name: str, parameters: dict[str, float], height: int, width: int, frames: int) -> Moving:
    """A grid under the deformation `name` of gpu.source.deformations."""
    grid, deformation = Grid(height, width, frames), DEFORMATIONS.get(name)
    warp = deformation.make(grid, resolve(name, deformation, parameters))
    return Moving(height, width, frames, truth=DeformationTruth(warp, grid))


def circling(speed: float, size: int, frames: int) -> Moving:
    """A grid that is shifted along a circle of CIRCLE pixels, `speed` pixels a frame: a translation that stays in view."""

    def offset(t: int) -> tuple[float, float]:
        angle = speed * t / CIRCLE
        return CIRCLE * math.sin(angle), CIRCLE * (1 - math.cos(angle))

    def forth(t: int, points: Points) -> Points:
        return points - points.new_tensor(offset(t))

    def back(t: int, points: Points) -> Points:
        return points + points.new_tensor(offset(t))

    warp: Warp = one_surface(forth, back, ones)
    grid = Grid(size, size, frames)
    return Moving(size, size, frames, truth=DeformationTruth(warp, grid))


def mean_speed(moving: Moving) -> float:
    """Mean displacement between frames 0 and 1, in pixels."""
    return float(torch.from_numpy(moving.truth.backward(0)).norm(dim=-1).mean())


def to_first(moving: Moving, t: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Absolute places (H, W, 2) in frame 0 of what frame t's pixels see, and (H, W) where they are known."""
    return torch.from_numpy(moving.truth.to_reference(t)), torch.from_numpy(moving.truth.reference_valid(t))


def to_previous(motion: Motion, t: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in frame t - 1."""
    flow = motion.backward(t - 1)
    return maps.pixel_centres(flow.shape[0], flow.shape[1]) + flow, motion.valid(t - 1)


def transport(motion: tracks.Motion, height: int, width: int, seed: int, k: int = 3) -> Transport:
    """Transport of one shot along a motion, on torch: lessons need no graphics card and give the same everywhere. Anchors
    stay, whatever the motion: lessons show what that does."""
    settings = TransportSettings(seed, k, bend=math.inf)
    return Transport(motion, NoiseGrid(height, width, CPU), _first, TorchRasteriser(), settings)


def run(
    name: str,
    motion: Motion,
    size: tuple[int, int],
    frames: int,
    channels: int,
    seed: int,
    mode: str = "",
    k: int = 3,
) -> Run:
    """The prior `name` at work on a motion that no picture belongs to."""
    clip = Clip(NoPictures(*size, frames), motion, TorchRasteriser(), CPU, bend=math.inf)
    settings = PriorSettings(name, mode)  # type: ignore[arg-type]  # a mode that it has not is refused by the clip
    return clip.start(settings, NoiseSettings(k=k, channels=channels, seed=seed))


def chained_priors() -> tuple[str, ...]:
    """The white priors of the program that follow a motion from frame to frame, and in no other way."""
    infos = ((name, prior.info) for name, prior in PRIORS.items())
    return tuple(name for name, info in infos if info.white and info.uses_motion and info.modes == ("chained",))


def _first(t: int) -> int:
    return 0
