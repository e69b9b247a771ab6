"""Scene `flat`: a landscape of flat colours in layers, with parallax and occlusion that are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from gpu.flow import maps
from gpu.parameters import ParameterInfo
from gpu.session import Parameter, SourceSettings
from gpu.source import F32, U8, Area
from gpu.source.deformations import Grid, Points, Warp
from gpu.source.scenes import SCENES
from gpu.source.stills import finer, target_size
from gpu.source.synthetic.truth import DeformationTruth
from gpu.worlds.landscape import NAMES, SEASONS, Camera, Landscape

HEIGHT, WIDTH, FRAMES, FPS = 256, 256, 48, 24.0
KEPT = 16  # frames: one is asked for several times, and drawing it takes 0.2 s
SUB = 4  # samples a side of a pixel that an outline may cross


def moving(landscape: Landscape, grid: Grid) -> Warp:
    """The landscape's motion on a grid. The label of a surface is the index of its layer."""
    camera, depths = landscape.camera, [layer.depth for layer in landscape.layers]

    def to_plane(points: Points) -> Points:
        return (points - points.new_tensor(grid.centre)) / grid.height

    def by_layer(points: Points, labels: torch.Tensor, move: Callable[[float, Points], Points]) -> Points:
        out = to_plane(points)
        for label, depth in enumerate(depths):
            mine = labels == label
            out[mine] = move(depth, out[mine])
        return out * grid.height + out.new_tensor(grid.centre)

    def determinant(t: int, points: Points) -> torch.Tensor:
        scales = points.new_tensor([camera.placement(depth, t)[0] for depth in depths])
        return scales[landscape.look(t, to_plane(points))[0]] ** -2

    return Warp(
        lambda t, points, labels: by_layer(points, labels, lambda depth, some: camera.to_layer(depth, t, some)),
        lambda t, places, labels, near: by_layer(places, labels, lambda depth, some: camera.from_layer(depth, t, some)),
        determinant,
        lambda t, points: landscape.look(t, to_plane(points))[0],
        smooth=False,
    )


class FlatSource:
    """gpu.source.Source of a landscape: every pixel the mean colour of what is seen in it."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    def __init__(self, title: str, landscape: Landscape, season: str, grid: Grid) -> None:
        self.title, self.height, self.width, self.frames = title, grid.height, grid.width, grid.frames
        self.truth = DeformationTruth(moving(landscape, grid), grid)
        self._landscape, self._grid = landscape, grid
        self._palette = torch.tensor([SEASONS[season][name] for name in NAMES], dtype=torch.float64)
        self._drawn: dict[int, U8] = {}
        self.area = Area(0, 0, grid.height, grid.width)
        self.original_size = finer(grid.height, grid.width, HEIGHT)

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB, antialiased."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        if t not in self._drawn:
            self._drawn[t] = self.original(t, self.height, self.width)
            if len(self._drawn) > KEPT:
                del self._drawn[next(iter(self._drawn))]
        return self._drawn[t]

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed: drawn anew at that size."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        pixel = torch.tensor([self.width / columns, self.height / rows], dtype=torch.float64)
        # One more pixel on each side.
        seen = self._colours(t, (maps.pixel_centres(rows + 2, columns + 2, dtype=torch.float64) - 1) * pixel)
        picture = self._palette[seen[1:-1, 1:-1]]
        windows = seen.unfold(0, 3, 1).unfold(1, 3, 1).flatten(2)
        i, j = torch.nonzero(windows.amax(-1) != windows.amin(-1), as_tuple=True)
        offset = (torch.arange(SUB, dtype=torch.float64) + 0.5) / SUB
        x = (j[:, None, None] + offset[None, None, :]).expand(-1, SUB, SUB)
        y = (i[:, None, None] + offset[None, :, None]).expand(-1, SUB, SUB)
        points = torch.stack([x, y], dim=-1) * pixel
        picture[i, j] = self._palette[self._colours(t, points)].mean(dim=(1, 2))
        return np.asarray(picture.round().to(torch.uint8).numpy())

    def _colours(self, t: int, points: Points) -> torch.Tensor:
        centre = points.new_tensor(self._grid.centre)
        return self._landscape.look(t, (points - centre) / self._grid.height)[1]

    def depth(self, t: int) -> F32:
        """(H, W) how many times as far as the nearest layer is what is seen at the pixel centres of frame t."""
        depths = np.array([layer.depth for layer in self._landscape.layers], np.float32)
        return np.asarray(depths[self.truth.places(t)[1].numpy()])

    def close(self) -> None:
        """Nothing is held open."""


class FlatScene:
    """The landscape as menus show it."""

    title = "Flat landscape"
    about = (
        "Hills, trees and rocks of flat colours, one behind another, pass a camera that travels sideways: near things move "
        "faster and hide far ones. There is no texture at all, so every blade of grass in the output was made from noise."
    )
    task = "appearance-transfer"
    files: tuple[str, ...] = ()
    parameters: tuple[ParameterInfo, ...] = (
        ParameterInfo("pattern", "Pattern", 3, 0, 9999, 1, "", "Number of the random landscape"),
        ParameterInfo("speed", "Speed", 3.0, -16, 16, 0.1, "px/frame", "How fast the camera travels past the nearest layer"),
        ParameterInfo("zoom", "Forward", 0.002, -0.02, 0.02, 0.001, "/frame", "How much the nearest layer grows in a frame"),
        ParameterInfo(
            "season", "Season", text="summer", choices=tuple(SEASONS), tip="Colours of the landscape"
        ),
    )  # fmt: skip

    def open(self, settings: SourceSettings, values: Mapping[str, Parameter]) -> FlatSource:
        """The landscape; SizeError for an impossible size."""
        height, width = target_size(HEIGHT, WIDTH, settings)
        grid = Grid(height, width, settings.frames or FRAMES)
        camera = Camera(float(values["speed"]) / height, float(values["zoom"]))
        season = str(values["season"])
        return FlatSource(f"{self.title}, {season}", Landscape(int(values["pattern"]), camera), season, grid)


SCENES.add("flat", order=10)(FlatScene())
