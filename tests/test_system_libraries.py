"""app/system_libraries.txt names all that the shipped binaries ask of the system, read off the binaries themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from app.system import libraries
from tests.shipped import asked_of_the_system, binaries, needed, wheels

BASE = {
    # libc6 and the libraries of gcc: every Debian has them, and the interpreter itself needs them.
    *("libc.so.6", "libm.so.6", "libmvec.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"),
    *("libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libgcc_s.so.1", "libstdc++.so.6"),
    *("libz.so.1", "libzstd.so.1"),  # dpkg itself needs these
}

PLUGINS = (
    "platforms",
    "platforminputcontexts",
    "platformthemes",
    "xcbglintegrations",
    "wayland-decoration-client",
    "wayland-graphics-integration-client",
    "wayland-shell-integration",
    "imageformats",
    "iconengines",
)
"""Folders of plugins that Qt looks into for a program of widgets."""

LEFT_OUT = {
    "libqeglfs.so": "draws without a window system; nobody's desktop",
    "libqlinuxfb.so": "draws without a window system; nobody's desktop",
    "libqminimalegl.so": "draws without a window system; nobody's desktop",
    "libqvkkhrdisplay.so": "draws without a window system; nobody's desktop",
    "libqvnc.so": "serves its screen to a viewer over the network; needs Qt's network and what that needs",
    "libqgtk3.so": "for desktops that have GTK; Qt goes on without it",
    "libqpdf.so": "needs a module of Qt that PySide6_Essentials does not ship; never loads",
    "libqtvirtualkeyboardplugin.so": "needs a module of Qt that PySide6_Essentials does not ship; never loads",
}
"""Plugins that the program does without, and why."""

OPENED = {
    "egl.cpython": ("libEGL.so.1", "libGL.so.1"),
    "x11.cpython": ("libGL.so.1", "libX11.so.6"),
}
"""What glcontext opens by name while it runs (its __init__ asks ctypes for GL, EGL and X11), by its own files."""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="wheels bring what they need elsewhere")


def _qt_modules() -> set[str]:
    """Modules of Qt that the program and pyqtgraph load, as in a process that has imported all of the window."""
    code = "import sys, app.window.start, app.lessons.view.lesson_window, pyqtgraph; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return {name.partition(".")[2] for name in done.stdout.split() if re.fullmatch(r"PySide6\.Qt\w+", name)}


def _is_root(path: Path, modules: set[str]) -> bool:
    """Whether Python imports this file, or Qt loads it by itself; the rest comes when those ask for it."""
    if path.name.startswith(("tbbpool.", "omppool.")):
        return False  # numba's pools of threads, tried when a kernel asks for threads of its own; none of ours does
    if "PySide6" in path.parts:
        if path.name.startswith("Qt"):
            return path.name.partition(".")[0] in modules
        return path.parent.name in PLUGINS and "plugins" in path.parts and path.name not in LEFT_OUT
    return bool(re.search(r"\.(cpython-\d+[\w-]*|abi3)\.so$", path.name))


@cache
def _shipped() -> tuple[list[Path], list[Path]]:
    """All shipped binaries, and those that are loaded without another asking for them."""
    shipped = binaries(wheels("noisescope").values())
    modules = _qt_modules()
    return shipped, [path for path in shipped if _is_root(path, modules)]


@cache
def _asked(without: str = "") -> dict[str, set[str]]:
    """Libraries of the system by who asks for them, `without` the plugins of a platform."""
    shipped, roots = _shipped()
    if without:
        roots = [path for path in roots if without not in f"{path.parent.name}/{path.name}"]
    asked = asked_of_the_system(roots, shipped)
    for start, opened in OPENED.items():
        assert any(path.name.startswith(start) for path in roots), f"glcontext ships no {start}"
        for library in opened:
            asked.setdefault(library, set()).add(start)
    return asked


def test_the_reader_sees_what_a_binary_needs() -> None:
    """Against the loader's own word: what it maps into a process that has loaded QtGui's library is what was read."""
    from PySide6 import QtGui

    wanted, own = needed(Path(QtGui.__file__).parent / "Qt" / "lib" / "libQt6Gui.so.6")
    assert own == "libQt6Gui.so.6"
    assert {"libEGL.so.1", "libX11.so.6", "libfontconfig.so.1", "libQt6Core.so.6", "libc.so.6"} <= set(wanted)
    maps = Path("/proc/self/maps").read_text()
    assert all(library in maps for library in wanted)
    assert needed(Path(__file__)) == ([], "")


@pytest.mark.slow
def test_every_library_that_is_asked_of_the_system_is_listed() -> None:
    listed = {library.name for library in libraries()}
    lacking = {name: sorted(who)[:3] for name, who in _asked().items() if name not in listed | BASE}
    assert not lacking, "add them to app/system_libraries.txt, with the Debian package that holds them"


@pytest.mark.slow
def test_nothing_is_listed_that_nobody_asks_for() -> None:
    listed = {library.name for library in libraries() if not library.name.startswith("/")}
    assert listed - set(_asked()) == {"libEGL_mesa.so.0"}  # which libEGL opens: a driver that needs no graphics card


@pytest.mark.slow
def test_what_only_one_platform_asks_for_is_marked_so() -> None:
    """A desktop without X11, or without Wayland, lacks nothing; what both need, and drawing off screen, is not marked."""
    marks = {library.name: ("X11" in library.needed_for, "Wayland" in library.needed_for) for library in libraries()}
    for name, who in _asked().items():
        if name not in BASE:
            assert marks[name] == (name not in _asked("xcb"), name not in _asked("wayland")), (name, sorted(who))


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="Debian's package tool tells which package holds what")
def test_the_packages_hold_the_libraries() -> None:
    """As far as they are installed here; Debian and Ubuntu have since added t64 to the names of some."""
    rows = [library for library in libraries() if not library.name.startswith("/")]
    done = subprocess.run(
        ["dpkg", "-S", *(f"*/{row.name}" for row in rows)], capture_output=True, text=True, timeout=60, check=False
    )
    holders: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        package, _, path = line.partition(": ")
        holders.setdefault(Path(path).name, set()).update(re.sub(r":\w+", "", package).split(", "))
    assert len(holders) > 20
    for row in rows:
        if row.name in holders:
            assert holders[row.name] & {row.package, f"{row.package}t64"}, row
