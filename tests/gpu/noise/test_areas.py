"""Exact areas: equal to polygons clipped one by one, without gaps, by compiled code as by torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu import compiled
from gpu.noise import areas, outlines, tracks
from gpu.noise.areas import FULL, LEVEL, Overlaps
from gpu.noise.outlines import SNAP, TANGLED
from gpu.noise.states import NEW
from gpu.noise.tracks import Track
from tests.gpu.noise import motions

SIZE = (18, 26)
MOTIONS = [name for name in motions.ALL if "DIS" not in name]


def moved(name: str, frames: int = 3, size: tuple[int, int] = SIZE) -> Track:
    motion = motions.ALL[name](size)
    track = tracks.fresh(0, *size, motions.CPU)
    for t in range(frames):
        track = tracks.advance(track, t, motion, "two-stage")
    return track


def clipped(polygon: np.ndarray, x: int, y: int) -> float:
    """The area of a polygon (m, 2) within the pixel (x, y), by cutting off what lies beyond each of its four lines (Sutherland
    and Hodgman 1974)."""
    points = [tuple(point) for point in polygon]
    for axis, line, side in ((0, x, 1), (0, x + 1, -1), (1, y, 1), (1, y + 1, -1)):
        kept = []
        for a, b in zip(points, points[1:] + points[:1], strict=True):
            da, db = side * (a[axis] - line), side * (b[axis] - line)
            if da >= 0:
                kept.append(a)
            if (da > 0 > db) or (da < 0 < db):
                kept.append(tuple(p + (q - p) * da / (da - db) for p, q in zip(a, b, strict=True)))
        points = kept
    turned = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in turned)) / 2


def listed(found: Overlaps) -> dict[tuple[int, int, int], int]:
    columns = (found.pixel, found.label, found.source, found.area)
    return {(p, label, q): a for p, label, q, a in zip(*(column.tolist() for column in columns), strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("s", [1, 3, 4])
@pytest.mark.parametrize("name", MOTIONS)
def test_areas_are_those_of_polygons_clipped_one_by_one(name: str, s: int) -> None:
    """Of every outline that is no tangle and every pixel near it: to the rounding of where edges cross lines."""
    track, (height, width) = moved(name), SIZE
    moving = track.state < NEW
    shape = outlines.outlines(track.position, track.label, moving, LEVEL, s)
    areas_by_place = listed(areas.overlaps(track, s))
    vertices = shape.vertices.view(height * width, -1, 2).double().numpy() / (SNAP << LEVEL)
    plain = torch.nonzero((shape.kind.view(-1) != TANGLED) & moving.view(-1))[:, 0].tolist()
    seen = 0
    for pixel in plain[::3]:
        polygon, label = vertices[pixel], int(track.label.view(-1)[pixel])
        low, high = np.floor(polygon.min(0)).astype(int), np.ceil(polygon.max(0)).astype(int)
        for y in range(max(low[1], 0), min(high[1], height)):
            for x in range(max(low[0], 0), min(high[0], width)):
                area = areas_by_place.get((pixel, label, y * width + x), 0) / FULL
                assert area == pytest.approx(clipped(polygon, x, y), abs=2e-5 * (1 + np.ptp(polygon)))
                seen += area > 0
    assert seen > 300


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("s", [1, 3, 4])
@pytest.mark.parametrize("name", MOTIONS)
def test_compiled_code_finds_the_same_whole_numbers(name: str, s: int) -> None:
    from gpu.noise import edges
    from gpu.priors.kit.areas_groups import Room

    track, (height, width) = moved(name), SIZE
    outline = edges.shapes(track, LEVEL, s)
    room, owned, areas_by_place = Room(height * width), np.zeros(height * width, np.int32), {}
    for label, pixels in edges.by_label(track, outline):
        found = room.overlaps(pixels, outline, height, owned)
        for pixel, begin, end in zip(pixels, [0, *found.ends], found.ends, strict=False):
            for at in range(begin, end):
                areas_by_place[int(pixel), label, int(found.places[found.source[at]])] = int(found.area[at])
        assert int(found.asked.sum()) == int(found.area.sum())
    torch_found = areas.overlaps(track, s)
    assert areas_by_place == listed(torch_found)
    assert set(np.flatnonzero(owned)) == set(torch_found.pixel.tolist())


@pytest.mark.parametrize("name", ["rotation", "swirl", "zoom in"])
def test_one_surface_leaves_no_gap_and_shares_nothing(name: str) -> None:
    """Pixels of the middle, which outlines of one surface cover whole, are asked for all they have, to the last unit."""
    found = areas.overlaps(moved(name, 1), 4)
    asked = torch.zeros(SIZE[0] * SIZE[1], dtype=torch.int64).index_add_(0, found.source, found.area).view(SIZE)
    assert int(asked.max()) == FULL
    assert bool((asked[7:-7, 9:-9] == FULL).all())


def test_a_mirror_has_the_areas_of_what_it_mirrors() -> None:
    width = SIZE[1]
    turned = motions.rotation(SIZE, 7.0).backward(0) + motions.centres(SIZE)
    mirrored = turned.clone()
    mirrored[..., 0] = width - mirrored[..., 0]
    label, state = torch.zeros(SIZE, dtype=torch.int32), torch.zeros(SIZE, dtype=torch.uint8)
    one, other = (listed(areas.overlaps(Track(label, place, state), 4)) for place in (turned, mirrored))
    swapped = {(p, a, q // width * width + width - 1 - q % width): area for (p, a, q), area in other.items()}
    assert len(one) > 900
    both = one.keys() & swapped.keys()
    assert max(abs(one[key] - swapped[key]) for key in both) < FULL * 1e-3
    assert all(one.get(key, swapped.get(key, 0)) < FULL * 1e-3 for key in one.keys() ^ swapped.keys())


def test_a_tangle_asks_for_a_whole_pixel_at_most() -> None:
    found = areas.overlaps(moved("fold"), 4)
    shape = outlines.outlines(moved("fold").position, moved("fold").label, torch.ones(SIZE, dtype=torch.bool), LEVEL, 4)
    tangled = torch.isin(found.pixel, torch.nonzero(shape.kind.view(-1) == TANGLED)[:, 0])
    assert int(tangled.sum()) > 10
    assert 0 < int(found.area[tangled].max()) <= FULL
