"""A sequence of flow fields that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.errors import FlowError

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fields:
    """`count` fields of flow (H, W, 2), each read when it is asked for: `fields[t]`. Unknown vectors are NaN."""

    count: int
    height: int
    width: int
    read: Callable[[int], F32]

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.count, self.height, self.width, 2

    def __getitem__(self, t: int) -> F32:
        if not 0 <= t < self.count:
            raise IndexError(f"field {t} of {self.count}")
        return self.read(t)

    def part(self, start: int, stop: int | None = None) -> Fields:
        """Those from `start` to before `stop`."""
        chosen = range(self.count)[start:stop]
        return Fields(len(chosen), self.height, self.width, lambda t: self.read(chosen[t]))

    def changed(self, change: Callable[[F32], F32]) -> Fields:
        """The same with `change` made to each when it is read."""
        return Fields(self.count, self.height, self.width, lambda t: change(self.read(t)))

    def resized(self, height: int, width: int, change: Callable[[F32], F32]) -> Fields:
        """As `changed`, where `change` gives fields of another size."""
        return Fields(self.count, height, width, lambda t: change(self.read(t)))

    def all(self) -> F32:
        """(N, H, W, 2) at once."""
        return np.stack([self.read(t) for t in range(self.count)])


def of_array(array: npt.NDArray[np.floating]) -> Fields:
    """Those of an array (N, H, W, 2). FlowError for another shape."""
    if array.ndim != 4 or array.shape[-1] != 2 or 0 in array.shape:
        raise FlowError(f"The flow has shape {array.shape}; (T-1, H, W, 2) was expected.")
    count, height, width = array.shape[:3]
    return Fields(count, height, width, lambda t: np.asarray(array[t], np.float32))
