"""safetensors files, which ComfyUI's .latent are too: a length, a JSON header, and the values of one tensor after another."""

from __future__ import annotations

import json
import math
import struct
from functools import partial
from typing import Any

import numpy as np

from gpu.arrays.array import BFLOAT16, Kind, array, kind_of
from gpu.arrays.contents import Contents, Guard
from gpu.arrays.source import Bytes, DamageError, File, take

KINDS = {
    "F64": kind_of("<f8"), "F32": kind_of("<f4"), "F16": kind_of("<f2"), "BF16": BFLOAT16,
    "I64": kind_of("<i8"), "I32": kind_of("<i4"), "I16": kind_of("<i2"), "I8": kind_of("|i1"),
    "U64": kind_of("<u8"), "U32": kind_of("<u4"), "U16": kind_of("<u2"), "U8": kind_of("|u1"),
    "BOOL": kind_of("|b1"), "C64": kind_of("<c8"),
}  # fmt: skip
OPAQUE = Kind(np.dtype("V1"), np.dtype("V1"), "")


def fits(start: bytes) -> bool:
    """Whether a file that begins with these bytes is one: eight bytes of length, then an object."""
    return len(start) >= 10 and start[8:9] == b"{" and struct.unpack_from("<Q", start)[0] < 1 << 40


def contents(file: File, guard: Guard) -> Contents:
    """The tensors by name, and the strings of the metadata."""
    whole = Bytes(file, 0, file.size)
    length = struct.unpack("<Q", whole.take(0, 8))[0]
    header = json.loads(take(whole, 8, length).decode())
    data = Bytes(file, 8 + length, file.size - 8 - length)
    out, end = Contents(), 0
    if not isinstance(header, dict):
        raise DamageError("its header is no object")
    entries = {name: value for name, value in header.items() if name != "__metadata__"}
    for name, begin, stop in sorted(((name, *_place(name, entry)) for name, entry in entries.items()), key=_order):
        if begin != end:
            raise DamageError(f"its tensor {name!r} begins at byte {begin}, and the one before ends at {end}")
        end = stop
    if end != data.size:
        raise DamageError(f"its tensors have {end} bytes, and {data.size} are there: it is damaged or cut short")
    for name, entry in entries.items():
        shape, (begin, stop) = entry.get("shape"), _place(name, entry)[:2]
        if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
            raise DamageError(f"its tensor {name!r} has the shape {str(shape)[:100]}")
        kind = KINDS.get(entry.get("dtype"))
        if kind is None:
            out.others[name] = f"a tensor of type {str(entry.get('dtype'))[:40]}"
            continue
        if math.prod(shape) * kind.raw.itemsize != stop - begin:
            raise DamageError(
                f"its tensor {name!r} of shape {tuple(shape)} and type {kind.name} has {stop - begin} bytes"
            )
        out.arrays[name] = array(name, tuple(shape), kind, data, begin, guard)
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise DamageError("its metadata are no strings")
    out.texts.update({name: partial(str, value) for name, value in metadata.items()})
    return out


def _place(name: str, entry: Any) -> tuple[int, int]:
    """The first byte of a tensor, and one past its last."""
    place = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(place, list) and len(place) == 2 and all(type(at) is int for at in place)):
        raise DamageError(f"its tensor {name!r} has no place")
    begin, stop = place
    if not 0 <= begin <= stop:
        raise DamageError(f"its tensor {name!r} has the place {str(place)[:100]}")
    return begin, stop


def _order(placed: tuple[str, int, int]) -> tuple[int, int]:
    return placed[1:]
