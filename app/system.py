"""System libraries that pip cannot install: which are missing, and the command that installs them. No Qt here."""

from __future__ import annotations

import ctypes
import glob
import re
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SystemLibrary:
    """A shared library (or a pattern of files), the Debian and Ubuntu package that holds it, and what needs it."""

    name: str
    package: str
    needed_for: str

    @property
    def platform(self) -> str:
        """The Qt platform that alone needs it: "xcb" for X11, "wayland", or "" for all."""
        return "xcb" if "X11" in self.needed_for else "wayland" if "Wayland" in self.needed_for else ""

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


def missing_library(problem: ImportError) -> str:
    """What to say of a Python package that cannot be loaded because a system library is missing; "" for other problems."""
    match = re.match(r"(\S+\.so[.\d]*): cannot open shared object file", str(problem))
    if not match:
        return ""
    missing = missing_libraries()
    if match[1] not in (library.name for library in missing):
        return f"The system library {match[1]} is missing; `noisescope doctor` says what else is."
    return f"System libraries are missing ({_names(missing)}). Run: {install_line(missing)}"


def _names(missing: list[SystemLibrary]) -> str:
    return ", ".join(library.name for library in missing)
