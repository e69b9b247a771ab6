"""Motion over several frames from the flow between one and the next."""

from __future__ import annotations

import numpy as np
import torch

from gpu.flow import maps
from gpu.flow.stored.fields import Fields
from gpu.source import F32


def composed(fields: Fields, steps: int, backward: bool) -> Fields:
    """The motion over `steps` steps at a time, in (dx, dy) pixels: each pixel is followed from step to step, bilinear.

    Where it leaves the frame before the last step, or meets a vector that is not known, it is NaN. Steps that are left over at
    the end belong to none.
    """

    def read(t: int) -> F32:
        order = range(t * steps, (t + 1) * steps)
        centres = maps.pixel_centres(fields.height, fields.width)
        places, followed = centres, torch.ones(centres.shape[:2], dtype=torch.bool)
        for step in reversed(order) if backward else order:
            cleaned = maps.clean(torch.from_numpy(np.array(fields[step], np.float32)))
            followed &= maps.inside(places, fields.height, fields.width) & maps.covered(~cleaned.bad, places)
            places = places + maps.sample(cleaned.flow, places)
        moved = torch.where(followed[..., None], places - centres, torch.full_like(places, torch.nan))
        return np.asarray(moved.numpy(), np.float32)

    return Fields(len(fields) // steps, fields.height, fields.width, read)
