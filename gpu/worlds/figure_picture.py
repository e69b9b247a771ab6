"""Pictures of a figure: the flat part map in a fixed palette that a model is given, and the dressed figure it learns to draw.

Both are means over `sub`×`sub` samples a pixel of the same geometry, so that they fit each other exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu.worlds.figure import F64, Bools
from gpu.worlds.figure_cloth import F32, Outfit
from gpu.worlds.figure_parts import GROUND, PART, PARTS, I64, Shape, apply, frames, inverse, labels, needed, to_frame

PALETTE = np.array(
    [
        (32, 34, 40),  # ground
        (60, 110, 230), (70, 170, 250), (150, 220, 255),  # left arm: blues
        (30, 130, 110), (40, 180, 140), (120, 235, 190),  # left leg: greens
        (190, 130, 30), (230, 175, 50), (255, 225, 120),  # right leg: yellows
        (120, 70, 150), (205, 150, 130), (160, 60, 70),  # pelvis, neck, torso
        (95, 95, 105), (240, 200, 180),  # head, face
        (220, 80, 40), (250, 130, 90), (255, 190, 165),  # right arm: reds
    ],
    np.float32,
) / np.float32(255)  # fmt: skip
"""(18, 3) the colour of every part in the pose picture."""


@dataclass(frozen=True)
class Placed:
    """A figure at one moment: matrices (18, 2, 3) from parts to pixels, outlines, and the parts there are from far to near."""

    matrices: F64
    outlines: dict[int, Shape]
    order: list[int]


def drawable(order: list[int], seen: Bools) -> list[int]:
    """The parts of `order` whose joints (18,) were seen."""
    from gpu.worlds.figure import JOINT

    return [part for part in order if all(seen[JOINT[name]] for name in needed(part))]


def placed(
    joints: F64, seen: Bools, outlines: dict[int, Shape], order: list[int], scale: float, offset: tuple[float, float]
) -> Placed:
    """The figure with `joints` (18, 2) in body heights at `scale` pixels a body height, its origin at `offset` (x, y)."""
    return Placed(to_frame(frames(joints, seen), scale, offset), outlines, drawable(order, seen))


def samples(height: int, width: int, sub: int, corner: tuple[float, float] = (0.0, 0.0)) -> F64:
    """(sub·height·sub·width, 2) positions (x, y) of the samples of a frame whose upper left corner is `corner`."""
    x = (np.arange(sub * width) + 0.5) / sub + corner[0]
    y = (np.arange(sub * height) + 0.5) / sub + corner[1]
    out = np.empty((len(y), len(x), 2))
    out[..., 0], out[..., 1] = x[None, :], y[:, None]
    return out.reshape(-1, 2)


def average(colours: F32, height: int, width: int, sub: int) -> F32:
    """(height, width, 3) means over the samples of each pixel."""
    mean: F32 = colours.reshape(height, sub, width, sub, 3).mean(axis=(1, 3), dtype=np.float32)
    return mean


def part_map(figure: Placed, points: F64) -> I64:
    """(n,): the part seen at each sample (n, 2)."""
    return labels(figure.matrices, figure.outlines, figure.order, points)


def pose_picture(figure: Placed, height: int, width: int, sub: int = 3) -> F32:
    """(height, width, 3) in [0, 1]: the parts in the fixed palette on a plain ground."""
    return average(PALETTE[part_map(figure, samples(height, width, sub))], height, width, sub)


def dressed(figure: Placed, outfit: Outfit, height: int, width: int, sub: int = 2) -> tuple[F32, I64]:
    """(height, width, 3) in [0, 1]: the dressed figure before its backdrop; and (sub² height width,) the parts seen."""
    points = samples(height, width, sub)
    seen = part_map(figure, points)
    out = np.empty((len(points), 3), np.float32)
    mine = np.flatnonzero(seen == GROUND)
    # The backdrop has no detail below a pixel: one sample a pixel is enough.
    behind = outfit.paint(GROUND, apply(inverse(figure.matrices[GROUND]), samples(height, width, 1)))
    rows, columns = mine // (sub * width) // sub, mine % (sub * width) // sub
    out[mine] = behind[rows * width + columns]
    for part in figure.order:
        mine = np.flatnonzero(seen == part)
        if len(mine):
            out[mine] = outfit.paint(part, apply(inverse(figure.matrices[part]), points[mine]))
    out *= _shadow(figure, points, seen)[:, None]
    return average(np.clip(out, 0, 1), height, width, sub), seen


def _shadow(figure: Placed, points: F64, seen: I64) -> F32:
    """(n,): the trunk is a little darker towards its lower end, where arms and clothes shade it."""
    out = np.ones(len(points), np.float32)
    mine = np.flatnonzero(seen == PART["torso"])
    own = apply(inverse(figure.matrices[PART["torso"]]), points[mine])
    out[mine] = 1.04 - 0.12 * np.clip(own[:, 0] / figure.outlines[PART["torso"]].length, 0, 1)
    return out


assert len(PALETTE) == len(PARTS)
