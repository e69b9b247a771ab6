"""Pictures of one column as an mp4 video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.picture_format import pictures, plan_pictures, rate_of, times_of
from app.export.kit.video_writer import video
from gpu.engine.results import Update
from gpu.files import byte_text, check_file, replacing

if TYPE_CHECKING:
    from gpu.engine import Engine


def _plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_file(path, (".mp4",))
    return plan_pictures(engine, key, path, options, "Video (H.264)")


def _write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    planned = _plan(engine, key, path, options)
    with replacing(path) as partial:
        with video(partial, rate_of(engine, options), times_of(engine, options)) as put:
            for step in pictures(engine, key, options):
                if isinstance(step, Update):
                    yield step
                else:
                    put(step[1])
        size = partial.stat().st_size
    return Report(path, size, f"{planned.text}; {byte_text(size)}, all {planned.shape[0]} frames read back")


FORMATS.add("mp4", order=70)(
    Format(
        "Video",
        ".mp4",
        "pictures",
        "One column as a video that every player shows.",
        _plan,
        _write,
        ("content", "colours", "fps"),
    )
)
