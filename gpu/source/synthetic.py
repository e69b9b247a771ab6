"""Source `synthetic`: a still moved by a deformation that is known exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gpu.assets import asset
from gpu.session import SourceSettings
from gpu.source import U8
from gpu.source.deformations import DEFORMATIONS, Grid, Warp, resolve
from gpu.source.pictures import read_picture, target_size
from gpu.source.synthetic_picture import SUB, Canvas, place
from gpu.source.synthetic_truth import DeformationTruth, somewhere

STILL = "stills/picos.jpg"
FRAMES = 48
FPS = 24.0


def open_synthetic(settings: SourceSettings) -> SyntheticSource:
    """The still at `settings.path` (empty: a bundled one) moved by the deformation `settings.name`.

    ChoiceError for an unknown deformation, SessionError for parameters it does not have or cannot take, FormulaError
    for a formula that is not understood, ClipError for a still that cannot be read, SizeError for an impossible size.
    """
    deformation = DEFORMATIONS.get(settings.name)
    values = resolve(settings.name, deformation, settings.parameters)
    path = Path(settings.path) if settings.path else asset(STILL)
    picture = read_picture(path)
    height, width = target_size(picture.shape[0], picture.shape[1], settings)
    grid = Grid(height, width, settings.frames or FRAMES)
    return SyntheticSource(f"{path.stem}, {deformation.title.lower()}", picture, deformation.make(grid, values), grid)


class SyntheticSource:
    """gpu.source.Source of a still (rows, columns, 3) RGB uint8 behind a deformation."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    def __init__(self, title: str, picture: U8, warp: Warp, grid: Grid) -> None:
        self.title, self.height, self.width, self.frames = title, grid.height, grid.width, grid.frames
        self.truth = DeformationTruth(warp, grid)
        self._canvas = Canvas(picture, place((picture.shape[0], picture.shape[1]), (grid.height, grid.width)))
        ring = _samples(grid.height + 2, grid.width + 2, 1)
        self._ring = ring - 1  # one more pixel on each side

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB: the picture seen through the deformation at frame t."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        warp = self.truth.warp
        if warp.smooth:
            return self._canvas.draw(self._places(t, self._ring))
        fine = _samples(self.height, self.width, SUB)
        return self._canvas.average(self._canvas.sample(self._places(t, fine), 1 / SUB))

    def _places(self, t: int, points: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Where on the picture's plane the colours at `points` of frame t come from; a point's own place if nowhere."""
        warp = self.truth.warp
        surface = warp.surface(t, points)
        places = warp.picture(warp.to_reference(t, points, surface), surface)
        return np.asarray(places.where(somewhere(places)[..., None], points).to(torch.float32).numpy())

    def close(self) -> None:
        """Nothing is held open."""


def _samples(height: int, width: int, per_pixel: int) -> torch.Tensor:
    """(per_pixel H, per_pixel W, 2) float64 centres of equal parts of the pixels."""
    y = (torch.arange(height * per_pixel, dtype=torch.float64) + 0.5) / per_pixel
    x = (torch.arange(width * per_pixel, dtype=torch.float64) + 0.5) / per_pixel
    return torch.stack([x.expand(len(y), len(x)), y[:, None].expand(len(y), len(x))], dim=-1)
