"""Walking edges gives every pixel the cells of the definition: checked cell by cell, in whole numbers, and against drawing
them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from gpu.flow import maps
from gpu.noise import cells_compiled, edges, field, gathering, outlines, rng, summed_field
from gpu.noise.fine_field import AnchorField
from gpu.noise.outlines import NONE, SNAP, TANGLED
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.states import KEPT, NEW
from gpu.noise.summed_field import SummedField
from gpu.noise.tiling import NoiseGrid, Tiling
from gpu.noise.tracks import Track
from tests.gpu.noise.motions import CPU

HEIGHT, WIDTH, SEED = 17, 23, 7
Point = tuple[int, int]


def turned(angle: float, zoom: float = 1.0, height: int = HEIGHT, width: int = WIDTH) -> torch.Tensor:
    """(H, W, 2) positions of pixels that are turned about the middle of the frame."""
    middle = torch.tensor([width / 2, height / 2])
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * zoom
    return ((maps.pixel_centres(height, width) - middle) @ turn.T + middle).contiguous()


def places(name: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Positions, anchors and states of pixels; asymmetric, so that x and y cannot be taken for one another."""
    generator = torch.Generator().manual_seed(5)
    label = torch.zeros((HEIGHT, WIDTH), dtype=torch.int32)
    state = torch.full((HEIGHT, WIDTH), KEPT, dtype=torch.uint8)
    position = turned(0.3, {"closer": 0.4, "further": 9.0}.get(name, 1.0))
    if name == "waves":
        position += torch.sin(position.flip(-1) / 2) * 1.5
    if name == "fold":
        position[..., 0] = 8 + (position[..., 0] - 12).abs() * 0.9
    if name == "mirror":
        position[..., 0] = WIDTH - position[..., 0]
    if name == "torn":
        position += torch.randn(HEIGHT, WIDTH, 2, generator=generator) * 1.5
        label = (torch.rand(HEIGHT, WIDTH, generator=generator) < 0.3).to(torch.int32)
        state[torch.rand(HEIGHT, WIDTH, generator=generator) < 0.1] = NEW
    return position.contiguous(), label, state


