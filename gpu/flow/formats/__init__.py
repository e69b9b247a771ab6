"""Files of optical flow, one format a file: the arrays that a file holds, by name. The registry is FORMATS.

A format says what stands in a file and nothing of how it is meant: whose direction, which layout, which units, where the format
itself does not say, is for gpu.flow.stored to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from gpu.errors import FlowError
from gpu.registry import Registry

Array = npt.NDArray[np.generic]
F32 = npt.NDArray[np.float32]

LARGEST = 1 << 15
"""Pixels a side of a field."""

MOST_PIXELS = 1 << 26
"""Of a field: twice those of an 8K film, 512 MB of vectors. What claims more is refused before memory is taken."""


class Stored(Protocol):
    """An array of a file, read when it is asked for."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[np.generic]: ...
    def read(self, start: int = 0, stop: int | None = None, axis: int = 0) -> Array:
        """What lies at `start` to `stop` along `axis`; FlowError where the file is damaged."""
        ...


@dataclass(frozen=True)
class Whole:
    """An array that can only be read as a whole, by `load`."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    load: Callable[[], Array]

    def read(self, start: int = 0, stop: int | None = None, axis: int = 0) -> Array:
        part: list[slice] = [slice(None)] * len(self.shape)
        part[axis] = slice(start, stop)
        return self.load()[tuple(part)]


@dataclass(frozen=True)
class Contents:
    """The arrays of a file by name; one without a name is named "".

    `pixels`: that its vectors are in pixels is known. `by_frame`: a field belongs to a frame, backward leads from it to the one
    before and forward to the one after, so that n files are n - 1 steps. `direction` is what the file says of all its arrays.
    `others` names what is there but cannot be read, with what it is in words.
    """

    arrays: Mapping[str, Stored]
    pixels: bool = False
    by_frame: bool = False
    direction: Literal["backward", "forward"] | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None


class FlowFormat(Protocol):
    """A module-level object."""

    title: str
    suffix: str

    def open(self, path: Path) -> Contents:
        """What a file holds; FlowError says what is wrong with it."""
        ...


FORMATS: Registry[FlowFormat] = Registry("flow format", "gpu.flow.formats")


def format_of(path: Path) -> FlowFormat | None:
    """The format that the ending of `path` says; None where it says none."""
    suffix = path.suffix.lower()
    return next((kind for _, kind in FORMATS.items() if kind.suffix == suffix), None)


def endings() -> str:
    """The endings of all formats, for a sentence."""
    return ", ".join(kind.suffix for _, kind in FORMATS.items())


def check_size(path: Path, width: int, height: int) -> None:
    """FlowError when a file says that it holds a field of a size that cannot be, or that is too large to work with."""
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        raise FlowError(f"{path} claims a flow of {width}x{height}, which cannot be.")
    if width * height > MOST_PIXELS:
        raise FlowError(
            f"{path} claims a flow of {width}x{height}; at most {MOST_PIXELS >> 20} million pixels can be worked with."
        )


def read_exactly(path: Path, offset: int, count: int) -> bytearray:
    """`count` bytes of a file from `offset`, which its size was checked to hold."""
    data = bytearray(count)
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        filled = 0
        while filled < count:
            got = file.readinto(memoryview(data)[filled:])
            if not got:
                raise FlowError(f"{path} is damaged or cut short: it ended while it was read.")
            filled += got
    return data
