"""The films that a decoder's process can have open: one at a time, read frame by frame. Called from gpu.decoders.video."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpu.decoders.server import Result
from gpu.errors import ClipError

U8 = npt.NDArray[np.uint8]

MOST_SIDE = 16384
MOST_PIXELS = 1 << 27
PATIENCE = 1.0  # seconds after which a call that passes over frames says how far it got, so that whoever asked can stop


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


_film: Film | None = None
_frames: Iterator[Frame] | None = None


def open_film(path: str, deinterlace: str) -> Result:
    """The header of the film at `path`, which is then the one that the other calls are about."""
    global _film, _frames
    with Path(path).open("rb") as file:
        head = file.read(16)
    _frames = None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        from gpu.decoders.webp import WebP

        _film = WebP(path)
    else:
        from gpu.decoders.container import Container

        _film = Container(path, deinterlace)
    header = _film.header
    if max(header.width, header.height) > MOST_SIDE or header.width * header.height > MOST_PIXELS:
        raise ClipError(f"its frames are {header.width}x{header.height}, more than can be worked with")
    return header.__dict__, []


def next_frame(since: int | None = None) -> Result:
    """The next frame whose key is `since` or more; a key of null at the end, and `passed` for so many frames that were passed
    over in PATIENCE seconds without coming to it. `lost`: frames that could not be decoded so far."""
    film, frames = _standing()
    deadline = time.monotonic() + PATIENCE
    for frame in frames:
        if since is None or frame.key >= since:
            value = {"key": frame.key, "time": frame.time, "duration": frame.duration, "damaged": frame.damaged}
            picture = frame.rgb()
            return {**_state(film), **value}, [picture]
        if time.monotonic() > deadline:
            return {**_state(film), "passed": True}, []
    return {**_state(film), "key": None}, []


def pass_frames(count: int) -> Result:
    """Pass over `count` frames, or those that PATIENCE seconds are enough for; how many, and whether the film has ended."""
    _, frames = _standing()
    deadline = time.monotonic() + PATIENCE
    passed = 0
    while passed < count and time.monotonic() < deadline:
        if next(frames, None) is None:
            return [passed, True], []
        passed += 1
    return [passed, False], []


def _standing() -> tuple[Film, Iterator[Frame]]:
    """The open film, and its frames from where it stands."""
    global _frames
    if _film is None:
        raise ClipError("no film is open")
    if _frames is None:
        _frames = _film.frames()
    return _film, _frames


def _state(film: Film) -> dict[str, Any]:
    return {"lost": film.lost, "notes": list(film.notes), "stretch": film.stretch}


def seek(key: int) -> Result:
    """Stand at or before the frame of that key."""
    global _frames
    if _film is None:
        raise ClipError("no film is open")
    _frames = None
    _film.seek(key)
    return None, []


def locate(index: int) -> Result:
    """The key of the `index`-th frame, or null."""
    if _film is None:
        raise ClipError("no film is open")
    return _film.locate(index), []
