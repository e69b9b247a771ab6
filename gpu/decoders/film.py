"""What a film is to a decoder's process: a header, and frames one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

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
    """What a film says of itself: stored size, frames a second, seconds, how many frames it is thought to have (0: unknown)."""

    codec: str
    width: int
    height: int
    rate: float
    duration: float
    estimate: int


class Film(Protocol):
    """An open film. `notes`, `lost` and `stretch` are of what has been read so far."""

    header: Header
    notes: dict[str, None]
    lost: int
    stretch: float
    """How much wider than high a pixel is shown."""

    def frames(self) -> Iterator[Frame]:
        """From where it stands to the end, in the order they are shown in."""
        ...

    def seek(self, key: int) -> None:
        """Stand at or before the frame of that key, as near as the file allows; or raise what FFmpeg raises."""
        ...

    def locate(self, index: int) -> int | None:
        """The key of the `index`-th frame by the file's own table, without decoding; None where that says nothing."""
        ...
