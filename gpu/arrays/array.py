"""One array of a file: its shape and type, and reading it whole or a piece along one axis."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.arrays.source import DamageError, Source, check_room, take

DIMENSIONS = 32
BLOCK = 1 << 16
"""Bytes from which on one read costs more than asking for it."""


@dataclass(frozen=True)
class Kind:
    """How values lie in a file: `raw` as NumPy reads them, `dtype` as they are given, `name` in words."""

    raw: np.dtype[np.generic]
    dtype: np.dtype[np.generic]
    name: str


BFLOAT16 = Kind(np.dtype("<u2"), np.dtype(np.float32), "bfloat16")


def kind_of(code: str) -> Kind:
    """The kind of a NumPy type code such as "<f4"; DamageError for what is none, or is a record."""
    if not re.fullmatch(r"[<>=|]?[?bBhHiIlLqQefdgfiucOSUVSa]\d{0,6}", code):
        raise DamageError(f"its values are of an unknown type, {code[:40]!r}")
    raw = np.dtype(code)
    return Kind(raw, raw.newbyteorder("=") if raw.kind in "fiuc" else raw, raw.name)


@dataclass(frozen=True)
class Array:
    """An array in a file that is open.

    `shape`; `dtype`, the NumPy type that reading gives: that of the file in this machine's byte order, and float32 for
    bfloat16; `stored`, the type as the file has it, in words. Only numbers and truth values can be read: `readable`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    stored: str
    _raw: np.dtype[np.generic]
    _source: Source
    _start: int  # bytes into the source
    _strides: tuple[int, ...]  # in values
    _guard: Callable[[], AbstractContextManager[None]]
    _sum: int | None = None  # CRC-32 of the whole source

    @property
    def readable(self) -> bool:
        """Whether it holds integers, floating point or truth values: not text, objects, records or complex numbers."""
        return self.dtype.kind in "fiub"

    @property
    def size(self) -> int:
        """Bytes that the whole array takes in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self, start: int = 0, stop: int | None = None, axis: int = 0) -> npt.NDArray[np.generic]:
        """The array, or what lies at `start` to `stop` along `axis` of it, as an array in C order of its own.

        Takes the memory of the result and, of another axis order, of a block. An error of the type `open_arrays` was
        given when the file is damaged or has changed, or when the result does not fit into memory.
        """
        with self._guard():
            if not self.readable:
                raise DamageError(f"{self._called} holds values of type {self.stored}; numbers were expected")
            shape, first = list(self.shape), 0
            if shape:
                stop = shape[axis] if stop is None else min(stop, shape[axis])
                start = min(max(start, 0), stop)
                whole = stop - start == shape[axis]
                shape[axis], first = stop - start, start * self._strides[axis]
            else:
                whole = True
            size = math.prod(shape)
            check_room(size * self.dtype.itemsize, self._source.held)
            if not size:
                return np.zeros(shape, self.dtype)
            if whole:
                self._check()
            return self._given(self._gathered(tuple(shape), self._start + first * self._raw.itemsize))

    def slices(self, axis: int = 0) -> Iterator[npt.NDArray[np.generic]]:
        """What lies at 0, 1, 2, … along `axis`, one after the other, each without that axis; errors as `read`.

        A wrong checksum is found by the end where the file has them in this order, and before the first otherwise.
        """
        total: int | None = None
        with self._guard():
            if self._sum is not None and self.readable and axis == 0 and self._in_order():
                total = zlib.crc32(take(self._source, 0, self._start))
            else:
                self._check()
        for at in range(self.shape[axis]):
            if total is None:
                yield self.read(at, at + 1, axis).squeeze(axis)
                continue
            with self._guard():
                size = self._strides[0] * self._raw.itemsize
                check_room(size, self._source.held)
                data = bytearray(size)
                self._source.into(self._start + at * size, memoryview(data))
                total = zlib.crc32(data, total)
                if at + 1 == self.shape[0]:
                    self._agree(total)
                part = self._given(np.frombuffer(data, self._raw).reshape(self.shape[1:]))
            yield part

    def _in_order(self) -> bool:
        """Whether the source is a header and the values in C order."""
        strides = tuple(math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))
        size = math.prod(self.shape) * self._raw.itemsize
        return bool(self.shape) and size > 0 and strides == self._strides and self._start + size == self._source.size

    def text(self) -> str:
        """A string that is stored as an array without axes, as NumPy does; errors as `read`."""
        with self._guard():
            if self.dtype.kind not in "US" or self.shape:
                raise DamageError(f"{self._called} holds values of type {self.stored}; a string was expected")
            data = take(self._source, self._start, self._raw.itemsize)
            value = np.frombuffer(data, self._raw)[0] if data else ""
            return value.decode() if isinstance(value, bytes) else str(value)

    @property
    def _called(self) -> str:
        return f"its array {self.name!r}" if self.name else "it"

    def _check(self) -> None:
        """DamageError when the bytes have another sum than the file says; costs one pass over them."""
        if self._sum is None:
            return
        total, buffer = 0, memoryview(bytearray(min(1 << 20, self._source.size)))
        for at in range(0, self._source.size, max(len(buffer), 1)):
            part = buffer[: self._source.size - at]
            self._source.into(at, part)
            total = zlib.crc32(part, total)
        self._agree(total)

    def _agree(self, total: int) -> None:
        if total != self._sum:
            raise DamageError(f"the checksum of {self._called.removeprefix('its ')} is wrong: it is damaged")

    def _gathered(self, shape: tuple[int, ...], start: int) -> npt.NDArray[np.generic]:
        """The values at `start` (bytes) of `shape`, in the file's strides, raw."""
        item = self._raw.itemsize
        inner = sorted(range(len(shape)), key=lambda axis: (self._strides[axis], -axis))
        outer: list[int] = []
        # Axes are walked as long as what is read at each of their places is large enough.
        while inner and _span(shape, self._strides, inner[:-1]) * item >= BLOCK:
            outer.insert(0, inner.pop())
            if _span(shape, self._strides, inner) <= math.prod(shape[axis] for axis in inner):
                break  # without gaps: one piece
        if _span(shape, self._strides, range(len(shape))) <= math.prod(shape):
            inner, outer = list(range(len(shape))), []
        inner.sort()
        outer.sort(key=lambda axis: -self._strides[axis])
        data = bytearray(_span(shape, self._strides, inner) * item)
        block = np.frombuffer(data, self._raw)
        view: npt.NDArray[np.generic] = np.lib.stride_tricks.as_strided(
            block, [shape[axis] for axis in inner], [self._strides[axis] * item for axis in inner]
        )
        if not outer:
            self._source.into(start, memoryview(data))
            return view
        out = np.empty(shape, self._raw)
        for place in np.ndindex(*(shape[axis] for axis in outer)):
            offset = sum(at * self._strides[axis] for at, axis in zip(place, outer))
            self._source.into(start + offset * item, memoryview(data))
            index: list[int | slice] = [slice(None)] * len(shape)
            for at, axis in zip(place, outer):
                index[axis] = at
            out[tuple(index)] = view
        return out

    def _given(self, raw: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        if self.stored == BFLOAT16.name:
            return np.left_shift(raw.astype(np.uint32, order="C"), np.uint32(16)).view(np.float32)
        if self._raw.kind == "b":
            return np.not_equal(raw.view(np.uint8), 0)  # a byte other than 0 and 1 is no bool
        return raw.astype(self.dtype, order="C", copy=False)


def _span(shape: tuple[int, ...], strides: tuple[int, ...], axes: Iterable[int]) -> int:
    """How many values lie between the first and the last of these axes, both counted."""
    return 1 + sum((shape[axis] - 1) * strides[axis] for axis in axes)


def array(
    name: str,
    shape: tuple[int, ...],
    kind: Kind,
    source: Source,
    start: int,
    guard: Callable[[], AbstractContextManager[None]],
    strides: tuple[int, ...] | None = None,
    crc: int | None = None,
) -> Array:
    """The array `name` of a source, from the byte `start` on, in C order unless it has `strides` (values).

    DamageError when it does not lie within the source.
    """
    if len(shape) > DIMENSIONS or any(isinstance(side, bool) or not 0 <= side < 1 << 48 for side in shape):
        raise DamageError(f"it says that an array has the shape {str(shape)[:100]}")
    if strides is None:
        strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if len(strides) != len(shape) or any(isinstance(step, bool) or not 0 <= step < 1 << 48 for step in strides):
        raise DamageError(f"it says that an array has the strides {str(strides)[:100]}")
    if 0 not in shape and start + _span(shape, strides, range(len(shape))) * kind.raw.itemsize > source.size:
        raise DamageError(
            f"{f'its array {name!r}' if name else 'it'} of shape {shape} and type {kind.name} does not fit into the "
            f"{source.size - start} bytes that are there"
        )
    return Array(name, shape, kind.dtype, kind.name, kind.raw, source, start, strides, guard, crc)
