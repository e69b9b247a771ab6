"""Pose sequences in files: our own JSON, OpenPose's JSON (BODY_25 or COCO-18) and COCO keypoints; `read_sequence` tells them.

Our own, version 1, is one object:
`{"format": "noisescope-pose", "version": 1, "name": "walk", "fps": 24, "loop": true, "length": 26, "travel": 0.84,
"joints": ["nose", "neck", …], "keyframes": [{"time": 0, "positions": [[x, y], null, …]}, …]}`.
Times and `length` are in frames, the first keyframe is at 0. Positions and `travel` are in body heights, x to the right and
y down from the middle of a standing figure, in the order of `joints`; null is a joint that was not seen. What `length`, `loop`
and `travel` mean is said at `gpu.worlds.figure.sequence.Sequence`.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from gpu.errors import PoseError
from gpu.files import check_regular, reason, replacing
from gpu.plain_json import parse, shown
from gpu.worlds.figure.sequence import F64, JOINT, JOINTS, Bools, Sequence, filled, normalised

FORMAT, VERSION = "noisescope-pose", 1
FARTHEST = 100.0  # body heights from the origin: what lies further off is a mistake
FARTHEST_SEEN = 1e4  # the same, of a person who may be small in a large picture
SURE = 0.05  # confidence above which a joint of OpenPose counts as seen
LARGEST = 16 * 2**20  # bytes of one file: COCO's keypoints of 5,000 photographs take 10 MB
LARGEST_NUMBER = 1e9  # of pixels, body heights or frames
MOST_FRAMES, MOST_PEOPLE = 20_000, 50_000  # of one sequence, and of all its frames together
SHORTEST = 1e-5  # frames between two keyframes, as far as they are written
LONGEST_NAME = 200

BODY_25 = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist", "",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye", "right ear",
    "left ear", "", "", "", "", "", "",
)  # fmt: skip
COCO_17 = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle",
    "right ankle",
)  # fmt: skip
KINDS = {25: BODY_25, 18: JOINTS, 17: COCO_17}

People = list[F64]
"""Of one frame: (18, 3) a person, x, y in pixels and how sure, 0 for joints not seen."""


def read_sequence(path: Path) -> Sequence:
    """The poses in a file, or in a folder of OpenPose's files; what is not our own is brought to body heights, its gaps filled.

    One frame of OpenPose (`…_000000000012_keypoints.json`) stands for all files that differ from it in the number alone.
    PoseError with a sentence for what cannot be read.
    """
    try:
        return _read(path)
    except OSError as error:  # a folder that may not be looked into
        raise PoseError(f"The file of poses {path} cannot be read: {reason(error)}.") from error


def _read(path: Path) -> Sequence:
    if path.is_dir():
        return _sequence(path.name, _frames(_numbered(sorted(path.glob("*.json")), path)))
    data = _load(path)
    if isinstance(data, dict) and data.get("format") == FORMAT:
        return _own(data, path)
    if isinstance(data, dict) and "people" in data:
        _people(data, path)  # before the files beside it are read
        return _sequence(path.stem, _frames(_siblings(path)))
    if isinstance(data, list) and data and isinstance(data[0], dict) and "people" in data[0]:
        _check_count(len(data), MOST_FRAMES, "frames", path)
        return _sequence(path.stem, [_people(frame, path) for frame in data])
    annotations = data.get("annotations") if isinstance(data, dict) else data
    if (
        isinstance(annotations, list)
        and annotations
        and all(isinstance(annotation, dict) for annotation in annotations)
    ):
        return _sequence(path.stem, _coco(annotations, data.get("images") if isinstance(data, dict) else None, path))
    raise PoseError(
        f"{path.name} holds no poses that are known: expected a file of Noisescope ({FORMAT!r}), frames of OpenPose "
        "(with 'people') or COCO keypoints (with 'annotations')."
    )


def write_sequence(sequence: Sequence, path: Path) -> None:
    """Write our own format. OutputError when the file cannot be written."""
    frames = [
        {
            "time": _short(time),
            "positions": [[_short(x), _short(y)] if sure else None for (x, y), sure in zip(at, marked)],
        }
        for time, at, marked in zip(sequence.times, sequence.joints, sequence.known)
    ]
    head = {
        "format": FORMAT, "version": VERSION, "name": sequence.name, "fps": _short(sequence.fps), "loop": sequence.loop,
        "length": _short(sequence.length), "travel": _short(sequence.travel), "joints": list(JOINTS),
    }  # fmt: skip
    lines = ",\n  ".join(json.dumps(frame) for frame in frames)
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + f',\n "keyframes": [\n  {lines}\n ]\n}}\n'
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def _short(value: float) -> float:
    return round(float(value), 5)


def _load(path: Path) -> Any:
    check_regular(path, "a file of poses", PoseError)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise PoseError(f"{path.name} is larger than {LARGEST // 2**20} MB; that is no file of poses.")
    except OSError as error:
        raise PoseError(f"The file of poses {path} cannot be read: {reason(error)}.") from error
    except ValueError as error:  # a name that no file can have
        raise PoseError(f"The file of poses {path} cannot be read: {error}.") from error
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PoseError(f"{path.name} is no text; expected a file of poses, as JSON in UTF-8.") from None
    except ValueError as error:
        raise PoseError(f"{path.name} is no file of poses: {error}.") from error


def _frames(files: list[Path]) -> list[People]:
    _check_count(len(files), MOST_FRAMES, "frames", files[0].parent)
    frames, count = [], 0
    for file in files:
        frames.append(_people(_load(file), file))
        count += len(frames[-1])
        _check_count(count, MOST_PEOPLE, "people", files[0].parent)
    return frames


def _check_count(count: int, most: int, what: str, path: Path) -> None:
    if count > most:
        raise PoseError(f"{path.name} has more than {most} {what}; that is no movement to be shown.")


def _number(value: Any, what: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST_NUMBER:
        raise PoseError(f"{what} in {path.name} is {shown(value)}; expected a number of at most {LARGEST_NUMBER:g}.")
    return float(value)


# -- our own


def _own(data: dict[str, Any], path: Path) -> Sequence:
    if data.get("version") != VERSION:
        raise PoseError(
            f"{path.name} is of version {shown(data.get('version'))}; this program reads version {VERSION}."
        )
    names, frames = data.get("joints"), data.get("keyframes")
    if (
        not isinstance(names, list)
        or len(set(map(str, names))) != len(names)
        or not set(map(str, names)) <= set(JOINTS)
    ):
        raise PoseError(f"'joints' in {path.name} must be a list of different names out of: {', '.join(JOINTS)}.")
    if not isinstance(frames, list) or not frames:
        raise PoseError(f"{path.name} has no keyframes; at least one is expected.")
    _check_count(len(frames), MOST_FRAMES, "keyframes", path)
    times, joints = np.empty(len(frames)), np.zeros((len(frames), len(JOINTS), 2))
    marked = np.zeros((len(frames), len(JOINTS)), np.bool_)
    columns = [JOINT[name] for name in names]
    for number, frame in enumerate(frames):
        if not isinstance(frame, dict) or not isinstance(frame.get("positions"), list):
            raise PoseError(f"Keyframe {number} in {path.name} has no list of 'positions'.")
        if len(frame["positions"]) != len(names):
            raise PoseError(
                f"Keyframe {number} in {path.name} has {len(frame['positions'])} positions for {len(names)} joints."
            )
        times[number] = _number(frame.get("time"), f"The time of keyframe {number}", path)
        for column, position in zip(columns, frame["positions"]):
            if position is None:
                continue
            if not isinstance(position, list) or len(position) != 2:
                raise PoseError(
                    f"A position of keyframe {number} in {path.name} is {shown(position)}; expected [x, y] or null."
                )
            what = f"A coordinate of {JOINTS[column]} in keyframe {number}"
            joints[number, column] = [_number(value, what, path) for value in position]
            marked[number, column] = True
    if times[0] != 0 or (np.diff(times) < SHORTEST / 2).any():
        raise PoseError(f"The times of the keyframes in {path.name} must ascend from 0, by {SHORTEST:f} at least.")
    if not marked.any() or np.abs(joints).max() > FARTHEST:
        raise PoseError(f"{path.name} must place joints within {FARTHEST:g} body heights of the origin.")
    loop = data.get("loop", False)
    if not isinstance(loop, bool):
        raise PoseError(f"'loop' in {path.name} is {shown(loop)}; expected true or false.")
    length = _number(data.get("length", times[-1] + 1), "'length'", path)
    fps = _number(data.get("fps", 24), "'fps'", path)
    if length < times[-1] or (loop and length == times[-1]) or length <= 0:
        raise PoseError(f"'length' in {path.name} is {length:g}, but the last keyframe is at {times[-1]:g}.")
    if not 1 <= fps <= 240:
        raise PoseError(f"'fps' in {path.name} is {fps:g}; expected 1 to 240.")
    travel = _number(data.get("travel", 0), "'travel'", path)
    name = data.get("name") or path.stem
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise PoseError(f"'name' in {path.name} is {shown(name)}; expected a text of at most {LONGEST_NAME} letters.")
    return filled(Sequence(name, times, joints, marked, length, loop, travel, fps))


# -- OpenPose


def _siblings(path: Path) -> list[Path]:
    numbered = re.fullmatch(r"(.*?)(\d+)(\D*)", path.name)
    if numbered is None:
        return [path]
    like = re.compile(re.escape(numbered[1]) + r"\d+" + re.escape(numbered[3]))
    return _numbered([file for file in path.parent.iterdir() if like.fullmatch(file.name)], path)


def _numbered(files: list[Path], asked: Path) -> list[Path]:
    """By the last number in their names."""
    if not files:
        raise PoseError(f"The folder {asked} holds no .json files; expected one of OpenPose for every frame.")

    def order(path: Path) -> tuple[int, str]:
        numbers = re.findall(r"\d+", path.name)
        return (int(numbers[-1]) if numbers else -1), path.name

    return sorted(files, key=order)


def _people(data: Any, path: Path) -> People:
    listed = data.get("people") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        raise PoseError(f"{path.name} is no frame of OpenPose: it has no list of 'people'.")
    _check_count(len(listed), MOST_PEOPLE, "people", path)
    people: People = []
    for person in listed:
        values = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
        if values is None:  # ControlNet's files have people of whom only a face or hands were found
            continue
        people.append(_person(values, path, (25, 18)))
    return people


def _person(values: Any, path: Path, counts: tuple[int, ...]) -> F64:
    """(18, 3) from a flat list of x, y, confidence."""
    if not isinstance(values, list) or len(values) not in [3 * count for count in counts]:
        size = len(values) if isinstance(values, list) else "no"
        expected = " or ".join(str(3 * count) for count in counts)
        raise PoseError(f"A person in {path.name} has {size} values; expected {expected}: x, y, confidence a joint.")
    numbers = [0.0 if value is None else _number(value, "A keypoint", path) for value in values]
    table, out = np.array(numbers).reshape(-1, 3), np.zeros((len(JOINTS), 3))
    for row, name in zip(table, KINDS[len(table)]):
        if name and row[2] > SURE:
            out[JOINT[name]] = row
    return out


# -- COCO


def _coco(annotations: list[dict[str, Any]], images: Any, path: Path) -> list[People]:
    """People by image, in the order of `images` (by id), or of the ids where there are no images."""
    by_image: dict[Any, People] = {}
    for image in images if isinstance(images, list) else []:
        if isinstance(image, dict) and isinstance(image.get("id"), (int, str)):
            by_image[image["id"]] = []
    _check_count(len(annotations), MOST_PEOPLE, "people", path)
    for annotation in annotations:
        values = annotation.get("keypoints")
        if values is None:
            continue
        if not isinstance(annotation.get("image_id"), (int, str)):
            raise PoseError(f"An annotation in {path.name} has no 'image_id'; expected COCO keypoints.")
        by_image.setdefault(annotation["image_id"], []).append(_person(values, path, (17,)))
    _check_count(len(by_image), MOST_FRAMES, "frames", path)
    ordered = sorted(by_image, key=lambda key: (isinstance(key, str), key))
    return [by_image[key] for key in ordered]


# -- one person out of many


def _sequence(name: str, frames: list[People]) -> Sequence:
    """The largest person of the first frame that has one, followed by nearness; frames without people make no keyframe."""
    times: list[float] = []
    chosen: list[F64] = []
    for time, people in enumerate(frames):
        seen = [person for person in people if (person[:, 2] > 0).sum() >= 3]
        if not seen:
            continue
        best = min(seen, key=lambda person: _distance(chosen[-1], person)) if chosen else max(seen, key=_extent)
        times.append(float(time))
        chosen.append(best)
    if not chosen:
        raise PoseError(f"No person with three joints or more is in any frame of {name}.")
    joints = np.stack(chosen)
    marked: Bools = joints[..., 2] > 0
    start = np.array(times) - times[0]
    sequence = Sequence(name, start, joints[..., :2], marked, float(start[-1] + 1), False)
    whole = filled(normalised(sequence))
    if not np.abs(whole.joints).max() <= FARTHEST_SEEN:
        raise PoseError(f"In {name} joints lie {FARTHEST_SEEN:g} body heights apart; expected the poses of a person.")
    return whole


def _extent(person: F64) -> float:
    there = person[person[:, 2] > 0, :2]
    return float(np.ptp(there, axis=0).max())


def _distance(last: F64, person: F64) -> float:
    both = (last[:, 2] > 0) & (person[:, 2] > 0)
    if not both.any():
        return math.inf
    return float(np.linalg.norm(last[both, :2] - person[both, :2], axis=1).mean())
