"""Outlines of pixels in their anchor frame: when a neighbour is believed, and what is drawn, by cases worked by hand."""

from __future__ import annotations

import pytest
import torch

from gpu.noise import polygons

LEFT, HERE, RIGHT, UP, DOWN = 3, 4, 5, 1, 7  # of a neighbourhood, row by row


def line(xs: list[float], labels: list[int] | None = None, along: int = 0) -> torch.Tensor:
    """(9, n) the coordinate `along` (0: x, 1: y) around each of the pixels in a row (a column) at `xs` of the anchor frame."""
    n = len(xs)
    place = torch.zeros(1, n, 2)
    place[0, :, along], place[..., 1 - along] = torch.tensor(xs), 0.5
    label = torch.tensor([labels or [0] * n])
    if along:
        place, label = place.transpose(0, 1), label.T
    return polygons.neighbourhoods(place.contiguous(), label.contiguous())[:, along].reshape(9, n)


@pytest.mark.parametrize(("along", "before", "after"), [(0, LEFT, RIGHT), (1, UP, DOWN)])
def test_beyond_the_border_positions_go_on_as_they_came(along: int, before: int, after: int) -> None:
    around = line([0.5, 2.0, 3.75], along=along)
    assert around[HERE].tolist() == [0.5, 2.0, 3.75]
    assert around[before].tolist() == [-1.0, 0.5, 2.0]
    assert around[after].tolist() == [2.0, 3.75, 5.5]


@pytest.mark.parametrize(("along", "before", "after"), [(0, LEFT, RIGHT), (1, UP, DOWN)])
def test_a_neighbour_of_another_anchor_is_replaced_by_the_other_side(along: int, before: int, after: int) -> None:
    around = line([0.5, 2.0, 90.0, 93.0], [0, 0, 5, 5], along)
    assert around[after].tolist() == [2.0, 3.5, 93.0, 96.0]
    assert around[before].tolist() == [-1.0, 0.5, 87.0, 90.0]


def test_without_a_neighbour_the_map_is_the_identity() -> None:
    around = line([7.0, 40.0, 9.0], [0, 1, 2])
    assert around[LEFT].tolist() == [6.0, 39.0, 8.0]
    assert around[RIGHT].tolist() == [8.0, 41.0, 10.0]


@pytest.mark.parametrize(("along", "before", "after"), [(0, LEFT, RIGHT), (1, UP, DOWN)])
@pytest.mark.parametrize(("step", "believed"), [(7.9, True), (8.1, False), (-7.9, True), (-8.1, False)])
def test_a_stretch_that_one_side_alone_tells_is_believed_up_to_8_pixels(
    along: int, before: int, after: int, step: float, believed: bool
) -> None:
    """Two pixels have one difference between them; where it is not believed, both are continued by the identity."""
    around = line([20.0, 20.0 + step], along=along)
    shown = step if believed else 1.0
    assert around[after].tolist() == pytest.approx([20 + shown, 20 + step + shown])
    assert around[before].tolist() == pytest.approx([20 - shown, 20 + step - shown])


def test_a_stretch_on_which_both_sides_agree_is_believed_however_far() -> None:
    """Agreed: differing by a quarter of the shorter at most, so 100 and 124 and not 100 and 126."""
    assert line([0.0, 100.0, 224.0])[RIGHT, 1] == 224
    assert line([0.0, 100.0, 226.0])[RIGHT, 1] == 101  # nor is 100, the other side, believed: beyond 8 pixels
    assert line([0.0, 7.0, 14.0])[RIGHT, 1] == 14


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("step", "jump"), [(2.4, False), (2.6, True), (-0.4, False), (-0.6, True)])
def test_a_jump_is_where_two_steps_differ_by_more_than_a_pixel_and_half_the_shorter(
    sign: int, step: float, jump: bool
) -> None:
    """Beside a step of 1 (nearest to the identity): beyond 1 + 1/2 from it, or with a step of -0.4 beyond 1 + 0.2."""
    steps = [1.0, step] if sign > 0 else [step, 1.0]
    around = line([10.0, 10.0 + steps[0], 10.0 + sum(steps)])
    far = 10.0 + steps[0]
    if step < 0:  # the shorter of the two is the step itself: |1 + 0.4| against 1.2
        jump = abs(1 - step) > 1 + abs(step) / 2
    expected = [1.0, 1.0] if jump else steps
    assert [far - float(around[LEFT, 1]), float(around[RIGHT, 1]) - far] == pytest.approx(expected)


def test_a_corner_is_taken_where_it_lies_near_the_plane_of_the_sides() -> None:
    """Of a 2 x 2 grid of identity only the lower right pixel is moved by d along x: it is believed as the corner of the upper
    left one up to 1 + sqrt(2) / 2 pixels from where the sides lead."""
    for d, believed in [(1.6, True), (1.8, False), (-1.6, True), (-1.8, False)]:
        place = torch.tensor([[[0.5, 0.5], [1.5, 0.5]], [[0.5, 1.5], [1.5 + d, 1.5]]])
        around = polygons.neighbourhoods(place, torch.zeros(2, 2, dtype=torch.int32))
        assert around[8, :, 0, 0].tolist() == pytest.approx([1.5 + d if believed else 1.5, 1.5])
        # The corners beyond the border are always where the sides lead.
        assert around[0, :, 0, 0].tolist() == [-0.5, -0.5]
        assert around[2, :, 0, 0].tolist() == [1.5, -0.5]
        assert around[6, :, 0, 0].tolist() == [-0.5, 1.5]


