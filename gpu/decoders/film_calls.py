"""The film that a decoder's process has open: one at a time, read frame by frame. Called from gpu.decoders.video."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu.decoders.film import MOST_PIXELS, MOST_SIDE, Film, Frame, Look
from gpu.decoders.server import Result
from gpu.errors import ClipError

PATIENCE = 1.0  # seconds after which a call that passes over frames says how far it got, so that whoever asked can stop

_film: Film | None = None
_frames: Iterator[Frame] | None = None


def open_film(path: str, deinterlace: str, look: list[Any] | None = None) -> Result:
    """The header of the film at `path`, which is then the one that the other calls are about. `look`: what an earlier answer
    said of its first frame, so that it is shown alike wherever reading begins."""
    global _film, _frames
    with Path(path).open("rb") as file:
        head = file.read(16)
    _frames = None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        from gpu.decoders.webp import WebP

        _film = WebP(path)
    else:
        from gpu.decoders.container import Container

        _film = Container(path, deinterlace, _look(look))
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
    flags = {"steady": film.steady, "torn": film.torn}
    return {"lost": film.lost, "notes": list(film.notes), "look": film.look, **flags}


def _look(told: list[Any] | None) -> Look | None:
    if told is None:
        return None
    size, orientation, peak, stretch = told
    return Look((size[0], size[1]), tuple(orientation), peak, stretch)


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
