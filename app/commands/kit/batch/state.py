"""What of a batch has been made already: by which settings, from which files, and whether the result is still whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import gpu
from app.commands.kit.batch.manifest import Row
from gpu import session as sessions
from gpu.files import replacing
from gpu.plain_json import parse, write

STATE, SUMMARY = "batch.json", "batch.csv"
"""Files of the batch itself, beside the results, whose endings are those of noise."""

MOST_BYTES = 256 << 20
MOST_FILES = 100_000  # of one source whose times are looked at
PART_BYTES = 1 << 20

SAVED_SECONDS = 1.0
"""The state is written at least this far apart: of many small clips it would be most of the work."""


@dataclass(frozen=True)
class File:
    """A file of a result as it was written."""

    name: str
    size: int
    mtime_ns: int
    crc: int


@dataclass(frozen=True)
class Result:
    """What a clip has become: its files, its shape, what they say of its whiteness, and what speaks against its source."""

    files: tuple[File, ...] = ()
    frames: int = 0
    height: int = 0
    width: int = 0
    seconds: float = 0.0
    white: bool | None = None
    verdict: str = ""
    warnings: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


def fingerprint(row: Row) -> str:
    """What a result follows from, as 64 hexadecimal digits: settings, format, the program's version, and of each file of the
    source its name, size and time."""
    settings = sessions.to_json(replace(row.session, view={}))
    told = [gpu.__version__, settings, row.key, row.form, row.axes, *_times(row.session.source)]
    return hashlib.sha256(json.dumps(told).encode("utf-8", "backslashreplace")).hexdigest()


def _times(source: sessions.SourceSettings) -> Iterator[tuple[str, int, int]]:
    for text in (source.path, source.flow_path, source.forward_path):
        if text:
            for path in _files(text):
                try:
                    there = path.stat()
                except (OSError, ValueError):
                    continue
                yield path.name, there.st_size, there.st_mtime_ns


def _files(text: str) -> list[Path]:
    """What a path, a folder or a pattern of names stands for; of a pattern all files whose names begin as it does."""
    place = Path(text)
    if not place.exists() and Path(text.rpartition(":")[0]).exists() and ":" in text:
        place = Path(text.rpartition(":")[0])
    if place.is_dir():
        inside = sorted(Path(folder, name) for folder, _, names in os.walk(place) for name in names)
        return inside[:MOST_FILES]
    if place.exists():
        return [place]
    begin = re.split(r"[%#*?\[]", place.name)[0]
    try:
        return sorted(path for path in place.parent.iterdir() if path.name.startswith(begin))[:MOST_FILES]
    except OSError:
        return []


def written(path: Path) -> tuple[File, ...]:
    """The file at `path`, and its description beside it where its format has one, as they are now."""
    from app.export.kit.noise_reading import described_in

    both = [path, described_in(path)] if path.suffix.lower() == ".npy" else [path]
    files = []
    for each in both:
        there = each.stat()
        files.append(File(each.name, there.st_size, there.st_mtime_ns, _sum(each)))
    return tuple(files)


def _sum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            total = crc32(part, total)
    return total


class State:
    """The results of the folder `out`, kept in its file STATE; for whoever holds the folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._made: dict[str, tuple[str, Result]] = {}
        self._unsaved, self._saved = False, -SAVED_SECONDS
        for name, entry in _read(out / STATE).items():
            remembered = _result(entry)
            if remembered is not None:
                self._made[name] = remembered

    def kept(self, row: Row, made_by: str) -> Result | None:
        """The row's result, if it is there, whole, and made by what has that fingerprint; else None."""
        fingerprint, result = self._made.get(row.name, ("", Result()))
        if fingerprint != made_by or not result.files:
            return None
        return result if all(self._whole(file) for file in result.files) else None

    def _whole(self, file: File) -> bool:
        path = self._out / file.name
        try:
            there = path.stat()
            if not path.is_file() or there.st_size != file.size:
                return False
            return there.st_mtime_ns == file.mtime_ns or _sum(path) == file.crc  # a copy has another time
        except OSError:
            return False

    def put(self, row: Row, made_by: str, result: Result) -> None:
        """Remember a result, on the disk within SAVED_SECONDS or with the next. OutputError when that cannot be written."""
        self._made[row.name] = made_by, result
        self._unsaved = True
        if time.monotonic() - self._saved >= SAVED_SECONDS:
            self.save()

    def save(self) -> None:
        """Write down what is not on the disk yet."""
        if not self._unsaved:
            return
        results = {name: {"made_by": made_by, **asdict(result)} for name, (made_by, result) in self._made.items()}
        with replacing(self._out / STATE) as partial:
            text = write({"version": 1, "results": results}, indent=1) + "\n"
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        self._unsaved, self._saved = False, time.monotonic()


def _read(path: Path) -> dict[str, Any]:
    """The entries of the state's file; none where it is not there, or not to be read: all is then made again."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}
        data = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    results = data.get("results") if isinstance(data, dict) and data.get("version") == 1 else None
    return results if isinstance(results, dict) else {}


def _result(entry: Any) -> tuple[str, Result] | None:
    try:
        files = tuple(File(str(f["name"]), int(f["size"]), int(f["mtime_ns"]), int(f["crc"])) for f in entry["files"])
        names = {each.name for each in fields(Result)} - {"files", "warnings"}
        warnings = tuple(str(text) for text in entry["warnings"])
        return str(entry["made_by"]), Result(files, warnings=warnings, **{name: entry[name] for name in names})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
