"""Which pixels are to be renewed, in compiled code: gpu.noise.renewal before it is grown."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import kernel

_TWO = np.float32(2)


@kernel
def choose(position: Any, label: Any, limit: Any, alone: Any, chosen: Any) -> None:
    """Fill `chosen` (H, W) bool: pixels bent by more than `limit` pixels, or with no more than `alone` neighbours of their own
    anchor."""
    height, width = label.shape
    for i in range(height):
        up, down = max(i - 1, 0), min(i + 1, height - 1)
        for j in range(width):
            own = label[i, j]
            left, right = max(j - 1, 0), min(j + 1, width - 1)
            number = (
                (label[up, left] == own) + (label[up, j] == own) + (label[up, right] == own) + (label[i, left] == own)
                + (label[i, right] == own) + (label[down, left] == own) + (label[down, j] == own)
                + (label[down, right] == own)
            )  # fmt: skip
            bent = False
            x, y = position[i, j, 0], position[i, j, 1]
            if 0 < j < width - 1 and label[i, left] == own and label[i, right] == own:
                dx = position[i, right, 0] - x * _TWO + position[i, left, 0]
                dy = position[i, right, 1] - y * _TWO + position[i, left, 1]
                bent = np.sqrt(dx * dx + dy * dy) > limit
            if 0 < i < height - 1 and label[up, j] == own and label[down, j] == own:
                dx = position[down, j, 0] - x * _TWO + position[up, j, 0]
                dy = position[down, j, 1] - y * _TWO + position[up, j, 1]
                bent = bent or np.sqrt(dx * dx + dy * dy) > limit
            chosen[i, j] = bent or number <= alone


@kernel
def crowd(chosen: Any, near: Any, least: Any, out: Any) -> None:
    """Fill `out` (H, W) bool: where `least` of the pixels within `near` along x and y are `chosen`; the border goes on."""
    height, width = chosen.shape
    down = np.zeros(width, np.int32)
    for j in range(width):
        for k in range(-near, near + 1):
            down[j] += chosen[min(max(k, 0), height - 1), j]
    for i in range(height):
        across = 0
        for k in range(-near, near + 1):
            across += down[min(max(k, 0), width - 1)]
        for j in range(width):
            out[i, j] = across >= least
            across += down[min(j + near + 1, width - 1)] - down[max(j - near, 0)]
        enters, leaves = min(i + near + 1, height - 1), max(i - near, 0)
        for j in range(width):
            down[j] += np.int32(chosen[enters, j]) - np.int32(chosen[leaves, j])
