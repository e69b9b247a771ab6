"""Units of stored vectors: pixels, or the frame measured from -1 to 1 or from 0 to 1."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from gpu.flow.stored.fields import Fields

F32 = npt.NDArray[np.float32]

Units = Literal["pixels", "normalised", "fraction"]

LONG = 1.0
"""Of vectors that measure the frame one in a hundred is never so long: it would lead across half of it."""

PLACES = 5  # fields that are looked at, from the first to the last
SAMPLES = 1 << 16  # vectors of each


def scale(units: Units, height: int, width: int) -> F32:
    """(2,) pixels of a unit along x and along y: `normalised` has the frame's edges at -1 and 1, as grid_sample of PyTorch with
    align_corners=False; `fraction` has them at 0 and 1."""
    half = {"pixels": (1.0, 1.0), "normalised": (width / 2, height / 2), "fraction": (width, height)}[units]
    return np.array(half, np.float32)


def in_pixels(fields: Fields, units: Units) -> Fields:
    """The same vectors in pixels of their own grid."""
    if units == "pixels":
        return fields
    factor = scale(units, fields.height, fields.width)
    return fields.changed(lambda flow: flow * factor)


def length(fields: Fields) -> float:
    """The length that one vector in a hundred exceeds, in stored units; 0 where all are 0, NaN where none is known."""
    longest = float("nan")
    for t in sorted({round(place * (len(fields) - 1) / (PLACES - 1)) for place in range(PLACES)}):
        flow = fields[t].reshape(-1, 2)
        flow = flow[:: max(1, len(flow) // SAMPLES)]
        with np.errstate(over="ignore"):
            lengths = np.hypot(flow[:, 0], flow[:, 1])
        lengths = lengths[lengths < 1e9]  # not those that stand for "unknown"; NaN is none
        if lengths.size:
            longest = float(np.nanmax([longest, np.quantile(lengths, 0.99)]))
    return longest


def told(fields: Fields) -> Units | None:
    """Pixels, where the vectors are too long to be anything else, or all 0; None where they may be either."""
    longest = length(fields)
    return "pixels" if not 0 < longest < LONG else None
