"""Maps between frames: sampling at absolute positions, composition, forward-backward validity, Jacobian.

Everything is torch, float32, on the device of its input. Positions and maps are absolute (x, y) with pixel (i, j)'s
centre at (j+1/2, i+1/2); flows are (dx, dy) in pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from gpu import compiled

CHUNK = 1 << 14  # positions worked on at once on a CPU: temporaries stay in the cache

UNSEEN = 1e4
"""Forward-backward error, in pixels, given where there is nothing to check against: finite, so that it can be sorted
and interpolated, and larger than any that is measured."""

FARTHEST = 4.0
"""A vector longer than this many frame diagonals is taken for garbage rather than motion."""


class Cleaned(NamedTuple):
    """A flow fit to compute with, and (H, W) bool where its vectors had to be replaced."""

    flow: torch.Tensor
    bad: torch.Tensor


class Checked(NamedTuple):
    """What the forward-backward check says of a backward flow: (H, W) bool, and (H, W) float32 pixels."""

    valid: torch.Tensor
    error: torch.Tensor


class Composed(NamedTuple):
    """An accumulated map (H, W, 2), and (H, W) bool where it is known."""

    phi: torch.Tensor
    valid: torch.Tensor


def pixel_centres(
    height: int, width: int, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """(H, W, 2) absolute positions (x, y) of the centres of the pixels: (j + 1/2, i + 1/2) at row i, column j.

    As a map it is the identity, the accumulated deformation of the reference frame itself.

    >>> pixel_centres(2, 3)[1]
    tensor([[0.5000, 1.5000],
            [1.5000, 1.5000],
            [2.5000, 1.5000]])
    """
    y = torch.arange(height, device=device, dtype=dtype) + 0.5
    x = torch.arange(width, device=device, dtype=dtype) + 0.5
    return torch.stack((x.expand(height, width), y[:, None].expand(height, width)), dim=-1)


def bilinear(field: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Values (C, ...) of `field` (C, H, W) at absolute `positions` (..., 2) in (x, y); pixel centres at (j+1/2, i+1/2).

    Closer than half a pixel to the border the border pixel continues outwards; callers mask what lies further out.
    Positions that are not finite are taken as 0: mask them too. Unlike grid_sample, which goes through [-1, 1], this
    returns a pixel's value unchanged at its centre.

    >>> field = torch.arange(6.0).reshape(1, 2, 3)
    >>> bilinear(field, torch.tensor([[0.5, 0.5], [1.0, 0.5], [2.5, 1.0]]))
    tensor([[0.0000, 0.5000, 3.5000]])
    """
    channels = field.shape[0]
    field = field.contiguous()  # once, not for every chunk
    flat = positions.reshape(-1, 2)
    if _compilable(field, flat):
        from gpu.flow import maps_compiled

        out = torch.empty((channels, len(flat)))
        maps_compiled.bilinear(field.numpy(), flat.contiguous().numpy(), out.numpy())
        return out.reshape(channels, *positions.shape[:-1])
    if field.device.type != "cpu" or len(flat) <= CHUNK:
        return _bilinear(field, flat).reshape(channels, *positions.shape[:-1])
    parts = [_bilinear(field, flat[start : start + CHUNK]) for start in range(0, len(flat), CHUNK)]
    return torch.cat(parts, dim=1).reshape(channels, *positions.shape[:-1])


def _compilable(*tensors: torch.Tensor) -> bool:
    """Whether compiled code can work on these: float32 on the processor, and nothing that torch keeps a record of."""
    return compiled.available() and all(
        tensor.device.type == "cpu" and tensor.dtype == torch.float32 and not tensor.requires_grad for tensor in tensors
    )


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


