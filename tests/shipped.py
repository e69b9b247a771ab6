"""Reads off the binaries in installed wheels which shared libraries they ask of the system."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

LOAD, DYNAMIC = 1, 2  # kinds of segments, of the ELF specification
NEEDED, STRTAB, SONAME = 1, 5, 14  # tags of the dynamic section


def needed(path: Path) -> tuple[list[str], str]:
    """What an ELF file says it needs (DT_NEEDED, in order), and its own name (DT_SONAME, or ""). Nothing for other files."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian: all that wheels for Linux hold
        return [], ""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, table + size * index) for index in range(count)]
    entries = [
        struct.unpack_from("<qQ", data, at)
        for kind, _, offset, _, _, length, _, _ in segments
        if kind == DYNAMIC
        for at in range(offset, offset + length, 16)
    ]
    address = next((value for tag, value in entries if tag == STRTAB), 0)
    texts = next(
        (
            offset + address - start
            for kind, _, offset, start, _, length, _, _ in segments
            if kind == LOAD and start <= address < start + length
        ),
        0,
    )

    def text(at: int) -> str:
        return data[texts + at : data.index(b"\0", texts + at)].decode()

    own = [text(value) for tag, value in entries if tag == SONAME]
    return [text(value) for tag, value in entries if tag == NEEDED], own[0] if own else ""


def wheels(name: str, extra: str = "") -> dict[str, metadata.Distribution]:
    """The distribution `name` and all that it depends on, installed here, by name."""
    distributions: dict[str, metadata.Distribution] = {}
    waiting = [(name, extra)]
    while waiting:
        wanted, asked = waiting.pop()
        if wanted.lower() in distributions:
            continue
        distribution = distributions[wanted.lower()] = metadata.distribution(wanted)
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": asked}):
                waiting += [(requirement.name, each) for each in requirement.extras or {""}]
    return distributions


def binaries(distributions: Iterable[metadata.Distribution]) -> list[Path]:
    """Shared libraries and extension modules in these wheels."""
    files = [file for each in distributions for file in each.files or () if ".so" in Path(file).name]
    return sorted({Path(str(file.locate())) for file in files if Path(str(file.locate())).is_file()})


def asked_of_the_system(roots: Iterable[Path], shipped: Iterable[Path]) -> dict[str, set[str]]:
    """Libraries that `roots`, and the shipped ones that these need in turn, ask for and that no wheel ships: who asks."""
    read: dict[Path, tuple[list[str], str]] = {path: needed(path) for path in shipped}
    homes = {path.name: path for path in read} | {own: path for path, (_, own) in read.items() if own}
    asked: dict[str, set[str]] = {}
    waiting = list(roots)
    looked_at = set(waiting)
    while waiting:
        path = waiting.pop()
        for library in read[path][0]:
            home = homes.get(library)
            if home is None:
                asked.setdefault(library, set()).add(path.name)
            elif home not in looked_at:
                looked_at.add(home)
                waiting.append(home)
    return asked
