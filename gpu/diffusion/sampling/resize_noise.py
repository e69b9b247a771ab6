"""White noise on one grid to white noise on another: sums of areas, split by conditional sampling where areas overlap.

A pixel of noise is the integral of white noise W over its square, scaled to unit variance, so the noise of another grid
over the same picture is W integrated over that grid's pixels (Chang et al. 2024, arXiv 2504.03072, Equation 1). Where n
whole pixels make one, that is their sum over √n. Where a pixel is cut, its parts are drawn given its value: for shares
t_r with Σ t_r = 1, e_r ~ N(0, t_r) and part_r = e_r + t_r (x − Σ e_j) are independent N(0, t_r) that sum to x (the limit
of Equation 3 without sub-pixels). Interpolating instead would make neighbours correlated and lose variance.

The two axes are handled one after the other. Cutting along an axis leaves white noise white, so the result is exactly
white, and given the input its mean is that of the overlapping areas in the plane.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from gpu.diffusion.model.latents import FACTOR
from gpu.errors import SizeError

_MASK = 0xFFFFFFFF


def resize_noise(noise: torch.Tensor, height: int, width: int, seed: int = 0) -> torch.Tensor:
    """(C,H,W) white noise of unit variance to (C,height,width) of the same kind, over the same picture; float32.

    Args:
        noise: (C, H, W) white Gaussian noise.
        height: rows of the other grid, which covers the same picture; fewer or more.
        width: its columns.
        seed: another seed gives other detail where pixels are cut.

    For H/height and W/width whole it is the sum of each block
    over the root of its number of pixels, with nothing random in it. Making noise larger by whole factors and smaller
    again gives it back. Otherwise the detail within a pixel that is cut is drawn from a hash of (`seed`, the pixel's value):
    the same noise always gets the same detail, independent noise independent detail, and noise that is carried along by
    whole pixels takes its detail with it. (A seed a frame would make a still noise flicker, and one seed for all frames
    would put something that stands still into noise that is independent from frame to frame.) The hash reads every bit, so
    noise that differs in the last one, as from another backend, has another detail. SizeError for anything else than
    (C,H,W) or a grid without pixels.

    >>> noise = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(1))
    >>> small = resize_noise(noise, 16, 24)
    >>> tuple(small.shape), round(float(small.var()), 1)  # still unit variance
    ((4, 16, 24), 1.0)
    """
    if noise.ndim != 3 or min(noise.shape) < 1:
        raise SizeError(f"Noise of shape (channels, height, width) is expected; got {tuple(noise.shape)}.")
    if min(height, width) < 1:
        raise SizeError(f"Noise cannot be resized to {height}×{width} pixels.")
    field = noise.to(torch.float32)
    field = _resize_last(field, width, seed * 2)
    return _resize_last(field.transpose(1, 2), height, seed * 2 + 1).transpose(1, 2).contiguous()


def latent_noise(noise: torch.Tensor, factor: int = FACTOR) -> torch.Tensor:
    """(C,H,W) white noise of unit variance to (C,⌈H/factor⌉,⌈W/factor⌉): each latent pixel is the sum over its square,
    divided by the root of the number of pixels that it holds, fewer than factor² at an edge that cuts it.

    >>> noise = torch.randn(4, 32, 48, generator=torch.Generator().manual_seed(1))
    >>> tuple(latent_noise(noise).shape)
    (4, 8, 12)
    >>> torch.allclose(latent_noise(noise)[0, 0, 0], noise[0, :4, :4].sum() / 4)
    True
    """
    height, width = noise.shape[-2:]
    edges = (0, -width % factor, 0, -height % factor)
    rows, columns = -(-height // factor), -(-width // factor)
    held = F.avg_pool2d(F.pad(torch.ones_like(noise[:1]), edges), factor)
    return resize_noise(F.pad(noise, edges), rows, columns) / held.sqrt()


def normals_of(values: torch.Tensor, seed: int, plane: int) -> torch.Tensor:
    """Standard normals, one for each of `values` (float32, any shape): a pure function of (its bits, seed, plane).

    32-bit integer hash (the finaliser of gpu/noise/rng.py) and the inverse of the normal distribution.
    """
    key = _mix_number(_mix_number(seed + 0x9E3779B9) ^ _mix_number(plane + 0x85EBCA6B))
    word = _mix(_mix(values.contiguous().view(torch.int32)) ^ _signed(key))
    # 24 bits: the largest number of them that float32 holds on every device; reaches 5.4 standard deviations.
    uniform = (((word >> 8) & 0xFFFFFF).to(torch.float32) + 0.5) * 2.0**-24
    return torch.special.ndtri(uniform) if uniform.device.type != "mps" else torch.erfinv(2 * uniform - 1) * 2**0.5


def _cuts(size: int, to: int) -> tuple[list[int], list[int], list[int]]:
    """Where both grids together cut one axis: (source pixel, target pixel, length) of every piece, from left to right.

    Lengths are exact integers, in units of 1 / lcm(size, to) of the axis.
    """
    whole = math.lcm(size, to)
    step, step_to = whole // size, whole // to
    edges = sorted({*range(0, whole + 1, step), *range(0, whole + 1, step_to)})
    starts = edges[:-1]
    lengths = [after - before for before, after in zip(starts, edges[1:], strict=True)]
    return [e // step for e in starts], [e // step_to for e in starts], lengths


def _resize_last(field: torch.Tensor, to: int, seed: int) -> torch.Tensor:
    """(C,R,n) to (C,R,to): white noise along the last axis, cut and summed."""
    size = field.shape[-1]
    if size == to:
        return field
    if size % to == 0:
        return field.reshape(*field.shape[:-1], to, size // to).sum(-1) / math.sqrt(size // to)
    source, target, lengths = _cuts(size, to)
    device = field.device
    owner, goal = torch.tensor(source, device=device), torch.tensor(target, device=device)
    length = torch.tensor(lengths, dtype=torch.float32, device=device)
    share = length * (size / math.lcm(size, to))  # of the source pixel: the pieces of one sum to 1
    first = torch.searchsorted(owner, owner)  # index of the pixel's first piece
    number = torch.arange(len(source), device=device) - first
    pieces = field[..., owner]
    free = torch.empty_like(pieces)
    for place in range(int(number.max()) + 1):  # at most ⌈to/size⌉ + 1 pieces a pixel
        chosen = number == place
        free[..., chosen] = normals_of(pieces[..., chosen], seed, place)
    free *= share.sqrt()
    drawn = torch.zeros_like(field).index_add_(-1, owner, free)
    pieces = free + share * (pieces - drawn[..., owner])
    out = torch.zeros((*field.shape[:-1], to), dtype=torch.float32, device=device)
    return out.index_add_(-1, goal, pieces) / math.sqrt(size / to)


def _mix_number(word: int) -> int:
    word &= _MASK
    word ^= word >> 16
    word = (word * 0x7FEB352D) & _MASK
    word ^= word >> 15
    word = (word * 0x846CA68B) & _MASK
    return word ^ (word >> 16)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >= 1 << 31 else word


def _mix(word: torch.Tensor) -> torch.Tensor:
    """`_mix_number` on int32 tensors, whose products wrap around."""
    word = word ^ ((word >> 16) & 0xFFFF)
    word = word * 0x7FEB352D
    word = word ^ ((word >> 15) & 0x1FFFF)
    word = word * _signed(0x846CA68B)
    return word ^ ((word >> 16) & 0xFFFF)
