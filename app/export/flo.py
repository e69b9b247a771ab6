"""Flow as a folder of .flo files, the format of the Middlebury benchmark (Baker et al. 2011)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.flow_format import flows, plan_flow
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.files import check_folder, replacing_folder
from gpu.flow.formats.flo import write_flo
from gpu.flow.stored import read_flow

if TYPE_CHECKING:
    from gpu.engine import Engine


def _name(t: int, options: ExportOptions) -> str:
    return f"{options.direction}_{t:05d}.flo"


def _plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_folder(path)
    return plan_flow(engine, path, options, ".flo files")


def _write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    planned = _plan(engine, key, path, options)
    size = 0
    with replacing_folder(path) as partial:
        for index, (t, flow) in enumerate(flows(engine, options)):
            file = partial / _name(t, options)
            write_flo(file, flow)
            if not np.array_equal(read_flow(file)[0], flow, equal_nan=True):
                raise OutputError(f"The file {file.name} reads back with other vectors than were written.")
            size += file.stat().st_size
            yield Update(index + 1, planned.shape[0], f"flow between frames {t} and {t + 1}")
    return Report(path, size, f"{planned.text}; read back as written")


FORMATS.add("flo", order=60)(
    Format(
        ".flo files",
        "",
        "flow",
        "A folder of Middlebury .flo files, one a pair of frames.",
        _plan,
        _write,
        ("direction",),
        names=lambda frames, options: [_name(t, options) for t in frames],
    )
)
