"""Finds the data files that ship with the program, in a checkout and in an installed wheel alike."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from gpu.errors import ClipError


def asset(path: str) -> Path:
    """The file `assets/<path>`, for example asset("clips/bunny.mp4"); ClipError when it is not installed."""
    for folder in _folders():
        if (folder / path).is_file():
            return folder / path
    raise ClipError(f"The bundled file assets/{path} is missing; the program may be installed incompletely.")


def is_bundled(path: str | os.PathLike[str]) -> bool:
    """Whether `path` lies among the files that ship with the program, which are not made by strangers."""
    place = os.path.abspath(path)
    return any(place.startswith(os.path.join(folder, "")) for folder in _folders())


def _folders() -> list[Path]:
    """Where `assets` may be: beside this package (a checkout, or a wheel's site-packages), else on the import path."""
    beside = Path(__file__).resolve().parent.parent / "assets"
    spec = importlib.util.find_spec("assets")
    elsewhere = list(spec.submodule_search_locations or []) if spec else []
    return [beside, *map(Path, elsewhere)]
