"""Source `synthetic`: a still moved by a deformation that is known exactly."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from cachetools import LRUCache

from gpu.assets import asset
from gpu.flow import maps
from gpu.session import SourceSettings
from gpu.source import F32, U8, Area, Mask
from gpu.source.deformations import DEFORMATIONS, Grid, Warp, resolve
from gpu.source.stills import read_still, target_size
from gpu.source.synthetic.picture import SUB, Canvas, between, place
from gpu.source.synthetic.truth import DeformationTruth, somewhere

STILL = "stills/picos.jpg"
FRAMES = 48
FPS = 24.0

DRAWN = 3  # frames whose pictures are kept: a frame is shown, compared with the one before, and given to the model


def open_synthetic(settings: SourceSettings) -> SyntheticSource:
    """The still at `settings.path` (empty: a bundled one) moved by the deformation `settings.name`.

    ChoiceError for an unknown deformation, SessionError for parameters it does not have or cannot take, FormulaError
    for a formula that is not understood, ClipError for a still that cannot be read, SizeError for an impossible size.
    """
    deformation = DEFORMATIONS.get(settings.name)
    values = resolve(settings.name, deformation, settings.parameters)
    path = Path(settings.path) if settings.path else asset(STILL)
    still = read_still(path, settings)
    height, width = target_size(still.pixels.shape[0], still.pixels.shape[1], settings)
    grid = Grid(height, width, settings.frames or FRAMES)
    title = f"{path.stem}, {deformation.title.lower()}"
    source = SyntheticSource(title, still.pixels, deformation.make(grid, values), grid)
    source.notes, source.exposure, source.layers = still.notes, still.exposure, still.layers
    return source


class SyntheticSource:
    """gpu.source.Source of a still (rows, columns, 3) RGB uint8 behind a deformation."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    notes: tuple[str, ...] = ()
    exposure: float | None = None
    layers: tuple[str, ...] = ()

    def __init__(self, title: str, picture: U8, warp: Warp, grid: Grid) -> None:
        self.title, self.height, self.width, self.frames = title, grid.height, grid.width, grid.frames
        self.truth = DeformationTruth(warp, grid)
        self.area = Area(0, 0, grid.height, grid.width)
        placement = place((picture.shape[0], picture.shape[1]), (grid.height, grid.width))
        self.original_size = (
            max(round(grid.height * placement.scale[1]), 1),
            max(round(grid.width * placement.scale[0]), 1),
        )
        self._canvas = Canvas(picture, placement)
        self._drawn: LRUCache[int, U8] = LRUCache(DRAWN)

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB: the picture seen through the deformation at frame t. The last few are kept."""
        if t not in self._drawn:
            self._drawn[t] = self.original(t, self.height, self.width)
        return self._drawn[t]

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed: drawn anew at that size, from the still's own pixels."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        warp = self.truth.warp
        pixel = torch.tensor([self.width / columns, self.height / rows], dtype=torch.float64)
        # One more pixel on each side.
        ring = (maps.pixel_centres(rows + 2, columns + 2, dtype=torch.float64) - 1) * pixel
        if warp.smooth:
            return self._canvas.draw(self._places(t, ring, torch.zeros(ring.shape[:2], dtype=torch.int64)))
        surface = warp.surface(t, ring)
        fine = between(self._places(t, ring, surface))
        # Across an outline nothing may be interpolated: there every sample is asked for itself.
        i, j = np.nonzero(_mixed(surface.numpy()))
        if len(i):
            offset = (torch.arange(SUB, dtype=torch.float64) + 0.5) / SUB
            x = (torch.from_numpy(j)[:, None] + offset)[:, None, :].expand(-1, SUB, SUB)
            y = (torch.from_numpy(i)[:, None] + offset)[:, :, None].expand(-1, SUB, SUB)
            points = torch.stack([x, y], dim=-1) * pixel
            pixels = fine.reshape(rows, SUB, columns, SUB, 2)
            pixels[i, :, j, :] = self._places(t, points, warp.surface(t, points))
        return self._canvas.draw_samples(fine, math.sqrt(float(pixel.prod())) / SUB)

    def _places(self, t: int, points: torch.Tensor, surface: torch.Tensor) -> F32:
        """Where on the picture's plane the colours at `points` of frame t come from; a point's own place if nowhere."""
        warp = self.truth.warp
        places = warp.picture(warp.to_reference(t, points, surface), surface)
        return np.asarray(places.where(somewhere(places)[..., None], points).to(torch.float32).numpy())

    def close(self) -> None:
        """Nothing is held open."""


def _mixed(surface: npt.NDArray[np.int64]) -> Mask:
    """(H, W) which pixels have a neighbour on another surface, from the labels (H + 2, W + 2) of them and a ring."""
    height, width = surface.shape[0] - 2, surface.shape[1] - 2
    middle = surface[1:-1, 1:-1]
    mixed = np.zeros((height, width), np.bool_)
    for i in range(3):
        for j in range(3):
            mixed |= surface[i : i + height, j : j + width] != middle
    return mixed
