"""The line of values under the crosshair: the same pixel in every column."""

from __future__ import annotations

import math

from app.views.compare.canvas import Probe
from gpu.engine.results import Column, FrameResult
from gpu.noise.states import STATES


def probe_text(probe: Probe, result: FrameResult | None) -> str:
    """Position, then each column's value of the row under the pointer, with its unit."""
    where = f"x {probe.x}  y {probe.y}"
    if result is None or probe.y >= result.image.shape[0] or probe.x >= result.image.shape[1]:
        return where
    if probe.row == "motion":
        if result.backward is None:
            return f"{where}   the shot starts here"
        dx, dy = (float(value) for value in result.backward[probe.y, probe.x])
        fits = result.valid is None or bool(result.valid[probe.y, probe.x])
        return f"{where}   backward flow ({dx:+.2f}, {dy:+.2f}) px{'' if fits else ', not valid'}"
    values = [f"{key} {_value(column, probe)}" for key, column in result.columns.items()]
    return f"{where}   " + "   ".join(values)


def _value(column: Column, probe: Probe) -> str:
    y, x = probe.y, probe.x
    if probe.row == "noise":
        state = STATES[min(int(column.state[y, x]), len(STATES) - 1)]
        return f"{float(column.noise[0, y, x]):+.2f} σ" + ("" if state == "kept" else f" ({state})")
    if probe.row == "output":
        if column.output is None:
            return "–"
        return "(" + ", ".join(f"{float(value) * 255:.0f}" for value in column.output[:, y, x]) + ")"
    error = math.nan if column.error is None else float(column.error[y, x])
    return f"{error * 1e3:.2f} ×10⁻³" if math.isfinite(error) else "not valid"
