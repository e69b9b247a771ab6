"""Which reading of a flow file fits the clip that is open: for the worker, which has both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.model.flow_fits import FlowFit

if TYPE_CHECKING:
    from gpu.engine import Engine


def flow_fits(engine: Engine | None, path: str) -> list[FlowFit]:
    """All readings of the flow at `path`, the best first; none when no pictures are open that it could be tried on.

    Only real pictures count: a still that was carried along the same flow fits by construction. Raises FlowError when
    the file cannot be read.
    """
    from gpu.session import SourceSettings
    from gpu.source.flow_file.reading import open_stored
    from gpu.source.flow_file.readings import difference, fit_clip

    pair = open_stored(SourceSettings("flow", flow_path=path))
    try:
        if engine is None or engine.session.source.kind not in ("video", "images") or engine.info.frames < 2:
            return []
        frame, steps = engine.source.frame, min(len(pair.fields), engine.info.frames - 1)
        fits = []
        for fitted in fit_clip(frame, engine.info.frames, pair.backward, pair.forward):
            if math.isfinite(fitted.error):
                last = pair.fields[steps - 1]
                picture = difference(frame(steps - 1), frame(steps), last, *fitted.reading)
                fits.append(FlowFit(fitted.direction, fitted.axes, fitted.sign, fitted.error, picture))
        return fits
    finally:
        pair.close()
