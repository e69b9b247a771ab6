"""A small frame carried by a deformation, polygon by polygon, with the program's own geometry and rasteriser. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Floats
from gpu.flow import maps
from gpu.noise import field, polygons
from gpu.noise.ownership import TorchRasteriser, covered
from gpu.noise.polygons import Contours
from gpu.noise.tiling import SLOT
from gpu.session import Parameter
from gpu.source.deformations import DEFORMATIONS, Grid, resolve
from gpu.source.synthetic.truth import somewhere

FRAMES = 24  # that a deformation of a lesson lasts
SEGMENTS = 4  # s of the paper


@dataclass(frozen=True)
class Carried:
    """A frame of size x size pixels whose noise comes from frame 0.

    `position` (size, size, 2) where its centres were; `inside` (size, size) which of them were in the frame and are seen;
    `contours` of all pixels in sub-pixels, row by row; `owner` (size n, size n) the pixel that owns a sub-pixel of
    frame 0, or -1; `count` (size, size) how many each owns; `jacobian` and `area` (size, size): determinant of the map's
    derivative, and the outline's signed area in pixels.
    """

    k: int
    position: torch.Tensor
    inside: torch.Tensor
    contours: Contours
    owner: torch.Tensor
    count: torch.Tensor
    jacobian: torch.Tensor
    area: torch.Tensor

    @property
    def size(self) -> int:
        return len(self.position)

    def claims(self) -> torch.Tensor:
        """(size n, size n) how many outlines hold each sub-pixel of frame 0."""
        some = torch.nonzero(self.inside.view(-1))[:, 0]
        taking = self.contours.relative(some, torch.zeros((len(some), 2)))
        claims = torch.zeros(SLOT * SLOT, dtype=torch.int64)
        nobody = torch.zeros(len(some), dtype=torch.int64)
        for place, _ in covered(taking, nobody, nobody.to(torch.int32)):
            claims += torch.bincount(place, minlength=SLOT * SLOT)
        edge = len(self.owner)
        return claims.view(SLOT, SLOT)[:edge, :edge]

    def outline(self, x: int, y: int) -> Floats:
        """(m, 2) the outline of pixel (y, x) in pixels of frame 0."""
        return (self.contours.vertices[y * self.size + x] / (1 << self.k)).numpy().astype(np.float64)

    def sums(self, fine: torch.Tensor) -> torch.Tensor:
        """(C, size, size) the sums of the sub-pixels `fine` (C, size n, size n) that each pixel owns."""
        owner = self.owner.reshape(-1).to(torch.int64)
        held = owner >= 0
        total = torch.zeros((len(fine), self.size * self.size))
        total.index_add_(1, owner[held], fine.reshape(len(fine), -1)[:, held])
        return total.view(-1, self.size, self.size)


@lru_cache(maxsize=64)
def _carried(name: str, parameters: tuple[tuple[str, Parameter], ...], t: int, size: int, k: int) -> Carried:
    deformation = DEFORMATIONS.get(name)
    warp = deformation.make(Grid(size, size, FRAMES + 1), resolve(name, deformation, dict(parameters)))
    centres = maps.pixel_centres(size, size, dtype=torch.float64)
    surface = warp.surface(t, centres)
    places = warp.to_reference(t, centres, surface)
    somewhere_seen = somewhere(places)
    position = places.where(somewhere_seen[..., None], centres).to(torch.float32)
    inside = somewhere_seen & (surface >= 0) & ((position >= 0) & (position <= size)).all(-1)
    label = torch.where(somewhere_seen, 0, 1).to(torch.int32)
    around = polygons.neighbourhoods(position, label).view(9, 2, -1)
    contours = polygons.contours(around, k, SEGMENTS)
    n = 1 << k
    # Pixels that came from nowhere take no part.
    some = torch.nonzero(inside.view(-1))[:, 0]
    taking = contours.relative(some, torch.zeros((len(some), 2)))
    slot = torch.zeros(len(some), dtype=torch.int64)
    rank = torch.zeros(len(some), dtype=torch.int32)
    edge = size * n
    assert edge <= SLOT
    owner = TorchRasteriser().own(taking, slot, rank, 1)[0, :edge, :edge]
    owner = (
        torch.where(owner >= 0, some[owner.clamp(min=0).to(torch.int64)], -1) if len(some) else owner.to(torch.int64)
    )
    count = torch.bincount(owner[owner >= 0], minlength=size * size).view(size, size)
    return Carried(
        k,
        position,
        inside,
        contours,
        owner,
        count,
        polygons.jacobian(around).view(size, size),
        (polygons.areas(contours.vertices) / (n * n)).view(size, size),
    )


def carried(name: str, parameters: Mapping[str, Parameter], t: int, size: int, k: int) -> Carried:
    """Frame t of the deformation `name`, at level k; size 2^k at most SLOT."""
    return _carried(name, tuple(sorted(parameters.items())), t, size, k)


@lru_cache(maxsize=16)
def fine_field(seed: int, channels: int, size: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (C, size, size) and sub-pixels (C, size n, size n) of frame 0."""
    pixels = field.pixels(seed, 0, channels, size, size, CPU)
    return pixels, torch.stack([field.refine(plane, seed, 0, c, k, 0, 0) for c, plane in enumerate(pixels)])


def noise(frame: Carried, seed: int, channels: int = 1, divide: bool = True) -> torch.Tensor:
    """(C, size, size) the transported noise: sums times sqrt(N / count), or the sums alone. NaN where nothing is owned."""
    _, fine = fine_field(seed, channels, frame.size, frame.k)
    total = frame.sums(fine)
    held = frame.count > 0
    factor = torch.sqrt(float(4**frame.k) / frame.count.clamp(min=1)) if divide else torch.ones(())
    return torch.where(held, total * factor, torch.nan)


def quad(corners: Floats, k: int) -> tuple[Contours, torch.Tensor]:
    """The contour of one pixel whose corners (4, 2), clockwise from the upper left, lie anywhere in pixels, and
    (SLOT, SLOT) whether it owns a sub-pixel of the slot that starts at the origin.

    Between its corners the map is bilinear, so that the neighbourhood is that of the patch, continued.
    """
    points = torch.as_tensor(np.asarray(corners), dtype=torch.float32)
    around = torch.empty((9, 2, 1))
    for row, v in enumerate((-1.0, 0.0, 1.0)):
        for column, u in enumerate((-1.0, 0.0, 1.0)):
            weights = torch.tensor(
                [(0.5 - u) * (0.5 - v), (0.5 + u) * (0.5 - v), (0.5 + u) * (0.5 + v), (0.5 - u) * (0.5 + v)]
            )
            around[row * 3 + column, :, 0] = weights @ points
    contours = polygons.contours(around, k, SEGMENTS)
    owner = TorchRasteriser().own(contours, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int32), 1)
    return contours, owner[0] == 0
