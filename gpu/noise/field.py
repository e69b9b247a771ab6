"""The persistent fine field: sub-pixels of level k that sum to the pixel they belong to (paper: Eq. 1-3, Algorithm 1)."""

from __future__ import annotations

import torch

from gpu.noise import rng


def pixels(seed: int, anchor: int, channels: int, height: int, width: int, device: torch.device) -> torch.Tensor:
    """(C, H, W) the noise that frame `anchor` is born with: the integrals of the field over unit squares."""
    return rng.white(seed, rng.FIELD, anchor, channels, height, width, device)


def write_pixels(noise: torch.Tensor, places: torch.Tensor, seed: int, anchor: int) -> None:
    """Set the pixels `places` (m,) (flat indices) of `noise` (C, H, W), contiguous, to the values of `pixels`."""
    if len(places) == 0:
        return
    width = noise.shape[2]
    y, x = (places // width).to(torch.int32), (places % width).to(torch.int32)
    for channel, plane in enumerate(noise):
        key = torch.tensor(rng.signed(rng.key(seed, rng.FIELD, anchor, channel, 0)), dtype=torch.int32)
        plane.view(-1)[places] = rng.scattered(key.to(places.device), y, x)


def refine(values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int) -> torch.Tensor:
    """Sub-pixels of a block of pixels of one channel, given the pixels' values.

    `values` (h, w) are the pixels whose upper left corner is pixel (y0, x0) of frame `anchor`. Returns (h n, w n), n = 2^k:
    w_i = x / N + (Z_i - mean Z) / sqrt(N) with N = n^2, so that Var(w_i) = 1/N and the N of a pixel sum to x.
    A sub-pixel's value depends on its own place only, not on the block it was asked for in.
    """
    height, width = values.shape
    n = 1 << k
    if k == 0:
        return values.clone()
    free = rng.plane(seed, rng.FINE, anchor, channel, k, y0 * n, x0 * n, height * n, width * n, values.device)
    free = free.view(height, n, width, n)
    shift = values / (n * n) - free.mean(dim=(1, 3)) / n
    return torch.add(shift[:, None, :, None], free, alpha=1 / n).view(height * n, width * n)
