"""The landscape: endless, a pure function of the seed and the point, seen by a camera that can be undone."""

from __future__ import annotations

import pytest
import torch

from gpu.worlds.landscape import HORIZON, INDEX, NAMES, NOTHING, SEASONS, Camera, Landscape, Ridge, dice, layers

STILL = Camera(0.0, 0.0)


def frame(size: int = 48) -> torch.Tensor:
    """(size, size, 2) points of a frame."""
    at = (torch.arange(size, dtype=torch.float64) + 0.5) / size - 0.5
    return torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1)


def test_every_season_colours_everything():
    for colours in SEASONS.values():
        assert set(colours) == set(NAMES)
        assert all(0 <= value <= 255 for colour in colours.values() for value in colour)


def test_dice_are_even_and_do_not_depend_on_their_neighbours():
    """20,000 values of a hash: the mean of uniform ones is within 0.0087 of 1/2 but once in 50,000 (4.25 sigma)."""
    cells = torch.arange(-10_000, 10_000)
    values = dice(3, 5, cells)
    assert abs(float(values.mean()) - 0.5) < 0.0087
    assert abs(float(((values[1:] - 0.5) * (values[:-1] - 0.5)).mean())) < 0.0025  # 1/12/sqrt(n) is 0.0006
    assert torch.equal(dice(3, 5, cells[7:9]), values[7:9])
    assert not torch.equal(dice(4, 5, cells), values)
    assert not torch.equal(dice(3, 6, cells), values)


@pytest.mark.parametrize("sharp", [False, True])
def test_a_ridge_stays_within_its_height(sharp):
    y = Ridge(1, 2, 0.25, 0.1, 0.5, sharp)(torch.linspace(-50, 50, 20_001, dtype=torch.float64))
    assert float(y.min()) >= 0.15 - 1e-9
    assert float(y.max()) <= 0.35 + 1e-9
    assert float(y.max() - y.min()) > 0.1


def test_colours_do_not_depend_on_the_other_points_asked_for():
    points = frame()
    label, colour = Landscape(3, STILL).look(0, points)
    some = points[7:40:3, 5:45:4]
    label_some, colour_some = Landscape(3, STILL).look(0, some)
    assert torch.equal(label_some, label[7:40:3, 5:45:4])
    assert torch.equal(colour_some, colour[7:40:3, 5:45:4])


@pytest.mark.parametrize("seed", [1, 3, 17])
def test_things_are_where_they_belong(seed):
    label, colour = Landscape(seed, STILL).look(0, frame(96))
    assert int(label.max()) == len(layers(seed)) - 1
    assert (label[0] == 0).all()  # sky at the top
    assert (label[-1] == label.max()).all()  # the nearest ground at the bottom
    assert (label[colour == INDEX["sun"]] == 0).all()
    assert len(colour.unique()) >= 9
    assert int(colour.min()) != NOTHING


def test_far_away_it_goes_on():
    """1,000 frame heights to the side there is another part of the same landscape."""
    for layer in layers(3):
        here, there = (
            layer.paint(frame().reshape(-1, 2)),
            layer.paint(frame().reshape(-1, 2) + torch.tensor([1000.0, 0])),
        )
        assert not torch.equal(here, there)
        assert set(here.unique().tolist()) & set(there.unique().tolist())


@pytest.mark.parametrize("t", [0, 1, 40, 500])
@pytest.mark.parametrize("zoom", [-0.02, 0.0, 0.01])
def test_the_camera_can_be_undone(t, zoom):
    camera, points = Camera(0.02, zoom), frame(8)
    for depth in (1.0, 2.2, 5.0):
        back = camera.from_layer(depth, t, camera.to_layer(depth, t, points))
        torch.testing.assert_close(back, points, atol=1e-7, rtol=0)
    torch.testing.assert_close(camera.to_layer(1.0, 0, points), points)


def test_near_layers_move_and_grow_as_they_are_said_to():
    camera = Camera(0.02, 0.01)
    near, next_ = camera.placement(1.0, 6), camera.placement(1.0, 7)
    assert next_[0] / near[0] == pytest.approx(1.01)
    assert next_[1] - near[1] == pytest.approx(0.02)
    assert camera.placement(5.0, 7)[0] < next_[0]
    assert camera.placement(5.0, 7)[1] == pytest.approx(next_[1] / 5)
    vanishing = torch.tensor([0.0, HORIZON], dtype=torch.float64)
    torch.testing.assert_close(Camera(0, 0.01).to_layer(1.0, 9, vanishing), vanishing)
