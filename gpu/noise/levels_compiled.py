"""Areas that carried pixels cover, in compiled code: see gpu.noise.levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.compiled import kernel
from gpu.noise.rng_compiled import nearest

_ONE = np.float32(1)


@kernel
def add_areas(
    position: Any, label: Any, state: Any, new: Any, undefined: Any, steps: Any, total: Any, number: Any
) -> None:
    """Add to `total` and `number`, (labels,) int64, the areas that carried pixels cover, see gpu.noise.levels."""
    height, width = label.shape
    for i in range(height - 1):
        for j in range(width - 1):
            own = label[i, j]
            a, b, c = state[i, j], state[i, j + 1], state[i + 1, j]
            if label[i, j + 1] != own or label[i + 1, j] != own:
                continue
            if a == new or a == undefined or b == new or b == undefined or c == new or c == undefined:  # noqa: SIM109 - compiled
                continue
            ax, ay = position[i, j + 1, 0] - position[i, j, 0], position[i, j + 1, 1] - position[i, j, 1]
            bx, by = position[i + 1, j, 0] - position[i, j, 0], position[i + 1, j, 1] - position[i, j, 1]
            area = min(abs(ax * by - ay * bx), _ONE)
            total[own] += nearest(area * steps)
            number[own] += 1
