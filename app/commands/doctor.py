"""`noisescope doctor`: what this machine has of what the program needs, and how to get what is missing."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import gpu
from app.commands import COMMANDS, Command, Parser
from app.display import require_window
from app.system import install_line, libraries, missing_libraries
from gpu.errors import BackendError

ROOT = Path(gpu.__file__).parents[1]

GL_PROBE = """
import json
from gpu import gl
with gl.Context() as context:
    print(json.dumps([context.renderer, context.version, context.max_texture]))
"""
"""Run in a process of its own, because a broken driver can end the process that asks it."""


@dataclass(frozen=True)
class Finding:
    """One line of the report. `ok` None: good to know, not needed."""

    name: str
    ok: bool | None
    text: str
    mend: str = ""


def configure(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    findings = [
        finding
        for look in (_libraries, _packages, _torch, _memory, _gl, _qt, _media, _files, _models, _folders)
        for finding in look()
    ]
    good = all(finding.ok is not False for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": good, "findings": [vars(finding) for finding in findings]}, indent=2))
    else:
        _print(findings, good)
    return 0 if good else 1


def _print(findings: list[Finding], good: bool) -> None:
    width = max(len(finding.name) for finding in findings)
    print(f"Noisescope {gpu.__version__} on Python {platform.python_version()}, {platform.platform()}")
    for finding in findings:
        mark = {True: "ok     ", False: "MISSING", None: "       "}[finding.ok]
        print(f"{mark} {finding.name:<{width}}  {finding.text}")
        if finding.mend:
            print(f"        {'':<{width}} → {finding.mend}")
    print(
        "All that is needed is here." if good else "Something that is needed is missing; see the lines marked MISSING."
    )


def _libraries() -> list[Finding]:
    if sys.platform != "linux":
        return [Finding("system libraries", None, "come with the wheels on this system")]
    missing = missing_libraries()
    if not missing:
        return [Finding("system libraries", True, f"all {len(libraries())} found")]
    text = "; ".join(f"{library.name} ({library.needed_for})" for library in missing)
    return [Finding("system libraries", False, text, install_line(missing))]


def _packages() -> list[Finding]:
    """What the installed program says that it needs; an extra's packages are not asked for."""
    present, missing = [], []
    for line in _required():
        wanted, _, condition = line.partition(";")
        name = re.match(r"[\w.-]+", wanted)
        if name is None or "extra" in condition:
            continue
        try:
            present.append(f"{name[0]} {metadata.version(name[0])}")
        except metadata.PackageNotFoundError:
            missing.append(wanted.strip())
    findings = [Finding("Python packages", True, ", ".join(present))]
    if missing:
        quoted = " ".join(f"'{each}'" for each in missing)
        findings.append(Finding("Python packages", False, ", ".join(missing), f"python -m pip install {quoted}"))
    raft = importlib.util.find_spec("torchvision") is not None
    how = "installed" if raft else "not installed: RAFT flow is off (pip install 'noisescope[raft]')"
    return [*findings, Finding("torchvision", None, how), _hub()]