def around_affine(matrix: list[list[float]], at: tuple[float, float]) -> torch.Tensor:
    """(9, 2, 1) the neighbourhood of one pixel at `at` under a linear map."""
    offsets = torch.tensor([[dx, dy] for dy in (-1.0, 0.0, 1.0) for dx in (-1.0, 0.0, 1.0)])
    return (offsets @ torch.tensor(matrix).T + torch.tensor(at))[..., None]


@pytest.mark.parametrize("s", [1, 2, 3, 4])
def test_outlines_of_affine_maps_are_their_parallelograms(s: int) -> None:
    """The corners (±1/2, ±1/2) by the matrix, in sub-pixels of level 2, clockwise from the upper left; convex; of the area
    |det| 4^k, which is what the Jacobian says."""
    around = around_affine([[2.0, 0.5], [-0.25, 1.5]], (10.0, 20.0))
    outline = polygons.contours(around, 2, s)
    corners = outline.vertices[0, :: outline.vertices.shape[1] // 4]
    assert corners.tolist() == [[35.0, 77.5], [43.0, 76.5], [45.0, 82.5], [37.0, 83.5]]
    assert outline.centre.tolist() == [[40.0, 80.0]]
    assert outline.convex.tolist() == [True]
    assert polygons.areas(outline.vertices).tolist() == pytest.approx([3.125 * 16])
    assert polygons.jacobian(around).tolist() == pytest.approx([3.125])


def test_a_mirrored_map_turns_the_outline_round() -> None:
    around = around_affine([[-1.0, 0.0], [0.0, 1.0]], (3.0, 4.0))
    outline = polygons.contours(around, 0, 1)
    assert outline.vertices.tolist() == [[[3.5, 3.5], [2.5, 3.5], [2.5, 4.5], [3.5, 4.5]]]
    assert polygons.areas(outline.vertices).tolist() == [-1.0]
    assert polygons.jacobian(around).tolist() == [-1.0]
    assert outline.convex.tolist() == [True]


def test_a_side_is_straight_to_the_snapping_step() -> None:
    """The middle of the right side beside the line between its corners: by 1/256 of a sub-pixel it still counts as straight."""
    for steps, straight in [(0, True), (1, True), (2, False), (-1, True), (-2, False)]:
        vertices = torch.tensor(polygons.template(2))[None].clone()
        vertices[0, 3, 0] += steps / 256
        assert polygons._is_convex(vertices).tolist() == [straight]
        vertices = torch.tensor(polygons.template(2))[None].clone()
        vertices[0, 1, 1] += steps / 256  # of the upper side
        assert polygons._is_convex(vertices).tolist() == [straight]


def test_crossed_and_flat_outlines_are_not_convex() -> None:
    crossed = torch.tensor([[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]])
    flat = torch.tensor([[(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (1.0, 1.0)]])
    assert polygons._is_convex(torch.cat([crossed, flat])).tolist() == [False, False]


def test_a_corner_of_another_anchor_is_where_the_sides_lead() -> None:
    """Of a 2 x 2 grid of identity the lower right pixel belongs to another anchor, near as its position lies."""
    place = torch.tensor([[[0.5, 0.5], [1.5, 0.5]], [[0.5, 1.5], [1.75, 1.75]]])
    label = torch.tensor([[0, 0], [0, 1]], dtype=torch.int32)
    assert polygons.neighbourhoods(place, label)[8, :, 0, 0].tolist() == [1.5, 1.5]
    assert polygons.neighbourhoods(place, torch.zeros_like(label))[8, :, 0, 0].tolist() == [1.75, 1.75]


@pytest.mark.parametrize(("across", "down"), [((6.0, 6.0), None), (None, (6.0, 6.0))])
def test_lengths_are_of_both_coordinates(across: tuple[float, float] | None, down: tuple[float, float] | None) -> None:
    """A neighbour at (6, 6) is 8.5 pixels away: beyond 8, though neither coordinate is."""
    step = torch.tensor(across or down)
    place = torch.stack((torch.zeros(2), step))
    place = place[None] if across else place[:, None]
    around = polygons.neighbourhoods(place.contiguous(), torch.zeros(place.shape[:2], dtype=torch.int32))
    assert around[RIGHT if across else DOWN, :, 0, 0].tolist() == ([1, 0] if across else [0, 1])
    near = polygons.neighbourhoods((0.9 * place).contiguous(), torch.zeros(place.shape[:2], dtype=torch.int32))
    assert near[RIGHT if across else DOWN, :, 0, 0].tolist() == pytest.approx([5.4, 5.4])
