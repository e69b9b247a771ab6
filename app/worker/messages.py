"""What the worker says to the window, and where it stands: plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.model.frame_pictures import FramePictures
from gpu.engine.results import FrameResult


@dataclass(frozen=True)
class Arrival:
    """A frame, as far as it has come, with the pictures of it."""

    number: int
    result: FrameResult
    pictures: FramePictures


@dataclass(frozen=True)
class Progress:
    """What the worker is at. `job` is the number of an export, or None for frames; `seconds` left may be unknown, as may be
    `total` (0). `opening`: it reads a source that is not shown yet."""

    what: str
    done: int
    total: int
    seconds: float | None = None
    job: int | None = None
    opening: bool = False


@dataclass(frozen=True)
class Failure:
    """A sentence for the user. `kind` is the error's type, `where` one of start, settings, frame, question, job."""

    sentence: str
    kind: str
    where: str
    number: int
    details: str = ""


class Memory(NamedTuple):
    """Bytes of finished frames, of fine fields, and how many of the latter are kept at the most."""

    frames: int
    fields: int
    most_fields: int


class Unfilled(NamedTuple):
    """A frame that nobody asked for yet, and whether only its noise is wanted."""

    t: int
    noise_only: bool
