"""Reads arrays of HDF5 files with h5py, in a process of its own (gpu.decoders.process)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.errors import FlowError

MOST_ARRAYS = 1000
SWOLLEN = 1100
"""No byte of deflate stands for more bytes than about this."""

SMALL = 64 << 20
"""Bytes that an array may have whatever it takes in the file: what was never written is a fill value."""


def look(path: str) -> tuple[Any, list[npt.NDArray[Any]]]:
    """Names, shapes and types of the arrays of a file, those in groups by their path: "group/name"."""
    import h5py

    held: list[tuple[str, list[int], str]] = []
    with h5py.File(path, "r") as file:
        _gather(file, "", held, 0)
    return held, []


def read(path: str, name: str, start: int, stop: int, axis: int, every: int) -> tuple[Any, list[npt.NDArray[Any]]]:
    """What lies at `start` to `stop` along `axis` of an array, of its first two axes every `every`-th."""
    import h5py

    with h5py.File(path, "r") as file:
        array = _array(file, name)
        if array is None:
            raise FlowError(f"it has no array {name}")
        size = math.prod(array.shape) * array.dtype.itemsize
        if size > SMALL and size > SWOLLEN * array.id.get_storage_size():
            raise FlowError(f"its array {name} of shape {array.shape} is more than its bytes can hold")
        part = [slice(None)] * array.ndim
        if array.ndim:
            step = every if axis < 2 else 1
            part[axis] = slice(start * step, stop * step)
        values = array[tuple(part)]  # whole and then thinned: HDF5 reads with gaps a hundred times slower
        return None, [np.ascontiguousarray(values[tuple([slice(None, None, every)] * min(array.ndim, 2))])]


def _gather(group: Any, prefix: str, held: list[tuple[str, list[int], str]], deep: int) -> None:
    import h5py

    for name in group:
        if len(held) >= MOST_ARRAYS or deep > 8:
            return
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue  # to other files, or in circles
        item = group[name]
        if isinstance(item, h5py.Dataset):
            if item.dtype.kind in "fiub" and item.shape is not None and not item.is_virtual and item.external is None:
                held.append((prefix + name, list(item.shape), item.dtype.newbyteorder("=").str))
        elif isinstance(item, h5py.Group):
            _gather(item, f"{prefix}{name}/", held, deep + 1)


def _array(file: Any, path: str) -> Any:
    """The array of that path, without following links to other files; None where there is none."""
    import h5py

    item = file
    for name in path.split("/"):
        if not isinstance(item, h5py.Group) or not isinstance(item.get(name, getlink=True), h5py.HardLink):
            return None
        item = item[name]
    return item if isinstance(item, h5py.Dataset) and not item.is_virtual and item.external is None else None
