"""The session of each window, kept while it runs, and those of runs that ended without closing, without Qt.

Each window has a file of its own, and a lock that ends with its process: a file whose lock nobody holds is of a run that
crashed. It stays until somebody restores it or throws it away.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.model.user_folder import move_aside
from gpu import session as sessions
from gpu.errors import NoisescopeError
from gpu.files import replacing
from gpu.leftovers import clear
from gpu.locks import Lock, here, runs, take
from gpu.session import Session

_numbers = itertools.count(1)


@dataclass
class Crashed:
    """A session of a run that ended without closing; nobody else offers it meanwhile. To be answered by one of the methods."""

    path: Path
    session: Session
    when: datetime
    lock: Lock | None

    @property
    def text(self) -> str:
        """When it was kept, and what it compares."""
        source, day = self.session.source, self.when.strftime("%d %B, ")
        today = self.when.date() == datetime.now().date()
        file = Path(source.flow_path or source.path).name
        what = file or source.name or "the bundled clip"
        priors = ", ".join(prior.key for prior in self.session.priors[:4]) or "no priors"
        more = f" and {len(self.session.priors) - 4} more" if len(self.session.priors) > 4 else ""
        return f"{'' if today else day}{self.when:%H:%M}, {what} with {priors}{more}"

    def throw_away(self) -> None:
        """Nobody wants it."""
        self.path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Offer it again at the next start."""
        if self.lock is not None:
            self.lock.release()
            self.lock = None


class Autosaves:
    """The files of one window in a folder that all windows share."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda sentence: None) -> None:
        """Nothing is written before `write`. `tell` is given sentences on files that cannot be read."""
        self.folder, self._tell = folder, tell
        self._path: Path | None = None
        self._lock: Lock | None = None

    def write(self, text: str) -> None:
        """Keep the session `text` (JSON) as this window's; OutputError or OSError when it cannot be kept."""
        if self._path is None or self._lock is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"{time.time():.0f}-{here()}-{os.getpid()}-{next(_numbers)}.json"
            self._lock, self._path = take(_lock_of(path)), path
        with replacing(self._path) as partial:
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")

    def set_aside(self) -> None:
        """What was written is to be offered like that of a crashed run; the next `write` begins another file."""
        if self._lock is not None:
            self._lock.release()
        self._path = self._lock = None

    def end(self) -> None:
        """The window closed as it should: there is nothing to restore."""
        if self._path is not None:
            with contextlib.suppress(OSError):  # offered once too often
                self._path.unlink(missing_ok=True)
        self.set_aside()

    def crashed(self) -> list[Crashed]:
        """The sessions of runs that ended without closing, the latest first, each held for this window until it is answered.
        One that cannot be read is moved aside, and told."""
        self._adopt()
        clear(self.folder)
        taken: list[Crashed] = []
        try:
            names = {path.stem for path in self.folder.iterdir() if path.suffix in (".json", ".lock")}
        except OSError:
            return []
        for name in names:
            path = self.folder / f"{name}.json"
            lock = None
            try:
                lock = take(_lock_of(path))
                if lock is None:
                    continue  # a window that runs, or that offers it
            except OSError as problem:
                if (
                    problem.errno != errno.EROFS
                ):  # where nothing can be written no window keeps anything: it is of earlier
                    continue  # another person's
            try:
                when = datetime.fromtimestamp(path.stat().st_mtime)
                taken.append(Crashed(path, sessions.load(path), when, lock))
                continue
            except NoisescopeError as problem:
                aside = move_aside(path)
                kept = f" It is kept as {aside}." if aside is not None else ""
                self._tell(f"What Noisescope kept of an earlier run cannot be restored. {problem}{kept}")
            except (OSError, OverflowError, ValueError):
                pass  # it had no time to write one, or was taken away meanwhile
            if lock is not None:
                lock.release()
        return sorted(taken, key=lambda crashed: crashed.when, reverse=True)

    def _adopt(self) -> None:
        """Take over what an earlier version kept beside the folder: one session for all windows, its process's number."""
        old, running = self.folder.parent / "autosave.json", self.folder.parent / "running"
        if not old.is_file():
            return
        try:
            number = int(running.read_bytes()[:20])
        except (OSError, ValueError):
            number = 0
        if number != os.getpid() and runs(number):
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(old, self.folder / f"{old.stat().st_mtime:.0f}-earlier.json")
            running.unlink(missing_ok=True)
        except OSError:
            return  # as it was


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
