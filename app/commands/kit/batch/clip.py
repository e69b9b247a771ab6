"""One clip of a batch, made in this process: what workers here and on a cluster do with a row."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.commands.kit.batch.manifest import Row
from app.commands.kit.batch.state import Result, written
from gpu.errors import NoisescopeError
from gpu.files import reason

TOLD_SECONDS = 0.2
"""Progress is told at least this far apart."""

Told = Callable[[float, str], None]
"""Gets the share of a clip that is done, 0 to 1, and what is being done; what it raises gives the clip up."""


@dataclass(frozen=True)
class Progress:
    """How far the clip of a row has come."""

    name: str
    share: float
    what: str


@dataclass(frozen=True)
class Made:
    """The clip of a row is written."""

    name: str
    result: Result


@dataclass(frozen=True)
class Failed:
    """The clip of a row cannot be made, and why; nothing of it is left."""

    name: str
    problem: str


Event = Progress | Made | Failed


def make(row: Row, out: Path, told: Told) -> Made | Failed:
    """Write the clip of `row` into the folder `out`, whole or not at all, on one thread."""
    try:
        return Made(row.name, _write(row, out, told))
    except NoisescopeError as problem:
        return Failed(row.name, str(problem))
    except MemoryError:
        return Failed(row.name, "There is not enough memory for this; try a smaller size, fewer channels or a lower k.")
    except OSError as problem:
        name = os.fsdecode(problem.filename) if isinstance(problem.filename, str | bytes) else "A file"
        return Failed(row.name, f"{name} cannot be used: {reason(problem)}.")


def _write(row: Row, out: Path, told: Told) -> Result:
    import torch

    from app import export
    from gpu.cv import cv2
    from gpu.engine import Engine

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    began, last = time.monotonic(), 0.0
    told(0, "opening")
    engine = Engine(row.session)
    try:
        info, warnings = engine.info, engine.judged().warnings
        options = export.ExportOptions(axes=row.axes, workers=1)
        steps = export.write(engine, row.form, row.key, out / row.name, options)
        try:
            while True:
                update = next(steps)
                if time.monotonic() - last >= TOLD_SECONDS:
                    last = time.monotonic()
                    told(update.done / update.total, update.what)
        except StopIteration as end:
            report: export.Report = end.value
        finally:
            steps.close()
    finally:
        engine.close()
    white = report.whiteness
    return Result(
        written(out / row.name),
        info.frames,
        info.height,
        info.width,
        round(time.monotonic() - began, 3),
        white.verdict.ok if white else None,
        white.verdict.text if white else "",
        warnings,
    )


def work(requests: Iterator[Row], tell: Callable[[Any], None], out: Path) -> None:
    """What a worker of this machine does (gpu.processes): makes the clips it is asked for, one after the other."""
    for row in requests:
        try:
            tell(make(row, out, lambda share, what, name=row.name: tell(Progress(name, share, what))))  # type: ignore[misc]
        except BrokenPipeError:
            raise
        except Exception as fault:
            tell(Failed(row.name, f"This is a fault of the program ({type(fault).__name__}: {fault})."))
