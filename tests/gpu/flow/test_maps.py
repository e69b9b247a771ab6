"""Sampling, composition, validity and Jacobian against what can be said in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu.flow import maps


def turned(height: int, width: int, degrees: float, factor: float = 1.0) -> torch.Tensor:
    """(H, W, 2) where the pixel centres come from under a rotation and scaling about the centre."""
    grid = maps.pixel_centres(height, width)
    centre = torch.tensor([width / 2, height / 2])
    a = math.radians(degrees)
    matrix = factor * torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    return (grid - centre) @ matrix.T + centre


def test_identity_holds_the_pixel_centres() -> None:
    grid = maps.pixel_centres(2, 3)
    assert grid.shape == (2, 3, 2)
    assert grid[1, 2].tolist() == [2.5, 1.5]


def test_bilinear_is_exact_at_centres_and_on_planes() -> None:
    field = torch.randn(2, 5, 7)
    assert torch.equal(maps.bilinear(field, maps.pixel_centres(5, 7)), field)
    grid = maps.pixel_centres(8, 9)
    plane = (2 * grid[..., 0] - 3 * grid[..., 1] + 1)[None]
    places = torch.rand(100, 2) * torch.tensor([8.0, 7.0]) + 0.5
    assert torch.allclose(maps.bilinear(plane, places)[0], 2 * places[:, 0] - 3 * places[:, 1] + 1, atol=1e-5)


def test_bilinear_in_chunks_equals_bilinear_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    field, places = torch.randn(3, 20, 30), torch.rand(11, 13, 2) * 20
    whole = maps.bilinear(field, places)
    monkeypatch.setattr(maps, "CHUNK", 10)
    assert torch.equal(maps.bilinear(field, places), whole)


def test_bilinear_survives_what_is_not_finite_and_inside_masks_it() -> None:
    places = torch.tensor([[math.nan, 1], [math.inf, 1], [-1e30, 1], [1.0, 1.0]])
    assert maps.bilinear(torch.ones(1, 4, 4), places).isfinite().all()
    assert maps.inside(places, 4, 4).tolist() == [False, False, False, True]


def test_inside_counts_the_border_and_keeps_the_margin() -> None:
    places = torch.tensor([[0.0, 0.0], [6.0, 4.0], [6.01, 4.0], [0.4, 2.0]])
    assert maps.inside(places, 4, 6).tolist() == [True, True, False, True]
    assert maps.inside(places, 4, 6, 0.5).tolist() == [False, False, False, False]


def test_covered_needs_every_pixel_that_is_used() -> None:
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[1, 1] = False
    places = torch.tensor([[1.5, 1.5], [2.0, 1.5], [2.5, 1.5], [2.5, 2.5]])
    assert maps.covered(mask, places).tolist() == [False, False, True, True]


def test_clean_replaces_garbage_and_keeps_motion() -> None:
    flow = torch.randn(6, 8, 2) * 5
    flow[0, 0, 1], flow[1, 1, 0], flow[2, 2, 0], flow[3, 3] = math.nan, math.inf, 1e9, 30.0  # a diagonal is 10
    cleaned, bad = maps.clean(flow)
    assert bad.nonzero().tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert cleaned.isfinite().all()
    assert not cleaned[bad].any()
    assert torch.equal(cleaned[~bad], flow[~bad])


def test_a_translation_composes_exactly_up_to_the_border() -> None:
    """What is at p was at p + (2.3, -1.7): after three steps at p + 3 (2.3, -1.7), known where that stays inside."""
    height, width = 20, 30
    step = torch.tensor([2.3, -1.7]).expand(height, width, 2)
    phi = maps.Composed(maps.pixel_centres(height, width), torch.ones(height, width, dtype=torch.bool))
    for _ in range(3):
        phi = maps.compose(phi.phi, step, phi.valid)
    wanted = maps.pixel_centres(height, width) + 3 * torch.tensor([2.3, -1.7])
    assert torch.allclose(phi.phi[phi.valid], wanted[phi.valid], atol=1e-4)
    assert not phi.valid[~maps.inside(wanted, height, width)].any()
    # Within a pixel of the border the samples touch pixels that are not known: no more than that is lost.
    assert phi.valid[maps.inside(wanted, height, width, 1.0)].all()


def test_composed_rotations_are_the_rotation_by_the_sum() -> None:
    size = 40
    grid = maps.pixel_centres(size, size)
    step = turned(size, size, 3.0) - grid
    phi = maps.Composed(grid, torch.ones(size, size, dtype=torch.bool))
    for _ in range(5):
        phi = maps.compose(phi.phi, step, phi.valid)
    assert phi.valid[10:30, 10:30].all()
    assert torch.allclose(phi.phi[phi.valid], turned(size, size, 15.0)[phi.valid], atol=1e-3)


def test_compose_heeds_the_validity_of_the_step() -> None:
    valid = torch.ones(6, 6, dtype=torch.bool)
    valid[2, 3] = False
    composed = maps.compose(maps.pixel_centres(6, 6), torch.zeros(6, 6, 2), valid=valid)
    assert torch.equal(composed.valid, valid)


def test_forward_backward_error_of_consistent_and_of_wrong_motion() -> None:
    height, width = 20, 30
    backward = torch.tensor([-4.0, 2.0]).expand(height, width, 2)
    error = maps.check(backward, -backward).error
    arrives = maps.inside(maps.pixel_centres(height, width) + backward, height, width)
    assert torch.allclose(error[arrives], torch.zeros(int(arrives.sum())))
    assert (error[~arrives] == maps.UNSEEN).all()
    assert torch.equal(maps.validity(backward, -backward), arrives)
    wrong = maps.check(backward, -backward + torch.tensor([3.0, 4.0])).error
    assert torch.allclose(wrong[arrives], torch.full((int(arrives.sum()),), 5.0))
    assert not maps.validity(backward, -backward + torch.tensor([3.0, 4.0])).any()


def test_validity_draws_the_line_where_the_formula_does() -> None:
    """|f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5 with b = (10, 0), f = (-10 + e, 0): e below 1.54 or so."""
    backward = torch.zeros(9, 31, 2)
    backward[..., 0] = 10
    for e in np.arange(1.2, 1.9, 0.05):
        forward = torch.zeros(9, 31, 2)
        forward[..., 0] = -10 + float(e)
        expected = e * e < 0.01 * ((10 - e) ** 2 + 100) + 0.5
        assert bool(maps.validity(backward, forward)[4, 5]) == expected


def test_jacobian_is_the_area_a_pixel_takes_of_the_reference() -> None:
    assert torch.allclose(maps.jacobian(turned(16, 20, 30.0, 1.5)), torch.full((16, 20), 2.25), atol=1e-4)
    mirrored = maps.pixel_centres(8, 8).clone()
    mirrored[..., 0] = 8 - mirrored[..., 0]
    assert torch.allclose(maps.jacobian(mirrored), torch.full((8, 8), -1.0))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_small_grids_work(height: int, width: int) -> None:
    grid = maps.pixel_centres(height, width)
    assert torch.allclose(maps.jacobian(grid), torch.ones(height, width))
    assert torch.equal(maps.compose(grid, torch.zeros(height, width, 2)).phi, grid)
    assert maps.validity(torch.zeros(height, width, 2), torch.zeros(height, width, 2)).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_covered_heeds_a_thousandth_of_a_pixel(axis: int) -> None:
    """A sample is covered while what is not known has no more than a thousandth of its weight, on either side of the hole."""
    mask = torch.ones(5, 7, dtype=torch.bool)
    mask[2, 3] = False
    hole = torch.tensor([3.5, 2.5])
    for away, known in [(0.5, False), (0.98, False), (0.998, False), (0.9995, True), (1.0, True)]:
        for sign in (1, -1):
            place = hole.clone()
            place[axis] += sign * away
            assert bool(maps.covered(mask, place)) == known, (away, sign)


def test_a_vector_is_motion_up_to_four_diagonals() -> None:
    """Of 3 x 4 pixels, whose diagonal is 5: up to 20, in any direction."""
    flow = torch.zeros(3, 4, 2)
    flow[0, 0], flow[0, 1] = torch.tensor([0.0, -19.99]), torch.tensor([20.01, 0.0])
    flow[1, 0], flow[1, 1] = torch.tensor([11.99, 15.99]), torch.tensor([-12.01, 16.01])
    assert maps.clean(flow).bad.nonzero().tolist() == [[0, 1], [1, 1]]


def test_the_jacobian_of_a_single_row_or_column_takes_the_missing_side_for_unscaled() -> None:
    """A column of pixels of which each lies (0.5, 2) from the one above: unscaled across, 2 down, whatever the slant."""
    column = torch.stack((0.5 * torch.arange(5.0), 2 * torch.arange(5.0)), -1)[:, None]
    assert maps.jacobian(column).reshape(-1).tolist() == [2.0] * 5
    row = torch.stack((3 * torch.arange(4.0), 0.25 * torch.arange(4.0)), -1)[None]
    assert maps.jacobian(row).reshape(-1).tolist() == [3.0] * 4
