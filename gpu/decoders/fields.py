"""Pictures that show one moment each, of a film whose frames are two fields, line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from gpu.decoders.filters import NOT_YET, graph, luma, tag
from gpu.decoders.interlacing import combed

INTERLACE_FILTER = "bwdif"  # weaves where nothing moves, interpolates along edges where something does

TELLING = (
    "h264", "hevc", "vvc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "wmv3", "dnxhd", "prores", "dvvideo", "mjpeg", "ffv1",
    "rawvideo", "v210", "cavs", "cfhd",
)  # fmt: skip
"""Codecs whose pictures say themselves whether they are interlaced."""

TOP, BOTTOM = (2, 4), (3, 5)
"""Orders of fields that a container tells, as FFmpeg numbers them (AVFieldOrder) and as its own programs write and read them:
whether the upper line is of the earlier field."""


class Decoded(NamedTuple):
    """A picture, its time in halves of the time base, how long it lasts in seconds, and whether it is damaged."""

    picture: Any
    time: int | None
    length: float
    damaged: bool


class Fields:
    """Makes whole pictures of interlaced ones, as gpu.session.SourceSettings.deinterlace says."""

    def __init__(
        self, deinterlace: str, base: Fraction, codec: str, order: int, usual: float, note: Callable[[str], None]
    ) -> None:
        """`base`: seconds of a unit of time; `order`: of fields, as the container says (AVFieldOrder); `usual`: seconds that a
        frame lasts which does not say it; `note` takes what was done."""
        self._deinterlace, self._base, self._usual, self._note = deinterlace, base, usual, note
        self._coded_alone = codec == "hevc"
        told = codec not in TELLING
        self._parity = "tff" if told and order in TOP else "bff" if told and order in BOTTOM else ""
        self._top_first: bool | None = None

    def whole(self, pictures: Iterator[Decoded]) -> Iterator[Decoded]:
        """Pictures of one moment each."""
        made: Any = None
        kind: tuple[object, ...] = ()
        held: deque[Decoded] = deque()
        for shot in self._woven(pictures):
            picture = shot.picture
            flagged = picture.interlaced_frame
            interlaced = flagged or self._parity
            if self._deinterlace == "off" or not interlaced:
                if made is not None:
                    yield from self._pulled(made, held, end=True)
                    made = None
                if interlaced:
                    self._note("its frames are interlaced and left as they are: two moments, line by line")
                yield shot
                continue
            parity = "auto" if flagged else self._parity
            now = (picture.width, picture.height, picture.format.name, parity)
            if made is not None and now != kind:
                yield from self._pulled(made, held, end=True)
                made = None
            if made is None:
                mode = "send_field" if self._deinterlace == "fields" else "send_frame"
                made = graph(picture, self._base, [(INTERLACE_FILTER, f"mode={mode}:parity={parity}:deint=all")])
                kind = now
            held.append(shot)
            made.push(picture)
            yield from self._pulled(made, held, end=False)
        if made is not None:
            yield from self._pulled(made, held, end=True)

    def _pulled(self, made: Any, held: deque[Decoded], end: bool) -> Iterator[Decoded]:
        """What the filter has ready; of frames without combs, the frame itself."""
        if end:
            made.push(None)
        second = False
        while held:
            try:
                picture = made.pull()
            except NOT_YET:
                break
            shot = held[0]
            if self._deinterlace == "fields":
                self._note(f"a picture of each field, by the filter {INTERLACE_FILTER}")
                length = (shot.length or self._usual) / 2
                offset = round(length / self._base * 2) if second else 0
                yield Decoded(picture, None if shot.time is None else shot.time + offset, length, shot.damaged)
                if second:
                    held.popleft()
                second = not second
                continue
            held.popleft()
            if combed(luma(shot.picture)):
                self._note(f"interlaced, made whole by the filter {INTERLACE_FILTER}")
                tag(picture, shot.picture)
                yield shot._replace(picture=picture)
            else:
                yield shot

    def _woven(self, pictures: Iterator[Decoded]) -> Iterator[Decoded]:
        """Frames of two fields each, where fields are pictures of their own, which in HEVC all interlaced ones are."""
        first: Decoded | None = None
        for shot in pictures:
            if not (self._coded_alone and shot.picture.interlaced_frame):
                if first is not None:
                    yield self._frame(first, first._replace(damaged=True))
                    first = None
                yield shot
                continue
            self._note("its fields are coded one by one; two and two are woven into a frame")
            top = _is_top(shot.picture, self._base)
            if self._top_first is None:
                self._top_first = top
            if top == self._top_first:
                if first is not None:  # the other field is lost
                    yield self._frame(first, first._replace(damaged=True))
                first = shot
            elif first is not None:
                yield self._frame(first, shot)
                first = None
        if first is not None:
            yield self._frame(first, first._replace(damaged=True))

    def _frame(self, first: Decoded, second: Decoded) -> Decoded:
        name, parity = ("top", "tff") if self._top_first else ("bottom", "bff")
        made = graph(first.picture, self._base, [("weave", f"first_field={name}"), ("setfield", parity)])
        made.push(first.picture)
        made.push(second.picture)
        picture = made.pull()
        tag(picture, first.picture)
        return Decoded(picture, first.time, first.length + second.length, first.damaged or second.damaged)


def _is_top(picture: Any, base: Fraction) -> bool:
    """Whether a picture that is one field holds the upper lines."""
    chosen = graph(picture, base, [("select", r"eq(interlace_type\,TOPFIRST)")])
    chosen.push(picture)
    try:
        chosen.pull()
    except NOT_YET:
        return False
    return True
