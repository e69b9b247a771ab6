"""A window that cannot be opened is said in a sentence: Qt itself would abort the process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import display
from app.system import SystemLibrary
from gpu.errors import BackendError

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland")

NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no display."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"DISPLAY": ":4711"}, "the X display ':4711' cannot be reached"),
        ({"DISPLAY": "nonsense"}, "the X display 'nonsense' is no name of a display"),
        ({"DISPLAY": "\udcff:1"}, "cannot be reached"),
        ({"WAYLAND_DISPLAY": "nowhere-0"}, "the Wayland display 'nowhere-0' cannot be reached"),
        ({"DISPLAY": ":4711", "WAYLAND_DISPLAY": "nowhere-0"}, "'nowhere-0' cannot be reached; the X display ':4711'"),
        ({"QT_QPA_PLATFORM": "xcb"}, "(QT_QPA_PLATFORM is 'xcb'): DISPLAY is not set"),
        ({"QT_QPA_PLATFORM": "xcb:nograb;wayland", "DISPLAY": ":4711"}, "the X display ':4711' cannot be reached"),
        ({"QT_QPA_PLATFORM": "nonsense", "DISPLAY": ":4711"}, "QT_QPA_PLATFORM is 'nonsense', which Qt does not know"),
        ({}, "There is no display to open a window on"),
    ],
)
def test_a_display_that_is_not_there_is_said(settings: dict[str, str], said: str, bare: pytest.MonkeyPatch) -> None:
    for name, value in settings.items():
        bare.setenv(name, value)
    with pytest.raises(BackendError) as problem:
        display.require_window()
    assert said in str(problem.value)


@pytest.mark.slow
@pytest.mark.display
def test_the_display_that_answers_is_taken(display: str, bare: pytest.MonkeyPatch) -> None:
    from app.display import require_window

    bare.setenv("WAYLAND_DISPLAY", "nowhere-0")
    bare.setenv("DISPLAY", display)
    require_window()
    assert os.environ["QT_QPA_PLATFORM"] == "xcb"


def test_a_display_that_never_answers_is_given_up(bare: pytest.MonkeyPatch) -> None:
    """A machine that takes the connection and says nothing, as one behind a firewall does in its way."""
    bare.setattr(display, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bare.setenv("DISPLAY", f"127.0.0.1:{silent.getsockname()[1] - 6000}")
        with pytest.raises(BackendError, match="does not answer"):
            display.require_window()


def test_off_screen_no_display_is_asked_for(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DISPLAY", ":4711")
    display.require_window("offscreen")


def test_settings_that_would_break_the_window_are_not_heeded(bare: pytest.MonkeyPatch) -> None:
    broken = {
        "QT_PLUGIN_PATH": "/usr/lib/qt6/plugins",
        "QT_QPA_PLATFORM_PLUGIN_PATH": "/nowhere",
        "QT_STYLE_OVERRIDE": "nonsense",
        "QT_SCALE_FACTOR": "0",
        "QT_FONT_DPI": "many",
    }
    for name, value in broken.items():
        bare.setenv(name, value)
    display.require_window("offscreen")
    assert not set(broken) & set(os.environ)
    bare.setenv("QT_SCALE_FACTOR", "1.5")
    display.require_window("offscreen")
    assert os.environ["QT_SCALE_FACTOR"] == "1.5"


@pytest.mark.parametrize(
    ("platform", "lacking"),
    [
        ("offscreen", ["libboth.so"]),
        ("xcb", ["libboth.so", "libx.so"]),
        ("wayland-egl", ["libboth.so", "libway.so"]),
    ],
)
def test_only_what_the_platform_needs_must_be_there(
    platform: str, lacking: list[str], bare: pytest.MonkeyPatch
) -> None:
    missing = [
        SystemLibrary("libboth.so", "both", "Qt"),
        SystemLibrary("libx.so", "x", "Qt's window on X11"),
        SystemLibrary("libway.so", "way", "Qt's window on Wayland"),
    ]
    bare.setattr(display, "missing_libraries", lambda: missing)
    with pytest.raises(BackendError) as problem:
        display.require_window(platform)
    assert f"({', '.join(lacking)})" in str(problem.value)
    assert str(problem.value).endswith("sudo apt-get install " + " ".join(name[3:-3] for name in lacking))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{"DISPLAY": ":4711"}, {"QT_QPA_PLATFORM": "nonsense"}, {"QT_QPA_PLATFORM": "eglfs"}, {"DISPLAY": "nonsense"}],
)
@pytest.mark.parametrize("words", [[], ["--lesson", "1"]])
def test_the_program_ends_with_a_sentence(settings: dict[str, str], words: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | settings
    command = [sys.executable, "-m", "app", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("noisescope: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["PyQt5", "nonsense", ""])
def test_other_bindings_and_backends_are_not_heeded(value: str) -> None:
    code = "import os, app; print(os.environ['PYQTGRAPH_QT_LIB'], os.environ['MPLBACKEND'])"
    environment = {**os.environ, "PYQTGRAPH_QT_LIB": value, "MPLBACKEND": value}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "PySide6 agg\n"
