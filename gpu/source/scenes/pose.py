"""Scene `pose`: a paper doll that walks, waves or dances, or follows poses from a file; its motion is known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from cachetools import LRUCache

from gpu.assets import asset
from gpu.parameters import ParameterInfo
from gpu.session import Parameter, SourceSettings
from gpu.source import U8, Area
from gpu.source.deformations import Grid, Points, Warp
from gpu.source.scenes import SCENES
from gpu.source.stills import finer, target_size
from gpu.source.synthetic.truth import DeformationTruth
from gpu.worlds.figure.body_parts import GROUND, depth_order, inverse, labels, shapes
from gpu.worlds.figure.cloth import dress
from gpu.worlds.figure.drawing import Placed, flat_picture, placed
from gpu.worlds.figure.pose_files import read_sequence
from gpu.worlds.figure.sequence import F64, JOINT, Sequence, mirrored

HEIGHT, WIDTH = 144, 128
LEAST_FRAMES, MOST_FRAMES = 48, 1200  # of a source whose length is not asked for
TURNED = 0.012  # body heights by which the nose must pass the neck before the other side counts as the near one
KEPT = 8
CYCLES = ("walk", "run", "dance", "wave", "turn", "jumping-jack")


class Doll:
    """A figure in motion on a grid: where its parts are in every frame. `size` is the body's share of the height."""

    def __init__(self, sequence: Sequence, grid: Grid, speed: float, size: float, build: float) -> None:
        self.outlines = shapes(build)
        self._sequence, self._speed, self._scale = sequence, speed, size * grid.height
        self._offset = grid.centre
        self._seen = sequence.seen()
        nose, neck = JOINT["nose"], JOINT["neck"]
        aside = [float(joints[nose, 0] - joints[neck, 0]) for joints in map(self._joints, range(grid.frames))]
        self._right = np.empty(grid.frames, np.bool_)
        right = next((x > 0 for x in aside if abs(x) > TURNED), True)
        for t, x in enumerate(aside):
            right = x > 0 if abs(x) > TURNED else right
            self._right[t] = right
        self._placed: LRUCache[int, Placed] = LRUCache(KEPT)

    def _joints(self, t: int) -> F64:
        return self._sequence.at(t * self._speed)

    def at(self, t: int) -> Placed:
        """The figure in frame t; the ground goes by under it as fast as it walks."""
        if t not in self._placed:
            order = depth_order(bool(self._right[t]))
            figure = placed(self._joints(t), self._seen, self.outlines, order, self._scale, self._offset)
            walked = self._sequence.travel * t * self._speed / self._sequence.length
            figure.matrices[GROUND, 0, 2] -= walked * self._scale
            self._placed[t] = figure
        return self._placed[t]

    def warp(self) -> Warp:
        """The motion of the parts. The label of a surface is that of its part."""

        def carried(matrices: F64, points: Points, surface: torch.Tensor) -> Points:
            mine = torch.from_numpy(matrices)[surface.clamp(min=0)]
            return (mine[..., :2] @ points[..., None])[..., 0] + mine[..., 2]

        def between(start: int, end: int) -> F64:
            """(18, 2, 3): from positions in frame `start` to those in frame `end`."""
            back = inverse(self.at(start).matrices)
            there = self.at(end).matrices
            linear = there[..., :2] @ back[..., :2]
            return np.concatenate([linear, there[..., :2] @ back[..., 2:] + there[..., 2:]], axis=-1)

        def surface(t: int, points: Points) -> torch.Tensor:
            figure = self.at(t)
            seen = labels(figure.matrices, figure.outlines, figure.order, points.reshape(-1, 2).numpy())
            return torch.from_numpy(seen).reshape(points.shape[:-1])

        def determinant(t: int, points: Points) -> torch.Tensor:
            areas = torch.from_numpy(np.linalg.det(between(t, 0)[..., :2]))
            return areas[surface(t, points)]

        return Warp(
            lambda t, points, seen: carried(between(t, 0), points, seen),
            lambda t, places, seen, near: carried(between(0, t), places, seen),
            determinant,
            surface,
            smooth=False,
        )


