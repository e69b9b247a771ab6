"""Random clothes, hair and skin for a figure, and what is behind it: colours as functions of a part's own coordinates.

All lengths are in body heights, so that a texture is anchored to its part and moves, turns and is foreshortened with it.
Colours are in [0, 1]; nothing is clamped here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2
from gpu.worlds.figure import F64
from gpu.worlds.figure_parts import GROUND, PART, PARTS, Shape

F32 = npt.NDArray[np.float32]

TILE = 64  # lattice points a side of the periodic random fields
COLUMNS = 256
NO_SECOND_MAP = np.empty(0, np.float32)  # x and y are both in the first

WEAVES = ("plain", "stripes", "checks", "knit", "denim", "dots", "blotches", "zigzag")
WEIGHTS = (0.10, 0.15, 0.10, 0.13, 0.14, 0.10, 0.18, 0.10)


@dataclass(frozen=True)
class Fabric:
    """`ground` and `figure` are its two colours (3,); `period` the repeat of its pattern, turned by `angle` and moved by
    `phase` (2,); `roughness` the strength of the fibres' own irregularity; `lattice` (TILE, TILE) random values."""

    weave: str
    ground: F64
    figure: F64
    period: float
    angle: float
    phase: F64
    roughness: float
    lattice: F32

    def colours(self, own: F64) -> F32:
        """(n, 3): colours at own coordinates (n, 2)."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        u = ((own[:, 0] * cosine + own[:, 1] * sine) / self.period + self.phase[0]).astype(np.float32)
        v = ((own[:, 1] * cosine - own[:, 0] * sine) / self.period + self.phase[1]).astype(np.float32)
        weight = self._pattern(u, v)
        fibres = value_noise(self.lattice, (own / 0.016).astype(np.float32) + 7)
        folds = value_noise(self.lattice, (own / 0.055).astype(np.float32) + 31)
        light = 1 + self.roughness * fibres + 0.6 * self.roughness * folds
        mixed = self.ground + weight[:, None] * (self.figure - self.ground)
        return np.asarray(mixed * light[:, None], np.float32)

    def _pattern(self, u: F32, v: F32) -> F32:
        """(n,) how much of the second colour there is, 0 to 1."""
        full = np.float32(2 * np.pi)
        if self.weave == "stripes":
            return _soft(np.sin(full * u))
        if self.weave == "checks":
            return (_soft(np.sin(full * u)) + _soft(np.sin(full * v))) / 2
        if self.weave == "knit":  # rows of V
            return _soft(np.sin(full * (1.3 * v + np.abs(2 * (u % 1) - 1))))
        if self.weave == "zigzag":
            return _soft(np.sin(full * (v + 0.5 * np.abs(2 * (0.6 * u % 1) - 1))))
        if self.weave == "denim":  # a steep twill, its threads of uneven thickness
            twill = 0.5 + 0.5 * np.sin(full * 1.6 * (u + 0.4 * v))
            return 0.45 * twill + 0.45 * (0.5 + value_noise(self.lattice, np.stack([6 * u, 1.5 * v], axis=1)))
        if self.weave == "dots":
            return _soft(2.2 * (np.cos(full * u) + np.cos(full * v)) / 2 - 0.9)
        if self.weave == "blotches":
            fine = value_noise(self.lattice, np.stack([2.4 * u, 2.4 * v], axis=1))
            coarse = value_noise(self.lattice, np.stack([u + 11, v], axis=1))
            return _soft(2.4 * coarse + 1.4 * fine)
        return np.zeros_like(u)


def _soft(wave: F32) -> F32:
    """-1 to 1 brought to 0 to 1 with steep but not broken edges."""
    return np.asarray(0.5 + 0.5 * np.tanh(2.2 * wave), np.float32)


def value_noise(lattice: F32, at: F32) -> F32:
    """(n,) smooth random values of mean 0 and about [-1, 1], one lattice point a unit, at positions (n, 2)."""
    count = len(at)
    columns = min(count, COLUMNS)  # OpenCV's maps are pictures; positions in a list are folded into rows
    wrapped = np.zeros((-(-count // max(columns, 1)) * columns, 2), np.float32)
    np.mod(at, TILE, out=wrapped[:count])
    wrapped = wrapped.reshape(-1, max(columns, 1), 2)
    found = cv2.remap(lattice, wrapped, NO_SECOND_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found.reshape(-1)[:count], np.float32)


def fabric(rng: np.random.Generator, colour: F64 | None = None, contrast: float = 0.3) -> Fabric:
    """A random fabric, about `colour` where one is given."""
    ground = random_colour(rng) if colour is None else colour
    step = rng.normal(size=3) * 0.45 + rng.choice((-1.0, 1.0))
    figure = np.clip(ground + contrast * step * rng.uniform(0.6, 1.3), 0.02, 0.98)
    weave = str(rng.choice(WEAVES, p=WEIGHTS))
    period = rng.uniform(0.035, 0.07)
    angle = rng.choice((0.0, np.pi / 2, rng.uniform(0, np.pi)), p=(0.4, 0.2, 0.4))
    return Fabric(
        weave, ground, figure, period, float(angle), rng.random(2) * TILE, rng.uniform(0.1, 0.28), _lattice(rng)
    )


def _lattice(rng: np.random.Generator) -> F32:
    return rng.uniform(-1, 1, (TILE, TILE)).astype(np.float32)


def random_colour(rng: np.random.Generator) -> F64:
    """A colour of clothes: mid-tones more often than extremes, of any hue."""
    colour: F64 = np.clip(0.48 + 0.17 * rng.normal() + 0.14 * rng.normal(size=3), 0.06, 0.94)
    return colour


SKINS = np.array([[0.95, 0.80, 0.70], [0.88, 0.68, 0.55], [0.76, 0.54, 0.40], [0.55, 0.37, 0.26], [0.36, 0.24, 0.17]])
HAIRS = np.array([[0.09, 0.07, 0.06], [0.25, 0.15, 0.09], [0.45, 0.28, 0.14], [0.75, 0.58, 0.32], [0.62, 0.60, 0.58]])


@dataclass(frozen=True)
class Outfit:
    """What a figure wears: a fabric by part label, and the colours that are no fabric."""

    fabrics: dict[int, Fabric]
    skin: F64
    hair: F64
    lips: F64
    outlines: dict[int, Shape]
    fringe: float  # how far down the hair comes into the face, along the face
    cuffs: F64
    backdrop: list[Fabric] = field(default_factory=list)

    def paint(self, part: int, own: F64) -> F32:
        """(n, 3): colours of a part at its own coordinates (n, 2)."""
        if part == GROUND:
            return np.asarray(np.mean([one.colours(own) for one in self.backdrop], axis=0), np.float32)
        name, outline = PARTS[part], self.outlines[part]
        along, across = own[:, 0], own[:, 1]
        if name == "face":
            colours = self._face(along, across)
        elif name == "head":
            colours = self._hair(own)
        elif name == "neck" or name.endswith("hand"):
            colours = self._skin(own)
        else:
            colours = self.fabrics[part].colours(own)
            self._finish(name, outline, along, across, colours)
        return np.asarray(colours * self._shade(outline, along, across)[:, None], np.float32)

    def _skin(self, own: F64) -> F32:
        freckles = value_noise(self.fabrics[PART["torso"]].lattice, (own / 0.02).astype(np.float32))
        return np.asarray(self.skin * (1 + 0.05 * freckles)[:, None], np.float32)

    def _hair(self, own: F64) -> F32:
        strands = value_noise(
            self.fabrics[PART["torso"]].lattice,
            np.stack([own[:, 0] / 0.05, own[:, 1] / 0.011], axis=1).astype(np.float32) + 5,
        )
        return np.asarray((self.hair + 0.06) * (1 + 0.45 * strands)[:, None], np.float32)

    def _face(self, along: F64, across: F64) -> F32:
        own = np.stack([along, across], axis=1)
        colours = self._skin(own)
        hair = _step((-self.fringe - along + 0.25 * np.abs(across)) / 0.008)
        colours += hair[:, None] * (self._hair(own) - colours)
        for side in (-1, 1):
            eye = _step(1.6 - np.hypot((along + 0.008) / 0.0065, (across - side * 0.018) / 0.009) * 1.2)
            colours += eye[:, None] * (np.float32(0.1) - colours)
            cheek = 0.3 * np.exp(-((along - 0.018) ** 2 + (across - side * 0.024) ** 2) / (2 * 0.010**2))
            colours += cheek[:, None].astype(np.float32) * (self.lips - colours)
        mouth = _step(1.6 - np.hypot((along - 0.034) / 0.006, across / 0.016) * 1.2)
        colours += mouth[:, None] * (self.lips * 0.8 - colours)
        return np.asarray(colours, np.float32)

    def _finish(self, name: str, outline: Shape, along: F64, across: F64, colours: F32) -> None:
        """Hems, belts and soles, painted over `colours` in place."""
        band = None
        if name.endswith("forearm"):
            band = _step((along - 0.88 * outline.length) / 0.006)
        elif name == "torso":
            collar = np.hypot(along, across / 1.3)
            band = _step((0.052 - collar) / 0.006) + _step((along - 0.965 * outline.length) / 0.006)
        elif name == "pelvis":
            band = _step((0.075 - np.abs(along - 0.0)) / 0.008) * _step((along - 0.035) / 0.006)
        elif name.endswith("shin"):
            band = 0.6 * _step((along - 0.93 * outline.length) / 0.006)
        elif name.endswith("foot"):
            band = _step((np.abs(across) - 0.014) / 0.004)
        if band is not None:
            colours += np.minimum(band, 1)[:, None].astype(np.float32) * (self.cuffs - colours).astype(np.float32)

    @staticmethod
    def _shade(outline: Shape, along: F64, across: F64) -> F32:
        """Round bodies are darker towards their outline."""
        if outline.kind == "ellipse":
            rim = (along / outline.first) ** 2 + (across / outline.last) ** 2
        else:
            t = np.clip(along / outline.length, 0, 1)
            rim = (across / (outline.first + (outline.last - outline.first) * t)) ** 2
        return np.asarray(1.08 - 0.42 * np.clip(rim, 0, 1.2) ** 1.5, np.float32)


def _step(distance: F64) -> F64:
    """0 where `distance` is below -1/2, 1 where it is above 1/2, smooth between."""
    t = np.clip(distance + 0.5, 0, 1)
    result: F64 = t * t * (3 - 2 * t)
    return result


def dress(rng: np.random.Generator, outlines: dict[int, Shape]) -> Outfit:
    """Random clothes: a top, sleeves of the same or another fabric, trousers, shoes; skin and hair; a backdrop."""
    top, bottom = fabric(rng), fabric(rng)
    sleeves = top if rng.random() < 0.6 else fabric(rng)
    shoes = fabric(rng, np.clip(random_colour(rng) - 0.15, 0.05, 0.9), 0.15)
    fabrics: dict[int, Fabric] = {}
    for label, name in enumerate(PARTS):
        if name.endswith("arm"):
            fabrics[label] = sleeves
        elif name.endswith(("thigh", "shin")) or name == "pelvis":
            fabrics[label] = bottom
        elif name.endswith("foot"):
            fabrics[label] = shoes
        elif name == "torso":
            fabrics[label] = top
    tone, shade = rng.uniform(0, len(SKINS) - 1), rng.uniform(0, len(HAIRS) - 1)
    skin, hair = (_between(SKINS, tone), _between(HAIRS, shade))
    return Outfit(
        fabrics,
        skin,
        np.clip(hair + 0.03 * rng.normal(size=3), 0.03, 0.9),
        np.clip(skin * [0.85, 0.55, 0.55], 0, 1),
        outlines,
        rng.uniform(0.022, 0.042),
        np.clip(top.ground + 0.22 * rng.normal(size=3), 0.05, 0.95),
        _backdrop(rng),
    )


def _between(table: F64, position: float) -> F64:
    low = min(int(position), len(table) - 2)
    mixed: F64 = table[low] + (position - low) * (table[low + 1] - table[low])
    return mixed


def _backdrop(rng: np.random.Generator) -> list[Fabric]:
    """Leaves, plaster or rough wood: irregular texture of several sizes in related colours."""
    colour = np.clip(0.45 + 0.12 * rng.normal() + 0.06 * rng.normal(size=3), 0.08, 0.9)
    layers = []
    for period in (0.16, 0.06, 0.028):
        step = 0.12 * rng.normal(size=3) + rng.uniform(0.2, 0.4) * rng.choice((-1.0, 1.0))
        layers.append(
            Fabric(
                "blotches",
                np.clip(colour - step / 2, 0.02, 0.98),
                np.clip(colour + step / 2, 0.02, 0.98),
                period * rng.uniform(0.8, 1.25),
                rng.uniform(0, np.pi),
                rng.random(2) * TILE,
                rng.uniform(0.05, 0.2),
                _lattice(rng),
            )
        )
    return layers
