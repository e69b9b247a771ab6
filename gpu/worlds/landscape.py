"""A landscape of flat colours in layers, hills behind hills with trees and rocks, seen by a camera that travels past it.

It has no end to either side and no grid: what lies at a point of a layer is a pure function of the seed and of that point.
Lengths are in heights of the frame, x to the right and y down, and (0, 0) is the middle of frame 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from gpu import interrupt

Points = torch.Tensor
"""(n, 2) float64 positions (x, y) on a layer's own plane, which in frame 0 is the frame's."""

Colour = tuple[int, int, int]

HORIZON = -0.06
"""The height y that the camera travels towards."""

NOTHING = -1

NAMES = (
    "sky high", "sky", "sky low", "sun", "cloud", "mountain", "mountain lit", "snow", "ridge", "ridge tree", "hill",
    "hill path", "trunk", "crown", "crown lit", "meadow", "meadow lit", "rock", "rock lit", "bush", "bush lit",
)  # fmt: skip
INDEX = {name: index for index, name in enumerate(NAMES)}

_SUMMER: dict[str, Colour] = {
    "sky high": (92, 141, 190), "sky": (126, 170, 208), "sky low": (172, 203, 222), "sun": (255, 236, 178),
    "cloud": (236, 240, 243), "mountain": (92, 104, 122), "mountain lit": (140, 146, 154), "snow": (232, 236, 240),
    "ridge": (66, 96, 72), "ridge tree": (38, 62, 44), "hill": (104, 132, 56), "hill path": (168, 140, 98),
    "trunk": (84, 62, 44), "crown": (50, 84, 32), "crown lit": (92, 124, 46), "meadow": (82, 112, 38),
    "meadow lit": (132, 152, 64), "rock": (88, 84, 80), "rock lit": (152, 146, 136), "bush": (44, 70, 30),
    "bush lit": (98, 118, 48),
}  # fmt: skip

SEASONS: dict[str, dict[str, Colour]] = {
    "spring": _SUMMER | {
        "hill": (126, 152, 74), "meadow": (102, 136, 52), "meadow lit": (150, 172, 82), "crown": (176, 122, 128),
        "crown lit": (222, 172, 172), "bush": (74, 106, 42), "bush lit": (132, 152, 72), "ridge": (84, 114, 82),
    },
    "summer": _SUMMER,
    "autumn": _SUMMER | {
        "sky high": (128, 146, 170), "sky": (162, 174, 186), "sky low": (206, 202, 192), "ridge": (104, 84, 58),
        "ridge tree": (74, 52, 36), "hill": (154, 122, 62), "crown": (154, 78, 28), "crown lit": (204, 128, 44),
        "meadow": (128, 104, 52), "meadow lit": (172, 142, 78), "bush": (112, 50, 30), "bush lit": (168, 86, 40),
    },
    "winter": _SUMMER | {
        "sky high": (120, 138, 160), "sky": (158, 172, 188), "sky low": (200, 206, 212), "mountain lit": (190, 198, 208),
        "ridge": (146, 158, 170), "ridge tree": (58, 70, 72), "hill": (204, 210, 218), "hill path": (148, 142, 138),
        "crown": (84, 88, 86), "crown lit": (176, 184, 190), "meadow": (190, 198, 208), "meadow lit": (228, 232, 236),
        "rock lit": (182, 184, 188), "bush": (78, 74, 66), "bush lit": (154, 154, 150),
    },
}  # fmt: skip


def dice(seed: int, salt: int, cell: torch.Tensor) -> torch.Tensor:
    """[0, 1) float64 for every int64 `cell`: the hash `lowbias32` of Wellons ("Hash function prospector", 2018), so that
    an endless row of things needs no memory."""
    mask = 0xFFFFFFFF
    x = (cell + 0x9E3779B9 * (salt + 1) + 0x85EBCA6B * (seed + 1)) & mask
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> shift)) * factor) & mask
    return (x ^ (x >> 16)).to(torch.float64) / 2.0**32


@dataclass(frozen=True)
class Ridge:
    """The outline of a hill: y over x, a sum of waves, round or (`sharp`) with edges."""

    seed: int
    salt: int
    level: float
    height: float
    length: float  # of the longest wave
    sharp: bool = False

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros_like(x)
        for wave, (phase, rate) in enumerate(self._waves):
            turns = x * rate + phase
            shape = 4 * (turns - torch.floor(turns + 0.5)).abs() - 1 if self.sharp else torch.sin(2 * math.pi * turns)
            total += shape / 2.0**wave
        return self.level + self.height * total / 1.875

    @cached_property
    def _waves(self) -> list[tuple[float, float]]:
        """(phase in turns, turns per unit of x) of each wave."""
        phases, stretches = dice(self.seed, self.salt, torch.arange(8)).reshape(4, 2).T.tolist()
        return [
            (phase, 1.9**wave / (self.length * (0.85 + 0.3 * stretch)))
            for wave, (phase, stretch) in enumerate(zip(phases, stretches, strict=True))
        ]


# What a thing paints at offsets (x, y) from its foot, in units of its size, given its own number in 0..1 which varies its
# shape: indices of colours, NOTHING beside it.
Shape = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def _disc(x: torch.Tensor, y: torch.Tensor, cx: float, cy: float, r: float, flat: float = 1.0) -> torch.Tensor:
    return torch.le((x - cx).square() + ((y - cy) / flat).square(), r * r)


def _stamp(x: torch.Tensor, *parts: tuple[torch.Tensor, str]) -> torch.Tensor:
    """Parts painted over each other in turn."""
    out = torch.full(x.shape, NOTHING, dtype=torch.int64)
    for where, name in parts:
        out[where] = INDEX[name]
    return out


def round_tree(x: torch.Tensor, y: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    lean = 0.1 * (own - 0.5)
    trunk = ((x - lean * y).abs() <= 0.05 - 0.03 * y) & (y <= 0.05) & (y >= -0.6)
    crown = _disc(x, y, 0, -0.78, 0.26) | _disc(x, y, -0.2, -0.58, 0.2) | _disc(x, y, 0.21, -0.6, 0.19)
    lit = _disc(x, y, -0.05, -0.86, 0.15) | _disc(x, y, -0.22, -0.64, 0.1)
    return _stamp(x, (trunk, "trunk"), (crown, "crown"), (lit, "crown lit"))


def conifer(x: torch.Tensor, y: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    width = 0.2 + 0.1 * own
    tree = torch.zeros_like(x, dtype=torch.bool)
    for top, foot, share in ((-1.0, -0.5, 0.6), (-0.75, -0.25, 0.8), (-0.5, 0.02, 1.0)):
        tree |= (y >= top) & (y <= foot) & (x.abs() <= share * width * (y - top) / (foot - top))
    return _stamp(x, (tree, "ridge tree"))


def rock(x: torch.Tensor, y: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    slant = x + 0.4 * (own - 0.5) * y
    body = ((slant / 0.62).abs() ** 3 + (y / (0.42 + 0.12 * own)).abs() ** 3 <= 1) & (y <= 0.12)
    lit = body & (slant + 0.35 * y <= -0.02 + 0.2 * (own - 0.5)) & (0.3 * slant - y >= 0.02)
    return _stamp(x, (body, "rock"), (lit, "rock lit"))


def bush(x: torch.Tensor, y: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    flip = torch.where(own < 0.5, x, -x)
    body = (_disc(flip, y, -0.2, -0.1, 0.36) | _disc(flip, y, 0.28, -0.04, 0.3)) & (y <= 0.1)
    lit = _disc(x, y, -0.14, -0.2, 0.2, 0.8)
    return _stamp(x, (body, "bush"), (lit & body, "bush lit"))


def cloud(x: torch.Tensor, y: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    body = _disc(x, y, 0, 0, 0.42, 0.5) | _disc(x, y, -0.4, 0.06, 0.32, 0.45) | _disc(x, y, 0.4, 0.05, 0.3, 0.5)
    return _stamp(x, (body & (y <= 0.1), "cloud"))


@dataclass(frozen=True)
class Row:
    """An endless row of things, at most one in a cell; they may reach into the next cells but no further."""

    shape: Shape
    salt: int
    cell: float  # distance from one to the next
    size: float  # the largest; the smallest is 0.7 of it
    share: float  # of the cells that hold one
    low: float = 0.0  # they stand up to so far below the outline

    def paint(self, seed: int, outline: Callable[[torch.Tensor], torch.Tensor], points: Points) -> torch.Tensor:
        """(n,) colours of the row at `points`, NOTHING beside it."""
        out = torch.full(points.shape[:1], NOTHING, dtype=torch.int64)
        x, y = points.unbind(-1)
        cells, place_of = torch.unique(torch.floor(x / self.cell).to(torch.int64), return_inverse=True)
        for neighbour in (-1, 0, 1):
            interrupt.poll()
            cell = cells + neighbour
            there, place, size, depth, own = (dice(seed, 16 * self.salt + k, cell) for k in range(5))
            foot_x = self.cell * (cell + 0.25 + 0.5 * place)
            things = torch.stack(
                [foot_x, outline(foot_x) + self.low * depth, self.size * (0.7 + 0.3 * size), own, there]
            )
            foot_x, foot_y, size, own, there = things[:, place_of]
            colour = self.shape((x - foot_x) / size, (y - foot_y) / size, own)
            seen = (colour != NOTHING) & (there < self.share)
            out[seen] = colour[seen]
        return out


@dataclass(frozen=True)
class Layer:
    """One plane of the landscape, `depth` times as far away as the nearest one."""

    depth: float
    paint: Callable[[Points], torch.Tensor]  # (n,) indices into NAMES, NOTHING where one sees what lies behind


def _hill(
    seed: int, ridge: Ridge, rows: tuple[Row, ...], ground: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> Callable[[Points], torch.Tensor]:
    """Ground below the ridge, coloured by `ground(x, depth below the ridge)`, and things that stand on it."""
    highest = max((row.size for row in rows), default=0.0)
    top = ridge.level - ridge.height - highest

    def paint(points: Points) -> torch.Tensor:
        out = torch.full(points.shape[:1], NOTHING, dtype=torch.int64)
        near = torch.nonzero(points[:, 1] >= top)[:, 0]
        x, y = points[near].unbind(-1)
        below = y - ridge(x)
        colour = torch.where(below >= 0, ground(x, below), NOTHING)
        for row in rows:
            some = torch.nonzero(
                (below >= -row.size - 2 * ridge.height) & (below <= row.low + row.size + 2 * ridge.height)
            )
            some = some[:, 0]
            painted = row.paint(seed, ridge, points[near[some]])
            colour[some] = painted.where(painted != NOTHING, colour[some])
        out[near] = colour
        return out

    return paint


def _band(x: torch.Tensor, below: torch.Tensor, seed: int, salt: int, depth: float, thick: float) -> torch.Tensor:
    """(n,) bool: a winding band about so far below a ridge."""
    bend = Ridge(seed, salt, 0.0, 0.45 * thick + 0.02, 0.9)(x)
    return torch.le((below - depth - bend).abs(), thick / 2)


def _sky(seed: int) -> Callable[[Points], torch.Tensor]:
    clouds = Row(cloud, 90, 0.62, 0.3, 0.75)
    waves = [Ridge(seed, 91 + k, level, 0.012, 1.4) for k, level in enumerate((-0.34, -0.2))]
    sun_x = 0.5 * float(dice(seed, 95, torch.tensor([0]))) - 0.25

    def paint(points: Points) -> torch.Tensor:
        x, y = points.unbind(-1)
        high = torch.where(y < waves[1](x), INDEX["sky"], INDEX["sky low"])
        colour = torch.where(y < waves[0](x), INDEX["sky high"], high)
        colour[_disc(x, y, sun_x, -0.36, 0.06)] = INDEX["sun"]
        painted = clouds.paint(seed, Ridge(seed, 96, -0.3, 0.09, 1.1), points)
        return painted.where(painted != NOTHING, colour)

    return paint


def layers(seed: int) -> list[Layer]:
    """The layers from far to near; the first covers everything."""
    mountains = Ridge(seed, 10, -0.17, 0.12, 0.8, sharp=True)
    flanks = Ridge(seed, 11, 0.0, 0.09, 0.31, sharp=True)
    snow = Ridge(seed, 12, -0.2, 0.03, 0.2, sharp=True)

    def stone(x: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
        colour = torch.where(flanks(x - 0.35 * below) > 0.015, INDEX["mountain lit"], INDEX["mountain"])
        return torch.where(below + mountains(x) < snow(x), INDEX["snow"], colour)

    def plain(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        return lambda x, below: torch.full(x.shape, INDEX[name])

    def pasture(x: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
        return torch.where(_band(x, below, seed, 41, 0.12, 0.035), INDEX["hill path"], INDEX["hill"])

    def meadow(x: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
        return torch.where(_band(x, below, seed, 51, 0.16, 0.08), INDEX["meadow lit"], INDEX["meadow"])

    forest = _hill(
        seed, Ridge(seed, 30, -0.04, 0.045, 0.9), (Row(conifer, 31, 0.085, 0.16, 0.8, 0.05),), plain("ridge")
    )
    hill = _hill(seed, Ridge(seed, 40, 0.1, 0.05, 1.3), (Row(round_tree, 42, 0.42, 0.36, 0.7, 0.06),), pasture)
    things = (Row(bush, 52, 0.37, 0.2, 0.6, 0.02), Row(rock, 53, 0.5, 0.2, 0.7, 0.12))
    ground = _hill(seed, Ridge(seed, 50, 0.29, 0.035, 1.0), things, meadow)
    range_ = _hill(seed, mountains, (), stone)
    return [Layer(5.0, _sky(seed)), Layer(3.2, range_), Layer(2.2, forest), Layer(1.5, hill), Layer(1.0, ground)]


@dataclass(frozen=True)
class Camera:
    """Travels by `speed` a frame to the right, past the nearest layer, and forward so that it grows by 1 + `zoom` a frame.

    Layers further away move and grow less, as perspective has it.
    """

    speed: float  # heights of the frame
    zoom: float

    def placement(self, depth: float, t: int) -> tuple[float, float]:
        """(scale, shift): a layer's point (x, y) is seen at scale · (x − shift, y) in frame t, from (0, HORIZON)."""
        forward = 1 - (1 + self.zoom) ** -t  # of the nearest layer's distance; always less than all of it
        return depth / (depth - forward), self.speed * t / depth

    def to_layer(self, depth: float, t: int, seen: Points) -> Points:
        """Points (..., 2) of frame t as points of the layer."""
        scale, shift = self.placement(depth, t)
        horizon = seen.new_tensor((0.0, HORIZON))
        return (seen - horizon) / scale + horizon + seen.new_tensor((shift, 0.0))

    def from_layer(self, depth: float, t: int, points: Points) -> Points:
        """The inverse of `to_layer`."""
        scale, shift = self.placement(depth, t)
        horizon = points.new_tensor((0.0, HORIZON))
        return (points - horizon - points.new_tensor((shift, 0.0))) * scale + horizon


class Landscape:
    """Which layer and which colour is seen at a point of a frame."""

    def __init__(self, seed: int, camera: Camera) -> None:
        self.layers, self.camera = layers(seed), camera

    def look(self, t: int, seen: Points) -> tuple[torch.Tensor, torch.Tensor]:
        """(label of the layer, index of the colour), int64 of shape (...), at points (..., 2) of frame t."""
        flat = seen.reshape(-1, 2)
        label, colour = torch.zeros(len(flat), dtype=torch.int64), torch.zeros(len(flat), dtype=torch.int64)
        left = torch.arange(len(flat))
        for index in range(len(self.layers) - 1, -1, -1):  # the nearest first: what it hides need not be painted
            interrupt.poll()
            layer = self.layers[index]
            painted = layer.paint(self.camera.to_layer(layer.depth, t, flat[left]))
            covered = painted != NOTHING
            label[left[covered]], colour[left[covered]] = index, painted[covered]
            left = left[~covered]
        return label.reshape(seen.shape[:-1]), colour.reshape(seen.shape[:-1])
