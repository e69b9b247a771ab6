"""Random dressed figures in random postures, finished and flat: what a model of people is trained on."""

from __future__ import annotations

import numpy as np

from gpu.worlds.figure.body_parts import depth_order, shapes
from gpu.worlds.figure.cloth import F32, dress
from gpu.worlds.figure.cycles import CYCLES, Stance, joints
from gpu.worlds.figure.drawing import average, dressed, flat_index, placed, samples
from gpu.worlds.figure.sequence import JOINT, JOINTS

SUB = 2
HEIGHTS = (80.0, 136.0)  # pixels a body height
ANGLES = (
    "arm_swing", "arm_raise", "elbow", "elbow_raise", "leg_swing", "leg_raise", "knee",
)  # fmt: skip


def random_stance(rng: np.random.Generator) -> Stance:
    """A moment of a bundled cycle with its angles disturbed, or, one time in three, a posture of its own."""
    if rng.random() < 2 / 3:
        posture = CYCLES[str(rng.choice(list(CYCLES)))][0]
        stance, spread = posture(float(rng.random())), 0.15
    else:
        stance, spread = Stance(), 0.0
        stance.yaw = rng.uniform(-1.3, 1.3)
        stance.lean, stance.tilt = rng.uniform(-0.1, 0.25), rng.uniform(-0.2, 0.2)
        stance.head_tilt, stance.head_yaw = rng.uniform(-0.25, 0.25), rng.uniform(-0.5, 0.5)
        stance.arm_swing, stance.leg_swing = list(rng.uniform(-0.9, 0.9, 2)), list(rng.uniform(-0.6, 0.8, 2))
        stance.arm_raise, stance.leg_raise = list(rng.uniform(0.05, 2.6, 2)), list(rng.uniform(0.0, 0.4, 2))
        stance.elbow, stance.knee = list(rng.uniform(0, 1.5, 2)), list(rng.uniform(0, 1.4, 2))
        stance.elbow_raise = list(rng.uniform(-0.5, 1.2, 2))
    for name in ANGLES:
        setattr(stance, name, [value + spread * rng.normal() for value in getattr(stance, name)])
    stance.yaw = (stance.yaw + spread * rng.normal()) * rng.choice((-1.0, 1.0))
    return stance


def random_figure(rng: np.random.Generator, height: int, width: int) -> tuple[F32, F32]:
    """Pictures (height, width, 3) in [0, 1] of a figure about their middle: finished and flat."""
    positions = joints(random_stance(rng))
    scale = rng.uniform(*HEIGHTS)
    offset = (width / 2 + rng.uniform(-0.24, 0.24) * scale, height / 2 + rng.uniform(-0.1, 0.1) * scale)
    outlines = shapes(rng.uniform(0.92, 1.2))
    faces_right = bool(positions[JOINT["nose"], 0] >= positions[JOINT["neck"], 0])
    seen = np.ones(len(JOINTS), np.bool_)
    figure = placed(positions, seen, outlines, depth_order(faces_right), scale, offset)
    outfit = dress(rng, outlines)
    picture, parts = dressed(figure, outfit, height, width, SUB)
    flat = outfit.flat()[flat_index(figure, samples(height, width, SUB), parts)]
    return picture, average(np.asarray(flat, np.float32), height, width, SUB)
