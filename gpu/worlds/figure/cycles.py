"""The bundled cycles of movement, from joint angles: `python -m gpu.worlds.figure.cycles assets/poses` writes them.

A figure is a chain of bones of fixed length in space, turned about the vertical by its yaw and projected orthographically.
Angles are in radians: *swing* turns a limb forward, *raise* sideways away from the body, *bend* adds to the swing of the
lower limb. With yaw 0 the figure faces the camera, with yaw π/2 it looks to the right.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gpu.worlds.figure.sequence import F64, JOINT, JOINTS, Sequence

# Lengths in body heights.
TORSO, SHOULDER, HIP, UPPER_ARM, FOREARM, THIGH, SHIN = 0.295, 0.105, 0.058, 0.165, 0.15, 0.245, 0.235
HEAD = {  # from the neck: (to the figure's left, down, forward)
    "nose": (0.0, -0.096, 0.058),
    "right eye": (-0.021, -0.114, 0.046), "left eye": (0.021, -0.114, 0.046),
    "right ear": (-0.046, -0.106, 0.0), "left ear": (0.046, -0.106, 0.0),
}  # fmt: skip
CENTRE = 0.025  # the hips lie so far above the middle of a standing figure
KEYFRAMES = 16


@dataclass
class Stance:
    """One posture; arms and legs by side as [right, left]."""

    yaw: float = 0.0
    head_yaw: float = 0.0  # beside the body's
    head_tilt: float = 0.0  # to the figure's left
    lean: float = 0.0  # forward
    tilt: float = 0.0  # of the torso, to the figure's left
    shift: tuple[float, float] = (0.0, 0.0)  # of the hips: to the right of the picture and down, in body heights
    arm_swing: list[float] = field(default_factory=lambda: [0.0, 0.0])
    arm_raise: list[float] = field(default_factory=lambda: [0.12, 0.12])
    elbow: list[float] = field(default_factory=lambda: [0.15, 0.15])  # bend forward
    elbow_raise: list[float] = field(default_factory=lambda: [0.0, 0.0])  # bend in the plane of the body
    leg_swing: list[float] = field(default_factory=lambda: [0.0, 0.0])
    leg_raise: list[float] = field(default_factory=lambda: [0.05, 0.05])
    knee: list[float] = field(default_factory=lambda: [0.05, 0.05])  # bend backward


def _limb(swing: float, raised: float, side: float) -> F64:
    """Unit vector (left, down, forward) of a limb that hangs down at angles 0."""
    return np.array([side * math.sin(raised), math.cos(raised) * math.cos(swing), math.cos(raised) * math.sin(swing)])


def joints(stance: Stance) -> F64:
    """(18, 2): the posture's joints in body heights."""
    hips = np.array([0.0, CENTRE, 0.0])
    up = -_limb(-stance.lean, stance.tilt, -1.0)
    neck = hips + TORSO * up
    place: dict[str, F64] = {"neck": neck}
    for number, (name, side) in enumerate((("right", -1.0), ("left", 1.0))):
        across = np.array([side, -side * math.sin(stance.tilt), 0.0])
        shoulder = neck + SHOULDER * across + 0.02 * -up
        elbow = shoulder + UPPER_ARM * _limb(stance.arm_swing[number], stance.arm_raise[number], side)
        forearm = _limb(
            stance.arm_swing[number] + stance.elbow[number], stance.arm_raise[number] + stance.elbow_raise[number], side
        )
        hip = hips + np.array([side * HIP, 0.0, 0.0])
        knee = hip + THIGH * _limb(stance.leg_swing[number], stance.leg_raise[number], side)
        shin = _limb(stance.leg_swing[number] - stance.knee[number], stance.leg_raise[number], side)
        place |= {f"{name} shoulder": shoulder, f"{name} elbow": elbow, f"{name} wrist": elbow + FOREARM * forearm}
        place |= {f"{name} hip": hip, f"{name} knee": knee, f"{name} ankle": knee + SHIN * shin}
    cosine, sine = math.cos(stance.head_tilt), math.sin(stance.head_tilt)
    for name, offset in HEAD.items():
        x, y, z = offset
        turned = (
            x * math.cos(stance.head_yaw) + z * math.sin(stance.head_yaw),
            y,
            z * math.cos(stance.head_yaw) - x * math.sin(stance.head_yaw),
        )
        rolled = (cosine * turned[0] - sine * turned[1], sine * turned[0] + cosine * turned[1], turned[2])
        place[name] = neck + np.array(rolled)
    space = np.stack([place[name] for name in JOINTS])
    flat = np.stack([space[:, 0] * math.cos(stance.yaw) + space[:, 2] * math.sin(stance.yaw), space[:, 1]], axis=1)
    result: F64 = flat + np.array(stance.shift)
    return result


def walk(phase: float) -> Stance:
    """Phase 0 to 1 of two steps: the right leg forward at 0."""
    a = 2 * math.pi * phase
    swing = 0.5 * math.cos(a)

    def knee(at: float) -> float:  # bent most while the leg swings forward, a little when it takes the weight
        return 0.12 + 0.85 * math.pow(max(0.0, math.cos(at + 1.9)), 1.5) + 0.1 * max(0.0, math.cos(at - 0.6))

    return Stance(
        yaw=1.12,
        head_yaw=-0.1,
        lean=0.05,
        shift=(0.0, 0.012 * math.cos(2 * a) + 0.005),
        arm_swing=[-0.62 * math.cos(a) + 0.02, 0.62 * math.cos(a) + 0.02],
        arm_raise=[0.14, 0.14],
        elbow=[0.4 - 0.22 * math.cos(a), 0.4 + 0.22 * math.cos(a)],
        leg_swing=[swing + 0.05, -swing + 0.05],
        leg_raise=[0.01, 0.01],
        knee=[knee(a), knee(a + math.pi)],
    )


