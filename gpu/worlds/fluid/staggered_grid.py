"""Fields on a staggered grid that is periodic from left to right: sampling, tracing particles, exact projection.

Lengths are in cells, times in frames. Cell (row i, column j) is the unit square [j, j+1] × [i, i+1], y down, as for pixels.
Horizontal velocity u (H, W) lives at the left sides (j, i+1/2) of the cells, vertical velocity v (H+1, W) at their upper
sides (j+1/2, i) and at the floor (marker and cell, Harlow and Welch 1965); everything else at centres.
Left and right are the same place; the floor is a wall without friction; the top is open.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F

CENTRE = (0.5, 0.5)  # where sample (0, 0) of a field lies, (x, y) in cells
LEFT = (0.0, 0.5)
UPPER = (0.5, 0.0)


class Velocity(NamedTuple):
    """u (H, W) and v (H+1, W) in cells per frame."""

    u: torch.Tensor
    v: torch.Tensor


def places(height: int, width: int, origin: tuple[float, float], like: torch.Tensor) -> torch.Tensor:
    """(H, W, 2) positions (x, y) of the samples of a field whose sample (0, 0) lies at `origin`."""
    x = torch.arange(width, dtype=like.dtype, device=like.device) + origin[0]
    y = torch.arange(height, dtype=like.dtype, device=like.device) + origin[1]
    return torch.stack((x.expand(height, width), y[:, None].expand(height, width)), dim=-1)


def linear(field: torch.Tensor, points: torch.Tensor, origin: tuple[float, float]) -> torch.Tensor:
    """(C, ...) bilinear values of `field` (C, H, W) at `points` (..., 2); above and below it the border goes on."""
    height, width = field.shape[1:]
    round_trip = torch.cat((field, field[:, :, :1]), dim=2)
    x = torch.remainder(points[..., 0] - origin[0], width) * (2 / width) - 1
    y = (points[..., 1] - origin[1]).clamp(0, height - 1) * (2 / max(height - 1, 1)) - 1
    grid = torch.stack((x, y), dim=-1).reshape(1, 1, -1, 2)
    sampled = F.grid_sample(round_trip[None], grid, mode="bilinear", padding_mode="border", align_corners=True)
    return sampled.reshape(field.shape[0], *points.shape[:-1])


def cubic(field: torch.Tensor, points: torch.Tensor, limit: bool = True) -> torch.Tensor:
    """(C, ...) bicubic values (Keys 1981, a = -1/2) of `field` (C, H, W) of cell centres at `points` (..., 2).

    With `limit` a value stays between those of the four cells around the point: no new extremes, no ringing.
    """
    channels, height, width = field.shape
    flat = field.permute(1, 2, 0).reshape(height * width, channels)
    at = points.reshape(-1, 2) - 0.5
    corner = at.floor()
    share = at - corner
    columns = [torch.remainder(corner[:, 0].long() + k, width) for k in (-1, 0, 1, 2)]
    rows = [(corner[:, 1].long() + k).clamp(0, height - 1) * width for k in (-1, 0, 1, 2)]
    # One weight for every value: products of equal shapes are several times faster than ones that broadcast.
    across = keys(share[:, :1].repeat(1, channels))
    down = keys(share[:, 1:].repeat(1, channels))
    total = flat.new_zeros((len(at), channels))
    inner = []
    for i in range(4):
        line = torch.zeros_like(total)
        for j in range(4):
            value = flat.index_select(0, rows[i] + columns[j])
            line.addcmul_(value, across[j])
            if i in (1, 2) and j in (1, 2):
                inner.append(value)
        total.addcmul_(line, down[i])
    if limit:
        low = torch.minimum(torch.minimum(inner[0], inner[1]), torch.minimum(inner[2], inner[3]))
        high = torch.maximum(torch.maximum(inner[0], inner[1]), torch.maximum(inner[2], inner[3]))
        total = total.maximum(low).minimum(high)
    return total.T.reshape(channels, *points.shape[:-1])


def keys(share: torch.Tensor) -> list[torch.Tensor]:
    """The four weights of Keys' cubic convolution, a = -1/2, at `share` of the way from the second sample to the third."""
    s = share
    return [
        ((-0.5 * s + 1) * s - 0.5) * s,
        (1.5 * s - 2.5) * s * s + 1,
        ((-1.5 * s + 2) * s + 0.5) * s,
        (0.5 * s - 0.5) * s * s,
    ]


def at(velocity: Velocity, points: torch.Tensor) -> torch.Tensor:
    """(..., 2) the velocity at `points` (..., 2), each component bilinear between its own samples."""
    u = linear(velocity.u[None], points, LEFT)[0]
    v = linear(velocity.v[None], points, UPPER)[0]
    return torch.stack((u, v), dim=-1)


