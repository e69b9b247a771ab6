"""Compiled code on the processor: the settings that all kernels of numba share, and whether numba is there.

Modules that hold kernels (`*_compiled.py`) import numba and are imported only where something is about to be computed on the
processor, after `available` was asked. Everything a kernel does is done by torch as well, which other devices use, and the
processor where numba is missing.

Kernels are compiled when they are first called, and kept on disk from then on, in a folder named after the sources of all of
them: numba itself looks at a kernel's own file alone, and would go on with what it had inlined from another one that has
changed since. No reordering of sums and no fused multiplications are allowed, so that a kernel gives the same bits on every
processor.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

Function = TypeVar("Function", bound=Callable[..., Any])

ROOT = Path(__file__).parent


COMPLETE = "complete"
"""A file beside kept kernels that says that all of them are there (gpu.engine.warm_up)."""

_awaited: list[Path] = []  # what this process goes on with torch for


@lru_cache(maxsize=1)
def installed() -> bool:
    """Whether numba is."""
    return importlib.util.find_spec("numba") is not None


def available() -> bool:
    """Whether kernels are to be used: numba is installed, and nobody is compiling them for this process (`compile_beside`)."""
    if _awaited and _awaited[0].exists():
        _awaited.clear()
    return installed() and not _awaited


def compile_beside() -> None:
    """For a window, which must not wait until kernels are compiled, half a minute on a slow machine: where they are not on disk
    yet a process of its own compiles them, and this one goes on with torch, which gives the same values, until they are."""
    place = folder()
    if not installed() or place is None or (place / COMPLETE).exists() or _awaited:
        return
    _awaited.append(place / COMPLETE)
    paths = [str(ROOT.parent), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    try:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gpu.engine.warm_up"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:  # no more processes: then they are compiled here, when they are called
        _awaited.clear()


def kernel(function: Function) -> Function:
    """`function` compiled: without the interpreter's lock, divisions as in numpy, and kept on disk where a folder for that
    can be written to."""
    import numba

    place = folder()
    if place is not None:
        cast(Any, numba).config.CACHE_DIR = str(place)
    try:
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except (RuntimeError, OSError):  # no folder to keep it in: neither beside the modules nor in the user's home
        return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """`function` as a part of the kernels that call it."""
    import numba

    return cast(Function, numba.njit(inline="always", error_model="numpy")(function))


@lru_cache(maxsize=1)
def folder() -> Path | None:
    """Where compiled kernels are kept: beside the sources, or in the user's cache; None where numba decides, because
    NUMBA_CACHE_DIR says so or because neither can be written to."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return None
    name = f"kernels-{digest(ROOT)}"
    for parent in (ROOT / "__pycache__", Path(platformdirs.user_cache_dir("noisescope"))):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent / name, os.W_OK):
            return parent / name
    return None


def digest(root: Path) -> str:
    """What the kernels below `root` are made of: their sources, and those of the modules that they take constants from."""
    kernels = sorted(root.rglob("*_compiled.py"))
    read = {path: path.read_bytes() for path in kernels}
    for path in kernels:
        for module in _imported(read[path]):
            file = root.parent.joinpath(*module.split(".")).with_suffix(".py")
            if file not in read and file.is_file():
                read[file] = file.read_bytes()
    whole = hashlib.sha256()
    for path in sorted(read):
        whole.update(str(path.relative_to(root)).encode() + b"\0" + read[path] + b"\0")
    return whole.hexdigest()[:16]


def _imported(source: bytes) -> list[str]:
    """The modules that a source imports, and names that may be modules."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