def stretches(polygon: list[Point], row: int) -> Iterator[tuple[int, int]]:
    """Columns [a, b) of the cells of a row whose centres lie in a polygon: between its crossings with the row's middle, two by
    two, a centre on an edge lying right of it."""
    middle = row * SNAP + SNAP // 2
    crossings = []
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if y0 <= middle < y1:
            twice = (x0 - SNAP // 2) * (y1 - y0) + (middle - y0) * (x1 - x0)
            crossings.append(-(-twice // (SNAP * (y1 - y0))))
    crossings.sort()
    yield from zip(crossings[::2], crossings[1::2], strict=True)


def by_definition(track: Track, error: torch.Tensor, k: int, s: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise (C, H W) and counts (H W,): a cell goes to the outline that covers it with the smallest rank, then the first."""
    moving = track.state != NEW
    made = outlines.outlines(track.position, track.label, moving, k, s)
    kind, rank, label = made.kind.numpy(), edges.ranks(error).reshape(HEIGHT, WIDTH), track.label.numpy()
    owner: dict[tuple[int, int, int], tuple[int, int]] = {}
    for i, j in np.ndindex(HEIGHT, WIDTH):
        if kind[i, j] == NONE:
            continue
        outline = [(int(x), int(y)) for x, y in made.vertices[i, j]]
        centre = (int(made.centre[i, j, 0]), int(made.centre[i, j, 1]))
        sides = zip(outline, outline[1:] + outline[:1], strict=True)
        parts = [[a, b, centre] for a, b in sides] if kind[i, j] == TANGLED else [outline]
        bid = (int(rank[i, j]), i * WIDTH + j)
        for part in parts:
            heights = [y for _, y in part]
            for row in range(max(0, min(heights) // SNAP - 1), min(HEIGHT << k, max(heights) // SNAP + 2)):
                for a, b in stretches(part, row):
                    for column in range(max(a, 0), min(b, WIDTH << k)):
                        cell = (int(label[i, j]), row, column)
                        owner[cell] = min(owner.get(cell, bid), bid)
    total, count = np.zeros((channels, HEIGHT * WIDTH), np.int64), np.zeros(HEIGHT * WIDTH, np.int64)
    cells = {anchor: whole_field(anchor, k, channels) for anchor in np.unique(label).tolist()}
    for (anchor, row, column), (_, pixel) in owner.items():
        count[pixel] += 1
        total[:, pixel] += cells[anchor][:, row, column]
    factor = np.where(count > 0, np.sqrt(4.0**k / np.maximum(count, 1)), 0).astype(np.float32)
    return total.astype(np.float32) * np.float32(2.0**-field.FRACTION) * factor, count


def whole_field(anchor: int, k: int, channels: int) -> np.ndarray:
    """(C, H n, W n) the cells of a frame."""
    planes = [
        field.cells(
            field.fixed(rng.plane(SEED, rng.FIELD, anchor, channel, 0, 0, 0, HEIGHT, WIDTH, CPU)),
            SEED, anchor, channel, k, 0, 0,
        )
        for channel in range(channels)
    ]  # fmt: skip
    return torch.stack(planes).numpy()


def summed(limit: int = 1 << 30) -> SummedField:
    return SummedField(SEED, HEIGHT, WIDTH, limit, lambda label: None)


CASES = [("turn", 3, 4, 4), ("closer", 2, 3, 3), ("waves", 2, 4, 5), ("fold", 3, 4, 1), ("mirror", 2, 4, 2)]
CASES += [("further", 3, 4, 4), ("torn", 3, 4, 4), ("torn", 2, 1, 2), ("torn", 2, 3, 1)]


@pytest.mark.parametrize(("name", "k", "s", "channels"), CASES)
def test_every_pixel_gets_the_cells_of_the_definition(name: str, k: int, s: int, channels: int) -> None:
    """To the last bit: all of it is whole numbers. `fold` and `torn` have cells that several outlines cover."""
    track = Track(places(name)[1], places(name)[0], places(name)[2])
    error = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2)) * 3
    noise, count = edges.gather(track, error, summed(), k, s, channels)[:2]
    expected, counts = by_definition(track, error, k, s, channels)
    np.testing.assert_array_equal(count.numpy().reshape(-1), counts)
    np.testing.assert_array_equal(noise.numpy().reshape(channels, -1), expected)
    # In parts, as where there is no room for the field, and where it is asked for a second time.
    little = summed(limit=1000)
    for _ in range(2):
        assert torch.equal(edges.gather(track, error, little, k, s, channels)[0], noise)
    assert little.nbytes <= 1000


@pytest.mark.parametrize("name", ["turn", "waves", "fold", "mirror", "torn"])
def test_drawing_gives_the_same(name: str) -> None:
    """All but ties: a centre that lies on a vertex may go to another of the outlines that meet there (here none does)."""
    track = Track(places(name)[1], places(name)[0], places(name)[2])
    error = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3)) * 3
    drawn = AnchorField(SEED, Tiling(NoiseGrid(HEIGHT, WIDTH, CPU), 3), TorchRasteriser(), list)
    noise, count = edges.gather(track, error, summed(), 3, 4, 2)[:2]
    other, counts = gathering.gather(track, error, drawn, TorchRasteriser(), 4, 2)[:2]
    assert torch.equal(count, counts)
    assert torch.equal(noise, other)


def test_a_field_that_was_carried_is_cut_as_it_stands() -> None:
    """Pixels of a whole anchor hold what was carried there, and each owns its own square when nothing moves."""
    carried = torch.randn(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(4))
    held = SummedField(SEED, HEIGHT, WIDTH, 1 << 30, lambda label: carried.numpy())
    track = Track(
        torch.full((HEIGHT, WIDTH), 6, dtype=torch.int32), turned(0.0), torch.zeros(HEIGHT, WIDTH, dtype=torch.uint8)
    )
    noise, count = edges.gather(track, torch.zeros(HEIGHT, WIDTH), held, 3, 4, 3)[:2]
    assert (count == 64).all()
    assert (noise - carried).abs().max() <= 2.0 ** -(field.FRACTION + 1)


def test_more_channels_later_are_all_there() -> None:
    track = Track(places("turn")[1], places("turn")[0], places("turn")[2])
    kept, error = summed(), torch.zeros(HEIGHT, WIDTH)
    few = edges.gather(track, error, kept, 2, 4, 1)[0]
    many = edges.gather(track, error, kept, 2, 4, 6)[0]
    assert torch.equal(many[:1], few)
    assert torch.equal(many, edges.gather(track, error, summed(), 2, 4, 6)[0])
    assert torch.equal(edges.gather(track, error, kept, 2, 4, 0)[1], edges.gather(track, error, summed(), 2, 4, 2)[1])


def test_a_field_of_a_few_pixels_grows_as_it_is_looked_at() -> None:
    """In runs of a row that become longer and meet, in the room that there is and beyond it: always the same noise."""
    position, label, _ = places("turn")
    error, kept = torch.zeros(HEIGHT, WIDTH), summed()
    for few in (range(3, 5), range(2, 5), range(9, 10), range(1, 7), range(1, 14)):
        state = torch.full((HEIGHT, WIDTH), NEW, dtype=torch.uint8)
        state[4:7, few.start : few.stop] = KEPT
        track = Track(label, position, state)
        noise, count = edges.gather(track, error, kept, 3, 4, 4)[:2]
        expected, counts = edges.gather(track, error, summed(), 3, 4, 4)[:2]
        assert torch.equal(noise, expected)
        assert torch.equal(count, counts)
        assert int(count.sum()) > 0
    whole = Track(label, position, places("turn")[2])
    assert torch.equal(edges.gather(whole, error, kept, 3, 4, 4)[0], edges.gather(whole, error, summed(), 3, 4, 4)[0])


@pytest.mark.parametrize("s", [1, 3, 4, 5])
@pytest.mark.parametrize("name", ["turn", "waves", "fold", "torn"])
def test_compiled_outlines_are_those_of_torch(name: str, s: int) -> None:
    position, label, state = places(name)
    expected = outlines.outlines(position, label, state != NEW, 3, s)
    made = edges.shapes(Track(label, position, state), 3, s, edges.Room())
    carried = (state != NEW).reshape(-1).numpy()
    vertices = expected.vertices.reshape(HEIGHT * WIDTH, -1, 2).numpy()
    by_pixel = made.vertices.transpose(0, 3, 1, 2).reshape(vertices.shape)
    np.testing.assert_array_equal(by_pixel[carried], vertices[carried])
    np.testing.assert_array_equal(made.kind, expected.kind.reshape(-1).numpy())
    right, down = expected.right.numpy(), expected.down.numpy()
    sides = 2 * right + 4 * down
    sides[1:] += 1 * down[:-1]
    sides[:, 1:] += 8 * right[:, :-1]
    np.testing.assert_array_equal(made.linked, sides.reshape(-1))


def test_linked_pixels_share_their_side_vertex_by_vertex() -> None:
    position, label, state = places("waves")
    made = outlines.outlines(position, label, state != NEW, 3, 4)
    assert made.right[:, :-1].all()
    assert made.down[:-1].all()
    right, left = made.vertices[:, :-1, 2:5], made.vertices[:, 1:, [0, 7, 6]]
    assert torch.equal(right, left) or torch.equal(right[:, :, ::2], left[:, :, ::2])
    bottom, top = made.vertices[:-1, :, [6, 4]], made.vertices[1:, :, [0, 2]]
    assert torch.equal(bottom, top)


def test_a_field_that_is_one_part_too_large_is_kept_but_for_that_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 3 of the 17 rows of pixels; room for all but one of the six."""
    row = ((WIDTH << 3) + 1) * (16 << 3)
    monkeypatch.setattr(summed_field, "PART_BYTES", 3 * row)
    track = Track(places("turn")[1], places("turn")[0], places("turn")[2])
    made: list[int] = []
    kernel = cells_compiled.sums_along_rows
    monkeypatch.setattr(
        cells_compiled, "sums_along_rows", lambda *given: (made.append(len(given[1])), kernel(*given))[1]
    )
    error, kept = torch.zeros(HEIGHT, WIDTH), summed(limit=16 * row)
    first = edges.gather(track, error, kept, 3, 4, 4)[0]
    assert made == [3, 3, 3, 3, 3, 2]
    made.clear()
    assert torch.equal(edges.gather(track, error, kept, 3, 4, 4)[0], first)
    assert made == [2]
    assert kept.nbytes <= 16 * row


def test_finer_cells_lie_closer_to_exact_areas() -> None:
    """Of a square of n x n cells that lies askew, how many centres it covers is off by at most about the root of n, and by
    little more than a constant where its sides run evenly: as a share of its area that falls as n^-1.5 to n^-2, by 8 to 16 from
    level 3 to level 5 (measured at three angles: 8.6, 11.1, 15.1)."""
    track = Track(places("turn")[1], places("turn")[0], places("turn")[2])
    inside = maps.inside(track.position, HEIGHT, WIDTH, margin=1.0).numpy()
    off = {}
    for k in (3, 5):
        count = edges.gather(track, torch.zeros(HEIGHT, WIDTH), summed(), k, 4, 0)[1].numpy()
        off[k] = float(np.sqrt(np.mean((count[inside] / 4**k - 1) ** 2)))
    assert 6 < off[3] / off[5] < 20, off


def test_levels_are_sums_of_each_other() -> None:
    """What a pixel owns of whole pixels at level 3 is what it owns at level 5: a shift by whole pixels, to the last bit."""
    position = turned(0.0) + torch.tensor([3.0, -2.0])
    track = Track(places("turn")[1], position.contiguous(), places("turn")[2])
    coarse, fine = (edges.gather(track, torch.zeros(HEIGHT, WIDTH), summed(), k, 4, 3) for k in (3, 5))
    assert torch.equal(coarse[0], fine[0])
    assert torch.equal(coarse[1] * 16, fine[1])
