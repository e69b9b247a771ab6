"""Arrays of one file that are steps of one thing, each under a number: lists of tensors, `arr_0`, `arr_1`, … of a .npz."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.arrays.array import Array


@dataclass(frozen=True)
class Series:
    """Arrays of one shape and type, one behind the other along a new axis 0, as an array (gpu.arrays.Array) is used.

    `name` is theirs with `*` for the number. Where they begin with an axis of length 1, the new one takes its place.
    """

    name: str
    parts: tuple[Array, ...]

    @property
    def each(self) -> tuple[int, ...]:
        """The shape of one of them, without a first axis of length 1."""
        shape = self.parts[0].shape
        return shape[1:] if self._lead else shape

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts), *self.each)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return self.parts[0].dtype

    @property
    def stored(self) -> str:
        return self.parts[0].stored

    @property
    def words(self) -> str:
        """Which they are: "flow.0 to flow.7"."""
        return f"{self.parts[0].name} to {self.parts[-1].name}"

    @property
    def _lead(self) -> int:
        shape = self.parts[0].shape
        return int(len(shape) > 2 and shape[0] == 1)

    def read(self, start: int = 0, stop: int | None = None, axis: int = 0) -> npt.NDArray[np.generic]:
        """As gpu.arrays.Array.read."""
        if axis == 0:
            chosen = [part.read().reshape(self.each) for part in self.parts[start:stop]]
            return np.stack(chosen) if chosen else np.zeros((0, *self.each), self.dtype)
        read = [part.read(start, stop, axis - 1 + self._lead) for part in self.parts]
        return np.stack([part.squeeze(0) if self._lead else part for part in read])

    def slices(self, axis: int = 0) -> Iterator[npt.NDArray[np.generic]]:
        """As gpu.arrays.Array.slices."""
        for at in range(self.shape[axis]):
            yield self.read(at, at + 1, axis).squeeze(axis)


def series_in(arrays: Mapping[str, Array]) -> dict[str, Series]:
    """The series among arrays, by name: names that differ in one number, which counts in even steps, alike in all else.

    >>> import tempfile
    >>> from gpu.arrays import open_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(folder + "/a.npz", *[np.full((1, 4, 6), t) for t in range(11)], fps=np.zeros(3))
    ...     with open_arrays(folder + "/a.npz") as arrays:
    ...         found = series_in(arrays)["arr_*"]
    ...         found.shape, found.words, found.read(9, 11)[:, 0, 0].tolist()
    ((11, 4, 6), 'arr_0 to arr_10', [9, 10])
    """
    alike: dict[tuple[str, ...], list[tuple[tuple[int, ...], str]]] = {}
    for name, array in arrays.items():
        pieces = re.split(r"([0-9]{1,18})", name)
        if len(pieces) > 1 and array.readable and array.shape:
            alike.setdefault(tuple(pieces[::2]), []).append((tuple(map(int, pieces[1::2])), name))
    out = {}
    for texts, members in alike.items():
        members.sort()
        varying = [
            place for place, column in enumerate(zip(*(numbers for numbers, _ in members))) if len(set(column)) > 1
        ]
        if len(varying) != 1:
            continue
        counts = [numbers[varying[0]] for numbers, _ in members]
        steps = {after - before for before, after in itertools.pairwise(counts)}
        parts = tuple(arrays[name] for _, name in members)
        if len(steps) == 1 and 0 not in steps and len({(part.shape, part.stored) for part in parts}) == 1:
            numbers = [str(number) for number in members[0][0]]
            numbers[varying[0]] = "*"
            name = "".join(text + number for text, number in zip(texts, [*numbers, ""]))
            if name not in arrays:
                out[name] = Series(name, parts)
    return out
