"""What the flow formats share: which direction, the plan, and what is said of the convention."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.export import ExportOptions, Plan
from app.export.kit.noise_format import BESIDE, chosen_frames
from gpu.errors import OutputError
from gpu.files import byte_text, check_space

if TYPE_CHECKING:
    from gpu.engine import Engine

F32 = npt.NDArray[np.float32]


def plan_flow(engine: Engine, path: Path, options: ExportOptions, title: str) -> Plan:
    """What will be written: one flow less than there are frames."""
    info = engine.info
    count = len(chosen_frames(options, info.frames)) - 1
    if count < 1:
        raise OutputError("There is no flow to export: it lies between two frames, and there is only one.")
    shape = (count, info.height, info.width, 2)
    size = int(np.prod(shape)) * 4
    check_space(path, size + BESIDE)
    grid = (
        "on the grid of the later frame, to the earlier"
        if options.direction == "backward"
        else "on the grid of the earlier frame"
    )
    text = (
        f"{title}: {options.direction} flow ({info.motion}), {count} fields of {info.width} × {info.height} vectors "
        f"(dx, dy) in pixels, {grid}, float32, about {byte_text(size)}"
    )
    return Plan(path, shape, "THWC", size, text)


def flows(engine: Engine, options: ExportOptions) -> Iterator[tuple[int, F32]]:
    """(t, (H, W, 2)) for the chosen frames; t is the earlier frame."""
    for t in chosen_frames(options, engine.info.frames)[:-1]:
        backward, forward, _ = engine.motion(t)
        yield t, np.ascontiguousarray(backward if options.direction == "backward" else forward, np.float32)
