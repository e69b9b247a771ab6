"""Shares of exact areas on the processor: memory for them, and the kernels of gpu.priors.kit.areas_compiled in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gpu.noise import areas_compiled, rng
from gpu.priors import PriorContext
from gpu.priors.kit import areas_compiled as kernels
from gpu.priors.kit.areas import REST, SHARED

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

OVERLAPS = 6
"""Overlaps a pixel that there is room for at first: a square meets 4 to 5 on average."""


@dataclass(frozen=True)
class Found:
    """The overlaps of m pixels of one anchor: pixel i has those from ends[i - 1] to ends[i] - 1, `source` numbers and `area` by
    overlap; `places` (flat indices) and `asked`, in all, by source pixel."""

    ends: I64
    source: npt.NDArray[np.int32]
    area: I64
    places: npt.NDArray[np.int32]
    asked: I64


class Room:
    """Memory for the overlaps of one anchor after the other, in a frame of so many pixels."""

    def __init__(self, pixels: int) -> None:
        self._slot = np.full(pixels, -1, np.int32)
        self._places, self._asked = np.empty(pixels, np.int32), np.empty(pixels, np.int64)

    def overlaps(self, pixels: I64, outline: Any, height: int, owned: npt.NDArray[np.int32]) -> Found:
        """The overlaps of the `pixels` of one anchor with outlines (gpu.noise.edges_compiled.Shapes); `owned` (H W,) is set
        to 1 where a pixel gets any, and 0 where not."""
        ends, done, sources = np.empty(len(pixels), np.int64), 0, 0
        room = OVERLAPS * len(pixels) + areas_compiled.ROOM
        source, area = np.empty(room, np.int32), np.empty(room, np.int64)
        while True:
            done, sources = areas_compiled.overlap(
                pixels, done, outline, height, self._slot, ends, source, area, self._places, self._asked, sources,
                owned,
            )  # fmt: skip
            if done == len(pixels):
                break
            # One outline may ask for all of the frame, and for as much again around it.
            more = len(source) + 4 * len(self._slot)
            source, area = np.resize(source, more), np.resize(area, more)
        areas_compiled.forget(self._places[:sources], self._slot)
        number = int(ends[-1])
        return Found(ends, source[:number], area[:number], self._places[:sources], self._asked[:sources])


def hand_out(
    pixels: I64, meeting: Found, noise: F32, anchor: torch.Tensor | None, context: PriorContext, t: int, label: int
) -> None:
    """Write to `noise` (C, H W) what the `pixels` of frame t receive of the frame `label`, whose noise is `anchor`, or is
    drawn."""
    width, group = context.width, kernels.GROUP
    share, scale = np.empty(len(meeting.source), np.float32), np.empty(len(pixels), np.float32)
    kernels.divide(meeting.ends, meeting.source, meeting.area, meeting.asked, share, scale)
    residual = np.zeros((len(meeting.places), group), np.float32)
    own = np.empty((len(pixels), group), np.float32)
    drawn = np.empty((0, len(noise[0])), np.float32)
    for first in range(0, context.channels, group):
        part = slice(first, min(first + group, context.channels))
        keys = [
            rng.keys(context.seed, stream, frame, first + group, level)[first:]
            for stream, frame, level in (
                (rng.FIELD, label, 0),
                (rng.AREAS, t, 2 * label + SHARED),
                (rng.AREAS, t, 2 * label + REST),
            )
        ]  # fmt: skip
        held = drawn if anchor is None else anchor[part].contiguous().view(part.stop - first, -1).numpy()
        kernels.held(keys[0], held, width, meeting.places, residual)
        kernels.draw(keys[1], pixels, width, meeting.ends, meeting.source, meeting.places, share, residual, own)
        kernels.leave(keys[2], width, meeting.places, meeting.asked, residual)
        kernels.hand_out(pixels, meeting.ends, meeting.source, share, scale, residual, own, noise[part])
