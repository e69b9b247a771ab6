"""Shares of exact areas on the processor: memory for them, and the kernels of gpu.priors.kit.areas_compiled in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gpu.noise import areas_compiled
from gpu.priors.kit import areas_compiled as kernels

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint32]

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


def padded(channels: int) -> int:
    """The next number of channels that whole groups hold."""
    return -(-channels // kernels.GROUP) * kernels.GROUP


def hand_out(
    pixels: I64, meeting: Found, noise: F32, anchor: torch.Tensor | None, width: int, keys: tuple[Keys, Keys, Keys]
) -> None:
    """Write to `noise` (C, H W) what the `pixels` of a frame receive of an anchor frame, whose noise is `anchor` (C, H, W), or
    is drawn. `keys` (`padded` C,) are those of the anchor's noise, of the shares and of what nobody asks for."""
    group = kernels.GROUP
    share, scale = np.empty(len(meeting.source), np.float32), np.empty(len(pixels), np.float32)
    kernels.divide(meeting.ends, meeting.source, meeting.area, meeting.asked, share, scale)
    residual = np.zeros((len(meeting.places), group), np.float32)
    own = np.empty((len(pixels), group), np.float32)
    drawn = np.empty((0, noise.shape[1]), np.float32)
    for first in range(0, len(noise), group):
        part = slice(first, first + group)
        values = drawn if anchor is None else anchor[part].contiguous().view(-1, noise.shape[1]).numpy()
        born, shared, rest = (planes[part] for planes in keys)
        kernels.held(born, values, width, meeting.places, residual)
        kernels.draw(shared, pixels, width, meeting.ends, meeting.source, meeting.places, share, residual, own)
        kernels.leave(rest, width, meeting.places, meeting.asked, residual)
        kernels.hand_out(pixels, meeting.ends, meeting.source, share, scale, residual, own, noise[part])
