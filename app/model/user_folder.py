"""What is remembered between runs, without Qt: recent files, theme, folded panels, and the session after a crash."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from gpu import session as sessions
from gpu.errors import NoisescopeError
from gpu.files import replacing
from gpu.session import Session

RECENT = 10


@dataclass
class UserFolder:
    """Files under one folder. A damaged or unwritable one costs the memory of it, never the program."""

    folder: Path = field(default_factory=lambda: Path(platformdirs.user_state_dir("noisescope")))

    @property
    def log_file(self) -> Path:
        return self.folder / "noisescope.log"

    def start_log(self) -> None:
        """Write unexpected errors to the log file, at most about 1 MB of them."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handler = logging.handlers.RotatingFileHandler(self.log_file, maxBytes=1 << 20, backupCount=1)
        except OSError:
            return
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log = logging.getLogger("noisescope")
        log.addHandler(handler)
        log.propagate = False

    # -- settings of the program

    def settings(self) -> dict[str, Any]:
        try:
            data = json.loads((self.folder / "settings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def set(self, **values: Any) -> None:
        self._write("settings.json", json.dumps({**self.settings(), **values}, indent=1))

    def recent(self) -> list[str]:
        """Files used lately that still exist, the latest first."""
        listed = self.settings().get("recent", [])
        return [str(path) for path in listed if isinstance(path, str) and Path(path).exists()][:RECENT]

    def add_recent(self, path: str) -> None:
        path = str(Path(path).absolute())
        self.set(recent=[path, *(other for other in self.recent() if other != path)][:RECENT])

    # -- what takes long to find out

    def kept(self, name: str, stamp: str) -> str | None:
        """The text that was kept under `name`, if it was kept with this stamp."""
        try:
            data = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        good = isinstance(data, dict) and data.get("stamp") == stamp and isinstance(data.get("text"), str)
        return str(data["text"]) if good else None

    def keep(self, name: str, stamp: str, text: str) -> None:
        self._write(f"{name}.json", json.dumps({"stamp": stamp, "text": text}))

    # -- the session after a crash

    def autosave(self, session: Session) -> None:
        """Keep the session until `closed`; beside it the number of the process, to know whether that still runs."""
        self._write("autosave.json", sessions.to_json(session))
        self._write("running", str(os.getpid()))

    def crashed(self) -> Session | None:
        """The session of a run that ended without closing; None when there was none or it still runs."""
        try:
            pid = int((self.folder / "running").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if _alive(pid):
            return None
        try:
            return sessions.load(self.folder / "autosave.json")
        except NoisescopeError:
            return None

    def closed(self) -> None:
        """The window closed as it should: there is nothing to restore."""
        for name in ("running", "autosave.json"):
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError:
                continue

    def _write(self, name: str, text: str) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(self.folder / name) as partial:
                partial.write_text(text, encoding="utf-8")
        except (OSError, NoisescopeError) as problem:
            logging.getLogger("noisescope").warning("cannot write %s: %s", name, problem)


def _alive(pid: int) -> bool:
    if pid == os.getpid() or os.name == "nt":
        return False  # a number given out again, to this very process; Windows has no harmless signal to ask with
    try:
        os.kill(pid, 0)
        # One that has ended, and that nobody took notice of, as happens in a container, is a zombie.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except (OSError, IndexError):  # another person's; or no Linux
        return True
