"""Layers against a painter who draws every object on its own: what is seen, what is hidden, and where it went."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu.flow import maps
from gpu.source.deformations import Grid, Warp
from gpu.source.deformations.layers import Layer, layered, scene
from gpu.source.synthetic.picture import SUB
from gpu.source.synthetic.source import SyntheticSource
from gpu.source.synthetic.truth import DeformationTruth

GRID = Grid(48, 64, 16)


def crossing() -> list[Layer]:
    """Two discs that meet in the middle, and one that leaves the frame, over a background that drifts."""
    return [
        Layer((32, 24), (0.5, 0.25), 0),
        Layer((16, 24), (2, 0), 3, (9, 9), "ellipse", (40, 10), 90),
        Layer((48, 26), (-2, 0), -2, (7, 10), "card", (10, 30), 180),
        Layer((60, 8), (2.5, -0.5), 0, (6, 6), "ellipse", (20, 20), 45),
    ]


def painter(layers: list[Layer], t: int, x: float, y: float) -> tuple[int, float, float]:
    """The index of the nearest object at a point of frame t, and the place on it: one point at a time, by rotation."""
    for index in range(len(layers) - 1, -1, -1):
        layer = layers[index]
        angle = np.radians(layer.degrees * t)
        offset = np.array([x - layer.start[0] - t * layer.speed[0], y - layer.start[1] - t * layer.speed[1]])
        turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ offset
        power = 2 if layer.outline == "ellipse" else 4
        if layer.size is None or (np.abs(turned / np.array(layer.size)) ** power).sum() <= 1:
            return index, turned[0], turned[1]
    raise AssertionError("the background covers everything")


@pytest.mark.slow
@pytest.mark.parametrize("t", [0, 5, 9, 14])
def test_visibility_and_flow_are_the_painters(t: int) -> None:
    layers = crossing()
    truth = DeformationTruth(layered(layers), GRID)
    backward, valid = truth.backward(t), truth.valid(t)
    places, labels = truth.places(t + 1)
    tried = 0
    for i in range(0, 48):
        for j in range(i % 3, 64, 3):
            x, y = j + 0.5, i + 0.5
            index, a, b = painter(layers, t + 1, x, y)
            assert int(labels[i, j]) == index
            layer = layers[index]
            assert np.allclose(places[i, j].numpy(), [layer.start[0] + a, layer.start[1] + b], atol=1e-9)
            angle = np.radians(layer.degrees * t)
            was = np.array([layer.start[0] + t * layer.speed[0], layer.start[1] + t * layer.speed[1]])
            was = was + np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [a, b]
            assert np.allclose(backward[i, j], was - [x, y], atol=1e-4)
            seen = painter(layers, t, *was)[0] == index and 0 <= was[0] <= 64 and 0 <= was[1] <= 48
            # A point within rounding of an outline may fall on either side.
            near = {painter(layers, t, was[0] + d, was[1] + e)[0] for d in (-1e-6, 1e-6) for e in (-1e-6, 1e-6)}
            if len(near) == 1:
                assert bool(valid[i, j]) == seen
                tried += 1
    assert tried > 950


def test_what_an_object_uncovers_is_new() -> None:
    layers = [Layer((32, 24), (0, 0), 0), Layer((20, 24), (3, 0), 0, (8, 8))]
    truth = DeformationTruth(layered(layers), GRID)
    before, after = (truth.places(t)[1].numpy() for t in (4, 5))
    uncovered, covered = (before == 1) & (after == 0), (before == 0) & (after == 1)
    assert uncovered.sum() > 10
    assert not truth.valid(4)[uncovered].any()
    assert truth.valid(4)[~uncovered].all()
    assert not truth._step(4, 5).valid[covered].any()
    assert np.array_equal(truth.backward(4)[after == 1], np.tile(np.float32([-3, 0]), ((after == 1).sum(), 1)))
    assert np.array_equal(truth.backward(4)[after == 0], np.zeros(((after == 0).sum(), 2), np.float32))


def test_an_object_that_left_the_frame_is_gone() -> None:
    truth = DeformationTruth(layered(crossing()), GRID)
    assert (truth.places(0)[1] == 3).any()
    assert not (truth.places(15)[1] == 3).any()


def test_the_reference_follows_each_surface() -> None:
    layers = crossing()
    truth = DeformationTruth(layered(layers), GRID)
    label = truth.places(6)[1].numpy()
    moved = maps.pixel_centres(48, 64, dtype=torch.float64).numpy() - truth.to_reference(6)
    assert np.allclose(moved[label == 0], [3, 1.5], atol=1e-5)
    assert np.allclose(moved[label == 3], [15, -3], atol=1e-5)
    assert np.array_equal(truth.jacobian(6), np.ones((48, 64), np.float32))


def test_an_object_carries_its_own_part_of_the_picture() -> None:
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[:, 64:] = 255
    plain = Layer((32, 24), (0, 0), 0)
    half = Layer((16, 24), (1, 0), 0, (6, 6), "ellipse", (48, 24), 0)  # cut from the bright half, lying on the dark one
    source = SyntheticSource("", picture, layered([plain, half]), GRID)
    for t in (0, 7):
        frame = source.frame(t)
        label = source.truth.places(t)[1].numpy()
        inner = inner_part(label == 1)
        assert (frame[inner] > 250).all()
        assert (frame[:, :30][inner_part(label[:, :30] == 0)] < 5).all()


def test_outlines_are_drawn_from_every_sample() -> None:
    """The same picture as by asking for the place of every sample of every pixel."""
    picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    warp = layered(crossing())
    source = SyntheticSource("", picture, warp, GRID)
    points = (maps.pixel_centres(SUB * 48, SUB * 64, dtype=torch.float64)) / SUB
    for t in (0, 6, 9):
        labels = warp.surface(t, points)
        places = warp.picture(warp.to_reference(t, points, labels), labels).to(torch.float32).numpy()
        whole = source._canvas.draw_samples(places, 1 / SUB)
        assert np.abs(source.frame(t).astype(int) - whole).max() <= 4  # OpenCV's positions have 5 binary digits


def inner_part(mask: np.ndarray) -> np.ndarray:
    """`mask` without its outermost pixels, which are mixtures."""
    out = mask.copy()
    out[1:] &= mask[:-1]
    out[:-1] &= mask[1:]
    out[:, 1:] &= mask[:, :-1]
    out[:, :-1] &= mask[:, 1:]
    return out


@pytest.mark.parametrize("pattern", range(1, 5))
def test_objects_of_a_scene_cross_and_leave(pattern: int) -> None:
    """Over 48 frames at the default speed some object hides another, and some visible part of one leaves the frame."""
    grid = Grid(144, 192, 48)
    layers = scene(grid, 4, 3.0, 0.4, 1.0, 0.7, pattern)
    assert len(layers) == 5
    points = maps.pixel_centres(grid.height, grid.width, dtype=torch.float64)[::4, ::4]
    hidden, areas = 0, []
    for t in range(0, 48, 4):
        each = torch.stack([layer.covers(t, points) for layer in layers[1:]])
        hidden += int((each.sum(0) > 1).sum())
        areas.append(each.flatten(1).sum(1))
    assert hidden > 0
    shares = torch.stack(areas).double()
    assert bool((shares[-1] < 0.5 * shares.amax(0)).any())


def test_many_surfaces_are_never_confused() -> None:
    """A warp's inverse returns to each point's own surface, whatever lies in front."""
    warp: Warp = layered(scene(GRID, 6, 2, 0.5, 2, 1, 3))
    points = maps.pixel_centres(48, 64, dtype=torch.float64)
    labels = warp.surface(9, points)
    back = warp.from_reference(9, warp.to_reference(9, points, labels), labels, points)
    assert torch.allclose(back, points, atol=1e-9)
    assert len(labels.unique()) > 3
