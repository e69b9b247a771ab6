"""Which sub-pixels a polygon owns: cases worked by hand, edges that run through centres above all."""

from __future__ import annotations

import pytest
import torch

from gpu.noise.ownership import Rasteriser
from gpu.noise.polygons import Contours
from gpu.noise.tiling import SLOT

Corners = list[tuple[float, float]]


def box(left: float, top: float, right: float, bottom: float) -> Corners:
    """Clockwise on the screen from the upper left corner."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def drawn(rasteriser: Rasteriser, polygons: list[Corners], ranks: list[int], convex: bool = True) -> torch.Tensor:
    """(SLOT, SLOT) owners in one slot."""
    vertices = torch.tensor(polygons, dtype=torch.float32)
    shape = (len(polygons),)
    outlines = Contours(vertices, vertices.mean(1), torch.full(shape, convex))
    return rasteriser.own(outlines, torch.zeros(shape, dtype=torch.int64), torch.tensor(ranks, dtype=torch.int32), 1)[0]


def places(owner: torch.Tensor, polygon: int = 0) -> tuple[set[int], set[int], int]:
    """Columns and rows in which a polygon owns sub-pixels, and how many it owns."""
    y, x = torch.nonzero(owner == polygon, as_tuple=True)
    return set(x.tolist()), set(y.tolist()), len(x)


@pytest.mark.parametrize("convex", [True, False])
@pytest.mark.parametrize("turned", [False, True])
def test_a_centre_on_the_top_or_left_edge_is_inside_and_on_the_others_outside(
    rasteriser: Rasteriser, convex: bool, turned: bool
) -> None:
    """Centres lie at x + 1/2: what reaches from 1.5 to 4.5 has those of 1, 2 and 3 and not that of 4; across and down alike, in
    either orientation, drawn as a quadrilateral or as a fan."""
    for corners, expected in [
        (box(1.5, 2.0, 4.5, 6.0), ({1, 2, 3}, {2, 3, 4, 5}, 12)),
        (box(1.0, 2.5, 4.0, 6.5), ({1, 2, 3}, {2, 3, 4, 5}, 12)),
    ]:
        owner = drawn(rasteriser, [corners[::-1] if turned else corners], [0], convex)
        assert places(owner) == expected


@pytest.mark.parametrize("turned", [False, True])
def test_a_centre_on_a_corner_is_inside_at_the_upper_left_alone(rasteriser: Rasteriser, turned: bool) -> None:
    corners = box(1.5, 2.5, 4.5, 6.5)
    owner = drawn(rasteriser, [corners[::-1] if turned else corners], [0])
    assert places(owner) == ({1, 2, 3}, {2, 3, 4, 5}, 12)


def test_neighbours_share_no_sub_pixel_and_leave_none(rasteriser: Rasteriser) -> None:
    """Two boxes and two slanted shapes whose common edges run through centres. Row i of the last two is [8.5, 12.5 + i/2) and
    [12.5 + i/2, 16.5 + i): 48 and 44 centres in 8 rows."""
    owner = drawn(
        rasteriser,
        [
            box(0.5, 0.5, 8.5, 4.5),
            box(0.5, 4.5, 8.5, 8.5),
            [(8.5, 0.5), (12.5, 0.5), (16.5, 8.5), (8.5, 8.5)],
            [(12.5, 0.5), (16.5, 0.5), (24.5, 8.5), (16.5, 8.5)],
        ],
        [0, 0, 0, 0],
    )
    assert [int((owner == polygon).sum()) for polygon in range(4)] == [32, 32, 48, 44]


def test_the_smaller_rank_owns_and_of_equal_ranks_the_first(rasteriser: Rasteriser) -> None:
    overlapping = [box(0, 0, 4, 4), box(2, 2, 6, 6)]
    assert [int((drawn(rasteriser, overlapping, [3, 2]) == index).sum()) for index in (0, 1)] == [12, 16]
    assert [int((drawn(rasteriser, overlapping, [2, 2]) == index).sum()) for index in (0, 1)] == [16, 12]
    assert [int((drawn(rasteriser, overlapping, [254, 255]) == index).sum()) for index in (0, 1)] == [16, 12]


def test_a_polygon_is_clipped_to_its_slot(rasteriser: Rasteriser) -> None:
    owner = drawn(rasteriser, [box(-3, -2, 2, 1), box(SLOT - 2, SLOT - 1, SLOT + 9, SLOT + 9)], [0, 0])
    assert places(owner, 0) == ({0, 1}, {0}, 2)
    assert places(owner, 1) == ({SLOT - 2, SLOT - 1}, {SLOT - 1}, 2)


def test_an_outline_that_is_not_convex_is_the_union_of_its_fan(rasteriser: Rasteriser) -> None:
    """An arrow head: (0, 0), (8, 4), (0, 8) with its notch at (4, 4), whose two edges, both left ones, run through centres."""
    vertices = torch.tensor([[(0.0, 0.0), (8.0, 4.0), (0.0, 8.0), (4.0, 4.0)]])
    outlines = Contours(vertices, torch.tensor([[5.0, 4.0]]), torch.tensor([False]))
    none = torch.zeros(1, dtype=torch.int64)
    owner = rasteriser.own(outlines, none, none.to(torch.int32), 1)[0]
    inside = {
        (x, y)
        for y in range(8)
        for x in range(8)
        if 2 * abs(y + 0.5 - 4) < 8 - (x + 0.5) and abs(y + 0.5 - 4) >= 4 - (x + 0.5)
    }
    y, x = torch.nonzero(owner == 0, as_tuple=True)
    assert set(zip(x.tolist(), y.tolist())) == inside


def test_rank_goes_before_order_and_shape_counts_for_nothing(rasteriser: Rasteriser) -> None:
    """The first outline comes first among equal ranks, convex or not, and never before a smaller one."""
    vertices = torch.tensor([box(0, 0, 4, 4), box(2, 2, 6, 6)], dtype=torch.float32)
    outlines = Contours(vertices, vertices.mean(1), torch.tensor([False, True]))
    slot = torch.zeros(2, dtype=torch.int64)

    def owned(ranks: list[int]) -> list[int]:
        owner = rasteriser.own(outlines, slot, torch.tensor(ranks, dtype=torch.int32), 1)[0]
        return [int((owner == polygon).sum()) for polygon in (0, 1)]

    assert owned([5, 5]) == [16, 12]
    assert owned([5, 6]) == [16, 12]
    assert owned([6, 5]) == [12, 16]
