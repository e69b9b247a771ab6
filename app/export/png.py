"""Pictures of one column as a folder of PNG files, without loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.picture_format import U8, pictures, plan_pictures
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.files import byte_text, check_folder, replacing_folder

if TYPE_CHECKING:
    from gpu.engine import Engine


def save_png(path: Path, picture: U8) -> None:
    """(H, W, 3) bytes as a PNG file, read back and compared; OSError or OutputError when that fails."""
    from PIL import Image

    Image.fromarray(picture).save(path, "PNG", compress_level=3)
    with Image.open(path) as written:
        if not np.array_equal(np.asarray(written), picture):
            raise OutputError(f"The picture {path.name} reads back with other pixels than were written.")


def _name(t: int) -> str:
    return f"{t:05d}.png"


def _plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_folder(path)
    return plan_pictures(engine, key, path, options, "PNG files")


def _write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    planned = _plan(engine, key, path, options)
    size = 0
    with replacing_folder(path) as partial:
        for step in pictures(engine, key, options):
            if isinstance(step, Update):
                yield step
            else:
                file = partial / _name(step[0])
                save_png(file, step[1])
                size += file.stat().st_size
    return Report(path, size, f"{planned.text}; {byte_text(size)}, each read back as written")


FORMATS.add("png", order=80)(
    Format(
        "PNG files",
        "",
        "pictures",
        "A folder of numbered PNG files, without loss.",
        _plan,
        _write,
        ("content", "colours"),
        names=lambda frames, options: [_name(t) for t in frames],
    )
)