def run(phase: float) -> Stance:
    """Phase 0 to 1 of two strides."""
    a = 2 * math.pi * phase

    def knee(at: float) -> float:
        return 0.3 + 1.45 * math.pow(max(0.0, math.cos(at + 1.8)), 1.3)

    return Stance(
        yaw=1.25,
        lean=0.2,
        shift=(0.0, 0.028 * math.cos(2 * a) + 0.01),
        arm_swing=[-0.85 * math.cos(a), 0.85 * math.cos(a)],
        arm_raise=[0.16, 0.16],
        elbow=[1.35 - 0.2 * math.cos(a), 1.35 + 0.2 * math.cos(a)],
        leg_swing=[0.78 * math.cos(a) + 0.15, -0.78 * math.cos(a) + 0.15],
        leg_raise=[0.01, 0.01],
        knee=[knee(a), knee(a + math.pi)],
    )


def wave(phase: float) -> Stance:
    """A greeting: the right arm up, the body swaying a little."""
    a = 2 * math.pi * phase
    return Stance(
        yaw=0.18 * math.sin(a),
        head_yaw=-0.1,
        head_tilt=0.12 * math.sin(a),
        tilt=0.06 * math.sin(a),
        shift=(0.022 * math.sin(a), 0.0),
        arm_raise=[1.95 + 0.14 * math.sin(a), 0.28 + 0.1 * math.cos(a)],
        elbow_raise=[0.8 + 0.6 * math.sin(a + 0.5), 0.12],
        elbow=[0.0, 0.1],
        leg_raise=[0.10 + 0.02 * math.sin(a), 0.10 - 0.02 * math.sin(a)],
    )


def dance(phase: float) -> Stance:
    """Arms up in turn, hips from side to side, knees bending twice."""
    a = 2 * math.pi * phase
    dip = 0.5 - 0.5 * math.cos(2 * a)
    return Stance(
        yaw=0.45 * math.sin(a),
        head_yaw=-0.15 * math.sin(a),
        head_tilt=-0.18 * math.sin(a),
        tilt=0.2 * math.sin(a),
        shift=(0.07 * math.sin(a), 0.028 * dip),
        arm_raise=[1.35 + 0.95 * math.sin(a), 1.35 - 0.95 * math.sin(a)],
        elbow_raise=[0.55 - 0.6 * math.cos(a), 0.55 + 0.6 * math.cos(a)],
        elbow=[0.1, 0.1],
        leg_raise=[0.24 - 0.2 * math.sin(a), 0.24 + 0.2 * math.sin(a)],
        leg_swing=[0.3 * dip + 0.1, 0.3 * dip + 0.1],
        knee=[0.6 * dip + 0.1, 0.6 * dip + 0.1],
    )


def turn(phase: float) -> Stance:
    """From one side to the other and back, the arms a little away from the body."""
    a = 2 * math.pi * phase
    return Stance(
        yaw=1.0 * math.sin(a),
        head_yaw=0.22 * math.cos(a),
        arm_raise=[0.34 + 0.12 * math.cos(a), 0.34 - 0.12 * math.cos(a)],
        arm_swing=[0.25 * math.sin(a), -0.25 * math.sin(a)],
        elbow=[0.25, 0.25],
        leg_raise=[0.09, 0.09],
        leg_swing=[0.1 * math.sin(a), -0.1 * math.sin(a)],
        shift=(0.01 * math.sin(a), 0.0),
    )


def jack(phase: float) -> Stance:
    """Jumping jacks: arms and legs apart and together."""
    a = 2 * math.pi * phase
    apart = 0.5 - 0.5 * math.cos(a)
    return Stance(
        arm_raise=[0.25 + 2.3 * apart, 0.25 + 2.3 * apart],
        elbow_raise=[0.15, 0.15],
        elbow=[0.05, 0.05],
        leg_raise=[0.05 + 0.36 * apart, 0.05 + 0.36 * apart],
        shift=(0.0, 0.03 * apart - 0.05 * math.sin(2 * a) ** 2 + 0.03),
    )


CYCLES: dict[str, tuple[Callable[[float], Stance], float, float]] = {
    # name: posture by phase, frames of one cycle at 24 a second, body heights of travel in it
    "walk": (walk, 26.0, 0.84),
    "run": (run, 18.0, 1.35),
    "wave": (wave, 24.0, 0.0),
    "dance": (dance, 36.0, 0.0),
    "turn": (turn, 48.0, 0.0),
    "jumping-jack": (jack, 30.0, 0.0),
}


def cycle(name: str) -> Sequence:
    """The cycle of that name as keyframes, KeyError when there is none."""
    posture, length, travel = CYCLES[name]
    phases = np.arange(KEYFRAMES) / KEYFRAMES
    positions = np.stack([joints(posture(float(phase))) for phase in phases])
    marked = np.ones((KEYFRAMES, len(JOINT)), np.bool_)
    return Sequence(name, phases * length, positions, marked, length, True, travel)


def main() -> None:
    from gpu.worlds.figure.pose_files import write_sequence

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in CYCLES:
        write_sequence(cycle(name), folder / f"{name}.json")


if __name__ == "__main__":
    main()
