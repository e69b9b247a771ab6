"""Brings a flow that was found on finer pictures to a grid: averaged over areas, what does not belong there left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.cv import cv2

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LEAST = 0.125
"""Share of a pixel's area whose vectors must be trusted for them to speak for all of it; else all that are finite do."""

SPREAD = 0.25
"""Standard deviation, in pixels of the grid, within a pixel beyond which its vectors are taken to be of several motions. Of one
motion that is smooth they differ by far less: turning by 20° a frame gives 0.14."""

NEAR = 0.5
"""Of several motions the one that most of the pixel's area has counts: the vector nearest to the median, and those up to so
many pixels of the grid from it."""

CHUNK = 1 << 20  # vectors that are looked at one by one at a time


def averaged(flow: F32, trusted: Mask, finite: Mask, height: int, width: int) -> F32:
    """(H, W, 2): `flow` (rows, columns, 2), in pixels of its own fine grid, on one of `height` x `width` that covers the same
    area and is not finer on either axis; vectors are scaled with it.

    A pixel's vector is the mean, by area, of the `trusted` (rows, columns) ones in it, or where they are too few (LEAST) of
    all `finite` ones; 0 where there is none. Where they are of several motions (SPREAD), as at an outline or where one of them
    is far off, it is the mean of those near the median one: motion of what fills most of the pixel, never between two.

    >>> flow = np.full((4, 4, 2), (8, 0), np.float32)
    >>> flow[3, 3] = 1e4  # one vector out of 16 that is nothing like the others
    >>> everywhere = np.ones((4, 4), bool)
    >>> averaged(flow, everywhere, everywhere, 1, 1)
    array([[[2., 0.]]], dtype=float32)
    """
    rows, columns = flow.shape[:2]
    scaled = flow * np.array([width / columns, height / rows], np.float32)
    scaled[~finite] = 0
    weights = trusted & finite
    share, mean, square = _moments(scaled, weights, height, width)
    few = share < LEAST
    if few.any():
        rest, rest_mean, rest_square = _moments(scaled, finite, height, width)
        mean, square = np.where(few[..., None], rest_mean, mean), np.where(few, rest_square, square)
        mean[few & (rest < LEAST)] = 0
    spread = square - mean[..., 0] ** 2 - mean[..., 1] ** 2
    at = np.nonzero(spread > SPREAD * SPREAD)
    if len(at[0]):
        _take_nearest(mean, scaled, weights, finite, few, at)
    return np.ascontiguousarray(mean, np.float32)


def area_means(values: F32 | Mask, height: int, width: int) -> F32:
    """(height, width, ...) means over the areas of a coarser grid's pixels of `values` (rows, columns, ...)."""
    means = cv2.resize(np.ascontiguousarray(values, np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32).reshape(height, width, *values.shape[2:])


def _moments(flow: F32, weights: Mask, height: int, width: int) -> tuple[F32, F32, F32]:
    """(H, W) the share of a pixel's area that counts, (H, W, 2) the mean of what does, (H, W) of its square length."""
    x, y, counts = flow[..., 0], flow[..., 1], weights.astype(np.float32)
    values = np.empty((*counts.shape, 4), np.float32)
    values[..., 0] = counts
    np.multiply(x, counts, out=values[..., 1])
    np.multiply(y, counts, out=values[..., 2])
    values[..., 3] = x * values[..., 1] + y * values[..., 2]
    means = area_means(values, height, width)
    share = means[..., 0].copy()
    means /= np.maximum(share, np.float32(1e-6))[..., None]
    return share, means[..., 1:3], means[..., 3]


def _take_nearest(
    mean: F32, flow: F32, trusted: Mask, finite: Mask, few: Mask, at: tuple[npt.NDArray[np.intp], ...]
) -> None:
    """Put into `mean` (H, W, 2), at pixels `at`, the mean of the vectors that are near the median of those in the pixel."""
    height, width = mean.shape[:2]
    y, y_weight = _overlaps(at[0], flow.shape[0], height)
    x, x_weight = _overlaps(at[1], flow.shape[1], width)
    step = max(CHUNK // (y.shape[1] * x.shape[1]), 1)
    for start in range(0, len(at[0]), step):
        some = slice(start, start + step)
        i, j = at[0][some], at[1][some]
        place = (y[some][:, :, None], x[some][:, None, :])
        counts = np.where(few[i, j][:, None, None], finite[place], trusted[place])
        weight = (y_weight[some][:, :, None] * x_weight[some][:, None, :] * counts).reshape(len(i), -1)
        vectors = flow[place].reshape(len(i), -1, 2)
        median = np.stack([_median(vectors[..., axis], weight) for axis in (0, 1)], axis=-1)
        # Of three motions the median of each component may be none of them: the vector nearest to it is one.
        distance = np.where(weight > 0, np.linalg.norm(vectors - median[:, None], axis=-1), np.inf)
        middle = np.take_along_axis(vectors, np.argmin(distance, axis=1)[:, None, None], axis=1)
        weight = weight * (np.linalg.norm(vectors - middle, axis=-1) <= NEAR)
        total = weight.sum(axis=1)
        taken = (vectors * weight[..., None]).sum(axis=1) / np.maximum(total, 1e-12)[:, None]
        mean[i, j] = np.where((total > 0)[:, None], taken, 0)


def _overlaps(index: npt.NDArray[np.intp], fine: int, coarse: int) -> tuple[npt.NDArray[np.intp], F64]:
    """Of coarse pixels along an axis: (n, m) the fine pixels that they may touch, and how much of each they cover."""
    low, high = index * fine / coarse, (index + 1) * fine / coarse
    cells = np.floor(low).astype(np.intp)[:, None] + np.arange(int(np.ceil(fine / coarse)) + 1)
    covered = np.minimum(cells + 1, high[:, None]) - np.maximum(cells, low[:, None])
    return np.minimum(cells, fine - 1), np.clip(covered, 0, None) * (cells < fine)


def _median(values: F32, weight: F64) -> F32:
    """(n,) weighted medians of `values` (n, m); 0 where nothing has weight."""
    order = np.argsort(values, axis=1)
    summed = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    half = summed[:, -1:] / 2
    index = np.argmax(summed >= np.maximum(half, 1e-12), axis=1)
    return np.asarray(np.take_along_axis(values, np.take_along_axis(order, index[:, None], axis=1), axis=1)[:, 0])
