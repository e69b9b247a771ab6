"""Flow as one .npy array (T-1, H, W, 2), which `noisescope warp --flow` reads, described in PATH.json beside it."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

import gpu
from app.export import FORMATS, ExportOptions, Format, Plan, Report, Steps
from app.export.kit.flow_format import flows, plan_flow
from app.export.kit.noise_format import mapped
from app.export.kit.noise_reading import described_in
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
    with ExitStack() as files:
        beside = files.enter_context(replacing(described_in(path)))
        partial = files.enter_context(replacing(path))
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
        beside.write_text(_described(engine, options, sums[0]) + "\n", encoding="utf-8", errors="backslashreplace")
        size = partial.stat().st_size
        del array, written
    return Report(path, size, f"{planned.text}; read back as written")


def _described(engine: Engine, options: ExportOptions, first: int) -> str:
    """JSON with what an array cannot say: whoever reads the file back knows its direction and units by it. `first` is the
    CRC-32 of the first field, so that it does not speak of another array that was put in its place."""
    return json.dumps(
        {
            "program": f"noisescope {gpu.__version__}",
            "direction": options.direction,
            "axes": "THWC",
            "units": "pixels",
            "crc32": first,
            "frames": [options.start, options.frames(engine.info.frames).stop],
            "motion": engine.info.motion,
        },
        sort_keys=True,
        ensure_ascii=False,
    )


FORMATS.add("flow-npy", order=50)(
    Format(
        "Flow array",
        ".npy",
        "flow",
        "All flows in one float32 array (T-1, H, W, 2), and a description in a .json file beside it.",
        _plan,
        _write,
        ("direction",),
    )
)
