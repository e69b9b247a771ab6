"""Deformation `perspective`: the picture is a board that swings in depth, seen by a camera."""

from __future__ import annotations

import math

import torch

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation, Grid, Points, Values, Warp, one_surface

Rows = tuple[tuple[float, float, float], ...]


def _make(grid: Grid, values: Values) -> Warp:
    focal = values["distance"] * max(grid.height, grid.width)

    def tilt(t: int) -> tuple[float, float]:
        phase = 2 * math.pi * t / values["period"]
        return math.radians(values["yaw"]) * math.sin(phase), math.radians(values["pitch"]) * (1 - math.cos(phase)) / 2

    def board(t: int) -> Rows:
        """Homography from the board to the screen, about the centre: x' = R (x, y, 0) + (0, 0, focal), seen from 0."""
        yaw, pitch = tilt(t)
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        return (cy, 0, 0), (sp * sy, cp, 0), (-cp * sy / focal, sp / focal, 1)

    def through(rows: Rows, points: Points) -> Points:
        centre = points.new_tensor(grid.centre)
        x, y = (points - centre).unbind(-1)
        u, v, w = (a * x + b * y + c for a, b, c in rows)
        # Where w is not above 0 a point lies behind the camera, or on the board's horizon.
        w = w.where(w > 1e-6, torch.full_like(w, math.nan))
        return centre + torch.stack([u / w, v / w], dim=-1)

    return one_surface(
        lambda t, points: through(_inverse(board(t)), points), lambda t, positions: through(board(t), positions)
    )


def _inverse(rows: Rows) -> Rows:
    """The inverse homography, scaled so that its last entry is 1 as the original's is: in front stays positive."""
    matrix = torch.linalg.inv(torch.tensor(rows, dtype=torch.float64))
    matrix = matrix / matrix[2, 2]
    return tuple((float(a), float(b), float(c)) for a, b, c in matrix)


perspective = DEFORMATIONS.add("perspective", order=90)(
    Deformation(
        "Perspective",
        "The picture as a board that swings in depth: its near side grows and its far side shrinks.",
        (
            ParameterInfo("yaw", "Left and right", 22, -60, 60, 1, "°", "Largest angle about the vertical axis"),
            ParameterInfo("pitch", "Up and down", 18, -60, 60, 1, "°", "Largest angle about the horizontal axis"),
            ParameterInfo("period", "Period", 60, 4, 480, 1, "frames", "Frames of one swing"),
            ParameterInfo(
                "distance", "Distance", 1.2, 0.6, 5, 0.05, "of the frame", "Camera to board, in longer sides"
            ),
        ),
        _make,
    )
)
