"""Flow as one .npy array (T-1, H, W, 2), which `noisescope warp --flow` reads."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.flow_format import flows, plan_flow
from app.export.kit.noise_format import mapped
from gpu.engine.results import Update
from gpu.errors import OutputError
from gpu.files import check_file, replacing

if TYPE_CHECKING:
    from gpu.engine import Engine


def _plan(engine: Engine, key: str, path: Path, options: ExportOptions) -> Plan:
    check_file(path, (".npy",))
    return plan_flow(engine, path, options, "NumPy array")


def _write(engine: Engine, key: str, path: Path, options: ExportOptions) -> Steps:
    planned = _plan(engine, key, path, options)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": planned.shape})
    with replacing(path) as partial:
        array = mapped(partial, header.getvalue(), planned.shape)
        sums = []
        for index, (t, flow) in enumerate(flows(engine, options)):
            array[index] = flow
            sums.append(crc32(flow.tobytes()))
            yield Update(index + 1, planned.shape[0], f"flow between frames {t} and {t + 1}")
        array.flush()
        written = np.load(partial, mmap_mode="r", allow_pickle=False)
        if [crc32(flow.tobytes()) for flow in written] != sums:
            raise OutputError(f"The output {path} reads back with other vectors than were written.")
        size = partial.stat().st_size
        del array, written
    return Report(path, size, f"{planned.text}; read back as written")


FORMATS.add("flow-npy", order=50)(
    Format(
        "Flow array", ".npy", "flow", "All flows in one float32 array (T-1, H, W, 2).", _plan, _write, ("direction",)
    )
)
