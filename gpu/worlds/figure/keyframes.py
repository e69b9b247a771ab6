"""Edits of a pose sequence, each a new sequence: joints that are dragged, keyframes that are added, copied, moved, deleted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gpu.worlds.figure.sequence import F64, JOINT, JOINTS, MIRRORED, Sequence

PARENT = {
    "nose": "neck", "right eye": "nose", "left eye": "nose", "right ear": "right eye", "left ear": "left eye",
    "right shoulder": "neck", "right elbow": "right shoulder", "right wrist": "right elbow",
    "left shoulder": "neck", "left elbow": "left shoulder", "left wrist": "left elbow",
    "right hip": "neck", "right knee": "right hip", "right ankle": "right knee",
    "left hip": "neck", "left knee": "left hip", "left ankle": "left knee",
}  # fmt: skip
"""The joint that each hangs on; the neck hangs on nothing."""

GAP = 0.5  # frames that two keyframes lie apart at least
FARTHEST = 3.0  # body heights from the origin that a joint may be dragged to
SHORTEST_LENGTH, LONGEST_LENGTH = 1.0, 2000.0


def carried(joint: int) -> list[int]:
    """The joints that hang on `joint`, itself first."""
    below = [joint]
    for index in below:
        below += [JOINT[child] for child, parent in PARENT.items() if JOINT[parent] == index]
    return below


def dragged(joints: F64, joint: int, to: F64, keep: bool) -> F64:
    """(18, 2): `joints` with one of them dragged towards `to` (2,).

    With `keep` every length stays: the joint turns about the one it hangs on, and takes along what hangs on itself; the neck
    moves the whole figure. Without it the joint alone moves.
    """
    out = joints.copy()
    to = np.clip(to, -FARTHEST, FARTHEST)
    if not keep:
        out[joint] = to
        return out
    name = JOINTS[joint]
    mine = carried(joint)
    if name not in PARENT:
        out[mine] += to - joints[joint]
        return out
    centre = joints[JOINT[PARENT[name]]]
    before, after = joints[joint] - centre, to - centre
    if min(float(np.hypot(*before)), float(np.hypot(*after))) < 1e-6:
        return out
    angle = math.atan2(after[1], after[0]) - math.atan2(before[1], before[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    out[mine] = centre + (joints[mine] - centre) @ np.array([[cosine, sine], [-sine, cosine]])
    return out


def with_joints(sequence: Sequence, key: int, joints: F64) -> Sequence:
    """Keyframe `key` with other `joints` (18, 2)."""
    changed = sequence.joints.copy()
    changed[key] = joints
    return replace(sequence, joints=changed)


def nearest_key(sequence: Sequence, time: float, within: float = 0.25) -> int | None:
    """The keyframe at `time`, or None where there is none within so many frames."""
    key = int(np.abs(sequence.times - time).argmin())
    return key if abs(float(sequence.times[key]) - time) <= within else None


def room(sequence: Sequence, time: float) -> bool:
    """Whether a keyframe fits at `time`."""
    last = sequence.length - GAP if sequence.loop else LONGEST_LENGTH
    return 0 <= time <= last and float(np.abs(sequence.times - time).min()) >= GAP


def added(sequence: Sequence, time: float, joints: F64 | None = None) -> tuple[Sequence, int]:
    """A keyframe more at `time`, of `joints` or of what is seen there already; and its number. ValueError without `room`."""
    if not room(sequence, time):
        raise ValueError(f"there is no room for a keyframe at {time:g}")
    key = int(np.searchsorted(sequence.times, time))
    joints = sequence.at(time) if joints is None else joints
    before = max(key - 1, 0)
    out = replace(
        sequence,
        times=np.insert(sequence.times, key, time),
        joints=np.insert(sequence.joints, key, joints, axis=0),
        known=np.insert(sequence.known, key, sequence.known[before], axis=0),
    )
    return replace(out, length=max(out.length, float(out.times[-1]))), key


def place_after(sequence: Sequence, key: int) -> float:
    """Where a copy of keyframe `key` goes: half way to the next one; after the last one where a sequence does not loop.
    A loop whose last keyframes are close together gets longer for it."""
    time = float(sequence.times[key])
    if key + 1 < len(sequence.times):
        return (time + float(sequence.times[key + 1])) / 2
    return (time + sequence.length) / 2 if sequence.loop else time + 4


def deleted(sequence: Sequence, key: int) -> Sequence:
    """Without keyframe `key`; the first one that is left moves to time 0. ValueError for the only one."""
    if len(sequence.times) == 1:
        raise ValueError("the only keyframe cannot be deleted")
    times = np.delete(sequence.times, key)
    start = float(times[0])
    return replace(
        sequence,
        times=times - start,
        joints=np.delete(sequence.joints, key, axis=0),
        known=np.delete(sequence.known, key, axis=0),
        length=max(sequence.length - (0 if sequence.loop else start), float(times[-1]) - start, SHORTEST_LENGTH),
    )


def retimed(sequence: Sequence, key: int, time: float) -> Sequence:
    """Keyframe `key` at `time`, as near to it as its neighbours let it; the first one stays at 0."""
    if key == 0:
        return sequence
    times = sequence.times.copy()
    low = float(times[key - 1]) + GAP
    if key + 1 < len(times):
        high = float(times[key + 1]) - GAP
    else:
        high = sequence.length - GAP if sequence.loop else LONGEST_LENGTH
    times[key] = min(max(time, low), max(high, low))
    length = sequence.length if sequence.loop else max(float(times[-1]), SHORTEST_LENGTH)
    return replace(sequence, times=times, length=length)


def with_length(sequence: Sequence, length: float) -> Sequence:
    """Faster or slower: all times in proportion, so that the whole takes `length` frames."""
    least = GAP * (len(sequence.times) + 1)
    length = min(max(length, least, SHORTEST_LENGTH), LONGEST_LENGTH)
    return replace(sequence, times=sequence.times * (length / sequence.length), length=length)


def with_loop(sequence: Sequence, loop: bool) -> Sequence:
    """A loop, that goes back to its start in as long as one mean step takes, or a sequence that ends with its last keyframe."""
    if loop == sequence.loop:
        return sequence
    last = float(sequence.times[-1])
    step = last / (len(sequence.times) - 1) if len(sequence.times) > 1 else 1.0
    return replace(sequence, loop=loop, length=last + max(step, GAP) if loop else max(last, SHORTEST_LENGTH))


def mirrored_pose(joints: F64) -> F64:
    """(18, 2): one posture in a mirror, left become right."""
    result: F64 = joints[list(MIRRORED)] * np.array([-1.0, 1.0])
    return result
