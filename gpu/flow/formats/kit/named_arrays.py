"""Files of arrays (.npy, .npz, .pt, .safetensors) as flow formats, and what this program writes into or beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from gpu.arrays import Arrays, open_arrays
from gpu.arrays.series import series_in
from gpu.errors import FlowError
from gpu.flow.formats import Contents

MOST_BYTES = 4 << 20  # of a description beside a file


class NamedArrays:
    """A format whose files hold any number of arrays, and series of them. What units and direction they have the names may say,
    or the description that this program puts beside a .npy or into a .npz."""

    def __init__(self, title: str, suffix: str) -> None:
        self.title, self.suffix = title, suffix

    def open(self, path: Path) -> Contents:
        arrays = open_arrays(path, FlowError)
        said = _described(arrays, path)
        return Contents(
            {**arrays, **series_in(arrays)},
            pixels=bool(said),
            direction=_direction(said) if set(arrays) == {""} else None,
            others=arrays.others,
            close=arrays.close,
        )


def _described(arrays: Arrays, path: Path) -> dict[str, Any]:
    """What this program says of a file that it wrote; empty for those of others, whose descriptions mean something else, and
    where another array was put in the place of the one that is described."""
    beside = path.with_name(path.name + ".json")
    text = arrays.text("meta") or arrays.text("noisescope")
    try:
        if not text and beside.is_file() and beside.stat().st_size <= MOST_BYTES:
            text = beside.read_text(encoding="utf-8")
        said = json.loads(text) if text else {}
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(said, dict) or not str(said.get("program", "")).startswith("noisescope"):
        return {}
    if "crc32" in said and said["crc32"] != crc32(arrays[""].read(0, 1).tobytes() if "" in arrays else b""):
        return {}
    return said


def _direction(said: dict[str, Any]) -> Literal["backward", "forward"] | None:
    direction = said.get("direction")
    return direction if direction in ("backward", "forward") else None
