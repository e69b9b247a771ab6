"""Reads a film in a decoder's process: the frames one after another, or from a place on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpu import interrupt
from gpu.decoders.process import ANSWER_SECONDS, Answer, DecoderProcess
from gpu.errors import BackendError, ClipError, NoisescopeError

U8 = npt.NDArray[np.uint8]

PIXEL_BYTES = 160
"""What decoding may take for every pixel of a frame: the frames a codec keeps, and light as floating point."""


@dataclass(frozen=True)
class Header:
    """What a film says of itself. `width` and `height` are of frames as stored; `estimate` is how many frames it may have,
    `end` when the last one is over, in seconds on its own clock, 0 where it does not say; `sure_of_end`: it says so of the
    pictures alone."""

    codec: str
    width: int
    height: int
    rate: float
    duration: float
    estimate: int
    end: float = 0.0
    sure_of_end: bool = False


class Picture(NamedTuple):
    """A decoded frame: its key (growing), seconds on the film's own clock (None: not told) and lasting, and (H, W, 3) RGB as
    stored, turned and mirrored as the film says but with pixels that may not be square."""

    key: int
    time: float | None
    duration: float
    rgb: U8
    damaged: bool


class VideoReader:
    """A film that is open in a process of its own; the frame after the one just read is decoded meanwhile.

    All methods raise ClipError, whose sentence names the file, when it cannot be read.
    """

    def __init__(self, path: str, deinterlace: str = "auto") -> None:
        """`path` must be absolute; `deinterlace` as in gpu.session.SourceSettings."""
        self._path, self._deinterlace = path, deinterlace
        self._process = DecoderProcess()
        self._ahead = False
        self.lost = 0
        self.notes: tuple[str, ...] = ()
        self.steady, self.torn = True, False  # as in gpu.decoders.film.Film
        self._look: list[Any] | None = None
        self.header = self._open()

    @property
    def stretch(self) -> float:
        """How much wider than high a pixel is shown, as the first frame says."""
        return 1.0 if self._look is None else float(self._look[3])

    def _open(self) -> Header:
        try:
            arguments = {"path": self._path, "deinterlace": self._deinterlace, "look": self._look}
            self._process.ask(_name("open_film"), arguments)
            return Header(**self._process.take().value)
        except interrupt.Interrupted:
            self._process.close()
            raise
        except NoisescopeError as problem:
            self._process.close()
            if isinstance(problem, BackendError):
                raise
            raise ClipError(f"{self._path} cannot be opened as a video: {str(problem).rstrip('.')}.") from None

    def restart(self) -> None:
        """Stand before the first frame: the file is opened again."""
        if self._ahead:
            try:
                self._take()
            except ClipError:
                self._process.close()
            self._ahead = False  # not before: where it was interrupted, the answer is still to come
        self._open()

    def seek(self, key: int) -> None:
        """Stand at or before the frame of that key, as near as the file's table of key frames allows."""
        self._drain()
        self._call("seek", {"key": key})

    def locate(self, index: int) -> int | None:
        """The key of the `index`-th frame as the file's packets tell, without decoding; None where they do not. `seek` or
        `restart` must come next."""
        self._drain()
        key = self._call("locate", {"index": index}, seconds=600.0).value
        return None if key is None else int(key)

    def pass_frames(self, count: int) -> tuple[int, bool]:
        """Pass over up to `count` frames, a second's work at most: how many were passed, and whether the film has ended."""
        self._drain()
        passed, ended = self._call("pass_frames", {"count": count}).value
        return int(passed), bool(ended)

    def next(self, since: int | None = None) -> Picture | None:
        """The next frame whose key is `since` or more; None at the end."""
        while True:
            interrupt.poll()
            if not self._ahead:
                self._ask(since)
            try:
                answer = self._take()
            except interrupt.Interrupted:
                self._ahead = True  # it comes later, and is the next one still
                raise
            self._ahead = False
            value = answer.value
            self.lost, self._look = int(value["lost"]), value["look"]
            self.steady, self.torn = bool(value["steady"]), bool(value["torn"])
            self.notes = (*self.notes, *(note for note in value["notes"] if note not in self.notes))
            if value.get("passed"):
                continue
            if value["key"] is None:
                return None
            picture = Picture(
                int(value["key"]), value["time"], float(value["duration"]), answer.arrays[0], value["damaged"]
            )
            if since is None or picture.key >= since:
                self._ask(None)
                self._ahead = True
                return picture

    @property
    def closed(self) -> bool:
        """Whether it must be told to `restart` before it can be used."""
        return self._process.closed

    def close(self) -> None:
        """End the process. The reader can be used again after `restart`."""
        self._process.close()
        self._ahead = False

    def _ask(self, since: int | None) -> None:
        self._process.ask(_name("next_frame"), {"since": since}, self._memory)

    @property
    def _memory(self) -> int:
        return PIXEL_BYTES * self.header.width * self.header.height

    def _take(self, seconds: float = ANSWER_SECONDS) -> Answer:
        try:
            return self._process.take(seconds)
        except BackendError:
            raise
        except NoisescopeError as problem:
            raise ClipError(f"The video {self._path} cannot be read: {str(problem).rstrip('.')}.") from None

    def _call(self, function: str, arguments: dict[str, Any], seconds: float = ANSWER_SECONDS) -> Answer:
        self._process.ask(_name(function), arguments)
        try:
            return self._take(seconds)
        except interrupt.Interrupted:  # where it stands is not known now
            self.close()
            raise

    def _drain(self) -> None:
        """Let go of a frame that was asked for ahead. Where that one cannot be decoded, stand before the first again."""
        if self._ahead:
            try:
                self._take()
            except ClipError:
                self._ahead = False
                self._open()
            self._ahead = False


def _name(function: str) -> str:
    return f"gpu.decoders.film_calls:{function}"
