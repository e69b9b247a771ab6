"""Linear resampling as small matrices: the low-resolution operator of super-resolution and the bicubic baseline.

Matrices make the operators exact on every device, differentiable, and valid for any size down to one pixel.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch


def low_size(size: int, factor: int) -> int:
    """Pixels along one side after decimation by `factor`: a last, partly covered pixel counts."""
    return -(-size // factor)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel (1981, a = -1/2); `distance` in samples, any shape."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _rows(positions: np.ndarray, size: int, kernel: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Dense matrix whose row r holds kernel[r] from column first[r] on; columns outside are those of the edge pixel."""
    matrix = np.zeros((len(positions), size))
    columns = np.clip(first[:, None] + np.arange(kernel.shape[1])[None, :], 0, size - 1)
    np.add.at(matrix, (np.arange(len(positions))[:, None], columns), kernel)
    rows: np.ndarray = matrix / matrix.sum(axis=1, keepdims=True)
    return rows


@lru_cache(maxsize=64)
def decimation_matrix(size: int, factor: int, blur: float) -> np.ndarray:
    """(low_size, size) float64: Gaussian low-pass of standard deviation `blur` pixels, then one sample every `factor`.

    Low-resolution pixel i is centred where `factor` full-resolution pixels meet their middle: at factor·(i + 1/2).
    """
    centres = factor * (np.arange(low_size(size, factor)) + 0.5) - 0.5
    reach = int(np.ceil(4 * blur)) + 1
    first = np.floor(centres).astype(int) - reach + 1
    offsets = first[:, None] + np.arange(2 * reach)[None, :] - centres[:, None]
    return _rows(centres, size, np.exp(-0.5 * (offsets / blur) ** 2), first)


@lru_cache(maxsize=64)
def bicubic_matrix(size: int, factor: int) -> np.ndarray:
    """(size, low_size) float64: bicubic interpolation back to the full grid, edges repeated."""
    positions = (np.arange(size) + 0.5) / factor - 0.5
    first = np.floor(positions).astype(int) - 1
    offsets = first[:, None] + np.arange(4)[None, :] - positions[:, None]
    return _rows(positions, low_size(size, factor), _cubic(offsets), first)


def _apply(image: torch.Tensor, vertical: np.ndarray, horizontal: np.ndarray) -> torch.Tensor:
    v = torch.from_numpy(vertical).to(image)
    h = torch.from_numpy(horizontal).to(image)
    return v @ image @ h.T


def decimate(image: torch.Tensor, factor: int, blur: float) -> torch.Tensor:
    """(..., H, W) to (..., ceil(H/factor), ceil(W/factor)): low-pass before decimation, so that the result does not
    jump when the picture moves by a fraction of a low-resolution pixel."""
    height, width = image.shape[-2:]
    return _apply(image, decimation_matrix(height, factor, blur), decimation_matrix(width, factor, blur))


def bicubic(low: torch.Tensor, factor: int, height: int, width: int) -> torch.Tensor:
    """(..., h, w) to (..., height, width): the inverse grid change of `decimate`, by bicubic interpolation."""
    return _apply(low, bicubic_matrix(height, factor), bicubic_matrix(width, factor))
