"""NumPy's own files: .npy, and .npz archives of them (numpy.lib.format, versions 1 to 3)."""

from __future__ import annotations

import math
import re
import struct

from gpu.arrays.array import Array, Kind, array, kind_of
from gpu.arrays.contents import Contents, Guard
from gpu.arrays.source import Bytes, DamageError, File, Source, take
from gpu.arrays.zip_file import Archive

MAGIC = b"\x93NUMPY"

LONGEST = 10_000
"""Bytes of a header that are read, as in NumPy."""


def contents(file: File, guard: Guard) -> Contents:
    """The one array of a .npy, named ""."""
    return Contents({"": _array("", Bytes(file, 0, file.size), guard)})


def of_zip(archive: Archive, file: File, guard: Guard) -> Contents:
    """The arrays of a .npz, under the names of its members without .npy."""
    out = Contents()
    for member in archive:
        name = member.removesuffix(".npy")
        if name == member:
            out.others[name] = "a file that is no array"
            continue
        try:
            out.arrays[name] = _array(name, archive.source(member), guard, archive[member].CRC)
        except DamageError as problem:  # the other members may be what is wanted
            out.others[name] = str(problem)
            continue
        if out.arrays[name].dtype.kind in "US" and not out.arrays[name].shape:
            out.texts[name] = out.arrays[name].text
    return out


def _array(name: str, source: Source, guard: Guard, crc: int | None = None) -> Array:
    kind, shape, fortran, start = _header(source)
    size = math.prod(shape) * kind.raw.itemsize
    if kind.raw.kind != "O" and size != source.size - start:
        raise DamageError(
            f"{f'its array {name!r}' if name else 'an array'} of shape {str(shape)[:100]} and type {kind.name} has "
            f"{size} bytes, and {source.size - start} are there"
        )
    strides = tuple(math.prod(shape[:axis]) for axis in range(len(shape))) if fortran else None
    return array(name, shape, kind, source, start, guard, strides, crc)


def _header(source: Source) -> tuple[Kind, tuple[int, ...], bool, int]:
    """Of a .npy: kind of values, shape, whether in Fortran's order, and where the values begin."""
    start = take(source, 0, min(12, source.size))
    if len(start) < 10 or not start.startswith(MAGIC):
        raise DamageError("it does not begin as a .npy does")
    if start[6] == 1:
        length, at = struct.unpack_from("<H", start, 8)[0], 10
    elif start[6] in (2, 3) and len(start) == 12:
        length, at = struct.unpack_from("<I", start, 8)[0], 12
    else:
        raise DamageError(f"it is of version {start[6]} of .npy, which is not known")
    if length > LONGEST:
        raise DamageError(f"its header has {length} bytes")
    text = take(source, at, length).decode("utf-8" if start[6] == 3 else "latin1").strip()
    code = re.search(r"""['"]descr['"]\s*:\s*(['"])(.*?)\1""", text)
    order = re.search(r"""['"]fortran_order['"]\s*:\s*(True|False)""", text)
    shape = re.search(r"""['"]shape['"]\s*:\s*\(([\dL,\s]*)\)""", text)
    if re.search(r"""['"]descr['"]\s*:\s*[\[(]""", text):
        raise DamageError("its values are records of several fields; numbers were expected")
    if not (text.startswith("{") and text.endswith("}") and code and order and shape):
        raise DamageError("its header is no description of an array")
    sides = [side.strip().removesuffix("L") for side in shape[1].split(",")]  # Python 2 wrote 3L
    if any(len(side) > 18 for side in sides):
        raise DamageError("it says that an array has sides of 10^18 and more")
    return kind_of(code[2]), tuple(int(side) for side in sides if side), order[1] == "True", at + length
