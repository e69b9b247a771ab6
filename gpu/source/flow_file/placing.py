"""Where the fields of a flow file are on a grid: cut and framed as the pictures of the frame that they belong to."""

from __future__ import annotations

import numpy as np

from gpu.source import F32
from gpu.source.flow_file.reading import Pair
from gpu.source.flow_file.truth import scaled
from gpu.source.stills import Fitting


def placed(pair: Pair, fit: Fitting) -> Pair:
    """Fields of the size that `fit` was made for: of `fit.part`, and where there are bars on the grid, with no motion in them.
    What is left to scale is left to FlowFileTruth."""
    height, width = pair.fields.shape[1:3]
    part, area = fit.part, fit.area
    if (part.height, part.width) != (height, width):
        pair = pair.changed(lambda flow: flow[part.top : part.bottom, part.left : part.right], part.height, part.width)
    if (area.height, area.width) == (fit.height, fit.width):
        return pair

    def framed(flow: F32) -> F32:
        out = np.zeros((fit.height, fit.width, 2), np.float32)
        out[area.top : area.bottom, area.left : area.right] = scaled(flow, area.height, area.width)
        return out

    return pair.changed(framed, fit.height, fit.width)
