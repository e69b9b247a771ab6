"""Noise of a file, frame by frame as it is asked for: T frames (C, H, W), whatever the order of the axes in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from gpu.arrays import Array
from gpu.arrays.series import Series

F32 = npt.NDArray[np.float32]


class Frames(Sequence[F32]):
    """The frames (C, H, W), float32, of an array in a file whose axes stand in `order`: letters of BTCHW, B of length 1.

    `shape` is (T, C, H, W); a letter that `order` lacks has length 1. One frame is read at a time, and a loop over all
    finds out a wrong checksum. np.asarray gives all frames. Values are multiplied by `scale`.
    """

    def __init__(self, array: Array | Series, order: str, scale: float = 1.0) -> None:
        self._array, self._order, self._scale = array, order, scale
        lengths = dict(zip(order, array.shape))
        self.shape = tuple(lengths.get(letter, 1) for letter in "TCHW")
        self._axis = order.find("T")

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[F32]:
        if self._axis < 0:
            yield self._made(self._array.read())
            return
        for part in self._array.slices(self._axis):
            yield self._made(part)

    @overload
    def __getitem__(self, t: int) -> F32: ...
    @overload
    def __getitem__(self, t: slice) -> Sequence[F32]: ...
    def __getitem__(self, t: int | slice) -> F32 | Sequence[F32]:
        if isinstance(t, slice):
            return [self[index] for index in range(len(self))[t]]
        index = range(len(self))[t]
        if self._axis < 0:
            return self._made(self._array.read())
        return self._made(self._array.read(index, index + 1, self._axis).squeeze(self._axis))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        out = np.empty(self.shape, dtype or np.float32)
        for t, frame in enumerate(self):
            out[t] = frame
        return out

    def _made(self, part: npt.NDArray[np.generic]) -> F32:
        """(C, H, W) of what the file holds of one frame, its axes in the file's order without T."""
        letters = self._order.replace("T", "")
        if "B" in letters:
            part, letters = part.squeeze(letters.index("B")), letters.replace("B", "")
        if "C" not in letters:
            part, letters = part[None], "C" + letters
        frame = part.transpose([letters.index(letter) for letter in "CHW"])
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is called so
            out = np.ascontiguousarray(frame, np.float32)
        return out * np.float32(self._scale) if self._scale != 1 else out
