"""Affine motions about the centre of the frame: what translation, rotation, zoom and shear have in common."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import Grid, Points, Warp, one_surface

Matrix = tuple[float, float, float, float]
"""Row by row: (a, b, c, d) takes (x, y) to (a x + b y, c x + d y)."""


DEGREES = ParameterInfo(
    "degrees", "Speed", 1.0, -15, 15, 0.1, "°/frame", "Degrees per frame about the centre; positive is clockwise"
)
FACTOR = ParameterInfo(
    "factor",
    "Speed",
    1.015,
    0.9,
    1.1,
    0.001,
    "×/frame",
    "Size of the picture relative to the frame before; above 1 moves in",
)


def turn(degrees: float, scale: float = 1.0) -> Matrix:
    """Rotation, clockwise on the screen where `degrees` is positive (y points down), times `scale`."""
    angle = math.radians(degrees)
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return cosine, -sine, sine, cosine


def apply(matrix: Matrix, points: Points) -> Points:
    """`matrix` times every point."""
    a, b, c, d = matrix
    return points @ points.new_tensor([[a, c], [b, d]])


def inverse(matrix: Matrix) -> Matrix:
    a, b, c, d = matrix
    scale = 1 / (a * d - b * c)
    return d * scale, -b * scale, -c * scale, a * scale


def affine(grid: Grid, motion: Callable[[int], tuple[Matrix, tuple[float, float]]]) -> Warp:
    """The deformation whose frame t shows the picture moved by p -> centre + A (p - centre) + shift.

    `motion(t)` is (A, shift); A must be invertible and motion(0) the identity.
    """

    def parts(t: int, points: Points) -> tuple[Matrix, torch.Tensor, torch.Tensor]:
        matrix, shift = motion(t)
        centre = points.new_tensor(grid.centre)
        return matrix, centre, centre + points.new_tensor(shift)

    def forth(t: int, points: Points) -> Points:
        matrix, centre, moved = parts(t, points)
        return centre + apply(inverse(matrix), points - moved)

    def back(t: int, positions: Points) -> Points:
        matrix, centre, moved = parts(t, positions)
        return moved + apply(matrix, positions - centre)

    def determinant(t: int, points: Points) -> torch.Tensor:
        a, b, c, d = motion(t)[0]
        return torch.full(points.shape[:-1], 1 / (a * d - b * c), dtype=points.dtype, device=points.device)

    return one_surface(forth, back, determinant)
