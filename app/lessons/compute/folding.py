"""A fold of the map, as the lesson on limits shows it: which sub-pixels are seen several times, and who owns them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy import sparse

from app.lessons.compute import motions
from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Floats
from gpu.noise import gathering, tracks
from gpu.noise.ownership import OWNER, covered
from gpu.noise.tiling import SLOT, NoiseGrid, Tiling
from gpu.noise.tracks import Track

SIZE, LEVEL, SEGMENTS = 32, 3, 4  # one piece of SLOT x SLOT sub-pixels holds all of frame 0
RADIUS, PERIOD = 0.2, 16
SECOND_SHEET = 1.0  # pixels of forward-backward error that what is turned over is given: it is not what frame 0 shows


@dataclass(frozen=True)
class Folded:
    """`seen` (n, n), n = SIZE · 2^level: how many pixels cover each sub-pixel of frame 0. By pixel (SIZE, SIZE): `covered` and
    `owned` sub-pixels, and `inner`, whether it lies on the sheet that is turned over. `overlap` is the largest correlation of
    two pixels on different sheets if sub-pixels were shared, `owners` that of any two as they are owned; `pair` the two
    pixels (x, y) of the largest one and `outlines` theirs in frame 0."""

    seen: Floats
    covered: Floats
    owned: Floats
    inner: Floats
    overlap: float
    owners: float
    pair: tuple[tuple[int, int], tuple[int, int]]
    outlines: tuple[Floats, Floats]


@lru_cache(maxsize=64)
def folded(strength: float, level: int = LEVEL) -> Folded:
    """The fold of gpu.source.deformations.fold at its strongest, by the program's own outlines and ownership; `level`, at most
    LEVEL, is that of the sub-pixels."""
    parameters = {"strength": strength, "radius": RADIUS, "travel": 0.0, "period": float(PERIOD)}
    truth = motions.deformed("fold", parameters, SIZE, SIZE, PERIOD).truth
    seen_at, surface = truth.places(PERIOD // 2)
    position = seen_at.to(torch.float32)
    # One step onto a fold: all of it is valid, the second sheet with an error.
    errors = (surface != 0) * SECOND_SHEET
    own = tracks.fresh(0, SIZE, SIZE, CPU)
    tiling = Tiling(NoiseGrid(SIZE, SIZE, CPU), level)
    pieces = gathering.cut(Track(own.label, position, own.state), errors, tiling, SEGMENTS)
    whole = torch.arange(len(pieces.pixel))
    slot = torch.zeros_like(whole)
    outlines = pieces.contours.relative(whole, torch.zeros((len(whole), 2)))
    covering = list(covered(outlines, slot, pieces.rank))
    places, keys = (
        torch.cat([places_covered for places_covered, _ in covering]),
        torch.cat([key for _, key in covering]),
    )
    place, pixel = places.numpy(), pieces.pixel[keys & OWNER].numpy()
    shared = _matrix(place, pixel)
    # As TorchRasteriser.own, of the pairs that are at hand: finding them again would take as long as all the rest.
    nobody = torch.iinfo(torch.int64).max
    best = torch.full((SLOT * SLOT,), nobody).scatter_reduce_(0, places, keys, reduce="amin", include_self=True)
    held = torch.nonzero(best != nobody)[:, 0]
    owned = _matrix(held.numpy(), pieces.pixel[best[held] & OWNER].numpy())
    inner = (surface != 0).numpy().reshape(-1)
    overlap, pair = _largest(shared, inner)
    # The pixel of the sheet that is seen first, then its twin.
    first, second = sorted(pair, key=lambda index: bool(inner[index]))
    numbers = {int(pixel): at for at, pixel in enumerate(pieces.pixel)}
    shapes = [(pieces.contours.vertices[numbers[pixel]] / (1 << level)).numpy() for pixel in (first, second)]
    count, fine = SIZE * SIZE, SIZE << level
    return Folded(
        np.asarray(shared.sum(1), float).reshape(SLOT, SLOT)[:fine, :fine],
        np.bincount(pixel, minlength=count).reshape(SIZE, SIZE).astype(float),
        np.asarray(owned.sum(0), float).reshape(SIZE, SIZE),
        inner.reshape(SIZE, SIZE).astype(float),
        overlap,
        _largest(owned)[0],
        ((first % SIZE, first // SIZE), (second % SIZE, second // SIZE)),
        (shapes[0], shapes[1]),
    )


def _matrix(place: Floats, pixel: Floats) -> sparse.csr_array:
    """(sub-pixels, pixels) with a 1 where a pixel holds a sub-pixel."""
    return sparse.csr_array((np.ones(len(place)), (place, pixel)), shape=(SLOT * SLOT, SIZE * SIZE))


def _largest(held: sparse.csr_array, inner: Floats | None = None) -> tuple[float, tuple[int, int]]:
    """The largest |A n B| / sqrt(|A| |B|) of two pixels, which is the correlation of their noise, and which they are. With
    `inner` (pixels,) bool the two lie on different sheets."""
    together = sparse.coo_array(held.T @ held)
    size = np.maximum(np.asarray(held.sum(0)), 1)
    value = together.data / np.sqrt(size[together.row] * size[together.col])
    apart = together.row != together.col if inner is None else inner[together.row] != inner[together.col]
    value = np.where(apart, value, 0.0)
    at = int(value.argmax())
    return float(value[at]), (int(together.row[at]), int(together.col[at]))