class PoseSource:
    """gpu.source.Source of a doll: every part in one colour, antialiased."""

    cuts: tuple[int, ...] = ()

    def __init__(self, title: str, doll: Doll, colours: F64, grid: Grid, fps: float) -> None:
        self.title, self.height, self.width, self.frames, self.fps = title, grid.height, grid.width, grid.frames, fps
        self.truth = DeformationTruth(doll.warp(), grid)
        self._doll, self._colours = doll, colours
        self.area = Area(0, 0, grid.height, grid.width)
        self.original_size = finer(grid.height, grid.width, HEIGHT)

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB."""
        return self.original(t, self.height, self.width)

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed: drawn anew at that size."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        figure = self._doll.at(t)
        finer_pixels = np.array([columns / self.width, rows / self.height])
        figure = replace(figure, matrices=figure.matrices * finer_pixels[:, None])
        picture = flat_picture(figure, self._colours, rows, columns)
        return np.asarray((255 * picture).round().clip(0, 255), np.uint8)

    def close(self) -> None:
        """Nothing is held open."""


class PoseScene:
    """The doll as menus show it."""

    title = "Paper doll"
    about = (
        "A figure in flat colours walks, waves or dances before a plain wall. Its limbs move, turn and hide one another as "
        "the skeleton says, so the motion is exact. What it wears in detail is left to the task. Poses from a file of "
        "OpenPose, COCO or the pose editor (menu Edit) take the place of the bundled ones."
    )
    task = "pose-to-person"
    files: tuple[str, ...] = (".json",)
    parameters: tuple[ParameterInfo, ...] = (
        ParameterInfo("cycle", "Movement", text="walk", choices=CYCLES, tip="What the figure does, unless a file says it"),
        ParameterInfo("speed", "Speed", 1.0, 0.1, 4, 0.05, "×", "How fast it does it"),
        ParameterInfo("seed", "Outfit", 38, 0, 9999, 1, "", "Number of the colours that the figure and the room have"),
        ParameterInfo("size", "Size", 0.8, 0.2, 3, 0.01, "of the height", "How tall the figure is"),
        ParameterInfo("build", "Build", 1.04, 0.8, 1.4, 0.01, "×", "How wide limbs and trunk are"),
        ParameterInfo("looks", "Looks", text="right", choices=("right", "left"), tip="Left is the mirror image"),
    )  # fmt: skip

    def open(self, settings: SourceSettings, values: Mapping[str, Parameter]) -> PoseSource:
        """The doll; PoseError for a file that holds no poses, SizeError for an impossible size."""
        cycle, speed = str(values["cycle"]), float(values["speed"])
        sequence = read_sequence(Path(settings.path) if settings.path else asset(f"poses/{cycle}.json"))
        title = f"{self.title}, {sequence.name}"
        if values["looks"] == "left":
            sequence = mirrored(sequence)
        height, width = target_size(HEIGHT, WIDTH, settings)
        frames = settings.frames or _natural_length(sequence, speed)
        grid = Grid(height, width, frames)
        doll = Doll(sequence, grid, speed, float(values["size"]), float(values["build"]))
        colours = dress(np.random.default_rng((2, int(float(values["seed"])))), doll.outlines).flat()
        return PoseSource(title, doll, colours, grid, sequence.fps)


def _natural_length(sequence: Sequence, speed: float) -> int:
    """Whole turns of a loop, LEAST_FRAMES at least; else all of it."""
    frames = sequence.length / speed
    if sequence.loop:
        return min(max(round(frames), LEAST_FRAMES), MOST_FRAMES)
    return min(max(round(frames), 2), MOST_FRAMES)


SCENES.add("pose", order=40)(PoseScene())
