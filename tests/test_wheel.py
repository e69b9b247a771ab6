"""An installed wheel holds all that a checkout does: every module, shader and asset, found in the same way."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("app", "gpu", "shaders", "assets")

FIND = """
import gpu, sys
from gpu.assets import asset
from gpu.gl import source
assert gpu.__file__.startswith(sys.argv[1]), gpu.__file__
assert str(asset("clips/bunny.mp4")).startswith(sys.argv[1])
assert "#version 330" in source("own.vert")
from app.system import libraries
assert libraries()
"""


@pytest.mark.slow
def test_a_wheel_holds_every_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=copy, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = tmp_path.glob("noisescope-*.whl")
    expected = {
        str(path.relative_to(copy)) for folder in FOLDERS for path in (copy / folder).rglob("*") if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        assert expected <= held, f"missing from the wheel: {sorted(expected - held)}"
        archive.extractall(tmp_path / "site")
    assert not [name for name in held if name.startswith("tests/")]
    place = str(tmp_path / "site")
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {place!r})\n{FIND}", place],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
