"""The persistent fine field: cells of any level, each halving of which is drawn once (paper: Eq. 1-3, Algorithm 1).

A cell of value w and area A is halved into w/2 + (√A/2) h and w/2 - (√A/2) h, h a standard normal from the hash of that cell:
two independent values of variance A/2 that sum to w. x and y are halved in turn, so that level k + 1 refines level k, and what
is seen at one level is the sum of what is seen at a finer one. This is the conditional distribution of the paper's Eq. 3,
(Z_i - mean Z)/√N + x/N, drawn step by step.

Cells hold whole numbers of 2^-FRACTION. Sums of them are exact whatever their order, so that tiles, threads, devices and
the parts in which a frame is worked on cannot change a bit of the noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from gpu.noise import rng

Planes = Callable[[int], torch.Tensor]

FRACTION = 20
"""Bits behind the point: a millionth, which is a 128,000th of a cell's standard deviation at level 3. Sums reach ±2048, 6.4
standard deviations of an area of 100,000 pixels."""

MOST_LEVEL = 14
"""The finest level: there a cell's standard deviation is 64 of the smallest steps."""


def carried_or(carried: torch.Tensor, born: torch.Tensor) -> torch.Tensor:
    """What pixels of an anchor hold: the noise that has been `carried` to them; where that is NaN, what they are born with."""
    return torch.where(carried.isnan(), born, carried)


def pixels(seed: int, anchor: int, channels: int, height: int, width: int, device: torch.device) -> torch.Tensor:
    """(C, H, W) the noise that frame `anchor` is born with: the integrals of the field over unit squares."""
    return rng.white(seed, rng.FIELD, anchor, channels, height, width, device)


def write_pixels(noise: torch.Tensor, places: torch.Tensor, seed: int, anchor: int) -> None:
    """Set the pixels `places` (m,) (flat indices) of `noise` (C, H, W), contiguous, to the values of `pixels`."""
    if len(places) == 0:
        return
    channels, _, width = noise.shape
    y, x = (places // width).to(torch.int32), (places % width).to(torch.int32)
    keys = torch.from_numpy(rng.keys(seed, rng.FIELD, anchor, channels).view(np.int32)).to(places.device)
    noise.view(channels, -1)[:, places] = rng.scattered(keys[:, None], y[None], x[None])


def fixed(values: torch.Tensor) -> torch.Tensor:
    """int32 multiples of 2^-FRACTION nearest to float32 `values`."""
    return torch.round(values * float(1 << FRACTION)).to(torch.int32)


def floating(total: torch.Tensor) -> torch.Tensor:
    """float32 from sums of cells."""
    return total.to(torch.float32).mul_(2.0**-FRACTION)


def plane_of(level: int, across: bool) -> int:
    """The level, in gpu.noise.rng.key of stream FINE, of the normals that halve cells of `level`: `across` their width, at
    (x, y) of the cell; else the height of the halves, at (x, y) of the half."""
    return 2 * level + (1 if across else 2)


def spread(level: int, across: bool) -> float:
    """√A of the cells that are halved, in steps of 2^-FRACTION, as a float32 holds it."""
    area = 0.25**level * (1.0 if across else 0.5)
    return float(torch.tensor(area**0.5 * (1 << FRACTION), dtype=torch.float32))


def cells(values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int) -> torch.Tensor:
    """Cells (h n, w n) int32, n = 2^k, of pixels of one channel: each n x n of them sum to their pixel's value exactly.

    `values` (h, w) int32 are pixels of frame `anchor`, the first of which is pixel (y0, x0). A cell's value depends on its
    own place and its pixel only, not on the block it was asked for in.
    """
    for level in range(k):
        y, x = y0 << level, x0 << level
        values = _halved(values, seed, anchor, channel, level, True, y, x)
        values = _halved(values.T, seed, anchor, channel, level, False, y, 2 * x).T
    return values.contiguous()


def _halved(
    values: torch.Tensor, seed: int, anchor: int, channel: int, level: int, across: bool, y: int, x: int
) -> torch.Tensor:
    """(a, 2 b) the halves of cells (a, b) along their last axis."""
    height, width = values.shape if across else values.T.shape
    normal = rng.plane(seed, rng.FINE, anchor, channel, plane_of(level, across), y, x, height, width, values.device)
    step = torch.round(normal * spread(level, across)).to(torch.int32)
    first = (values + (step if across else step.T)) >> 1
    return torch.stack([first, values - first], -1).view(values.shape[0], 2 * values.shape[1])


def cells_at(values: torch.Tensor, planes: Planes, k: int, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`cells` of single pixels `values` (m,) int32 at rows `y` and columns `x` (m,) int32: (m, 4^k) int32, row by row.
    `planes(level)` gives the (m,) int32 keys of the normals of that level of gpu.noise.rng.key."""
    block = values[:, None, None]
    for level in range(k):
        for across in (True, False):
            rows, columns = block.shape[1:]
            inner_y = torch.arange(rows, dtype=torch.int32, device=x.device)[:, None]
            inner_x = torch.arange(columns, dtype=torch.int32, device=x.device)
            place_y, place_x = (
                (y[:, None, None] << level) + inner_y,
                (x[:, None, None] << (level + (not across))) + inner_x,
            )
            normal = rng.scattered(planes(plane_of(level, across))[:, None, None], place_y, place_x)
            first = (block + torch.round(normal * spread(level, across)).to(torch.int32)) >> 1
            halves = torch.stack([first, block - first], 3 if across else 2)
            block = halves.reshape(len(values), rows * (1 if across else 2), columns * (2 if across else 1))
    return block.reshape(len(values), -1)


def refine(values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int) -> torch.Tensor:
    """`cells` of float32 `values`, as float32: each has variance 1/N, N = 4^k."""
    return floating(cells(fixed(values), seed, anchor, channel, k, y0, x0))
