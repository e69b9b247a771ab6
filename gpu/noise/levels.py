"""Which level an anchor's cells are looked at in one frame: finer where the picture has come closer.

The field is nested (gpu.noise.field), so that frames may look at one anchor at different levels and still see the same noise.
Within a frame all pixels of an anchor share a level: then a cell has one owner at most, and the frame is white.
"""

from __future__ import annotations

import numpy as np
import torch

from gpu import compiled
from gpu.noise.field import MOST_LEVEL
from gpu.noise.outlines import SNAP_BITS
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tiling import SLOT
from gpu.noise.tracks import Track

STEPS = 1 << 16
"""Areas are counted in whole numbers of 1/STEPS px², so that sums of them are the same everywhere."""


def levels(track: Track, k: int) -> dict[int, int]:
    """The anchors whose carried pixels cover less than half a pixel of theirs on average, and the level that brings what a
    pixel owns back to between half and twice of 4^k cells: one more for every halving of their size."""
    height, width = track.label.shape
    if min(height, width) < 2:
        return {}
    if track.label.device.type == "cpu" and compiled.available():
        from gpu.noise import levels_compiled

        size = int(track.label.max()) + 1
        total, number = torch.zeros(size, dtype=torch.int64), torch.zeros(size, dtype=torch.int64)
        place, label, state = (part.contiguous().numpy() for part in (track.position, track.label, track.state))
        levels_compiled.add_areas(place, label, state, NEW, UNDEFINED, np.float32(STEPS), total.numpy(), number.numpy())
    else:
        total, number = _areas(track)
    # Vertices must stay within 32 bits, and a piece of the field (gpu.noise.tiling) must hold a pixel.
    most = min(MOST_LEVEL, SLOT.bit_length() - 1, 30 - SNAP_BITS - max(height, width).bit_length())
    finer_by_anchor: dict[int, int] = {}
    for anchor in torch.nonzero(number)[:, 0].tolist():
        finer, area_steps, all_steps = k, int(total[anchor]), int(number[anchor]) * STEPS
        while finer < most and 2 * area_steps < all_steps:
            finer, area_steps = finer + 1, area_steps * 4
        if finer > k:
            finer_by_anchor[anchor] = finer
    return finer_by_anchor


def _areas(track: Track) -> tuple[torch.Tensor, torch.Tensor]:
    """By anchor, int64: the sum of the areas, at most 1 each, that its carried pixels cover, and how many were seen."""
    position, label = track.position, track.label
    here, right, below = position[:-1, :-1], position[:-1, 1:], position[1:, :-1]
    carried = (track.state != NEW) & (track.state != UNDEFINED)
    own = label[:-1, :-1]
    same = carried[:-1, :-1] & carried[:-1, 1:] & carried[1:, :-1] & (label[:-1, 1:] == own) & (label[1:, :-1] == own)
    across, down = right - here, below - here
    area = (across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]).abs().clamp(max=1.0)
    steps = torch.round(area * STEPS).to(torch.int64)[same]
    anchors = own[same].to(torch.int64)
    size = int(label.max()) + 1
    total = torch.zeros(size, dtype=torch.int64, device=label.device).index_add_(0, anchors, steps)
    return total, torch.bincount(anchors, minlength=size)
