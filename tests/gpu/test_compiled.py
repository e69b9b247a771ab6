"""Kernels that are kept on disk are those of the sources that are there now."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpu import compiled

CONSTANTS = "FACTOR = 2\n"
PART = """
from gpu.compiled import inlined
from pkg import constants


@inlined
def part(x):
    return x * constants.FACTOR
"""
WHOLE = """
from gpu.compiled import kernel
from pkg.part_compiled import part


@kernel
def whole(x):
    return part(x) + 1
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pkg"
    folder.mkdir()
    for name, text in {"__init__": "", "constants": CONSTANTS, "part_compiled": PART, "whole_compiled": WHOLE}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_the_digest_is_of_kernels_and_of_what_they_take_constants_from(package: Path) -> None:
    before = compiled.digest(package)
    (package / "other.py").write_text("x = 1\n")
    assert compiled.digest(package) == before
    for name in ("constants", "part_compiled", "whole_compiled"):
        file = package / f"{name}.py"
        kept = file.read_text()
        file.write_text(kept + "# changed\n")
        assert compiled.digest(package) != before, name
        file.write_text(kept)
    shutil.copytree(package, package.parent / "elsewhere" / "pkg")
    assert compiled.digest(package.parent / "elsewhere" / "pkg") == before  # wherever it stands


@pytest.mark.slow
def test_a_kernel_is_compiled_anew_when_a_part_of_it_changes(package: Path) -> None:
    """numba alone goes on with what it inlined from another file."""
    code = (
        "import sys; from pathlib import Path; from gpu import compiled\n"
        f"compiled.ROOT = Path({str(package)!r}); sys.path.insert(0, {str(package.parent)!r})\n"
        "from pkg.whole_compiled import whole; print(whole(10), sum(whole.stats.cache_hits.values()))"
    )

    def said() -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.strip()

    assert said() == "21 0"
    assert said() == "21 1"
    (package / "constants.py").write_text("FACTOR = 3\n")
    assert said() == "31 0"


def test_where_nothing_is_compiled_a_process_of_its_own_does_it_and_torch_goes_on(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, however often it is asked; from when they are there, kernels are used."""
    began: list[list[str]] = []
    monkeypatch.setattr(compiled, "ROOT", package)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "folder", compiled.folder.__wrapped__)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: began.append(command))
    assert compiled.available()
    compiled.compile_beside()
    compiled.compile_beside()
    assert began == [[sys.executable, "-P", "-m", "gpu.engine.warm_up"]]
    assert not compiled.available()
    place = compiled.folder()
    assert place is not None
    (place / compiled.COMPLETE).touch()
    assert compiled.available()
    compiled.compile_beside()
    assert len(began) == 1
    assert compiled.available()


def test_where_no_process_can_be_started_kernels_are_compiled_when_they_are_called(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(compiled, "ROOT", package)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "folder", compiled.folder.__wrapped__)
    monkeypatch.setattr(subprocess, "Popen", refused)
    compiled.compile_beside()
    assert compiled.available()
