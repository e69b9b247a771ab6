"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = sorted(path for folder in ("app", "gpu") for path in (ROOT / folder).rglob("*.py"))

BLOCKED = """
import importlib, importlib.abc, pkgutil, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Block())
import {package}
names = [module.name for module in pkgutil.walk_packages({package}.__path__, "{package}.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.slow
def test_gpu_is_a_library_without_qt() -> None:
    """Every module of gpu imports where PySide6 and app do not exist."""
    code = BLOCKED.format(package="gpu", blocked=("PySide6", "shiboken6", "pyqtgraph", "app"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) >= 20


STARTED = """
import resource, sys, pytest
assert pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", "tests/gpu/test_cache.py"]) == 0
loaded = {"PySide6", "shiboken6", "pytestqt", "hypothesis", "anyio", "torch"} & set(sys.modules)
print(" ".join(sorted(loaded)) or "none", resource.getrusage(resource.RUSAGE_SELF).ru_utime)
"""


@pytest.mark.slow
def test_a_test_without_qt_starts_at_once() -> None:
    """Neither pytest's plugins nor the conftest files import Qt, hypothesis or torch for a test that asks for none: 0.6 s
    until it is collected. (A test that imports torch waits 2 s for torch alone.)"""
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    loaded, seconds = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert loaded == "none"
    assert float(seconds) < 2


@pytest.mark.slow
@pytest.mark.parametrize("package", ["app.commands", "app.export"])
def test_the_command_line_needs_no_qt(package: str) -> None:
    code = BLOCKED.format(package=package, blocked=("PySide6", "shiboken6", "pyqtgraph"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says in its first line what it is for"
    assert text.count("\n") <= 450, "no file over about 400 lines"
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    shaders = [text for text in strings if re.search(r"#version\s+\d|\bgl_(Position|FragColor|FragCoord)\b", text)]
    assert not shaders, "GLSL lives in shaders/, not in Python strings"


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_and_pages_mean_something(path: Path) -> None:
    """A local name says what it holds; no comment sends the reader to a page that is not in the repository."""
    text = path.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    fields = {id(node.target) for node in nodes if isinstance(node, ast.AnnAssign) and node.value is None}
    stored = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    local = {node.id for node in stored if id(node) not in fields} | {
        node.arg for node in nodes if isinstance(node, ast.arg)
    }
    assert not local & {"one", "found", "known"}
    assert "DESIGN" not in text


def test_types_and_imports_are_checked_without_exceptions() -> None:
    """mypy leaves nothing out, and an import for an annotation counts in the contracts of import-linter."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["mypy"]["strict"] is True
    assert settings["mypy"]["files"][:2] == ["gpu", "app"]
    assert "exclude" not in settings["mypy"]
    assert not [override for override in settings["mypy"]["overrides"] if "follow_imports" in override]
    assert not settings["importlinter"].get("exclude_type_checking_imports", False)
    ignored = [
        line for contract in settings["importlinter"]["contracts"] for line in contract.get("ignore_imports", [])
    ]
    assert ignored == ["app.commands.kit.window -> app.window.start"]


def test_ci_runs_what_readme_tells() -> None:
    """One pasteable line starts the program and one tests it; .ci/run takes the latter from README itself."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "bash .ci/setup && .venv/bin/noisescope" in readme
    assert "bash .ci/setup dev && .venv/bin/python -m pytest --all -n 2" in readme
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep -m1 -x '(.+?)' README.md", script)
    assert pattern is not None
    found = [line for line in readme if re.fullmatch(pattern[1].replace(r"\.", "[.]"), line)]
    assert found == ["bash .ci/setup dev && .venv/bin/python -m pytest --all -n 2"]


def test_opengl_works_here() -> None:
    """Fails where EGL or Mesa is missing, so that no check of the GL backend is skipped without anyone noticing."""
    from gpu import gl

    with gl.Context() as context:
        assert context.version.startswith(("3.", "4."))
        assert context.renderer


def test_texts_are_written_whatever_names_they_hold() -> None:
    r"""A name that is not UTF-8 may stand in every text: it is written as \udcNN, which JSON reads back, and never a fault."""
    written = re.compile(r"(\.write_text\(|\bopen\([^)\n]*[\"'][wxa][\"'])[^\n]*encoding=\"utf-8\"(?!, errors=)")
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("app", "gpu")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if written.search(line) and "os.devnull" not in line
    ]
    assert not wrong


def test_python_is_started_away_from_the_folder_a_person_stands_in() -> None:
    """With -P: else that folder is the first that modules are looked for in, and a stranger's numpy.py there would be run."""
    started = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("app", "gpu")
        for path in (ROOT / folder).rglob("*.py")
        for match in re.finditer(r"\[sys\.executable, (?!\"-P\")[^\]]*", path.read_text(encoding="utf-8"))
    }
    assert not started
