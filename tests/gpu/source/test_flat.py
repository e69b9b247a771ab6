"""The flat scene: its pictures against brute force, its motion against its pictures and against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu.errors import SessionError
from gpu.session import SourceSettings
from gpu.source.opening import open_source
from gpu.source.scenes import SCENES
from gpu.worlds.landscape import NAMES, SEASONS


def opened(size=(64, 80), frames=12, **parameters):
    return open_source(SourceSettings("scene", "", "flat", parameters, *size, 0, frames))


@pytest.fixture(scope="module")
def scene():
    return opened()


def sampled(frame: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear values of frame (H, W, 3) at positions."""
    height, width = frame.shape[:2]
    u, v = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    j, i = np.minimum(u.astype(int), width - 2), np.minimum(v.astype(int), height - 2)
    a, b, f = (u - j)[..., None], (v - i)[..., None], frame.astype(np.float64)
    upper = (1 - a) * f[i, j] + a * f[i, j + 1]
    return (1 - b) * upper + b * ((1 - a) * f[i + 1, j] + a * f[i + 1, j + 1])


def test_it_is_in_the_menu_with_a_task_of_its_own():
    scene = SCENES.get("flat")
    assert scene.task == "appearance-transfer"
    assert scene.about
    assert {info.name for info in scene.parameters} == {"pattern", "speed", "zoom", "season"}


@pytest.mark.slow
def test_frames_are_the_mean_of_many_samples(scene):
    """Against 8 × 8 samples in every pixel; 4 × 4 where an outline was noticed differ by few levels."""
    grid = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    y = (torch.arange(64, dtype=torch.float64)[:, None] + grid).reshape(-1)
    x = (torch.arange(80, dtype=torch.float64)[:, None] + grid).reshape(-1)
    palette = np.array([SEASONS["summer"][name] for name in NAMES], np.float64)
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    colours = palette[scene._colours(5, points).numpy()].reshape(64, 8, 80, 8, 3).mean(axis=(1, 3))
    error = np.abs(scene.frame(5) - colours)
    assert np.sqrt((error**2).mean()) < 2.5
    assert (error.max(axis=-1) > 30).mean() < 0.002


def test_random_access_and_flatness(scene):
    frame = scene.frame(7)
    scene.frame(2)
    assert np.array_equal(scene.frame(7), frame)
    spread = frame[1:, 1:].astype(int) - frame[:-1, :-1]
    assert (np.abs(spread).max(axis=-1) == 0).mean() > 0.6
    assert frame.shape == (64, 80, 3)
    assert frame.dtype == np.uint8


@pytest.mark.slow
@pytest.mark.parametrize("t", [0, 6])
def test_flow_leads_to_what_is_seen(scene, t):
    """Both flows, followed to the other frame, find the same colours wherever they are valid."""
    y, x = np.mgrid[0:64, 0:80] + 0.5
    for start, end, flow, valid in (
        (t + 1, t, scene.truth.backward(t), scene.truth.valid(t)),
        (t, t + 1, scene.truth.forward(t), scene.truth._step(t, t + 1).valid),
    ):
        difference = np.abs(sampled(scene.frame(end), x + flow[..., 0], y + flow[..., 1]) - scene.frame(start))
        difference = difference.max(axis=-1)
        assert np.median(difference[valid]) == 0
        assert (difference[valid] > 25).mean() < 0.12  # outlines, where the colours of two layers mix
        assert 0.9 < valid.mean() < 1
        assert difference[~valid].mean() > 2 * difference[valid].mean()


def test_flows_are_each_others_inverse(scene):
    """Where what is seen at p of frame 4 is seen in frame 3, forward(3) there leads back to p: all is on few layers."""
    backward, valid = scene.truth.backward(3), scene.truth.valid(3)
    depth = scene.depth(4)
    for far in np.unique(depth):
        mine = valid & (depth == far)
        forward = scene.truth.forward(3)[scene.depth(3) == far]
        if far == 5.0 and mine.any():  # the sky moves least
            assert np.abs(backward[mine]).max() < 1.0
        # The nearer of two pixels of a layer moves alike: means agree to a tenth of a pixel.
        np.testing.assert_allclose(backward[mine].mean(axis=0), -forward.mean(axis=0), atol=0.1)


def test_near_things_move_by_the_speed_asked_for():
    scene = opened(speed=2.5, zoom=0.0)
    near = scene.depth(4) == 1
    np.testing.assert_allclose(scene.truth.backward(3)[near], np.tile(np.float32([2.5, 0]), (near.sum(), 1)), atol=1e-5)
    np.testing.assert_allclose(scene.truth.backward(3)[scene.depth(4) == 5][:, 0], 0.5, atol=1e-5)
    np.testing.assert_allclose(scene.truth.jacobian(4), 1, atol=1e-6)


def test_by_default_near_layers_move_by_a_pixel_at_least_on_a_small_grid():
    scene = open_source(SourceSettings("scene", "", "flat", {}, 128, 128, 0, 3))
    speed = np.hypot(*np.moveaxis(scene.truth.backward(0), -1, 0))
    assert (speed > 1).mean() > 0.4


def test_reference_map_and_its_determinant(scene):
    """The determinant against finite differences of the map, inside one layer; frame 0 is its own reference."""
    y, x = np.mgrid[0:64, 0:80] + 0.5
    np.testing.assert_allclose(scene.truth.to_reference(0), np.stack([x, y], axis=-1), atol=1e-4)
    places, depth = scene.truth.to_reference(9).astype(np.float64), scene.depth(9)
    along_x, along_y = places[:-1, 1:] - places[:-1, :-1], places[1:, :-1] - places[:-1, :-1]
    determinant = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
    inside = (depth[:-1, :-1] == depth[:-1, 1:]) & (depth[:-1, :-1] == depth[1:, :-1])
    np.testing.assert_allclose(determinant[inside], scene.truth.jacobian(9)[:-1, :-1][inside], atol=1e-3)
    assert len(np.unique(scene.truth.jacobian(9).round(5))) >= 4  # the layers grow by different amounts


def test_occlusion_is_true():
    """Sideways only: what comes into sight beside a near thing was hidden by it, so it lies further away."""
    scene = opened(zoom=0.0, speed=4.0)
    backward, valid, depth = scene.truth.backward(5), scene.truth.valid(5), scene.depth(6)
    y, x = np.mgrid[0:64, 0:80] + 0.5
    at = x + backward[..., 0]
    hidden = ~valid & (at < 79)
    assert hidden.sum() > 20
    j, i = at[hidden].astype(int), y[hidden].astype(int)
    assert (scene.depth(5)[i, j] <= depth[hidden]).mean() > 0.95


def test_wrong_parameters_are_named():
    with pytest.raises(SessionError, match="season"):
        opened(season="monsoon")
    with pytest.raises(SessionError, match="speed"):
        opened(speed=99.0)
    with pytest.raises(IndexError):
        opened().frame(12)
