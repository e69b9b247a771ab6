"""The scene of the paper doll: its flow against its pictures and its parts, random access, files of poses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu.assets import asset
from gpu.errors import PoseError, SessionError
from gpu.session import SourceSettings
from gpu.source.opening import open_source
from gpu.worlds.figure.body_parts import GROUND, PART


def opened(size=(96, 88), frames=12, path="", **parameters):
    return open_source(SourceSettings("scene", path, "pose", parameters, *size, 0, frames))


@pytest.fixture(scope="module")
def scene():
    return opened(cycle="run")


def centres(scene):
    y, x = np.mgrid[0 : scene.height, 0 : scene.width] + 0.5
    return np.stack([x, y], axis=-1)


def parts(scene, t, points):
    return scene.truth.warp.surface(t, torch.from_numpy(np.ascontiguousarray(points))).numpy()


def sampled(frame, at):
    """Nearest values of frame (H, W, 3) at positions."""
    j = np.clip(np.floor(at[..., 0]).astype(int), 0, frame.shape[1] - 1)
    i = np.clip(np.floor(at[..., 1]).astype(int), 0, frame.shape[0] - 1)
    return frame[i, j].astype(int)


@pytest.mark.parametrize("t", [1, 7])
def test_both_flows_lead_to_the_same_part_and_colour(scene, t):
    here = centres(scene)
    for start, end, flow, valid in (
        (t + 1, t, scene.truth.backward(t), scene.truth.valid(t)),
        (t, t + 1, scene.truth.forward(t), scene.truth._step(t, t + 1).valid),
    ):
        there = here + flow
        label = parts(scene, start, here)
        assert (parts(scene, end, there)[valid] == label[valid]).all()
        difference = np.abs(sampled(scene.frame(end), there) - scene.frame(start)).max(axis=-1)
        figure = valid & (label != GROUND)
        assert figure.sum() > 600
        assert np.median(difference[figure]) <= 1
        assert (difference[valid] > 20).mean() < 0.1  # outlines, where colours mix
        unmoved = np.abs(scene.frame(end).astype(int) - scene.frame(start)).max(axis=-1)
        reversed_ = np.abs(sampled(scene.frame(end), here - flow) - scene.frame(start)).max(axis=-1)
        assert (difference[figure] > 20).mean() < 0.7 * (unmoved[figure] > 20).mean()
        assert (difference[figure] > 20).mean() < 0.5 * (reversed_[figure] > 20).mean()


def test_a_part_moves_as_its_joints_do(scene):
    """The middle of a shin is half way between knee and ankle, in every frame."""
    for side, t in (("right", 0), ("left", 4)):
        ends = [scene._doll._joints(time) * 0.8 * 96 + (44, 48) for time in (t, t + 1)]
        index = {"right": (9, 10), "left": (12, 13)}[side]
        middles = [joints[list(index)].mean(axis=0) for joints in ends]
        surface = torch.tensor([PART[f"{side} shin"]])
        reference = scene.truth.warp.to_reference(t, torch.from_numpy(middles[0][None]), surface)
        carried = scene.truth.warp.from_reference(t + 1, reference, surface, reference)
        np.testing.assert_allclose(carried[0].numpy(), middles[1], atol=1e-6)


def test_the_ground_goes_by_as_fast_as_the_figure_walks():
    still = opened(cycle="wave")
    assert np.abs(still.truth.backward(3)[:, :8]).max() < 1e-6
    for speed, looks, sign in ((1.0, "right", 1), (0.5, "left", -1)):
        scene = opened(cycle="walk", speed=speed, looks=looks)
        expected = sign * speed * 0.84 / 26 * 0.8 * 96  # body heights a frame, in pixels
        ground = parts(scene, 4, centres(scene)) == GROUND
        np.testing.assert_allclose(scene.truth.backward(3)[ground & scene.truth.valid(3), 0], expected, atol=1e-4)


def test_to_the_left_is_the_mirror_image():
    """Of the flow and of which side hides which; colours stay with the figure's own left and right."""
    right, other = opened(cycle="run", frames=3), opened(cycle="run", frames=3, looks="left")
    mirrored = other.truth.backward(1)[:, ::-1] * [-1, 1]
    agree = np.abs(right.truth.backward(1) - mirrored).max(axis=-1) < 1e-3
    assert agree.mean() > 0.99
    assert np.abs(right.truth.backward(1) - other.truth.backward(1)).max() > 1


def test_reference_map_and_its_determinant():
    scene = opened(cycle="turn", frames=20)  # parts are squeezed as the figure turns
    here = centres(scene)
    np.testing.assert_allclose(scene.truth.to_reference(0), here, atol=1e-4)
    places, label = scene.truth.to_reference(9).astype(np.float64), parts(scene, 9, here)
    along_x, along_y = places[:-1, 1:] - places[:-1, :-1], places[1:, :-1] - places[:-1, :-1]
    determinant = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
    inside = (label[:-1, :-1] == label[:-1, 1:]) & (label[:-1, :-1] == label[1:, :-1])
    jacobian = scene.truth.jacobian(9)[:-1, :-1]
    np.testing.assert_allclose(determinant[inside], jacobian[inside], atol=2e-3)
    assert (np.abs(jacobian[inside & (label[:-1, :-1] == PART["torso"])] - 1) > 0.02).all()


def test_random_access_and_length(scene):
    frame = scene.frame(7)
    for t in range(12):
        scene.frame(t)
    assert np.array_equal(scene.frame(7), frame)
    assert np.array_equal(opened(cycle="run").frame(7), frame)
    assert (frame.shape, frame.dtype) == ((96, 88, 3), np.uint8)
    natural = open_source(SourceSettings("scene", "", "pose", {"cycle": "turn", "speed": 0.5}, 48, 40))
    assert natural.frames == 96
    with pytest.raises(IndexError):
        scene.frame(12)


def test_poses_from_a_file_take_the_place_of_the_cycle(tmp_path):
    file = str(asset("poses/dance.json"))
    assert np.array_equal(opened(path=file, cycle="walk").frame(5), opened(cycle="dance").frame(5))
    with pytest.raises(PoseError, match=r"none\.json"):
        opened(path=str(tmp_path / "none.json"))
    with pytest.raises(SessionError, match="cycle"):
        opened(cycle="moonwalk")


def test_joints_never_seen_leave_their_parts_out(tmp_path):
    text = asset("poses/wave.json").read_text()
    (tmp_path / "part.json").write_text(text.replace('"right wrist",', '"right wrist ",'))
    with pytest.raises(PoseError, match="different names"):
        opened(path=str(tmp_path / "part.json"))
    import json

    data = json.loads(text)
    for frame in data["keyframes"]:
        frame["positions"][4] = None
    (tmp_path / "part.json").write_text(json.dumps(data))
    scene = opened(path=str(tmp_path / "part.json"))
    labels = set(np.unique(parts(scene, 3, centres(scene))).tolist())
    assert PART["right forearm"] not in labels
    assert {PART["left forearm"], PART["right upper arm"], PART["face"]} <= labels
