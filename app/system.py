"""System libraries that pip cannot install: which are missing, and the command that installs them. No Qt here.

Qt aborts the process when one of them is missing, which nothing can catch, so they are looked for before it starts.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gpu.errors import BackendError


@dataclass(frozen=True)
class SystemLibrary:
    """A shared library (or a pattern of files), the Debian and Ubuntu package that holds it, and what needs it."""

    name: str
    package: str
    needed_for: str

    def found(self) -> bool:
        """Whether the loader, or the file system, finds it."""
        if self.name.startswith("/"):
            return bool(glob.glob(self.name))
        try:
            ctypes.CDLL(self.name)
        except OSError:
            return False
        return True


def libraries() -> list[SystemLibrary]:
    """The list in app/system_libraries.txt, which `.ci/setup` reads too."""
    text = Path(__file__).with_name("system_libraries.txt").read_text(encoding="utf-8")
    rows = [line.split(maxsplit=2) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [SystemLibrary(name, package, needed_for) for name, package, needed_for in rows]


def missing_libraries() -> list[SystemLibrary]:
    """Those that are not there. Always empty outside Linux, where wheels bring what they need."""
    return [library for library in libraries() if not library.found()] if sys.platform == "linux" else []


def install_line(missing: list[SystemLibrary]) -> str:
    """The line to paste that installs the packages of `missing` on Debian and Ubuntu."""
    packages = dict.fromkeys(library.package for library in missing)
    return " ".join(["sudo apt-get install", *packages])


def require_window(platform: str | None = None) -> None:
    """BackendError with what to do when Qt could not open a window here. Call it before QApplication exists.

    `platform` is the Qt platform that will be used; by default QT_QPA_PLATFORM's.
    """
    if sys.platform != "linux":
        return
    platform = platform or os.environ.get("QT_QPA_PLATFORM", "")
    missing = missing_libraries()
    if platform.startswith(("offscreen", "minimal", "wayland", "vnc")):
        missing = [library for library in missing if "X11" not in library.needed_for]
    if missing:
        names = ", ".join(library.name for library in missing)
        raise BackendError(
            f"The window needs system libraries that are missing ({names}). Run: {install_line(missing)}"
        )
    if not platform and not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise BackendError(
            "There is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set). Run `noisescope` on a "
            "desktop or under `xvfb-run -a`; the commands and --screenshot need no display."
        )
