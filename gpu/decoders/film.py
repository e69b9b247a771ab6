"""What a film is to a decoder's process: a header, and frames one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

MOST_SIDE = 16384
MOST_PIXELS = 1 << 27


@dataclass(frozen=True)
class Frame:
    """`key` tells it from the other frames of the film and grows from one to the next; times are in seconds."""

    key: int
    time: float | None
    duration: float
    rgb: Callable[[], U8]
    """(H, W, 3) as stored: not stretched to square pixels yet, but turned. To be called before the next frame is taken."""
    damaged: bool = False


@dataclass(frozen=True)
class Header:
    """What a film says of itself: stored size, frames a second, seconds, how many frames it is thought to have (0: unknown),
    when the last one is over on its own clock (0: unknown), and whether that was written down of the pictures alone."""

    codec: str
    width: int
    height: int
    rate: float
    duration: float
    estimate: int
    end: float = 0.0
    sure_of_end: bool = False


class Look(NamedTuple):
    """What a film's first frame says of how all are shown: its stored (width, height), how it is turned
    (gpu.decoders.orientation.Orientation), the light of its master in cd/m², and how much wider than high a pixel is."""

    size: tuple[int, int]
    orientation: tuple[bool, ...]
    peak: float
    stretch: float


class Film(Protocol):
    """An open film. `notes` and `lost` are of what has been read so far."""

    header: Header
    notes: dict[str, None]
    lost: int
    look: Look | None
    """None before the first frame."""
    steady: bool
    """Whether times read so far are those of the file, so that they may be sought."""
    torn: bool
    """Whether the file misses parts, as its own counters tell."""

    def frames(self) -> Iterator[Frame]:
        """From where it stands to the end, in the order they are shown in."""
        ...

    def seek(self, key: int) -> None:
        """Stand at or before the frame of that key, as near as the file allows; or raise what FFmpeg raises."""
        ...

    def locate(self, index: int) -> int | None:
        """The key of the `index`-th frame by the file's own table, without decoding; None where that says nothing."""
        ...