def sample(vectors: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """`bilinear` for a flow or map: values (..., 2) of `vectors` (H, W, 2) at absolute `positions` (..., 2)."""
    if _compilable(vectors, positions):
        from gpu.flow import maps_compiled

        out = torch.empty(positions.shape)
        flat = positions.reshape(-1, 2).contiguous()
        maps_compiled.sample(vectors.contiguous().numpy(), flat.numpy(), out.view(-1, 2).numpy())
        return out
    return bilinear(vectors.permute(2, 0, 1), positions).movedim(0, -1)


def inside(positions: torch.Tensor, height: int, width: int, margin: float = 0.0) -> torch.Tensor:
    """Which `positions` (..., 2) lie in the frame at least `margin` pixels from its border; NaN lies nowhere."""
    x, y = positions.unbind(dim=-1)
    return (x >= margin) & (x <= width - margin) & (y >= margin) & (y <= height - margin)


def covered(mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """(...) bool: whether every pixel that a bilinear sample at `positions` (..., 2) uses is True in `mask` (H, W)."""
    return bilinear(mask[None].to(torch.float32), positions)[0] > 0.999


def clean(flow: torch.Tensor) -> Cleaned:
    """`flow` (H, W, 2) with 0 in place of vectors that are not finite or longer than FARTHEST frame diagonals.

    Such a vector leads nowhere, and one 1e9 would spoil the corner averages of its neighbours as well.
    """
    height, width = flow.shape[:2]
    limit = FARTHEST * float(height * height + width * width) ** 0.5
    if _compilable(flow):
        from gpu.flow import maps_compiled

        cleaned = Cleaned(torch.empty((height, width, 2)), torch.empty((height, width), dtype=torch.bool))
        out, replaced = cleaned.flow.view(-1, 2).numpy(), cleaned.bad.view(-1).numpy()
        maps_compiled.clean(flow.reshape(-1, 2).numpy(), limit, out, replaced)
        return cleaned
    bad = ~(torch.hypot(flow[..., 0], flow[..., 1]) <= limit)
    return Cleaned(torch.where(bad[..., None], torch.zeros_like(flow), flow), bad)


def compose(
    phi: torch.Tensor, backward: torch.Tensor, phi_valid: torch.Tensor | None = None, valid: torch.Tensor | None = None
) -> Composed:
    """Phi_{t+1}(p) = Phi_t(p + backward[t](p)), bilinear in Phi_t.

    `phi`, `backward` (H, W, 2); `phi_valid` (H, W) where phi is known and `valid` (H, W) where the step is (None:
    everywhere). The result is known where the step is, stays inside the frame, lands on known pixels of phi, and lies in
    the reference frame. Within half a pixel of the border phi is continued linearly, so that what is affine stays exact.

    >>> still, left = pixel_centres(4, 6), torch.tensor([-1.5, 0.0]).expand(4, 6, 2)
    >>> phi, valid = compose(compose(still, left).phi, left)
    >>> phi[0, 3], valid[0]  # two steps of 1.5 pixels: what lies 3 pixels further left
    (tensor([0.5000, 0.5000]), tensor([False, False, False,  True,  True,  True]))
    """
    height, width = phi.shape[:2]
    grid = pixel_centres(height, width, phi.device)
    positions = grid + backward
    half = positions.new_tensor([0.5, 0.5])
    nearest = positions.maximum(half).minimum(positions.new_tensor([width - 0.5, height - 0.5]))
    moved = phi - grid
    result = positions + 2 * sample(moved, nearest) - sample(moved, 2 * nearest - positions)
    followed = inside(positions, height, width) & inside(result, height, width)
    if valid is not None:
        followed = followed & valid
    if phi_valid is not None:
        followed = followed & covered(phi_valid, positions)
    return Composed(result, followed)


def validity(backward: torch.Tensor, forward: torch.Tensor) -> torch.Tensor:
    """(H, W) bool: p + b(p) lies in the frame and |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5, f taken at p + b(p).

    The forward-backward check of Sundaram, Brox, Keutzer 2010 (equation 5).

    >>> backward = torch.tensor([-2.0, 0.0]).expand(3, 6, 2)
    >>> validity(backward, -backward)[0]  # the first two come from outside the frame
    tensor([False, False,  True,  True,  True,  True])
    >>> validity(backward, torch.zeros(3, 6, 2)).any()  # the flows disagree
    tensor(False)
    """
    return check(backward, forward).valid


def check(backward: torch.Tensor, forward: torch.Tensor, pixel: tuple[float, float] = (1.0, 1.0)) -> Checked:
    """`validity` of a pair of flows (H, W, 2), and their error: |b(p) + f(p + b(p))| on the grid of `backward`, UNSEEN where
    p + b(p) leaves the frame. The error is in pixels, or in others, of which the flows' pixel is `pixel` (x, y)."""
    height, width = backward.shape[:2]
    if _compilable(backward, forward):
        from gpu.flow import maps_compiled

        checked = Checked(torch.empty((height, width), dtype=torch.bool), torch.empty((height, width)))
        flows = backward.contiguous().numpy(), forward.contiguous().numpy()
        unseen, across, down = np.float32(UNSEEN), np.float32(pixel[0]), np.float32(pixel[1])
        maps_compiled.check(*flows, unseen, across, down, checked.valid.numpy(), checked.error.numpy())
        return checked
    positions = pixel_centres(height, width, backward.device) + backward
    there = sample(forward, positions)
    mismatch = _square(backward + there)
    allowed = 0.01 * (_square(there) + _square(backward)) + 0.5
    seen = inside(positions, height, width)
    error = mismatch.sqrt() if pixel == (1.0, 1.0) else _square((backward + there) * backward.new_tensor(pixel)).sqrt()
    return Checked(seen & (mismatch < allowed), torch.where(seen, error, torch.full_like(error, UNSEEN)))


def _square(vectors: torch.Tensor) -> torch.Tensor:
    """(...) squared lengths of `vectors` (..., 2)."""
    x, y = vectors.unbind(dim=-1)
    return x * x + y * y


def jacobian(phi: torch.Tensor) -> torch.Tensor:
    """(H, W) determinant of the derivative of the map `phi` (H, W, 2) by central differences, one-sided at the border.

    Above 1 the picture is being contracted (a pixel covers more than its area of the reference), below 1 expanded,
    negative folded. Along a side of a single pixel, where there is nothing to difference, phi counts as unscaled.

    >>> jacobian(1.1 * pixel_centres(8, 8))[4, 4].round(decimals=3)  # every pixel covers 1.1 x 1.1
    tensor(1.2100)
    """
    dx = _derivative(phi, 1, 0)
    dy = _derivative(phi, 0, 1)
    return dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]


def _derivative(phi: torch.Tensor, dim: int, component: int) -> torch.Tensor:
    if phi.shape[dim] < 2:
        unscaled = torch.zeros_like(phi)
        unscaled[..., component] = 1
        return unscaled
    return torch.gradient(phi, dim=dim)[0]
