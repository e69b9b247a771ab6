"""The body of a figure as flat parts: which part covers a point, and the affine motion that carries each part.

A part has coordinates of its own, (along, across) in body heights, in which its outline and its clothes are fixed. In every
frame a 2×3 matrix takes them to the picture; a bone that is foreshortened squeezes its part along. So what a part shows
moves by exactly the matrix of one frame times the inverse of the other's, and where a nearer part covers it, it is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.worlds.figure.sequence import F64, JOINT, Bools

I64 = npt.NDArray[np.int64]

GROUND = 0
PARTS = (
    "ground",
    "left upper arm", "left forearm", "left hand", "left thigh", "left shin", "left foot",
    "right thigh", "right shin", "right foot", "pelvis", "neck", "torso", "head", "face",
    "right upper arm", "right forearm", "right hand",
)  # fmt: skip
PART = {name: label for label, name in enumerate(PARTS)}

SHORTEST = 0.3
"""A part is never squeezed below this share of its length, so that its motion stays invertible."""

SIDE = 0.62
"""The depth of a torso seen from the side, relative to its width."""


@dataclass(frozen=True)
class Shape:
    """Outline in a part's own coordinates. `capsule`: two circles of radii `first`, `last` about (0, 0) and (length, 0)
    and all between them; `ellipse`: half-axes `first` along and `last` across about (0, 0); `trunk`: from 0 to `length`
    along, half as wide as `first` at the start and `last` at the end, with round corners."""

    kind: str
    length: float
    first: float
    last: float

    def covers(self, along: F64, across: F64) -> Bools:
        if self.kind == "capsule":
            t = np.clip(along / self.length, 0.0, 1.0)
            radius = self.first + (self.last - self.first) * t
            result: Bools = (along - t * self.length) ** 2 + across**2 <= radius**2
            return result
        if self.kind == "ellipse":
            return np.asarray((along / self.first) ** 2 + (across / self.last) ** 2 <= 1.0)
        t = np.clip(along / self.length, 0.0, 1.0)
        width = self.first + (self.last - self.first) * t
        return np.asarray((2 * along / self.length - 1.0) ** 6 + (across / width) ** 4 <= 1.0)

    def box(self) -> tuple[float, float, float, float]:
        """(lowest along, highest along, lowest across, highest across)."""
        widest = max(self.first, self.last)
        if self.kind == "capsule":
            return -self.first, self.length + self.last, -widest, widest
        if self.kind == "ellipse":
            return -self.first, self.first, -self.last, self.last
        return 0.0, self.length, -widest, widest

    def polygon(self, points: int = 12) -> F64:
        """(n, 2): positions along the outline, `points` to a half turn."""
        angle = np.linspace(0, np.pi, points)
        if self.kind == "ellipse":
            whole = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False)
            return np.stack([self.first * np.cos(whole), self.last * np.sin(whole)], axis=1)
        if self.kind == "capsule":
            start = np.stack([-self.first * np.sin(angle), self.first * np.cos(angle)], axis=1)
            end = np.stack([self.length + self.last * np.sin(angle), -self.last * np.cos(angle)], axis=1)
            return np.concatenate([start, end])
        along = 0.5 * self.length * (1 - np.cos(angle))
        width = self.first + (self.last - self.first) * along / self.length
        across = width * (1 - (2 * along / self.length - 1) ** 6).clip(0) ** 0.25
        side = np.stack([along, across], axis=1)
        return np.concatenate([side, (side * [1, -1])[::-1]])


def shapes(build: float = 1.0) -> dict[int, Shape]:
    """The outlines by part label; `build` makes limbs and trunk wider."""
    outlines: dict[str, Shape] = {}
    for side in ("left", "right"):
        outlines[f"{side} upper arm"] = Shape("capsule", 0.165, 0.041 * build, 0.034 * build)
        outlines[f"{side} forearm"] = Shape("capsule", 0.15, 0.034 * build, 0.027 * build)
        outlines[f"{side} hand"] = Shape("capsule", 0.045, 0.020, 0.019)
        outlines[f"{side} thigh"] = Shape("capsule", 0.245, 0.062 * build, 0.046 * build)
        outlines[f"{side} shin"] = Shape("capsule", 0.235, 0.045 * build, 0.034 * build)
        outlines[f"{side} foot"] = Shape("capsule", 0.065, 0.031, 0.023)
    outlines["pelvis"] = Shape("trunk", 0.15, 0.094 * build, 0.110 * build)
    outlines["torso"] = Shape("trunk", 0.33, 0.128 * build, 0.098 * build)
    outlines["neck"] = Shape("capsule", 0.10, 0.030, 0.030)
    outlines["head"] = Shape("ellipse", 0.0, 0.079, 0.061)
    outlines["face"] = Shape("ellipse", 0.0, 0.060, 0.046)
    return {PART[name]: shape for name, shape in outlines.items()}


def depth_order(faces_right: bool) -> list[int]:
    """Part labels from far to near, without the ground: of a figure that looks to the right its right side is near."""
    order = list(range(1, len(PARTS)))
    if faces_right:
        return order
    swap = {
        label: PART[name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")]
        for name, label in PART.items()
    }
    return [swap[label] for label in order]


def needed(part: int) -> tuple[str, ...]:
    """The joints without which a part cannot be placed."""
    name = PARTS[part]
    side = name.split()[0]
    return {
        "upper arm": (f"{side} shoulder", f"{side} elbow"),
        "forearm": (f"{side} elbow", f"{side} wrist"),
        "hand": (f"{side} elbow", f"{side} wrist"),
        "thigh": (f"{side} hip", f"{side} knee"),
        "shin": (f"{side} knee", f"{side} ankle"),
        "foot": (f"{side} knee", f"{side} ankle"),
        "pelvis": ("neck", "right hip", "left hip"),
        "torso": ("neck", "right hip", "left hip"),
        "neck": ("neck", "nose"),
        "head": ("neck", "nose"),
        "face": ("neck", "nose"),
        "ground": (),
    }[name.removeprefix(f"{side} ") if side in ("left", "right") else name]


def _perpendicular(direction: F64) -> F64:
    return np.array([-direction[1], direction[0]])


def _unit(vector: F64, otherwise: tuple[float, float]) -> F64:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else np.array(otherwise)


def _bone(a: F64, b: F64, length: float) -> F64:
    """Matrix of a limb from a to b whose length in space is `length`."""
    direction = _unit(b - a, (0.0, 1.0))
    stretch = max(float(np.linalg.norm(b - a)) / length, SHORTEST)
    return np.stack([direction * stretch, _perpendicular(direction), a], axis=1)


def _width(extent: float, full: float) -> float:
    """How wide a trunk of depth SIDE looks whose shoulders or hips, `full` apart, are seen `extent` apart."""
    return float(np.sqrt((1 - SIDE**2) * min((extent / full) ** 2, 1.5) + SIDE**2))


def frames(joints: F64, seen: Bools) -> F64:
    """(18, 2, 3): the matrix of every part, from its own (along, across, 1) to positions in body heights, given the
    joints (18, 2) of a frame and which of them mean anything. The ground's is the identity; those of parts that cannot be
    placed are too, and such parts are not to be drawn."""
    place = {name: joints[index] for name, index in JOINT.items()}
    usable = {name: bool(seen[index]) for name, index in JOINT.items()}
    out = np.tile(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), (len(PARTS), 1, 1))
    outlines = shapes()

    def has(part: str) -> bool:
        return all(usable[name] for name in needed(PART[part]))

    facing = 0.0
    if has("head"):
        up = _head_axis(place, usable)
        ears = [place[name] for name in ("right ear", "left ear") if usable[name]]
        eyes = [place[name] for name in ("right eye", "left eye") if usable[name]]
        middle = np.mean(ears if len(ears) == 2 else eyes or [place["nose"]], axis=0)
        centre = place["neck"] + up * max(float(np.dot(middle - place["neck"], up)), 0.07)
        centre = centre + _perpendicular(up) * 0.7 * float(np.dot(middle - centre, _perpendicular(up)))
        out[PART["head"]] = np.stack([-up, _perpendicular(-up), centre], axis=1)
        out[PART["neck"]] = np.stack([up, _perpendicular(up), place["neck"] - 0.01 * up], axis=1)
        aside = float(np.dot(place["nose"] - centre, _perpendicular(up))) / 0.058
        facing = float(np.tanh(1.2 * aside))
        narrow = 1 - 0.25 * facing**2
        at = centre + 0.032 * facing * _perpendicular(up) - 0.012 * up
        out[PART["face"]] = np.stack([-up, narrow * _perpendicular(-up), at], axis=1)
    if has("torso"):
        hips = (place["right hip"] + place["left hip"]) / 2
        down = _unit(hips - place["neck"], (0.0, 1.0))
        stretch = max(float(np.linalg.norm(hips - place["neck"])) / 0.295, SHORTEST)
        across = -_perpendicular(down)
        shoulders, span = 0.0, 0.21
        if usable["right shoulder"] and usable["left shoulder"]:
            shoulders = float(np.dot(place["left shoulder"] - place["right shoulder"], across))
        width = float(np.dot(place["left hip"] - place["right hip"], across))
        out[PART["torso"]] = np.stack(
            [down * stretch, across * _width(shoulders, span), place["neck"] - 0.015 * down], axis=1
        )
        out[PART["pelvis"]] = np.stack(
            [down * stretch, across * _width(width, 0.116), hips - 0.075 * stretch * down], axis=1
        )
    for side in ("left", "right"):
        for limb, a, b in (
            ("upper arm", "shoulder", "elbow"),
            ("forearm", "elbow", "wrist"),
            ("thigh", "hip", "knee"),
            ("shin", "knee", "ankle"),
        ):
            part = f"{side} {limb}"
            if has(part):
                out[PART[part]] = _bone(place[f"{side} {a}"], place[f"{side} {b}"], outlines[PART[part]].length)
        if has(f"{side} hand"):
            wrist = place[f"{side} wrist"]
            direction = _unit(wrist - place[f"{side} elbow"], (0.0, 1.0))
            out[PART[f"{side} hand"]] = np.stack(
                [direction, _perpendicular(direction), wrist + 0.01 * direction], axis=1
            )
        if has(f"{side} foot"):
            ankle = place[f"{side} ankle"]
            shin = _unit(ankle - place[f"{side} knee"], (0.0, 1.0))
            # There is no toe among the joints: the foot points to where the face looks, and down as far as it does not.
            toes = _unit(-_perpendicular(shin) * 0.95 * facing + shin * (0.9 - 0.6 * abs(facing)), (0.0, 1.0))
            out[PART[f"{side} foot"]] = np.stack([toes, _perpendicular(toes), ankle + 0.012 * shin], axis=1)
    return out


def _head_axis(place: dict[str, F64], usable: dict[str, bool]) -> F64:
    """Unit vector from the neck through the middle of the head."""
    both = [place[name] for name in ("right ear", "left ear", "right eye", "left eye", "nose") if usable[name]]
    middle = np.mean(both, axis=0)
    sideways = place["nose"] - place["neck"]
    # A face seen from the side lies before the head, not on its axis.
    aim = middle - place["neck"] if len(both) > 2 else sideways
    return _unit(np.array([0.6 * aim[0], aim[1]]), (0.0, -1.0))


def to_frame(matrices: F64, scale: float, offset: tuple[float, float]) -> F64:
    """Matrices to positions in pixels: body heights times `scale`, plus `offset` (x, y)."""
    out = matrices * scale
    out[:, :, 2] += np.array(offset)
    return out


def inverse(matrix: F64) -> F64:
    """(..., 2, 3) affine matrices, inverted."""
    linear = np.linalg.inv(matrix[..., :2])
    shift = -(linear @ matrix[..., 2:])
    return np.concatenate([linear, shift], axis=-1)


def apply(matrix: F64, points: F64) -> F64:
    """(n, 2): an affine matrix (2, 3) at points (n, 2)."""
    result: F64 = points @ matrix[:, :2].T + matrix[:, 2]
    return result


def labels(matrices: F64, outlines: dict[int, Shape], order: list[int], points: F64) -> I64:
    """(n,): the label of the part seen at each of the points (n, 2); `order` lists the parts there are, from far to near.
    The face is seen only where the head is."""
    seen = np.zeros(len(points), np.int64)
    x, y = points[:, 0], points[:, 1]
    for part in order:
        low_l, high_l, low_w, high_w = outlines[part].box()
        corners = apply(matrices[part], np.array([[low_l, low_w], [low_l, high_w], [high_l, low_w], [high_l, high_w]]))
        low, high = corners.min(axis=0), corners.max(axis=0)
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
        if not len(near):
            continue
        some = points[near]
        own = apply(inverse(matrices[part]), some)
        inside = outlines[part].covers(own[:, 0], own[:, 1])
        if part == PART["face"]:
            inside &= seen[near] == PART["head"]
        seen[near[inside]] = part
    return seen