def trace(velocity: Velocity, points: torch.Tensor, time: float | torch.Tensor, order: int = 4) -> torch.Tensor:
    """(..., 2) where particles at `points` (..., 2) are after `time` frames in a steady `velocity`.

    `time` is a number or (..., 1); negative: where they were. Runge-Kutta of `order` 2 or 4. Positions are not
    wrapped: beyond the left or right side one is in the next period.
    """
    first = at(velocity, points)
    second = at(velocity, points + 0.5 * time * first)
    if order == 2:
        return points + time * second
    third = at(velocity, points + 0.5 * time * second)
    fourth = at(velocity, points + time * third)
    return points + time / 6 * (first + 2 * second + 2 * third + fourth)


def divergence(velocity: Velocity) -> torch.Tensor:
    """(H, W) what flows out of each cell, per frame."""
    u, v = velocity
    return torch.roll(u, -1, dims=1) - u + v[1:] - v[:-1]


def project(velocity: Velocity) -> Velocity:
    """The divergence-free velocity nearest to `velocity` (Chorin 1968), exact up to rounding; nothing passes the floor.

    The Poisson equation of the pressure is solved in the eigenvectors of its two one-dimensional operators (fast
    diagonalisation, Lynch, Rice, Thomas 1964): the same small matrix products on every device.
    """
    u, v = velocity.u, velocity.v.clone()
    v[-1] = 0
    height, width = u.shape
    rows, row_values = (each.to(u) for each in _eigen_open(height))
    columns, column_values = (each.to(u) for each in _eigen_periodic(width))
    spectrum = rows.T @ divergence(Velocity(u, v)) @ columns
    pressure = rows @ (spectrum / (row_values[:, None] + column_values[None, :])) @ columns.T
    u = u - (pressure - torch.roll(pressure, 1, dims=1))
    v[0] -= pressure[0]
    v[1:-1] -= pressure[1:] - pressure[:-1]
    return Velocity(u, v)


@lru_cache(maxsize=32)
def _eigen_open(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvectors (columns) and eigenvalues of the second difference: 0 just above the first sample, mirrored at the end."""
    matrix = _second_difference(size)
    matrix[0, 0], matrix[-1, -1] = -2, -1
    if size == 1:
        matrix[0, 0] = -1
    values, vectors = torch.linalg.eigh(matrix)
    return vectors, values


@lru_cache(maxsize=32)
def _eigen_periodic(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvectors (columns) and eigenvalues of the periodic second difference: Fourier's."""
    matrix = _second_difference(size)
    matrix[0, -1] += 1
    matrix[-1, 0] += 1
    values, vectors = torch.linalg.eigh(matrix)
    return vectors, values


def _second_difference(size: int) -> torch.Tensor:
    matrix = -2 * torch.eye(size, dtype=torch.float64)
    for offset in (-1, 1):
        matrix += torch.diag(torch.ones(size - 1, dtype=torch.float64), offset)
    return matrix


def maccormack(field: Velocity, by: Velocity, time: float) -> Velocity:
    """The velocity `field` carried along by the velocity `by` for `time` frames, each component on its own samples.

    Semi-Lagrangian and MacCormack (Selle, Fedkiw, Kim, Liu, Rossignac 2008, Section 3): go back, return, take half of what
    the return got wrong off; limited to the four values around where a sample came from, which keeps it stable.
    """
    here = [
        places(each.shape[-2], each.shape[-1], origin, each) for each, origin in zip(field, (LEFT, UPPER), strict=True)
    ]
    # All particles at once, those that go back and those that go on: the calls cost more than the points.
    sizes = [each[..., 0].numel() for each in here]
    points = torch.cat([each.reshape(-1, 2) for each in here])
    times = points.new_full((2, len(points), 1), time)
    times[0] = -time
    back, on = trace(by, points.expand(2, -1, -1), times, order=2)
    moved = []
    for each, origin, source, target in zip(field, (LEFT, UPPER), back.split(sizes), on.split(sizes), strict=True):
        forward = linear(each[None], source, origin)[0].view_as(each)
        returned = linear(forward[None], target, origin)[0].view_as(each)
        low, high = _limits(each, source, origin)
        moved.append((forward + 0.5 * (each - returned)).maximum(low.view_as(each)).minimum(high.view_as(each)))
    return Velocity(*moved)


def _limits(
    field: torch.Tensor, points: torch.Tensor, origin: tuple[float, float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Smallest and largest of the four samples around each of `points` (..., 2)."""
    height, width = field.shape
    j = torch.remainder((points[..., 0] - origin[0]).floor().long(), width)
    i = (points[..., 1] - origin[1]).floor().long().clamp(0, height - 1)
    index = (i * width + j).flatten()
    right = torch.roll(field, -1, dims=1)
    below = torch.cat((field[1:], field[-1:])), torch.cat((right[1:], right[-1:]))
    low = torch.minimum(torch.minimum(field, right), torch.minimum(*below))
    high = torch.maximum(torch.maximum(field, right), torch.maximum(*below))
    return low.flatten()[index].view_as(i), high.flatten()[index].view_as(i)
