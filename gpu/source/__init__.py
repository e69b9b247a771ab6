"""Where frames and true motion come from: videos, image sequences, stills driven by a deformation, flow files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Area(NamedTuple):
    """A rectangle of whole pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width


@dataclass(frozen=True)
class Findings:
    """Sentences, each of them once: what puts a source's results in doubt (gpu.source.trust), and what is merely to be
    known."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Truth(Protocol):
    """True motion of a source, exact at every frame. All arrays are on the source's grid, (dx, dy) in pixels.

    A frame index outside its range raises IndexError.

    >>> from gpu.session import SourceSettings
    >>> from gpu.source.opening import open_source
    >>> truth = open_source(SourceSettings("synthetic", name="zoom", height=48, frames=3, parameters={"factor": 1.1})).truth
    >>> truth.backward(0).shape, float(truth.valid(0).mean())  # moving in, nothing comes into sight
    ((48, 64, 2), 1.0)
    >>> round(float(truth.jacobian(2)[0, 0]), 3)  # the area that a pixel of frame 2 had in frame 0: 1.1 ** -4
    0.683
    """

    def backward(self, t: int) -> F32:
        """(H, W, 2): what is seen at p of frame t+1 was at p + backward(t)(p) in frame t. 0 <= t < frames-1."""
        ...

    def forward(self, t: int) -> F32:
        """(H, W, 2) on the grid of frame t: what is seen at p of frame t is at p + forward(t)(p) in frame t+1."""
        ...

    def valid(self, t: int) -> Mask:
        """(H, W) on the grid of frame t+1: where what is seen was also seen, inside the frame, in frame t."""
        ...

    def to_reference(self, t: int) -> F32:
        """(H, W, 2) absolute positions of frame t's pixel centres in frame 0 (the map Φ_t, the identity at t = 0)."""
        ...

    def jacobian(self, t: int) -> F32:
        """(H, W) determinant of the derivative of `to_reference(t)` with respect to position."""
        ...


class Source(Protocol):
    """Frames by random access, all of one size; the same index always gives the same bytes.

    >>> from gpu.session import SourceSettings
    >>> from gpu.source.opening import open_source
    >>> clip = open_source(SourceSettings("video", height=48, frames=3))  # no path: the bundled clip
    >>> clip.title, clip.fps, clip.cuts, clip.truth
    ('bunny.mp4', 25.0, (), None)
    >>> clip.frame(2).shape
    (48, 85, 3)
    >>> clip.close()
    """

    @property
    def title(self) -> str: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def fps(self) -> float: ...
    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames (never 0), ascending, at which a new shot starts."""
        ...

    @property
    def truth(self) -> Truth | None:
        """True motion, or None where it must be estimated."""
        ...

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB uint8. ClipError when the frame cannot be decoded."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Detailed(Protocol):
    """A source that also shows its frames finer than its grid: what motion is estimated on (gpu.source.motion).

    What is shown there is what the grid shows in `area`, the same part of the picture without bars, so that positions on
    both are proportional. A source without these shows nothing finer than its grid.
    """

    @property
    def area(self) -> Area:
        """Where on the grid the picture is; around it are bars (`SourceSettings.fit`), in which there is no motion."""
        ...

    @property
    def original_size(self) -> tuple[int, int]:
        """(rows, columns) of what is shown in `area` at the source's own resolution, upright and with square pixels: of
        footage its own pixels, after any cropping; of what is computed the size it is made for."""
        ...

    def original(self, t: int, rows: int, columns: int) -> U8:
        """(rows, columns, 3) RGB uint8, not to be written to: what frame t shows in `area`, made from the source's own
        pixels. Any size may be asked for; `frame(t)` in `area` is `original(t, area.height, area.width)`. IndexError
        outside the clip, ClipError when the frame cannot be decoded."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A source whose frames need not last equally long."""

    @property
    def times(self) -> tuple[float, ...]:
        """(frames + 1,) seconds from the first frame at which each is shown, and at which the last one's time is over."""
        ...


SAME = 0.002
"""Seconds by which the lengths of frames of one rate differ when a container's clock rounds them."""


def own_times(source: Source) -> tuple[float, ...]:
    """(frames + 1,) seconds at which each frame of `source` is shown, and at which the last one's time is over, where they last
    differently long; else nothing: its rate says it all."""
    if not isinstance(source, Timed):
        return ()
    times = source.times
    lengths = [after - before for before, after in pairwise(times)]
    return times if max(lengths) - min(lengths) > SAME else ()


def area(source: Source) -> Area:
    """Where on its grid the picture of `source` is: everywhere, unless it says otherwise."""
    return source.area if isinstance(source, Detailed) else Area(0, 0, source.height, source.width)


def original_size(source: Source) -> tuple[int, int]:
    """(rows, columns) that `source` has of its own in its area: those of the grid, unless it says otherwise."""
    return source.original_size if isinstance(source, Detailed) else (source.height, source.width)


@runtime_checkable
class Lit(Protocol):
    """A source of pictures that may hold scene-linear light, or layers."""

    @property
    def exposure(self) -> float | None:
        """The stops at which light is shown, `SourceSettings.exposure` included; None where values are shown as stored."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """What `SourceSettings.layer` may name."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A source that has something to say of how its file was read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences such as "2 of 30 frames could not be decoded.", for the window, the command line and written files
        (gpu.source.trust)."""
        ...


def notes(source: Source) -> tuple[str, ...]:
    """What `source` says of how it was read; nothing, unless it says something."""
    return source.notes if isinstance(source, Noted) else ()


class Glance(NamedTuple):
    """What is kept of a frame that was passed over once: its `thumbnail` (gpu.source.footage.shots) and a number that is the
    same for pictures that are."""

    thumbnail: U8
    check: int


@runtime_checkable
class Surveyed(Protocol):
    """A source of footage, whose frames may be anything."""

    @property
    def survey(self) -> Sequence[Glance]:
        """Of every frame. It is made with the search for cuts, and costs nothing more."""
        ...
