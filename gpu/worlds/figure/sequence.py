"""A figure in the plane: the 18 joints of OpenPose, sequences of keyframes, and smooth motion between them.

Joint positions are (18, 2) float64 arrays in *body heights*, x to the right and y down, with the origin where the figure
stands in the frame (about the middle of the body). Times are in frames. Joints are named and ordered as in OpenPose's
COCO-18 model (Cao et al. 2021, arXiv 1812.08008); left and right are the figure's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

JOINTS = (
    "nose", "neck",
    "right shoulder", "right elbow", "right wrist",
    "left shoulder", "left elbow", "left wrist",
    "right hip", "right knee", "right ankle",
    "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
JOINT = {name: index for index, name in enumerate(JOINTS)}

BONES = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Pairs of joints that a stick figure connects, as OpenPose draws them."""

MIRRORED = tuple(
    JOINT[name.replace("right", "LEFT").replace("left", "right").replace("LEFT", "left")] for name in JOINTS
)
"""The joint that each becomes in a mirror."""


@dataclass(frozen=True)
class Sequence:
    """Keyframes of a figure. `times` (K,) ascending from 0, `joints` (K, 18, 2), `known` (K, 18): whether a joint was seen.

    `length` in frames: a loop goes from its last keyframe back to the first one in length − times[-1]; a sequence that
    does not loop ends at its last keyframe. `travel`: body heights by which the figure walks to the right in one length
    (negative: to the left); the positions themselves stay in place, as if a camera went along.
    """

    name: str
    times: F64
    joints: F64
    known: Bools
    length: float
    loop: bool = True
    travel: float = 0.0
    fps: float = 24.0

    def at(self, time: float) -> F64:
        """(18, 2): the joints at a time in frames, by cubic Hermite interpolation with Catmull-Rom tangents.

        A keyframe that is moved changes the motion only up to its second neighbours. Before the start and after the end
        of a sequence that does not loop the figure holds still.
        """
        times, joints = self.times, self.joints
        count = len(times)
        if count == 1:
            alone: F64 = joints[0].copy()
            return alone
        if self.loop:
            time = time % self.length
            after = int(np.searchsorted(times, time, side="right"))
            index = np.arange(after - 2, after + 2)
            around = times[index % count] + self.length * (index // count)
            p = joints[index % count]
        else:
            time = min(max(time, 0.0), float(times[-1]))
            after = min(max(int(np.searchsorted(times, time, side="right")), 1), count - 1)
            index = np.clip(np.arange(after - 2, after + 2), 0, count - 1)
            around, p = times[index], joints[index]
        step = around[2] - around[1]
        slope_1 = (p[2] - p[0]) / (around[2] - around[0])
        slope_2 = (p[3] - p[1]) / (around[3] - around[1])
        u = (time - around[1]) / step
        result: F64 = (
            (1 + 2 * u) * (1 - u) ** 2 * p[1]
            + u * (1 - u) ** 2 * step * slope_1
            + u * u * (3 - 2 * u) * p[2]
            + u * u * (u - 1) * step * slope_2
        )
        return result

    def seen(self) -> Bools:
        """(18,): which joints were seen in any keyframe; the others have no meaningful position."""
        return np.asarray(self.known.any(axis=0), np.bool_)


def filled(sequence: Sequence) -> Sequence:
    """`sequence` with unseen joints put where one would look for them.

    A joint that other keyframes saw moves straight between those (or stays with the nearest); the neck is the middle of
    the shoulders, the middle of the body stands in for what no keyframe saw.
    """
    joints, marked = sequence.joints.copy(), sequence.known.copy()
    neck, shoulders = JOINT["neck"], [JOINT["right shoulder"], JOINT["left shoulder"]]
    guessed = ~marked[:, neck] & marked[:, shoulders].all(axis=1)
    joints[guessed, neck] = joints[guessed][:, shoulders].mean(axis=1)
    marked[guessed, neck] = True
    times = sequence.times
    for joint in range(len(JOINTS)):
        there = marked[:, joint]
        if there.all() or not there.any():
            continue
        at, values = times[there], joints[there, joint]
        if sequence.loop:  # the last one before the start and the first one after the end
            at = np.concatenate([[at[-1] - sequence.length], at, [at[0] + sequence.length]])
            values = np.concatenate([values[-1:], values, values[:1]])
        for axis in (0, 1):
            joints[~there, joint, axis] = np.interp(times[~there], at, values[:, axis])
    return replace(sequence, joints=joints, known=marked)


def mirrored(sequence: Sequence) -> Sequence:
    """The sequence seen in a mirror: left is right, and it walks the other way."""
    joints = sequence.joints[:, MIRRORED] * np.array([-1.0, 1.0])
    return replace(sequence, joints=joints, known=sequence.known[:, MIRRORED], travel=-sequence.travel)


def normalised(sequence: Sequence) -> Sequence:
    """Joints in any units, pixels say, brought to body heights, with the middle of all that is seen at the origin.

    The body's height is estimated from the longest bones seen: torso and legs where they are, else the whole extent.
    """
    joints, marked = sequence.joints, sequence.known
    extents = joints[marked]
    low, high = extents.min(axis=0), extents.max(axis=0)

    def longest(a: str, b: str) -> float:
        both = marked[:, JOINT[a]] & marked[:, JOINT[b]]
        if not both.any():
            return math.nan
        return float(np.quantile(np.linalg.norm(joints[both, JOINT[a]] - joints[both, JOINT[b]], axis=-1), 0.9))

    guesses = [
        length / share
        for side in ("right", "left")
        for a, b, share in (
            ("neck", f"{side} hip", 0.31),
            (f"{side} hip", f"{side} knee", 0.245),
            (f"{side} knee", f"{side} ankle", 0.235),
        )
        if (length := longest(a, b)) > 0
    ]
    height = float(np.median(guesses)) if guesses else float((high - low).max())
    height = height if height > 0 else 1.0
    return replace(sequence, joints=(joints - (low + high) / 2) / height, travel=sequence.travel / height)
