"""Pictures of a figure: the flat one that a model is given, a colour a part, and the finished one it learns to draw.

Both are means over `sub`×`sub` samples a pixel of the same geometry, so that they fit each other exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu.worlds.figure.body_parts import GROUND, I64, PART, Shape, apply, frames, inverse, labels, needed, to_frame
from gpu.worlds.figure.cloth import F32, FLOOR, HORIZON, Outfit, face_flat
from gpu.worlds.figure.sequence import F64, JOINT, Bools


@dataclass(frozen=True)
class Placed:
    """A figure at one moment: matrices (18, 2, 3) from parts to pixels, outlines, and the parts there are from far to near."""

    matrices: F64
    outlines: dict[int, Shape]
    order: list[int]


def drawable(order: list[int], seen: Bools) -> list[int]:
    """The parts of `order` whose joints (18,) were seen."""
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


def flat_index(figure: Placed, points: F64, parts: I64) -> I64:
    """(n,): the row in an outfit's `flat` of what is at each sample (n, 2), given the parts seen there."""
    own = apply(inverse(figure.matrices[GROUND]), points)
    out = np.where((parts == GROUND) & (own[:, 1] > HORIZON), FLOOR, parts)
    mine = np.flatnonzero(parts == PART["face"])
    if len(mine):
        at = apply(inverse(figure.matrices[PART["face"]]), points[mine])
        out[mine] = face_flat(at[:, 0], at[:, 1])
    return out


def flat_picture(figure: Placed, colours: F64, height: int, width: int, sub: int = 4) -> F32:
    """(height, width, 3) in [0, 1]: the figure and its backdrop in the colours (21, 3) of an outfit's `flat`.

    A pixel whose neighbours are of one colour with it is so throughout; only the others are sampled `sub`×`sub` times.
    """
    ring = samples(height + 2, width + 2, 1, (-1.0, -1.0))  # one more pixel on each side
    index = flat_index(figure, ring, part_map(figure, ring)).reshape(height + 2, width + 2)
    windows = np.lib.stride_tricks.sliding_window_view(index, (3, 3))
    rows, columns = np.nonzero(windows.max(axis=(2, 3)) != windows.min(axis=(2, 3)))
    out = colours[index[1:-1, 1:-1]]
    within = samples(1, 1, sub)
    points = (np.stack([columns, rows], axis=1)[:, None].astype(np.float64) + within).reshape(-1, 2)
    finer = flat_index(figure, points, part_map(figure, points)).reshape(len(rows), sub * sub)
    out[rows, columns] = colours[finer].mean(axis=1)
    return np.asarray(out, np.float32)


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