def _required() -> list[str]:
    """Packages as pyproject.toml names them, which a checkout has at hand and an installed wheel has written down."""
    project = Path(gpu.__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        return list(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"])
    return metadata.requires("noisescope") or []


def _hub() -> Finding:
    """The packages for models of one's own."""
    wanted = ("diffusers", "transformers", "accelerate", "safetensors")
    lacking = [name for name in wanted if importlib.util.find_spec(name) is None]
    if lacking:
        text = f"not installed ({', '.join(lacking)}): models of your own are off (pip install 'noisescope[hub]')"
        return Finding("hub extra", None, text)
    return Finding("hub extra", None, ", ".join(f"{name} {metadata.version(name)}" for name in wanted[:3]))


def _models() -> list[Finding]:
    """Which models are bundled. A recipe without its weights is a task that cannot run, and no fault of the machine."""

    def look() -> str:
        from gpu.diffusion.tasks import RECIPES

        parts = []
        for name in RECIPES.names():
            path = Path(gpu.__file__).parents[1] / "assets" / "models" / name / "weights.safetensors"
            parts.append(f"{name} {path.stat().st_size / 1e6:.1f} MB" if path.is_file() else f"{name} not there")
        return ", ".join(parts)

    return [_tried("bundled models", look, "install the program again")]


def _torch() -> list[Finding]:
    def look() -> str:
        import torch

        devices = ["cpu"]
        if torch.cuda.is_available():
            devices += [
                f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())
            ]
        if torch.backends.mps.is_available():
            devices.append("mps")
        return f"{torch.__version__}, devices {', '.join(devices)}, {torch.get_num_threads()} threads"

    return [_tried("torch", look, "python -m pip install torch==2.13.0")]


def _memory() -> list[Finding]:
    """What fine fields may take, who says so, and how to say something else."""
    from gpu.noise import field_limit

    text, variable = f"fine fields take up to {field_limit.limit() >> 20} MB", field_limit.VARIABLE
    value = os.environ.get(variable, "")
    if field_limit.told() is not None:
        text += f", as {variable} says; {field_limit.usual() >> 20} MB would suit this machine"
    elif value:
        text += f", which suits this machine; {variable} is {value!r}, no whole number of megabytes"
    else:
        text += f", which suits this machine; {variable}, --field-mb or the window (Noise, Memory) say otherwise"
    return [Finding("memory", None, text)]


def _gl() -> list[Finding]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", GL_PROBE],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        renderer, version, largest = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as problem:
        said = "no answer within 60 s" if isinstance(problem, subprocess.TimeoutExpired) else _last_line(done.stderr)
        return [Finding("OpenGL off screen", False, said, "sudo apt-get install libegl1 libgl1 libgl1-mesa-dri")]
    return [Finding("OpenGL off screen", True, f"{renderer}, OpenGL {version}, textures up to {largest}")]


def _qt() -> list[Finding]:
    # Qt ends the process when its platform plugin does not load, so another process tries.
    probe = "from PySide6.QtWidgets import QApplication; import PySide6; QApplication([]); print(PySide6.__version__)"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", probe],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [Finding("Qt", False, "no answer within 60 s")]
    findings = [
        Finding("Qt", True, f"PySide6 {done.stdout.strip()}, draws off screen")
        if done.returncode == 0
        else Finding("Qt", False, _last_line(done.stderr), "python -m pip install --force-reinstall PySide6_Essentials")
    ]
    if sys.platform == "linux":
        findings.append(Finding("display", None, _display()))
    return findings


def _display() -> str:
    names = [os.environ[name] for name in ("WAYLAND_DISPLAY", "DISPLAY") if os.environ.get(name)]
    if not names:
        return "none: the window needs one, all else does not"
    try:
        require_window()
    except BackendError as problem:
        return str(problem)
    return f"{' and '.join(names)}, where the window can be opened"


def _media() -> list[Finding]:
    """The libraries that read and write what people bring: loaded, and asked what they are made of."""

    def video() -> str:
        import av

        if "libx264" not in av.codecs_available:
            raise RuntimeError("this build of PyAV has no H.264 encoder")
        return f"FFmpeg {av.ffmpeg_version_info} in PyAV {av.__version__}"

    def pictures() -> str:
        import OpenImageIO

        formats = str(OpenImageIO.get_string_attribute("format_list")).split(",")
        from PIL import __version__, features

        avif = (
            "AVIF by Pillow" if features.check("avif") else f"no AVIF, which needs Pillow 11.3 (this is {__version__})"
        )
        return f"OpenImageIO {OpenImageIO.VERSION_STRING}, {len(formats)} formats; {avif}"

    def read() -> str:
        from gpu.decoders.process import DecoderProcess

        with DecoderProcess() as process:
            process.call("gpu.decoders.server:echo", {"text": "", "shape": [1]})
        return "its process starts"

    return [
        _tried("video", video, "python -m pip install 'av>=18,<19'"),
        _tried("pictures", pictures, "python -m pip install 'OpenImageIO>=3.1,<4'"),
        _tried("reading of files", read, "python -m pip install --force-reinstall noisescope"),
    ]


def _files() -> list[Finding]:
    """The data files that the program starts with; a wheel that was built wrongly lacks them."""
    findings = []
    for folder, pattern in (("shaders", "*.frag"), ("assets/clips", "*"), ("assets/models", "**/*.safetensors")):
        roots = [Path(root) / folder for root in (Path(gpu.__file__).parents[1],)]
        count = sum(1 for root in roots for path in root.glob(pattern) if path.is_file())
        text = f"{count} files in {roots[0]}"
        findings.append(Finding(folder, count > 0, text, "" if count else "install the program again"))
    return findings


def _folders() -> list[Finding]:
    import platformdirs

    findings = []
    for name, folder in (
        ("settings folder", platformdirs.user_state_path("noisescope")),
        ("cache folder", platformdirs.user_cache_path("noisescope")),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            findings.append(Finding(name, True, str(folder)))
        except OSError as problem:
            findings.append(Finding(name, False, f"{folder} cannot be written to: {problem.strerror}"))
    return findings


def _tried(name: str, look: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(name, True, look())
    except Exception as problem:  # a broken installation can raise anything; the report says what
        return Finding(name, False, f"{type(problem).__name__}: {problem}", mend)


def _last_line(text: str | bytes | None) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[-1] if lines else "ended without a word"


COMMANDS.add("doctor", order=50)(
    Command(
        "Say what this machine has and what is missing.",
        configure,
        run,
        "a list; exit code 1 when something needed is missing",
    )
)
