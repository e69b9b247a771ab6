"""Video files as a source: their frames on the grid, those that the settings take, each with its time."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from cachetools import LRUCache

from gpu.cache import ByteCache, bytes_of
from gpu.errors import ClipError
from gpu.files import check_regular
from gpu.session import SourceSettings
from gpu.source import U8, Area, Glance, Truth
from gpu.source.footage.choosing import chosen, chosen_rate
from gpu.source.footage.frames import FALLBACK_FPS, Frames
from gpu.source.footage.gaps import Shown
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.stills import fitting, resize

CACHE_BYTES = 192 << 20
"""Decoded frames, at the size they are used at, that one source keeps; more where that is not BEFORE + 2 of them."""

BEFORE = 24  # frames kept ahead of the one asked for when decoding starts over: stepping backwards stays quick
KEPT = 2  # frames kept at their own size: those that flow is estimated between
KINDS = "mp4, avi, mov, mkv, webm, mpg, gif or the like"
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


class VideoSource:
    """Frames of a video file by random access, exact (gpu.source.footage.frames). The first question about the clip as a whole
    decodes all of it, which finds the shot cuts as well and fills the cache."""

    def __init__(self, settings: SourceSettings, path: str | os.PathLike[str]) -> None:
        """Opens `path` and decodes its first frame; ClipError says why it cannot."""
        self.truth: Truth | None = None
        self._settings = settings
        self._path = Path(path)
        self._scanned: tuple[list[Shown], list[int], tuple[int, ...]] | None = None
        _check_file(self._path)
        self._cut_short = is_cut_short(self._path)
        self._frames = Frames(self._path, settings.deinterlace, settings.start, self._cut_short)
        try:
            # With square pixels; cut from the frame as stored, so that it is made larger or smaller once only.
            self._fit = fitting(*shown_size(self._frames.height, self._frames.width, self._frames.stretch), settings)
        except BaseException:
            self._frames.close()
            raise
        self.height, self.width = self._fit.height, self._fit.width
        frame_bytes = self.height * self.width * 3
        self._cache: ByteCache[int, U8] = ByteCache(max(CACHE_BYTES, (BEFORE + 2) * frame_bytes), bytes_of)
        self._whole: LRUCache[int, U8] = LRUCache(KEPT)
        self._survey: list[Glance] = []

    @property
    def title(self) -> str:
        """The file's name, and whether its end is missing: the frames there are worked with, but said to be few."""
        return self._path.name + (" (file cut short)" if self._cut_short else "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how the film was read, in sentences: what was done to it, and what could not be read. All is
        known when the frames have been counted."""
        return self._frames.notes

    @property
    def fps(self) -> float:
        """Frames a second, on average where their times differ."""
        shown, _, _ = self._scan()
        span = shown[-1].time + shown[-1].duration - shown[0].time
        own, told = len(shown) / span if span > 0 else 0.0, self._frames.header_rate
        if told > 0 and abs(own / told - 1) < 0.02:
            own = told  # the same, and rounded less
        own = own if math.isfinite(own) and 0 < own <= 1000 else FALLBACK_FPS
        return chosen_rate(own, self._settings.every, self._settings.fps)

    @property
    def times(self) -> tuple[float, ...]:
        """(frames + 1,) seconds from the first frame at which each is shown, and at which the last one's time is over."""
        shown, taken, _ = self._scan()
        start, rate = shown[0].time, self._settings.fps
        if rate:
            return tuple(number * self._settings.every / rate for number in range(len(taken) + 1))
        end = taken[-1] + self._settings.every
        over = shown[end].time if end < len(shown) else shown[-1].time + shown[-1].duration
        return (*(shown[number].time - start for number in taken), over - start)

    @property
    def frames(self) -> int:
        """Frames taken, of those that can be decoded from `start` on; ClipError when `start` lies beyond them. The first call
        decodes all of them."""
        return len(self._scan()[1])

    @property
    def cuts(self) -> tuple[int, ...]:
        return self._scan()[2]

    @property
    def survey(self) -> Sequence[Glance]:
        """As gpu.source.Surveyed."""
        self._scan()
        return self._survey

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB uint8, not to be written to. IndexError outside the clip."""
        number = self._number(t)
        if number not in self._cache:
            self._frames.reach(number, BEFORE, self._see)
        return self._cache[number]

    @property
    def area(self) -> Area:
        return self._fit.area

    @property
    def original_size(self) -> tuple[int, int]:
        return self._fit.part.height, self._fit.part.width

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed."""
        area = self._fit.area
        if (rows, columns) == (area.height, area.width):
            return self.frame(t)[area.top : area.bottom, area.left : area.right]
        number = self._number(t)
        if number not in self._whole:
            self._frames.reach(number, 0, self._see)
        return resize(self._cut(self._whole[number]), rows, columns)

    def close(self) -> None:
        self._frames.close()
        self._cache.clear()
        self._whole.clear()

    def _number(self, t: int) -> int:
        """The frame of the film that is the clip's frame t."""
        taken = self._scan()[1]
        if not 0 <= t < len(taken):
            raise IndexError(f"frame {t} of {len(taken)}")
        return taken[t]

    def _scan(self) -> tuple[list[Shown], list[int], tuple[int, ...]]:
        """The film's frames as far as they are needed, which of them are taken, and where cuts are."""
        if self._scanned is None:
            settings = self._settings
            thumbnails: list[U8] = []
            room = CACHE_BYTES // (self.height * self.width * 3)

            def see(number: int, rgb: U8) -> None:
                thumbnails.append(thumbnail(rgb))
                if number < room:
                    self._see(number, rgb)

            shown = self._frames.scan(self._enough, see)
            end = shown[-1].time + shown[-1].duration
            taken = chosen([frame.time for frame in shown], end, settings.every, settings.fps)
            taken = taken[: settings.frames or None]
            cuts = find_cuts(thumbnails[: taken[-1] + 1])
            starts = {bisect_left(taken, cut) for cut in cuts}
            self._survey = [Glance(thumbnails[number], shown[number].check) for number in taken]
            self._scanned = shown, taken, tuple(sorted(start for start in starts if 0 < start < len(taken)))
        return self._scanned

    def _enough(self, shown: Sequence[Shown]) -> bool:
        """Whether these frames are as many as the settings take."""
        wanted, settings = self._settings.frames, self._settings
        if not wanted or not shown:
            return False
        if not settings.fps:
            return len(shown) > (wanted - 1) * settings.every
        last = shown[0].time + (wanted - 1) * settings.every / settings.fps
        return shown[-1].time > last + 1 / settings.fps

    def _see(self, number: int, rgb: U8) -> None:
        """Keep a frame of the film, on the grid, and as it is."""
        self._whole[number] = rgb
        picture = self._fit.whole(resize(self._cut(rgb), self._fit.area.height, self._fit.area.width))
        if picture.base is not None or picture is rgb:
            picture = picture.copy()
        picture.flags.writeable = False
        self._cache[number] = picture

    def _cut(self, rgb: U8) -> U8:
        """What is shown of a frame as stored, whose pixels need not be square."""
        part = self._fit.part
        across = rgb.shape[1] / shown_size(rgb.shape[0], rgb.shape[1], self._frames.stretch)[1]
        left, right = round(part.left * across), max(round(part.right * across), round(part.left * across) + 1)
        return rgb[part.top : part.bottom, left:right]


def shown_size(height: int, width: int, stretch: float) -> tuple[int, int]:
    """(rows, columns) of a frame stored as `height` x `width`, whose pixels are `stretch` times as wide as high."""
    return height, max(1, round(width * stretch))


def _check_file(path: Path) -> None:
    check_regular(path, "a video file", ClipError)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except IsADirectoryError:
        raise ClipError(f"{path} is a folder; expected a video file, or open it as an image sequence.") from None
    except FileNotFoundError:
        raise ClipError(f"There is no video {path}.") from None
    except OSError as problem:
        raise ClipError(f"The video {path} cannot be read: {problem.strerror or problem}.") from None
    if not head:
        raise ClipError(f"The video {path} is empty (0 bytes).")
    if b"\0" not in head and not head.startswith((b"YUV4MPEG2", b"GIF8")):
        raise ClipError(f"{path} is a text file, not a video; expected {KINDS}.")


def is_cut_short(path: Path) -> bool:
    """Whether an mp4, mov, avi, mkv or webm file is shorter than its own headers say, as a download that broke off is.

    Their parts begin with their size (ISO/IEC 14496-12, section 4.2; RIFF; RFC 8794, section 6). Frame counts do not tell:
    they also differ where an edit list hides frames. Of other containers nothing is said.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            return 8 + int.from_bytes(head[4:8], "little") > length
        if head[:4] == EBML:
            file.seek(0)
            return _segment_end(file.read(4096)) > length
        if head[4:8] != b"ftyp":
            return False
        at = 0
        while at < length:
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 1:  # the size follows, in 64 bits
                size = int.from_bytes(head[8:16], "big")
            if size == 0:  # to the end of the file
                return False
            if size < 8:
                return True
            at += size
        return at > length


def _segment_end(head: bytes) -> int:
    """Where the segment of a Matroska file ends, as its size says; 0 where it does not, as of what was sent as it grew."""
    first = _element(head, 4)
    segment = _element(head, sum(first) + 4) if head[sum(first) :].startswith(SEGMENT) else (0, 0)
    return sum(segment)


def _element(head: bytes, at: int) -> tuple[int, int]:
    """Where an element's content begins whose size stands at `at`, and that size; zeros where it is not told."""
    if at >= len(head) or not head[at]:
        return 0, 0
    width = 9 - head[at].bit_length()
    most = (1 << 7 * width) - 1
    size = int.from_bytes(head[at : at + width], "big") & most
    return (0, 0) if size == most else (at + width, size)
