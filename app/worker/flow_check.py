"""Which reading of a flow file fits the clip that is open: for the worker, which has both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from app.model.flow_fits import FlowFit

if TYPE_CHECKING:
    from gpu.engine import Engine

PAIRS = 3  # pictures are compared at this many places of the flow, the fits averaged


def flow_fits(engine: Engine | None, path: str) -> list[FlowFit]:
    """All readings of the flow at `path`, the best first; none when no pictures are open that it could be tried on.

    Only real pictures count: a still that was carried along the same flow fits by construction. Raises FlowError when
    the file cannot be read.
    """
    from gpu.flow.formats import read_flow
    from gpu.source.flow_file.readings import READINGS, difference, fit

    flow = read_flow(path)
    if engine is None or engine.session.source.kind not in ("video", "images") or engine.info.frames < 2:
        return []
    last = min(len(flow), engine.info.frames - 1) - 1
    places = sorted({round(last * part / max(PAIRS - 1, 1)) for part in range(PAIRS)})
    errors: dict[tuple[str, str, int], list[float]] = {reading: [] for reading in READINGS}
    for t in places:
        for reading in fit(engine.source.frame(t), engine.source.frame(t + 1), flow[t]):
            errors[reading.direction, reading.axes, reading.sign].append(reading.error)
    first, second = engine.source.frame(places[-1]), engine.source.frame(places[-1] + 1)
    fits = []
    for direction, axes, sign in READINGS:
        finite = [error for error in errors[direction, axes, sign] if math.isfinite(error)]
        if finite:
            picture = difference(first, second, np.asarray(flow[places[-1]]), direction, axes, sign)
            fits.append(FlowFit(direction, axes, sign, sum(finite) / len(finite), picture))
    return sorted(fits, key=lambda reading: reading.error or 0.0)
