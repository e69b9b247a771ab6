"""Flow as a folder of .flo files, the format of the Middlebury benchmark (Baker et al. 2011)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.flow_format import F32, flows, plan_flow
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.files import check_folder, replacing_folder

if TYPE_CHECKING:
    from gpu.engine import Engine

MAGIC = 202021.25
UNKNOWN = 1e10
"""What stands for an unknown vector; readers take anything above 1e9 as one."""


def write_flo(path: Path, flow: F32) -> None:
    """(H, W, 2) (dx, dy) in pixels as a .flo file: magic number, width, height, interleaved float32. OSError."""
    height, width = flow.shape[:2]
    known = np.where(np.isfinite(flow), flow, np.float32(UNKNOWN)).astype("<f4")
    path.write_bytes(struct.pack("<fii", MAGIC, width, height) + known.tobytes())


def read_flo(path: Path) -> F32:
    """The flow of a file that `write_flo` has just written, unknown vectors as NaN."""
    data = path.read_bytes()
    magic, width, height = struct.unpack("<fii", data[:12])
    if magic != MAGIC:
        raise OutputError(f"The file {path.name} reads back without the mark of a .flo file.")
    flow = np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2)
    return np.where(np.abs(flow) > 1e9, np.float32(np.nan), flow).astype(np.float32)


def _plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_folder(path)
    return plan_flow(engine, path, options, ".flo files")


def _write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    planned = _plan(engine, key, path, options)
    size = 0
    with replacing_folder(path) as partial:
        for index, (t, flow) in enumerate(flows(engine, options)):
            file = partial / f"{options.direction}_{t:05d}.flo"
            write_flo(file, flow)
            if not np.array_equal(read_flo(file), flow, equal_nan=True):
                raise OutputError(f"The file {file.name} reads back with other vectors than were written.")
            size += file.stat().st_size
            yield Update(index + 1, planned.shape[0], f"flow between frames {t} and {t + 1}")
    return Report(path, size, f"{planned.text}; read back as written")


FORMATS.add("flo", order=60)(
    Format(".flo files", "", "flow", "A folder of Middlebury .flo files, one a pair of frames.", _plan, _write)
)
