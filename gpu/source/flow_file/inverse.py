"""Inverse of one optical flow on the other frame's grid: forward from backward flow and the other way round."""

from __future__ import annotations

import numpy as np
import torch

from gpu.flow import maps
from gpu.source import F32, Mask

STEPS = 12
TOLERANCE = 0.02
"""A vector is found when the given flow, sampled where it leads, comes back within this many pixels."""


STEEPEST = 0.4
"""Pixels by which flow may differ from that of the nearest pixel. More is an edge between two motions: interpolated flow
runs from one to the other there and would make a rubber band of what has come into sight."""


def inverse(flow: F32, valid: Mask) -> tuple[F32, Mask]:
    """Flow (H, W, 2) on the grid that `flow` (H, W, 2) leads to, back to the grid that it lives on; and (H, W) where found.

    Solves q + flow(q) = p for every pixel centre p, flow being bilinear, by Newton's method from the pixel q that lands
    nearest to p, and gives q - p. `valid` (H, W) says where `flow` holds. Not found is what nothing lands on, as where
    something comes into sight: there the nearest guess stands. Of several pixels that land on p the one is taken whose
    motion is least like most of the frame's: flow does not say what lies in front, but objects that move mostly do.
    """
    height, width = valid.shape
    vectors, usable = torch.from_numpy(np.ascontiguousarray(flow)), torch.from_numpy(np.ascontiguousarray(valid))
    target = maps.pixel_centres(height, width)
    at = _landing(flow, valid)
    slopes = _slopes(vectors)
    best = torch.full((height, width), torch.inf)
    out = at
    for step in range(STEPS):
        miss = at + maps.sample(vectors, at) - target
        far = torch.linalg.vector_norm(miss, dim=-1)
        closer = far < best
        best, out = torch.where(closer, far, best), torch.where(closer[..., None], at, out)
        if step == STEPS - 1 or bool((best <= TOLERANCE / 100).all()):
            break
        at = at - _undo(maps.bilinear(slopes, at), miss)
    nearest = out.floor() + 0.5
    torn = (maps.sample(vectors, out) - maps.sample(vectors, nearest)).abs().amax(dim=-1) > STEEPEST
    solved = (best <= TOLERANCE) & ~torn & maps.inside(out, height, width) & maps.covered(usable, out)
    return (out - target).numpy(), np.asarray(solved.numpy())


def _landing(flow: F32, valid: Mask) -> torch.Tensor:
    """(H, W, 2) for every target pixel the centre of the pixel that lands nearest to its own; p - flow(p) where none does."""
    height, width = valid.shape
    centres = maps.pixel_centres(height, width).numpy()
    start = (centres - flow).reshape(-1, 2).copy()
    landed = centres + flow
    x, y = np.floor(landed[..., 0]), np.floor(landed[..., 1])
    use = valid & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    pixel = (y[use] * width + x[use]).astype(np.int64)
    away = np.hypot(landed[..., 0][use] - x[use] - 0.5, landed[..., 1][use] - y[use] - 0.5)
    usual = np.median(flow[valid], axis=0) if valid.any() else np.zeros(2, np.float32)
    own = np.rint(np.linalg.norm(flow[use] - usual, axis=-1))
    order = np.lexsort(
        (-away, own)
    )  # the last to be written stays: the one that moves most by itself, then the nearest
    start[pixel[order]] = centres[use][order]
    return torch.from_numpy(start.reshape(height, width, 2).astype(np.float32))


def _slopes(vectors: torch.Tensor) -> torch.Tensor:
    """(4, H, W) derivatives of flow: dx by x, dx by y, dy by x, dy by y; 0 along a side of one pixel."""
    parts = []
    for component in (0, 1):
        for dim in (1, 0):
            field = vectors[..., component]
            parts.append(torch.gradient(field, dim=dim)[0] if field.shape[dim] > 1 else torch.zeros_like(field))
    return torch.stack(parts)


def _undo(slopes: torch.Tensor, miss: torch.Tensor) -> torch.Tensor:
    """(I + slopes)^-1 miss; `miss` itself, as in a fixed-point step, where that is nearly singular or turned over."""
    a, b, c, d = slopes[0] + 1, slopes[1], slopes[2], slopes[3] + 1
    determinant = a * d - b * c
    x, y = miss.unbind(-1)
    step = torch.stack([d * x - b * y, a * y - c * x], dim=-1) / determinant[..., None]
    return torch.where((determinant > 0.1)[..., None], step, miss)
