"""Scene `smoke`: a coarse simulation of coloured smoke, with the velocity of its solver as the true motion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from cachetools import LRUCache

from gpu.errors import SizeError
from gpu.flow import maps
from gpu.parameters import ParameterInfo
from gpu.session import Parameter, SourceSettings
from gpu.source import F32, U8, Area, Mask
from gpu.source.scenes import SCENES
from gpu.source.stills import finer, target_size
from gpu.worlds.fluid.appearance import PALETTES, Palette, picture
from gpu.worlds.fluid.history import History
from gpu.worlds.fluid.solver import Fluid, smoke_at
from gpu.worlds.fluid.staggered_grid import trace

HEIGHT, WIDTH, FRAMES, FPS = 128, 128, 48, 24.0
SMALLEST = 8  # pixels a side
LONGEST = 4.0  # times as wide as high, or as high as wide
KEPT = 8  # displacements kept: those that a frame and its neighbours ask for again
HALF_STEP = 1e-3  # pixels, of the central differences of `jacobian`


class SmokeTruth:
    """gpu.source.Truth: particles traced through the velocities by which the solver moved its own smoke.

    Air that comes in from the side, the top or the floor's hidden strip was outside the frame before; all else is valid,
    for nothing hides anything in a plane. The box goes round from left to right but the picture does not: what leaves it
    at one side is not followed to the other.
    """

    def __init__(self, history: History, height: int, width: int, frames: int) -> None:
        self._history, self.height, self.width, self.frames = history, height, width, frames
        self._cells = history.fluid.rows / height  # a pixel
        self._centres = maps.pixel_centres(height, width, dtype=torch.float64)
        self._moved: LRUCache[tuple[int, int], torch.Tensor] = LRUCache(KEPT)

    def backward(self, t: int) -> F32:
        return self._flow(self._pair(t) + 1, t)

    def forward(self, t: int) -> F32:
        return self._flow(self._pair(t), t + 1)

    def valid(self, t: int) -> Mask:
        return self._inside(self._there(self._pair(t) + 1, t))

    def to_reference(self, t: int) -> F32:
        return self._to_first(t, self._centres).to(torch.float32).numpy()

    def reference_valid(self, t: int) -> Mask:
        """(H, W) on the grid of frame t: where what is seen was inside the frame in frame 0."""
        return self._inside(self._to_first(t, self._centres))

    def jacobian(self, t: int) -> F32:
        """As gpu.source.Truth, by central differences: near 1, as the velocity is free of divergence on its grid."""
        x, y = (self._centres.new_tensor(step) for step in ((HALF_STEP, 0.0), (0.0, HALF_STEP)))
        right, left, below, above = (self._to_first(t, self._centres + step) for step in (x, -x, y, -y))
        along_x, along_y = (right - left) / (2 * HALF_STEP), (below - above) / (2 * HALF_STEP)
        determinant = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
        return determinant.to(torch.float32).numpy()

    def _flow(self, start: int, end: int) -> F32:
        return (self._there(start, end) - self._centres).to(torch.float32).numpy()

    def _there(self, start: int, end: int) -> torch.Tensor:
        """(H, W, 2) where what is seen at the pixel centres of frame `start` is in its neighbour `end`, in pixels."""
        if (start, end) not in self._moved:
            self._moved[start, end] = self._follow(start, end, self._centres)
        return self._moved[start, end]

    def _follow(self, start: int, end: int, points: torch.Tensor) -> torch.Tensor:
        """(..., 2) `points` of frame `start`, in pixels, taken to the frame before or after it."""
        steps = self._history.state(max(start, end)).steps
        span = self._history.pace / len(steps)
        cells = points * self._cells
        for velocity in steps if end > start else reversed(steps):
            cells = trace(velocity, cells, span if end > start else -span)
        return cells / self._cells

    def _to_first(self, t: int, points: torch.Tensor) -> torch.Tensor:
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        for frame in range(t, 0, -1):
            points = self._follow(frame, frame - 1, points)
        return points

    def _inside(self, points: torch.Tensor) -> Mask:
        x, y = points.unbind(-1)
        return np.asarray(((x >= 0) & (x <= self.width) & (y >= 0) & (y <= self.height)).numpy())

    def _pair(self, t: int) -> int:
        if not 0 <= t < self.frames - 1:
            raise IndexError(f"pair of frames {t}, {t + 1} of {self.frames}")
        return t


class SmokeSource:
    """gpu.source.Source of a simulation: its densities, smoothly interpolated, as glowing haze."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    def __init__(self, title: str, history: History, palette: Palette, height: int, width: int, frames: int) -> None:
        self.title, self.height, self.width, self.frames = title, height, width, frames
        self.truth = SmokeTruth(history, height, width, frames)
        self._history, self._palette = history, palette
        self.area = Area(0, 0, height, width)
        self.original_size = finer(height, width, HEIGHT)

    def prepare(self, t: int) -> Iterator[tuple[int, int]]:
        """What must be simulated before frame t can be shown, step by step: yields (done, of how many)."""
        yield from self._history.work(t)

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB."""
        return self.original(t, self.height, self.width)

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed: drawn anew at that size, as smooth as the simulation is coarse."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        cells = torch.tensor([self.width / columns, self.height / rows], dtype=torch.float64)
        cells *= self._history.fluid.rows / self.height  # a pixel
        samples = max(
            1, math.ceil(float(cells.max()))
        )  # a side of a pixel, where the picture is coarser than the simulation
        points = maps.pixel_centres(rows * samples, columns * samples, dtype=torch.float64) * (cells / samples)
        shown = F.avg_pool2d(picture(smoke_at(self._history.state(t), points), self._palette), samples)
        return np.ascontiguousarray((shown * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())

    def close(self) -> None:
        """Nothing is held open."""


class SmokeScene:
    """The simulation as menus show it."""

    title = "Coloured smoke"
    about = (
        "Plumes of coloured smoke rise and curl in a simulation so coarse that all its fine wisps are missing. The solver's "
        "own velocity is the true motion, different at every pixel: what the model adds has to drift and swirl with it."
    )
    task = "surrogate-rendering"
    files: tuple[str, ...] = ()
    parameters: tuple[ParameterInfo, ...] = (
        ParameterInfo("seed", "Seed", 3, 0, 9999, 1, "", "Number of the simulation: where its sources are and how they sway"),
        ParameterInfo("speed", "Speed", 1.0, 0.1, 2.0, 0.1, "", "Simulated time between two frames, in 1/24 s"),
        ParameterInfo("rows", "Resolution", 64, 16, 128, 8, "cells", "Rows of the simulation; time grows with their cube"),
        ParameterInfo("buoyancy", "Buoyancy", 1.5, 0.2, 4.0, 0.1, "heights/s²", "How strongly smoke is lifted"),
        ParameterInfo("drag", "Drag", 0.8, 0.0, 3.0, 0.1, "/s", "Share of its speed that the air loses"),
        ParameterInfo("vorticity", "Vorticity", 0.1, 0.0, 1.0, 0.05, "", "Strength that small whirls are spun up with"),
        ParameterInfo("turbulence", "Turbulence", 0.4, 0.0, 2.0, 0.05, "", "Strength of random gusts low down"),
        ParameterInfo("wind", "Wind", 0.15, -1.0, 1.0, 0.05, "heights/s", "Sideways wind, positive to the right"),
        ParameterInfo("colours", "Colours", text="ember", choices=tuple(PALETTES), tip="Colours of smoke and background"),
    )  # fmt: skip

    def open(self, settings: SourceSettings, values: Mapping[str, Parameter]) -> SmokeSource:
        """The simulation, not begun yet: its first frame takes a second or two. SizeError for a picture too small or too
        long to hold a plume."""
        height, width = target_size(HEIGHT, WIDTH, settings)
        if min(height, width) < SMALLEST:
            raise SizeError(
                f"A picture of smoke needs at least {SMALLEST} pixels a side to show anything; {height} × {width} (rows × "
                "columns) was asked for."
            )
        if max(height, width) > LONGEST * min(height, width):
            raise SizeError(
                f"A picture of smoke may be up to {LONGEST:g} times as long as it is short; {height} × {width} (rows × "
                "columns) was asked for."
            )
        rows = round(float(values["rows"]))
        fluid = Fluid(
            rows=rows,
            columns=math.ceil(rows * width / height),  # of the last column the picture may show a part
            seed=round(float(values["seed"])),
            buoyancy=float(values["buoyancy"]),
            drag=float(values["drag"]),
            vorticity=float(values["vorticity"]),
            turbulence=float(values["turbulence"]),
            wind=float(values["wind"]),
        )
        colours = str(values["colours"])
        history = History(fluid, float(values["speed"]))
        return SmokeSource(
            f"{self.title}, {colours}", history, PALETTES[colours], height, width, settings.frames or FRAMES
        )


SCENES.add("smoke", order=20)(SmokeScene())
