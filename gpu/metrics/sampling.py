"""Bilinear sampling of a field at absolute positions, exact at pixel centres."""

from __future__ import annotations

import torch

CHUNK = 1 << 14  # positions worked on at once on a CPU: temporaries stay in the cache


def bilinear(field: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Values (C, ...) of `field` (C, H, W) at absolute `positions` (..., 2) in (x, y); pixel centres at (j+1/2, i+1/2).

    Closer than half a pixel to the border the border pixel continues outwards; callers mask what lies further out.
    Positions that are not finite are taken as 0: mask them too. Unlike grid_sample, which goes through [-1, 1], this
    returns a pixel's value unchanged at its centre.
    """
    channels = field.shape[0]
    flat = positions.reshape(-1, 2)
    if field.device.type != "cpu" or len(flat) <= CHUNK:
        return _bilinear(field, flat).reshape(channels, *positions.shape[:-1])
    parts = [_bilinear(field, flat[start : start + CHUNK]) for start in range(0, len(flat), CHUNK)]
    return torch.cat(parts, dim=1).reshape(channels, *positions.shape[:-1])


def _bilinear(field: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    channels, height, width = field.shape
    x, y = positions.nan_to_num(0, 0, 0).unbind(dim=-1)
    x, y = (x - 0.5).clamp(0, width - 1), (y - 0.5).clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    a, b = (x - left).to(field.dtype), (y - top).to(field.dtype)
    j, i = left.long(), top.long()
    across, down = (j < width - 1).long(), (i < height - 1).long() * width
    corner = i * width + j
    flat = field.reshape(channels, height * width)

    def at(index: torch.Tensor) -> torch.Tensor:
        return flat.index_select(1, index)

    upper = torch.lerp(at(corner), at(corner + across), a)
    lower = torch.lerp(at(corner + down), at(corner + down + across), a)
    return torch.lerp(upper, lower, b)


def inside(positions: torch.Tensor, height: int, width: int, margin: float = 0.0) -> torch.Tensor:
    """Which `positions` (..., 2) lie in the frame at least `margin` pixels from its border; NaN lies nowhere."""
    x, y = positions.unbind(dim=-1)
    return (x >= margin) & (x <= width - margin) & (y >= margin) & (y <= height - margin)
