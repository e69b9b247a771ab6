"""What is remembered between runs, without Qt: recent files, theme, folded panels, and what takes long to find out."""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from gpu.errors import NoisescopeError
from gpu.files import reason, replacing
from gpu.locks import take
from gpu.plain_json import parse, write

RECENT = 10
MOST_BYTES = 1 << 20  # of a file of state
PATIENCE = 0.5  # seconds that another window's write is waited for
HEXADECIMAL = re.compile(r"([0-9a-f]{2}){0,16384}")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, str) and HEXADECIMAL.fullmatch(value) is not None


def _is_scalars(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, (str, int, float)) for item in value.values())


SETTINGS: Mapping[str, Callable[[Any], bool]] = {
    "theme": lambda value: isinstance(value, str),
    "recent": _is_texts,
    "panel_source": lambda value: isinstance(value, bool),
    "panel_statistics": lambda value: isinstance(value, bool),
    "panel_timeline": lambda value: isinstance(value, bool),
    "across": _is_bytes,
    "down": _is_bytes,
    "field_mb": lambda value: type(value) is int and 0 < value < 10**9,
    "geometry": _is_bytes,
    "measures": _is_texts,
    "experiments": _is_scalars,
    "weights": lambda value: isinstance(value, str),
    "real_pictures": lambda value: isinstance(value, str),
}
"""Every key of settings.json, and whether a value is one that it can have. Others are kept as they are: a newer version's."""


@dataclass
class UserFolder:
    """Files under one folder, which several windows may share. What cannot be read is moved aside and told; one that cannot be
    written to costs the memory of it, never the program.

    `tell` is given the sentences; until there is somebody to tell, they wait in `untold`.
    """

    folder: Path = field(default_factory=lambda: Path(platformdirs.user_state_dir("noisescope")))
    untold: list[str] = field(default_factory=list)
    _tell: Callable[[str], None] | None = None
    _told: set[str] = field(default_factory=set)

    @property
    def log_file(self) -> Path:
        return self.folder / "noisescope.log"

    def start_log(self) -> None:
        """Write unexpected errors to the log file, at most about 1 MB of them."""
        try:
            self._make()
            handler = logging.handlers.RotatingFileHandler(self.log_file, maxBytes=1 << 20, backupCount=1)
        except OSError:
            return
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log = logging.getLogger("noisescope")
        log.addHandler(handler)
        log.propagate = False

    def tell_to(self, tell: Callable[[str], None]) -> None:
        """Tell what goes wrong to `tell` from now on, with what went wrong already."""
        self._tell = tell
        if self.untold:
            tell(" ".join(self.untold))
            self.untold.clear()

    def told(self, sentence: str) -> None:
        """Say, once, what went wrong with a file of the folder."""
        if sentence in self._told:
            return
        self._told.add(sentence)
        logging.getLogger("noisescope").warning("%s", sentence)
        if self._tell is None:
            self.untold.append(sentence)
        else:
            self._tell(sentence)

    # -- settings of the program

    def settings(self) -> dict[str, Any]:
        """What is remembered, each value of the kind that its key has; empty when there is nothing."""
        path = self.folder / "settings.json"
        data = self._read(path, "The settings", "The window has the usual ones.")
        if data is None:
            return {}
        wrong = [key for key, value in data.items() if key in SETTINGS and not SETTINGS[key](value)]
        if wrong:
            good = {key: value for key, value in data.items() if key not in wrong}
            aside = move_aside(path)
            self._write("settings.json", good)
            kept = f" The file as it was is kept as {aside}." if aside is not None else ""
            self.told(f"The settings hold what is not understood ({', '.join(wrong)}), which is left out.{kept}")
            return good
        return data

    def set(self, **values: Any) -> None:
        """Remember some values; those that other windows changed meanwhile stay."""
        with self._alone():
            self._write("settings.json", {**self.settings(), **values})

    def forget(self, key: str) -> None:
        """Remember nothing under `key` any more."""
        with self._alone():
            self._write("settings.json", {name: value for name, value in self.settings().items() if name != key})

    def recent(self) -> list[str]:
        """Files used lately that still exist, the latest first."""
        return [path for path in self.settings().get("recent", []) if os.path.exists(path)][:RECENT]

    def add_recent(self, path: str) -> None:
        path = str(Path(path).absolute())
        with self._alone():
            recent = [path, *(other for other in self.recent() if other != path)][:RECENT]
            self._write("settings.json", {**self.settings(), "recent": recent})

    # -- what takes long to find out

    def kept(self, name: str, stamp: str) -> str | None:
        """The text that was kept under `name`, if it was kept with this stamp."""
        data = self._read(self.folder / f"{name}.json", "What was found out earlier", "It is found out again.")
        if data is None or data.get("stamp") != stamp or not isinstance(data.get("text"), str):
            return None
        return str(data["text"])

    def keep(self, name: str, stamp: str, text: str) -> None:
        self._write(f"{name}.json", {"stamp": stamp, "text": text})

    # -- files

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read(self, path: Path, what: str, then: str) -> dict[str, Any] | None:
        """The object in a file; None where there is none. One that cannot be read is moved aside, and that is told."""
        try:
            with path.open("rb") as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise ValueError(f"it is larger than {MOST_BYTES >> 20} MB")
            data = parse(text.decode("utf-8"))
            if not isinstance(data, dict):
                raise ValueError("it is no JSON object")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            why = reason(problem) if isinstance(problem, OSError) else str(problem)
            aside = move_aside(path)
            kept = f"The file is kept as {aside}." if aside is not None else f"The file is {path}."
            self.told(f"{what} cannot be read: {why}. {then} {kept}")
            return None
        return data

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        try:
            self._make()
            with replacing(self.folder / name) as partial:
                partial.write_text(write(data, indent=1), encoding="utf-8", errors="backslashreplace")
        except (OSError, ValueError, NoisescopeError) as problem:
            why = reason(problem) if isinstance(problem, OSError) else str(problem).rstrip(".")
            self.told(f"What the window remembers cannot be kept: {why}.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other windows from writing between our reading and our writing, as far as that can be had at once."""
        lock, end = None, time.monotonic() + PATIENCE
        try:
            self._make()
            while (lock := take(self.folder / "settings.lock")) is None and time.monotonic() < end:
                time.sleep(PATIENCE / 50)
        except OSError:
            lock = None  # writing will say it
        try:
            yield
        finally:
            if lock is not None:
                lock.release()


def move_aside(path: Path) -> Path | None:
    """Give a file that cannot be read another name beside it, and return that; None when it cannot be renamed."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.name}.unreadable-{number}")
        if not os.path.lexists(aside):
            try:
                os.rename(path, aside)
            except OSError:
                return None
            return aside
    return None
