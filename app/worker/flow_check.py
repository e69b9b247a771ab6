"""What a flow file holds, and which reading of it fits the clip that is open: for the worker, which has both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.model.flow_fits import Direction, FlowFit, FlowReport, Units, untried

if TYPE_CHECKING:
    from gpu.engine import Engine
    from gpu.session import SourceSettings


def flow_report(engine: Engine | None, source: SourceSettings) -> FlowReport:
    """What the flow file of `source` holds, and all its readings, the best first when pictures are open to try it on.

    Only real pictures count: a still that was carried along the same flow fits by construction. Raises FlowError when
    the file cannot be read; what would have to be said first stands in the report.
    """
    from gpu.errors import FlowQuestion
    from gpu.source.flow_file.reading import open_stored, told_units
    from gpu.source.flow_file.readings import difference, fit_clip

    try:
        pair = open_stored(source)
    except FlowQuestion as problem:
        return FlowReport(question=str(problem), setting=problem.setting, choices=problem.choices)
    try:
        steps, height, width, _ = pair.fields.shape
        taken = ", ".join(flows.taken for flows in pair.flows)
        about = f"{steps} {'field' if steps == 1 else 'fields'} of {width} × {height} vectors ({taken})"
        named = all(flows.named for flows in pair.flows) or len(pair.flows) > 1
        sides: tuple[tuple[Direction, object], ...] = (("backward", pair.backward), ("forward", pair.forward))
        directions = tuple(direction for direction, fields in sides if fields is not None)
        sure = directions if named or len(directions) == 2 else ()
        way: Direction = "forward" if pair.backward is None else "backward"
        unit = told_units(pair, source)
        units: tuple[Units, ...] = (unit,) if unit is not None else ("pixels", "normalised", "fraction")
        if engine is None or engine.session.source.kind not in ("video", "images") or engine.info.frames < 2:
            return FlowReport(about, sure, units, untried(sure, units), taken=way)
        frame, last = engine.source.frame, min(steps, engine.info.frames - 1) - 1
        fits = []
        for fitted in fit_clip(frame, engine.info.frames, pair.backward, pair.forward, units, bool(sure)):
            if math.isfinite(fitted.error):
                field = pair.fields[last]
                picture = difference(frame(last), frame(last + 1), field, *fitted.reading)
                reading = fitted.direction, fitted.axes, fitted.sign, fitted.error, picture
                fits.append(FlowFit(*reading, fitted.units, len(directions) == 2))
        frames, open_now = engine.info.frames, engine.session.source
        belongs = steps in (frames - 1, frames) or (open_now.frames > 0 and steps >= open_now.start + frames - 1)
        return FlowReport(about, sure, units, tuple(fits) or untried(sure, units), belongs, taken=way)
    finally:
        pair.close()
