"""PyTorch's files: the zip archives of torch.save, and the pickles with bare bytes that it wrote before version 1.6.

Read from the formats themselves: torch.load believes the sizes in them, and maps what it does not copy.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from gpu.arrays.array import BFLOAT16, Kind, array, kind_of
from gpu.arrays.contents import Contents, Guard
from gpu.arrays.pickles import Other, Storage, Tensor, described
from gpu.arrays.source import SMALL, Bytes, DamageError, File, Source, take
from gpu.arrays.zip_file import Archive

MAGIC = (bytes.fromhex("8a0a6cfc9c46f9206aa85019"), b"119547037146038801333356")
"""The number 0x1950a86a20f9469cfc6c, pickled: the first thing in an old file."""

DEEP = 100
MANY = 100_000

TYPES = {
    "Float": "f4", "Double": "f8", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1",
    "Bool": "b1", "ComplexFloat": "c8", "ComplexDouble": "c16", "Untyped": "u1",
    "uint16": "u2", "uint32": "u4", "uint64": "u8",
}  # fmt: skip
"""NumPy's code of a storage's type, or of a tensor's that has a type of its own."""

Find = Callable[[Storage, int], tuple[Source, int]]
"""The source of a storage with values of so many bytes, and where in it the storage begins."""


def is_old(start: bytes) -> bool:
    """Whether a file that begins with these 40 bytes is one of the old format."""
    return any(number in start for number in MAGIC)


def of_zip(archive: Archive, file: File, guard: Guard) -> Contents:
    """The tensors of a file that torch.save wrote."""
    described_in = next(name for name in archive if name.split("/")[-1] == "data.pkl")
    folder = described_in.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in archive:
        raise DamageError("it holds a TorchScript program, which is code; tensors were expected")
    pickle = archive.source(described_in)
    told = described(io.BytesIO(take(pickle, 0, pickle.size)))
    order = "<"
    if f"{folder}byteorder" in archive:
        source = archive.source(f"{folder}byteorder")
        order = ">" if take(source, 0, min(source.size, 6)) == b"big" else "<"

    def find(storage: Storage, item: int) -> tuple[Source, int]:
        name = f"{folder}data/{storage.key}"
        if name not in archive:
            raise DamageError(f"its part {name} is missing")
        source = archive.source(name)
        if (storage.first + storage.count) * item != source.size:
            raise DamageError(f"its part {name} has {source.size} bytes, and {storage.count * item} were expected")
        return source, storage.first * item

    return _contents(told, find, order, guard)


def contents(file: File, guard: Guard) -> Contents:
    """The tensors of an old file: four pickles, a list of the storages, and each as a count and its bytes."""
    whole = Bytes(file, 0, file.size)
    head = io.BytesIO(whole.take(0, min(file.size, SMALL)))
    described(head), described(head)  # the magic number and the version of the format
    system = described(head)
    order = "<" if not isinstance(system, dict) or system.get("little_endian", True) else ">"
    storages: dict[str, Storage] = {}
    told = described(head, storages)
    keys = described(head)
    if not isinstance(keys, list):
        raise DamageError("it has no list of storages")
    places: dict[str, tuple[int, int]] = {}
    at = head.tell()
    for key in keys:
        count = struct.unpack(f"{order}q", whole.take(at, 8))[0]
        if str(key) not in storages or not 0 <= count <= whole.size:
            raise DamageError("its list of storages is damaged")
        item = _item(storages[str(key)].type)
        places[str(key)] = at + 8, count * item
        at += 8 + count * item
    if at != file.size:
        raise DamageError(f"its tensors end at byte {at}, and it has {file.size}")

    def find(storage: Storage, item: int) -> tuple[Source, int]:
        if storage.key not in places:
            raise DamageError(f"its storage {storage.key} is missing")
        start, size = places[storage.key]
        if (storage.first + storage.count) * item > size:
            raise DamageError(f"its storage {storage.key} has {size} bytes, and {storage.count * item} were expected")
        return Bytes(file, start, size), storage.first * item

    return _contents(told, find, order, guard)


def _contents(told: Any, find: Find, order: str, guard: Guard) -> Contents:
    out = Contents()
    for name, value in _leaves(told):
        if name in out.arrays or name in out.others or name in out.texts:
            raise DamageError(f"two of its parts are called {name!r}")
        if isinstance(value, str):
            out.texts[name] = partial(str, value)
        elif isinstance(value, Other):
            out.others[name] = value.text
        elif isinstance(value, Tensor):
            kind = _kind(value.type or value.storage.type, order)
            if kind is None:
                out.others[name] = f"a tensor of type {value.type or value.storage.type}"
                continue
            held = _item(value.storage.type)
            source, first = find(value.storage, held)
            start = first + value.offset * kind.raw.itemsize
            if value.type == "" and 0 not in value.shape:
                last = value.offset + sum((side - 1) * step for side, step in zip(value.shape, value.strides))
                if last >= value.storage.count:
                    raise DamageError(f"its tensor {name!r} reaches beyond what is stored")
            out.arrays[name] = array(name, value.shape, kind, source, start, guard, value.strides)
    return out


def _leaves(told: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Everything that is no dictionary and no list, with its name; DamageError where it is nested without end."""
    stack, count = [(name, told, depth)], 0
    while stack:
        name, value, depth = stack.pop()
        count += 1
        if depth > DEEP or count > MANY:
            raise DamageError("its parts are nested too deeply, or are too many")
        if isinstance(value, dict):
            parts = list(value.items())
        elif isinstance(value, (list, tuple)):
            parts = list(enumerate(value))
        else:
            yield name, value
            continue
        if len(parts) > MANY:
            raise DamageError("its parts are too many")
        stack.extend((f"{name}.{key}" if name else str(key), part, depth + 1) for key, part in reversed(parts))


def _kind(name: str, order: str) -> Kind | None:
    if name in ("BFloat16", "bfloat16"):
        return BFLOAT16 if order == "<" else None
    return kind_of(order + TYPES[name]) if name in TYPES else None


def _item(name: str) -> int:
    """Bytes of one value of a storage; those of types without a NumPy code have one (float8), but for bfloat16."""
    kind = _kind(name, "<")
    return kind.raw.itemsize if kind else 1
