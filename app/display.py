"""Whether Qt can open a window here, found out before it starts: it would abort the process, which nothing can catch. No Qt.

Looked at are the system libraries, the display that DISPLAY or WAYLAND_DISPLAY names, and Qt's own settings in the
environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from app.system import install_line, missing_libraries
from gpu.errors import BackendError

SECONDS = 10.0
"""So long a display may take to answer; one on another machine that is switched off never does."""

HIDDEN = ("offscreen", "minimal")
"""Platforms of Qt that draw without a display."""

SCALES = {"QT_SCALE_FACTOR": (0.25, 16.0), "QT_FONT_DPI": (24.0, 1536.0)}
"""Between which numbers these make a window that can be drawn; a factor of 0 has no pixels."""

TRIED = "from PySide6.QtWidgets import QApplication; QApplication([])"


def require_window(platform: str | None = None) -> None:
    """BackendError with what to do when Qt could not open a window here. Call it before QApplication exists.

    `platform` is the Qt platform that will be used; by default QT_QPA_PLATFORM's, else the one whose display answers, which
    is then set there.
    """
    _mend_settings()
    if not sys.platform.startswith("linux"):
        return
    asked = platform or os.environ.get("QT_QPA_PLATFORM", "").strip()
    wanted = [name for part in asked.split(";") if (name := part.partition(":")[0].strip())]
    if asked:
        _require_plugins(asked, wanted)
        _require_libraries(wanted)
        _require_one(asked, wanted)
        return
    candidates = [
        name for name, variable in (("wayland", "WAYLAND_DISPLAY"), ("xcb", "DISPLAY")) if os.environ.get(variable)
    ]
    if not candidates:
        _require_libraries([])
        raise BackendError(
            "There is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set). Run `noisescope` on a "
            "desktop or under `xvfb-run -a`; the commands and --screenshot need no display."
        )
    _require_libraries(candidates)
    answering = _require_one("", candidates)
    if len(answering) < len(candidates):
        os.environ["QT_QPA_PLATFORM"] = answering[0]  # or Qt would try the other one first, and complain


def _mend_settings() -> None:
    """Take settings of Qt out of the environment that would break the window."""
    # The plugins in the wheel belong to the Qt in the wheel; those of a desktop's Qt, of Conda or of OpenCV make it abort.
    # The style is ours.
    for name in ("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "QT_STYLE_OVERRIDE"):
        os.environ.pop(name, None)
    for name, (low, high) in SCALES.items():
        try:
            good = low <= float(os.environ.get(name, low)) <= high
        except ValueError:
            good = False
        if not good:
            os.environ.pop(name)


def _require_libraries(platforms: list[str]) -> None:
    """The libraries that every platform needs, and those of one of `platforms`."""
    missing = missing_libraries()
    kinds = {"wayland" if name.startswith("wayland") else name for name in platforms}
    own = [{library for library in missing if library.platform == kind} for kind in sorted(kinds)]
    least = min(own, key=len, default=set())
    lacking = [library for library in missing if not library.platform or library in least]
    if lacking:
        names = ", ".join(library.name for library in lacking)
        raise BackendError(
            f"The window needs system libraries that are missing ({names}). Run: {install_line(lacking)}"
        )


def _require_plugins(asked: str, wanted: list[str]) -> None:
    """BackendError when Qt has no such platform: it would abort."""
    spec = importlib.util.find_spec("PySide6")
    folders = (
        [] if spec is None else [Path(root) / "Qt/plugins/platforms" for root in spec.submodule_search_locations or ()]
    )
    there = sorted(path.stem.removeprefix("libq") for folder in folders for path in folder.glob("libq*.so"))
    if there and not any(name == own or name.startswith(f"{own}-") for name in wanted for own in there):
        raise BackendError(
            f"QT_QPA_PLATFORM is {asked!r}, which Qt does not know; unset it, or choose one of: {', '.join(there)}."
        )


def _require_one(asked: str, platforms: list[str]) -> list[str]:
    """Those of `platforms` on which a window can be opened; BackendError when there is none."""
    problems = {name: _problem(name) for name in platforms}
    answering = [name for name, problem in problems.items() if not problem]
    if not answering:
        told = "; ".join(dict.fromkeys(problem for problem in problems.values() if problem))
        setting = f" (QT_QPA_PLATFORM is {asked!r})" if asked else ""
        raise BackendError(
            f"The window cannot be opened{setting}: {told}. Run `noisescope` on a desktop or under `xvfb-run -a`; the "
            "commands and --screenshot need no display."
        )
    return answering


def _problem(platform: str) -> str:
    """Why Qt could not open a window on this platform; "" when it can, or when that cannot be told."""
    if platform in HIDDEN:
        return ""
    if platform == "xcb":
        name = os.environ.get("DISPLAY", "")
        return _within(_x11_problem, f"the X display {name!r} does not answer") if name else "DISPLAY is not set"
    if platform.startswith("wayland"):
        return _within(_wayland_problem, "the Wayland display does not answer")
    try:  # one that draws without a window system, or serves a viewer: it is tried
        done = subprocess.run(
            [sys.executable, "-P", "-c", TRIED],
            env={**os.environ, "QT_QPA_PLATFORM": platform},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=3 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"Qt's platform {platform} does not start"
    return "" if done.returncode == 0 else f"Qt's platform {platform} does not work on this machine"


def _within(look: Callable[[], str], otherwise: str) -> str:
    """What `look` gives; `otherwise` when it takes longer than a display may."""
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(look()), name="display", daemon=True)
    with _quiet():
        thread.start()
        thread.join(SECONDS)
    return answers[0] if answers else otherwise


def _x11_problem() -> str:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    name = os.environ["DISPLAY"]
    connection = xcb.xcb_connect(os.fsencode(name), None)
    error = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if not error:
        return ""
    # Numbers of xcb.h: XCB_CONN_CLOSED_PARSE_ERR, XCB_CONN_CLOSED_INVALID_SCREEN; 1 is any failure to connect.
    meaning = {5: "is no name of a display", 6: "has no such screen"}
    return f"the X display {name!r} {meaning.get(error, 'cannot be reached, or does not let us in')}"


def _wayland_problem() -> str:
    try:
        wayland = ctypes.CDLL("libwayland-client.so.0")
    except OSError:
        return ""
    wayland.wl_display_connect.restype = ctypes.c_void_p
    wayland.wl_display_connect.argtypes = [ctypes.c_char_p]
    wayland.wl_display_disconnect.argtypes = [ctypes.c_void_p]
    connection = wayland.wl_display_connect(None)
    if connection:
        wayland.wl_display_disconnect(connection)
        return ""
    return f"the Wayland display {os.environ.get('WAYLAND_DISPLAY', 'wayland-0')!r} cannot be reached"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep a C library's own words off stderr."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
