"""Random clothes, hair and skin for a figure, and what is behind it: colours as functions of a part's own coordinates.

An outfit has two pictures: the flat one, in which a part has one colour (`Outfit.flat`), and the finished one (`Outfit.paint`).
All lengths are in body heights, so that a texture is anchored to its part and moves, turns and is foreshortened with it.
Colours are in [0, 1]; nothing is clamped here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2
from gpu.worlds.figure.body_parts import GROUND, I64, PART, PARTS, Shape
from gpu.worlds.figure.sequence import F64

F32 = npt.NDArray[np.float32]

TILE = 64  # lattice points a side of the periodic random fields
COLUMNS = 256
NO_SECOND_MAP = np.empty(0, np.float32)  # x and y are both in the first

WEAVES = ("plain", "stripes", "knit", "denim", "dots", "blotches")
WEIGHTS = (0.08, 0.17, 0.20, 0.15, 0.15, 0.25)

FAR = 0.84
"""How dark the left limbs are beside the right ones, flat and finished: else crossing legs would be one patch."""

SHADES = np.array(
    [(FAR if name.startswith("left") else 1.0) * (1.1 if name.endswith(("forearm", "shin")) else 1.0) for name in PARTS]
)
SHADES[PART["pelvis"]], SHADES[PART["neck"]] = 0.92, 0.88

FLOOR, EYE, MOUTH = (len(PARTS) + number for number in range(3))
"""Rows of `Outfit.flat` after those of the parts."""

HORIZON = 0.40
"""Body heights below a figure's origin where the wall behind it ends and the floor begins."""


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

    def base(self) -> F64:
        """(3,): the mean colour."""
        at = (np.arange(24, dtype=np.float64) + 0.5) * 0.0131
        places = np.stack([np.repeat(at, 24), np.tile(at, 24)], axis=1)
        return np.asarray(self.colours(places).mean(axis=0), np.float64)

    def _pattern(self, u: F32, v: F32) -> F32:
        """(n,) how much of the second colour there is, 0 to 1."""
        full = np.float32(2 * np.pi)
        if self.weave == "stripes":
            return _soft(np.sin(full * u))
        if self.weave == "knit":  # rows of V
            return _soft(np.sin(full * (1.3 * v + np.abs(2 * (u % 1) - 1))))
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
    folded = wrapped.reshape(-1, max(columns, 1), 2)
    values = cv2.remap(lattice, folded, NO_SECOND_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.asarray(values.reshape(-1)[:count], np.float32)


def fabric(rng: np.random.Generator, colour: F64 | None = None, contrast: float = 0.26) -> Fabric:
    """A random fabric whose mean colour is about `colour`, if one is given."""
    middle = random_colour(rng) if colour is None else colour
    step = rng.normal(size=3) * 0.2 + rng.choice((-1.0, 1.0))
    half = 0.5 * contrast * step * rng.uniform(0.6, 1.3)
    ground, figure = np.clip(middle - half, 0.02, 0.98), np.clip(middle + half, 0.02, 0.98)
    weave = str(rng.choice(WEAVES, p=WEIGHTS))
    period = rng.uniform(0.035, 0.06)
    angle = rng.choice((0.0, np.pi / 2), p=(0.7, 0.3)) if weave != "blotches" else rng.uniform(0, np.pi)
    return Fabric(
        weave, ground, figure, period, float(angle), rng.random(2) * TILE, rng.uniform(0.06, 0.16), _lattice(rng)
    )


def _lattice(rng: np.random.Generator) -> F32:
    return rng.uniform(-1, 1, (TILE, TILE)).astype(np.float32)


def random_colour(rng: np.random.Generator) -> F64:
    """A colour of clothes, of any hue, from pale to strong and from dark to light."""
    hue, saturation, value = rng.random(), rng.uniform(0.1, 0.75), rng.uniform(0.3, 0.92)
    wheel = np.clip(np.abs((6 * hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    colour: F64 = value * (1 - saturation * (1 - wheel))
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
    wall: list[Fabric]
    floor: list[Fabric]

    def flat(self) -> F64:
        """(21, 3): the one colour of each part, the wall's for the ground; then the floor's, of eyes and of the mouth."""
        out = np.zeros((len(PARTS) + 3, 3))
        for label, name in enumerate(PARTS):
            if label == GROUND:
                out[label] = np.mean([layer.base() for layer in self.wall], axis=0)
            elif label in self.fabrics:
                out[label] = self.fabrics[label].base()
            else:
                out[label] = self.hair + 0.06 if name == "head" else self.skin
        out[: len(PARTS)] *= SHADES[:, None]
        out[FLOOR] = np.mean([layer.base() for layer in self.floor], axis=0)
        out[EYE], out[MOUTH] = 0.08, self.lips * 0.75
        return np.clip(out, 0, 1)

    def paint(self, part: int, own: F64) -> F32:
        """(n, 3): colours of a part at its own coordinates (n, 2)."""
        if part == GROUND:
            return self._backdrop(own)
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
        return np.asarray(colours * (SHADES[part] * self._shade(outline, along, across))[:, None], np.float32)

    def _backdrop(self, own: F64) -> F32:
        """The wall, and the floor below it, seen at a low angle: its texture is squeezed."""
        out = np.empty((len(own), 3), np.float32)
        low = own[:, 1] > HORIZON
        for mine, layers, squeeze in ((~low, self.wall, 1.0), (low, self.floor, 2.5)):
            places = own[mine] * [1.0, squeeze]
            out[mine] = np.mean([layer.colours(places) for layer in layers], axis=0)
        skirting = _step((0.012 - np.abs(own[:, 1] - HORIZON + 0.006)) / 0.006)
        return np.asarray(out * (1 - 0.3 * skirting)[:, None], np.float32)

    def _skin(self, own: F64) -> F32:
        freckles = value_noise(self.fabrics[PART["torso"]].lattice, (own / 0.02).astype(np.float32))
        return np.asarray(self.skin * (1 + 0.05 * freckles)[:, None], np.float32)

    def _hair(self, own: F64) -> F32:
        columns = value_noise(
            self.fabrics[PART["torso"]].lattice,
            np.stack([own[:, 0] / 0.05, own[:, 1] / 0.011], axis=1).astype(np.float32) + 5,
        )
        return np.asarray((self.hair + 0.06) * (1 + 0.45 * columns)[:, None], np.float32)

    def _face(self, along: F64, across: F64) -> F32:
        own = np.stack([along, across], axis=1)
        colours = self._skin(own)
        hair = _step(fringe(along, across) / 0.008)
        colours += hair[:, None] * (self._hair(own) - colours)
        for side in (-1, 1):
            aside = across - side * 0.019
            white = _step((1.0 - np.hypot((along + 0.006) / 0.0085, aside / 0.0125)) * 2.5 + 0.3)
            colours += white[:, None] * (np.float32(0.93) - colours)
            pupil = _step((1.0 - np.hypot((along + 0.005) / 0.0085, aside / 0.0075)) * 2.5 + 0.3)
            colours += pupil[:, None] * (np.float32(0.08) - colours)
            brow = _step((1.0 - np.hypot((along + 0.022) / 0.0045, aside / 0.014)) * 2.0 + 0.3)
            colours += 0.75 * brow[:, None] * (self.hair * 0.7 - colours)
            cheek = 0.3 * np.exp(-((along - 0.016) ** 2 + (across - side * 0.028) ** 2) / (2 * 0.009**2))
            colours += cheek[:, None].astype(np.float32) * (self.lips - colours)
        nose = 0.22 * np.exp(-(((along - 0.012) / 0.008) ** 2 + (across / 0.006) ** 2))
        colours -= nose[:, None].astype(np.float32) * colours
        mouth = _step((1.0 - np.hypot((along - 0.0315) / 0.006, across / 0.017)) * 2.0 + 0.3)
        colours += mouth[:, None] * (self.lips * 0.75 - colours)
        return np.asarray(colours, np.float32)

    def _finish(self, name: str, outline: Shape, along: F64, across: F64, colours: F32) -> None:
        """Darker hems, a belt and pale soles, painted over `colours` in place."""
        if name.endswith("foot"):
            sole = _step((np.abs(across) - 0.013) / 0.004)
            colours += 0.8 * sole[:, None].astype(np.float32) * (np.float32(0.88) - colours)
            return
        band = np.zeros_like(along)
        if name.endswith("forearm"):
            band = _step((along - 0.88 * outline.length) / 0.006)
        elif name == "torso":
            collar = np.hypot(along, across / 1.3)
            band = _step((0.052 - collar) / 0.006) + _step((along - 0.965 * outline.length) / 0.006)
        elif name == "pelvis":
            band = 1.2 * _step((0.075 - along) / 0.008) * _step((along - 0.045) / 0.006)
        elif name.endswith("shin"):
            band = 0.6 * _step((along - 0.93 * outline.length) / 0.006)
        colours *= (1 - 0.42 * np.clip(band, 0, 1.2))[:, None].astype(np.float32)

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


def fringe(along: F64, across: F64) -> F64:
    """(n,): how far inside the hair a place on the face is, in body heights; negative on the skin."""
    result: F64 = -0.034 - along + 0.25 * np.abs(across)
    return result


def face_flat(along: F64, across: F64) -> I64:
    """(n,): rows of `Outfit.flat` for places on the face: hair, eyes, mouth, skin."""
    out = np.full(len(along), PART["face"])
    out[fringe(along, across) > 0] = PART["head"]
    out[np.hypot(along + 0.005, np.abs(across) - 0.019) < 0.0095] = EYE
    out[np.hypot((along - 0.0315) / 0.007, across / 0.017) < 1] = MOUTH
    return out


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
        np.clip(skin * [0.85, 0.5, 0.5], 0, 1),
        outlines,
        _surface(rng, rng.uniform(0.35, 0.9), (0.16, 0.06, 0.028)),
        _surface(rng, rng.uniform(0.25, 0.7), (0.2, 0.08, 0.035)),
    )


def _between(table: F64, position: float) -> F64:
    low = min(int(position), len(table) - 2)
    mixed: F64 = table[low] + (position - low) * (table[low + 1] - table[low])
    return mixed


def _surface(rng: np.random.Generator, value: float, periods: tuple[float, ...]) -> list[Fabric]:
    """Leaves, plaster, stone or gravel: irregular texture of several sizes in related colours."""
    colour = value * (1 - rng.uniform(0.05, 0.5) * (1 - random_colour(rng)))
    strength = rng.uniform(0.10, 0.32)
    layers = []
    for period in periods:
        half = 0.5 * (0.06 * rng.normal(size=3) + strength * rng.choice((-1.0, 1.0)))
        layers.append(
            Fabric(
                "blotches",
                np.clip(colour - half, 0.02, 0.98),
                np.clip(colour + half, 0.02, 0.98),
                period * rng.uniform(0.8, 1.25),
                rng.uniform(0, np.pi),
                rng.random(2) * TILE,
                rng.uniform(0.05, 0.15),
                _lattice(rng),
            )
        )
    return layers
