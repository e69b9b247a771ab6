"""Pose files: our own is read back, OpenPose and COCO are put in their right joints, bad ones are named with a sentence."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from gpu.assets import asset
from gpu.errors import OutputError, PoseError
from gpu.worlds.figure.cycles import CYCLES, cycle
from gpu.worlds.figure.pose_files import BODY_25, COCO_17, read_sequence, write_sequence
from gpu.worlds.figure.sequence import JOINT, JOINTS, MIRRORED

PIXELS, MIDDLE = 200.0, np.array([320.0, 240.0])


def as_pixels(time: float) -> np.ndarray:
    return cycle("dance").at(time) * PIXELS + MIDDLE


def person(names, joints, hidden=()):
    """Flat x, y, confidence of `names`, zeros for joints that there are not."""
    rows = [[*joints[JOINT[name]], 0.9] if name and name not in hidden else [0.0, 0.0, 0.0] for name in names]
    return np.array(rows).reshape(-1).tolist()


@pytest.mark.parametrize("name", CYCLES)
def test_bundled_poses_are_the_cycles(name):
    sequence, made = read_sequence(asset(f"poses/{name}.json")), cycle(name)
    np.testing.assert_allclose(sequence.joints, made.joints, atol=1e-5)
    np.testing.assert_allclose(sequence.times, made.times, atol=1e-5)
    assert (sequence.name, sequence.length, sequence.loop) == (name, made.length, True)
    assert sequence.travel == made.travel


def test_our_own_is_read_back_with_its_gaps(tmp_path):
    marked = np.ones((16, 18), np.bool_)
    marked[3, 7] = False
    marked[:, 16:] = False
    sequence = replace(cycle("run"), known=marked, loop=False, fps=30.0)
    write_sequence(sequence, tmp_path / "a.json")
    read = read_sequence(tmp_path / "a.json")
    assert np.array_equal(read.seen(), [True] * 16 + [False] * 2)
    assert (read.fps, read.loop) == (30.0, False)
    between = (sequence.joints[2, 7] + sequence.joints[4, 7]) / 2  # what was not seen moves straight
    np.testing.assert_allclose(read.joints[3, 7], between, atol=1e-5)
    with pytest.raises(OutputError, match="cannot be written"):
        write_sequence(sequence, tmp_path / "nowhere" / "a.json")


def test_keyframes_are_passed_and_a_loop_closes():
    sequence = cycle("walk")
    for time, joints in zip(sequence.times, sequence.joints):
        np.testing.assert_allclose(sequence.at(float(time)), joints, atol=1e-12)
        np.testing.assert_allclose(sequence.at(float(time) - sequence.length), joints, atol=1e-9)
    step = 1e-4  # smooth over the seam
    left, right = (sequence.at(0) - sequence.at(-step)) / step, (sequence.at(step) - sequence.at(0)) / step
    np.testing.assert_allclose(left, right, atol=1e-3)


def test_openpose_frames_come_in_order_and_in_the_right_joints(tmp_path):
    """Ten frames of BODY_25; numbers that sort wrongly as text; a small second person; one frame without anybody."""
    times = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    for number, time in enumerate(times):
        other = person(BODY_25, as_pixels(time) * 0.2)
        people = [{"pose_keypoints_2d": other}, {"pose_keypoints_2d": person(BODY_25, as_pixels(time))}]
        data = {"version": 1.3, "people": people if number != 5 else []}
        (tmp_path / f"clip_{95 + number}_keypoints.json").write_text(json.dumps(data))
    for path in (tmp_path, tmp_path / "clip_97_keypoints.json"):
        sequence = read_sequence(path)
        assert sequence.times.tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9]
        assert not sequence.loop
        shape = sequence.joints - sequence.joints[:, :1]
        seen = np.stack([as_pixels(time) for number, time in enumerate(times) if number != 5])
        true = (seen - seen[:, :1]) / PIXELS
        factor = np.linalg.norm(shape) / np.linalg.norm(true)  # the body's height is an estimate
        assert 0.85 < factor < 1.2
        np.testing.assert_allclose(shape, factor * true, atol=1e-6)


def test_coco_18_in_one_list_and_coco_keypoints(tmp_path):
    """The same poses in both formats differ only in the neck, which COCO lacks: the middle of the shoulders stands for it."""
    frames = [as_pixels(time) for time in (0.0, 5.0, 11.0)]
    (tmp_path / "list.json").write_text(
        json.dumps(
            [{"people": [{"pose_keypoints_2d": person(JOINTS, joints)}], "canvas_width": 640} for joints in frames]
        )
    )
    annotations = [
        {"image_id": 30 - 10 * number, "category_id": 1, "keypoints": person(COCO_17, joints, hidden=("left ear",))}
        for number, joints in enumerate(frames)
    ]
    for value in annotations:
        value["keypoints"][2::3] = [2 if visible else 0 for visible in value["keypoints"][2::3]]
    images = [{"id": 10}, {"id": 20}, {"id": 30}]
    (tmp_path / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    openpose, coco = read_sequence(tmp_path / "list.json"), read_sequence(tmp_path / "coco.json")
    assert coco.seen().tolist() == [name != "left ear" for name in JOINTS]
    same = [index for index, name in enumerate(JOINTS) if name not in ("neck", "left ear")]
    ratio = np.ptp(coco.joints[:, same, 1]) / np.ptp(openpose.joints[:, same, 1])
    moved = coco.joints[::-1][:, same] - ratio * openpose.joints[:, same]  # by one constant
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0, 0], moved.shape), atol=1e-6)
    shoulders = coco.joints[:, [JOINT["left shoulder"], JOINT["right shoulder"]]].mean(axis=1)
    np.testing.assert_allclose(coco.joints[:, JOINT["neck"]], shoulders, atol=1e-9)
    assert MIRRORED[JOINT["left ear"]] == JOINT["right ear"]


GOOD = {
    "format": "noisescope-pose",
    "version": 1,
    "joints": ["nose"],
    "keyframes": [{"time": 0, "positions": [[0, 0]]}],
}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no file of poses: it is not valid JSON"),
        ("[" * 90_000, "no file of poses: it is nested"),
        ("9" * 5000, "a number of thousands of digits"),
        ("[]", "no poses that are known"),
        ('{"people": 3}', "no list of 'people'"),
        ('{"people": []}', "No person"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "3 values; expected 75 or 54"),
        (json.dumps({"annotations": [{"image_id": 1, "keypoints": [1, 2]}]}), "2 values; expected 51"),
        (json.dumps({"annotations": [{"keypoints": [0] * 51}]}), "no 'image_id'"),
        (json.dumps(GOOD | {"version": 9}), "version 9"),
        (json.dumps(GOOD | {"joints": ["tail"]}), "different names out of"),
        (json.dumps(GOOD | {"keyframes": []}), "no keyframes"),
        (json.dumps(GOOD | {"keyframes": [{"time": 0, "positions": [[0, 0], [1, 1]]}]}), "2 positions for 1 joints"),
        (json.dumps(GOOD | {"keyframes": [{"time": 0, "positions": [["a", 0]]}]}), "expected a number"),
        (json.dumps(GOOD | {"keyframes": [{"time": 0, "positions": [[float("nan"), 0]]}]}), "it holds NaN, which is no number"),
        (json.dumps(GOOD | {"keyframes": [{"time": 3, "positions": [[0, 0]]}]}), "ascend from 0"),
        (json.dumps(GOOD | {"keyframes": [{"time": 0, "positions": [[1e9, 0]]}]}), "within 100 body heights"),
        (json.dumps(GOOD | {"length": 0}), "'length'"),
        (json.dumps(GOOD | {"fps": 0}), "'fps'"),
        (json.dumps(GOOD | {"loop": "false"}), "'loop'"),
        (json.dumps(GOOD | {"keyframes": [{"time": 0, "positions": [[10**400, 0]]}]}), "it holds the number 1000.* too large"),
        (json.dumps({"people": [{"pose_keypoints_2d": [1e300, 1e300, 1] * 25}]}), "expected a number"),
        (json.dumps(GOOD | {"version": ["x" * 100] * 99}), "is of version .*…"),
        (json.dumps(GOOD | {"name": "\ud800"}), "half a letter"),
        (json.dumps(GOOD | {"name": ["a"]}), "'name' .*expected a text"),
    ],
)  # fmt: skip
def test_bad_files_are_named(tmp_path, content, says):
    path = tmp_path / "poses.json"
    path.write_text(content)
    with pytest.raises(PoseError, match=says) as raised:
        read_sequence(path)
    assert "poses" in str(raised.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becomes another user, as only root can")
def test_folders_that_nobody_may_look_into(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "poses.json").write_text(json.dumps(GOOD))
    (tmp_path / "closed").chmod(0)
    os.seteuid(65534)
    try:
        for path in (tmp_path / "closed", tmp_path / "closed" / "poses.json"):
            with pytest.raises(PoseError, match="cannot be read: permission denied"):
                read_sequence(path)
    finally:
        os.seteuid(0)


def test_missing_files_and_empty_folders_are_named(tmp_path):
    with pytest.raises(PoseError, match="no .json files"):
        read_sequence(tmp_path)
    with pytest.raises(PoseError, match=r"gone\.json cannot be read"):
        read_sequence(tmp_path / "gone.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(PoseError, match="no text"):
        read_sequence(tmp_path / "binary.json")


def test_a_movement_is_bounded(tmp_path):
    """Each took the program for minutes, or made numbers of no value out of one."""
    own = json.loads(asset("poses/walk.json").read_text())
    frame = own["keyframes"][0]
    apart = as_pixels(0)
    apart[JOINT["nose"]] = [1e8, 0]
    wrong = {
        "more than 20000 keyframes": {**own, "keyframes": [{**frame, "time": t} for t in range(20_001)]},
        "more than 20000 frames": [{"people": []}] * 20_001,
        "more than 50000 people": {"annotations": [{}] * 50_001},
        "must ascend from 0, by 0.000010": {**own, "keyframes": [frame, {**frame, "time": 1e-9}]},
        "of at most 200 letters": {**own, "name": "x" * 201},
        "body heights apart": [{"people": [{"pose_keypoints_2d": person(BODY_25, apart)}]}],
    }
    for says, data in wrong.items():
        (tmp_path / "a.json").write_text(json.dumps(data))
        with pytest.raises(PoseError, match=says):
            read_sequence(tmp_path / "a.json")
