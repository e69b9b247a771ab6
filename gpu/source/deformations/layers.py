"""Deformation `layers`: discs and cards that cross in front of a moving background, with true occlusion.

The nearest layer that covers a point is what is seen there. Every layer moves rigidly and carries a part of the picture
of its own. A point of one layer is never the same as a point of another: where a layer uncovers what lies behind it,
that is new, even if it was seen long before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Points, Values, Warp, ones
from gpu.source.deformations.kit.affine import Matrix, apply, turn


@dataclass(frozen=True)
class Layer:
    """One rigid object, or the background (`size` None: it covers everything). Lengths in pixels.

    In frame t the layer's middle is at `start` + t `speed`, and it has turned by t `degrees`. Its colours are those of
    the picture about `texture`, turned by `texture_turn` degrees, as if the object had been cut out there.
    """

    start: tuple[float, float]
    speed: tuple[float, float]
    degrees: float
    size: tuple[float, float] | None = None  # half-axes
    outline: Literal["ellipse", "card"] = "ellipse"  # a card is |x/a|^4 + |y/b|^4 <= 1: a rectangle with round corners
    texture: tuple[float, float] = (0, 0)
    texture_turn: float = 0

    def _offset(self, t: int, points: Points) -> Points:
        """From the layer's middle, as it is turned in frame 0."""
        middle = points.new_tensor((self.start[0] + t * self.speed[0], self.start[1] + t * self.speed[1]))
        return apply(turn(-self.degrees * t), points - middle)

    def to_reference(self, t: int, points: Points) -> Points:
        return points.new_tensor(self.start) + self._offset(t, points)

    def from_reference(self, t: int, positions: Points) -> Points:
        moved = positions.new_tensor((self.start[0] + t * self.speed[0], self.start[1] + t * self.speed[1]))
        matrix: Matrix = turn(self.degrees * t)
        return moved + apply(matrix, positions - positions.new_tensor(self.start))

    def near(self, t: int, points: Points) -> torch.Tensor:
        """(n,) indices of the `points` (n, 2) that the object could cover at all, which is quick to tell."""
        reach = math.hypot(*self.size) if self.size else math.inf
        x, y = points.unbind(-1)
        dx, dy = x - (self.start[0] + t * self.speed[0]), y - (self.start[1] + t * self.speed[1])
        return torch.nonzero((dx.abs() <= reach) & (dy.abs() <= reach))[:, 0]

    def covers(self, t: int, points: Points) -> torch.Tensor:
        """(...) bool: which `points` of frame t lie on the layer, whatever is in front of it."""
        if self.size is None:
            return torch.ones(points.shape[:-1], dtype=torch.bool, device=points.device)
        shares = (self._offset(t, points) / points.new_tensor(self.size)).square()
        shares = shares if self.outline == "ellipse" else shares.square()
        return torch.le(shares.sum(-1), 1)

    def picture(self, positions: Points) -> Points:
        if self.size is None:
            return positions
        offset = positions - positions.new_tensor(self.start)
        return positions.new_tensor(self.texture) + apply(turn(self.texture_turn), offset)


def scene(
    grid: Grid, objects: int, speed: float, size: float, degrees: float, background: float, pattern: int
) -> list[Layer]:
    """The background and then the objects from far to near: they start in turn from the left and the right.

    `speed`, `background` in pixels per frame, `degrees` per frame at most, `size` of the frame's shorter side.
    """
    random = np.random.default_rng(pattern)
    width, height = grid.width, grid.height
    centre_x = grid.centre[0]
    drift = random.uniform(0, 2 * math.pi)
    layers = [Layer(grid.centre, (background * math.cos(drift), background * math.sin(drift)), 0.0)]
    for number in range(objects):
        side = 1 if number % 2 == 0 else -1
        half = size * min(height, width) / 2 * random.uniform(0.8, 1.3)
        aspect = random.uniform(0.75, 1.3)
        own = speed * random.uniform(0.75, 1.25)
        slope = math.radians(random.uniform(-25, 25))
        # They meet about the middle of the frame a third of the way, and the nearer ones leave it before the end.
        middle_x = centre_x - side * width * random.uniform(0.1, 0.45)
        middle_y = height * ((number + 0.5) / objects * 0.6 + 0.2) + random.uniform(-0.08, 0.08) * height
        # Far from the object's own place, so that it stands out from what is behind it.
        texture = (width - middle_x, height - middle_y + random.uniform(-0.2, 0.2) * height)
        layers.append(
            Layer(
                (middle_x, middle_y),
                (side * own * math.cos(slope), own * math.sin(slope)),
                random.uniform(-1, 1) * degrees,
                (half * aspect, half / aspect),
                "ellipse" if number % 2 == 0 else "card",
                texture,
                random.uniform(90, 270),
            )
        )
    return layers


def layered(layers: list[Layer]) -> Warp:
    """The deformation that shows `layers`, given from far to near, of which the first covers everything.

    The label of a surface is the layer's index.
    """

    def surface(t: int, points: Points) -> torch.Tensor:
        flat = points.reshape(-1, 2)
        seen = torch.zeros(len(flat), dtype=torch.int64, device=points.device)
        for label, layer in enumerate(layers[1:], 1):
            near = layer.near(t, flat)
            seen[near] = seen[near].masked_fill(layer.covers(t, flat[near]), label)
        return seen.reshape(points.shape[:-1])

    def by_layer(points: Points, labels: torch.Tensor, move: Callable[[Layer, Points], Points]) -> Points:
        """Every point moved as its layer says."""
        out = move(layers[0], points)
        for label, layer in enumerate(layers[1:], 1):
            mine = labels == label
            out[mine] = move(layer, points[mine])
        return out

    return Warp(
        lambda t, points, labels: by_layer(points, labels, lambda layer, some: layer.to_reference(t, some)),
        lambda t, places, labels, near: by_layer(places, labels, lambda layer, some: layer.from_reference(t, some)),
        ones,
        surface,
        lambda places, labels: by_layer(places, labels, lambda layer, some: layer.picture(some)),
        smooth=False,
    )


def _make(grid: Grid, values: Values) -> Warp:
    return layered(
        scene(
            grid,
            round(values["objects"]),
            values["speed"],
            values["size"],
            values["degrees"],
            values["background"],
            int(values["pattern"]),
        )
    )


layers = DEFORMATIONS.add("layers", order=110)(
    Deformation(
        "Layers",
        "Discs and cards cross each other and leave the frame, over a background that moves: what is hidden and what "
        "comes into sight is known exactly. The nearest layer is what is seen.",
        (
            ParameterInfo("objects", "Objects", 4, 1, 12, 1, "", "How many objects there are"),
            ParameterInfo("speed", "Speed", 3.0, 0, 16, 0.1, "px/frame", "Typical speed of the objects"),
            ParameterInfo("size", "Size", 0.4, 0.05, 1, 0.01, "of the frame", "Typical diameter, of the shorter side"),
            ParameterInfo("degrees", "Turning", 1.0, 0, 10, 0.1, "°/frame", "Fastest turn of an object"),
            ParameterInfo("background", "Background", 0.7, 0, 16, 0.1, "px/frame", "Speed of the background"),
            ParameterInfo("pattern", "Pattern", 1, 0, 9999, 1, "", "Number of the random arrangement"),
        ),
        _make,
    )
)
