"""Starting: the help is there at once, wrong options are said in a sentence, Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import gpu
from app import cli as program
from app.commands import COMMANDS
from app.stopping import SAID
from gpu.errors import ClipError

ROOT = Path(__file__).resolve().parents[3]


def test_help_loads_nothing_heavy() -> None:
    """`noisescope --help` answers within half a second because torch, OpenCV, numpy and Qt are not loaded for it."""
    command = [sys.executable, "-X", "importtime", "-m", "app", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"torch", "cv2", "numpy", "scipy", "PySide6", "moderngl", "PIL", "tqdm"}
    for name in COMMANDS.names():
        assert name in done.stdout


def test_version(cli: Any) -> None:
    assert cli("--version").out.strip() == f"noisescope {gpu.__version__}"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["warp"], "required"),
        (["warp", "--synthetic", "rotation", "--size", "256", "--out", "a.npz"], "rows x columns"),
        (["warp", "--synthetic", "rotation", "--video", "a.mp4", "--out", "a.npz"], "not allowed with"),
        (["--screenshot", "a.png", "--size", "10x10"], "a window is between"),
        (["stats"], "required"),
    ],
)
def test_wrong_options_exit_2(argv: list[str], said: str, cli: Any) -> None:
    result = cli(*argv)
    assert result.code == 2
    assert said in result.err
    assert "Traceback" not in result.err


def test_help_of_a_command_lists_the_registries(cli: Any) -> None:
    from gpu.priors import PRIORS

    result = cli("warp", "--help")
    assert result.code == 0
    for name in PRIORS.names():
        assert name in result.out


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (ClipError("The video a.mp4 holds no frames."), 2, "noisescope: The video a.mp4 holds no frames.\n"),
        (KeyboardInterrupt(), 130, "Stopped. Nothing was left half-written."),
        (
            PermissionError(13, "Permission denied", "a.json"),
            2,
            "noisescope: a.json cannot be used: permission denied.\n",
        ),
        (OSError(22, "Invalid argument"), 70, "This is a fault of the program"),
        (ImportError("libno.so.1: cannot open shared object file: No such file"), 2, "library libno.so.1 is missing"),
        (MemoryError(), 2, "not enough memory"),
        (
            ModuleNotFoundError("No module named 'x.y'", name="x.y"),
            2,
            "The Python package x is missing; `noisescope doctor`",
        ),
        (ModuleNotFoundError("No module named 'gpu.x'", name="gpu.x"), 70, "This is a fault of the program"),
        (RuntimeError("two\nlines"), 70, "This is a fault of the program, not of your input (RuntimeError: two lines)"),
    ],
)
def test_what_goes_wrong_becomes_a_sentence_and_a_code(
    problem: BaseException, code: int, said: str, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arguments: object) -> int:
        raise problem

    monkeypatch.setattr("app.commands.kit.window.run", fail)
    monkeypatch.delenv("NOISESCOPE_DEBUG", raising=False)
    result = cli()
    assert result.code == code
    assert said in result.err
    assert result.err.count("\n") == 1


def test_a_fault_shows_its_traceback_when_asked(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> int:
        raise RuntimeError("deep inside")

    monkeypatch.setattr("app.commands.kit.window.run", fail)
    monkeypatch.setenv("NOISESCOPE_DEBUG", "1")
    with pytest.raises(RuntimeError, match="deep inside"):
        program.main([])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing_half_written(number: int, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "noise.npz"
    argv = ["warp", "--synthetic", "rotation", "--still", inputs / "photo.png", "--size", "160x160", "--frames", "400"]
    command = [sys.executable, "-m", "app", *map(str, argv), "--backend", "torch", "--out", str(out)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with SIGINT ignored, and these tests may run in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            end = time.monotonic() + 60
            while not list(tmp_path.iterdir()) and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            writing = list(tmp_path.iterdir())
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert writing, "the partial file should be there while writing"
    assert process.returncode == 128 + number, err
    assert "Stopped" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_without_a_display_the_window_says_so() -> None:
    """Qt would end the process with a page of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.pop("QT_QPA_PLATFORM", None)
    command = [sys.executable, "-m", "app"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if sys.platform == "linux":
        assert done.returncode == 2
        assert done.stderr.startswith("noisescope: There is no display")
        assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.display
def test_the_real_window_opens_and_stays(display: str) -> None:
    """On an X display, as a person starts it: it is still there after some seconds, and has said nothing."""
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=8)
    finally:
        process.kill()
        _, err = process.communicate()
    assert "Traceback" not in err
    assert "qt.qpa" not in err


def test_signals_are_as_before_afterwards(cli: Any, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert cli("stats", tmp_path / "none.npz").code == 2
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("moment", ["while it is imported", "before signals are listened for"])
def test_ctrl_c_at_the_very_start_is_a_sentence(moment: str) -> None:
    """The moments before `app.stopping` listens, made to come by hand."""
    interrupted = "def main(): raise KeyboardInterrupt" if moment.startswith("before") else "raise KeyboardInterrupt"
    code = (
        "import sys, importlib.util, runpy\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        return importlib.util.spec_from_loader(name, self) if name == 'app.cli' else None\n"
        "    def create_module(self, spec): return None\n"
        f"    def exec_module(self, module): exec({interrupted!r}, module.__dict__)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "runpy.run_module('app', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 130
    assert done.stderr == f"noisescope: {SAID}\n"
