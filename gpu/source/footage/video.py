"""Video files as a source: exact frames by random access, whatever the container says of counts and positions."""

from __future__ import annotations

import math
import os
import zlib
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from gpu import progress
from gpu.cache import ByteCache, bytes_of
from gpu.decoders.video import Picture, VideoReader
from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source import U8, Area, Truth
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.stills import fitting, resize
from gpu.unchanged import Unchanged

CACHE_BYTES = 192 << 20
"""Decoded frames, at the size they are used at, that one source keeps; more where that is not BEFORE + 2 of them."""

WHOLE_BYTES = 64 << 20  # of frames kept at their own size, to estimate motion between; more where that is not two

BEFORE = 24  # frames kept ahead of the one asked for when decoding starts over: stepping backwards stays quick
WARM = 4  # frames decoded before the first that counts: what takes combs away looks at its neighbours
MOST_BACK = 64  # and so many at most, where what comes after a key frame needs frames before it
AHEAD = 64  # frames that are rather decoded than sought past
COUNTED = 250  # a start further on is looked up in the file's table of packets instead of decoding up to it
FALLBACK_FPS = 25.0
KINDS = "mp4, avi, mov, mkv, webm, mpg, gif or the like"


@dataclass
class _Shown:
    """One frame of the clip, as the first pass over the file found it."""

    key: int
    time: float
    duration: float
    check: int


class VideoSource:
    """Frames of a video file, in the order they are shown in, those that can be decoded.

    Frame counts and positions in headers are wrong for many files, so frames are counted by decoding once, which finds the
    shot cuts as well and fills the cache. Later a frame is reached by its time: from the key frame before it, or from where
    the decoder is. What is reached that way is compared with what the first pass saw; where it differs (streams without
    true key frames), the file is decoded from its beginning instead.
    """

    def __init__(self, settings: SourceSettings, path: str | os.PathLike[str]) -> None:
        """Opens `path` and decodes its first frame; ClipError says why it cannot."""
        self.truth: Truth | None = None
        self._settings = settings
        self._path = Path(path)
        self._shown: list[_Shown] | None = None
        self._cuts: tuple[int, ...] = ()
        self._last: int | None = None  # key of the frame that was decoded last
        self._seekable = True
        self._back = WARM
        self._scan_notes: list[str] = []
        self._unchanged = Unchanged(self._path)
        _check_file(self._path)
        self._cut_short = is_cut_short(self._path)
        # An absolute path, so that no name is taken for an address.
        self._reader = VideoReader(str(self._path.absolute()), settings.deinterlace)
        try:
            first = self._reader.next()
            if first is None:
                raise ClipError(f"Not one frame of {path} can be decoded; the file is damaged or cut short.")
            self._stored = (first.rgb.shape[0], first.rgb.shape[1])
            self._fit = fitting(*shown_size(*self._stored, self._reader.stretch), settings)
            self.height, self.width = self._fit.height, self._fit.width
        except BaseException:
            self._reader.close()
            raise
        self._first: Picture | None = first
        frame_bytes = self.height * self.width * 3
        self._cache: ByteCache[int, U8] = ByteCache(max(CACHE_BYTES, (BEFORE + 2) * frame_bytes), bytes_of)
        own_bytes = self._stored[0] * self._stored[1] * 3
        self._whole: ByteCache[int, U8] = ByteCache(max(WHOLE_BYTES, 2 * own_bytes), bytes_of)

    @property
    def title(self) -> str:
        """The file's name, and whether its end is missing: the frames there are worked with, but said to be few."""
        return self._path.name + (" (file cut short)" if self._cut_short else "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how the film was read, in sentences: what was taken off it, and what could not be read."""
        notes = [_sentence(note) for note in self._reader.notes]
        return (*self._scan_notes, *notes)

    @property
    def fps(self) -> float:
        """Frames a second on average, of those taken."""
        shown = self._scan()
        span = shown[-1].time + shown[-1].duration - shown[0].time
        rate = len(shown) / span if span > 0 else self._reader.header.rate
        # What the header says is rounded less, where it is the same.
        told = self._reader.header.rate / self._settings.every
        if self._settings.fps == 0 and told > 0 and abs(rate / told - 1) < 0.02:
            rate = told
        return float(rate) if math.isfinite(rate) and 0 < rate <= 1000 else FALLBACK_FPS

    @property
    def times(self) -> tuple[float, ...]:
        """(frames + 1,) seconds from the first frame at which each is shown, and at which the last one's time is over."""
        shown = self._scan()
        start = shown[0].time
        return (*(frame.time - start for frame in shown), shown[-1].time + shown[-1].duration - start)

    @property
    def frames(self) -> int:
        """Frames that can be decoded, from `start` on; ClipError when `start` lies beyond them. The first call decodes
        all of them."""
        return len(self._scan())

    @property
    def cuts(self) -> tuple[int, ...]:
        self._scan()
        return self._cuts

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB uint8, not to be written to. IndexError outside the clip."""
        shown = self._scan()
        if not 0 <= t < len(shown):
            raise IndexError(f"frame {t} of {len(shown)}")
        if t not in self._cache:
            self._reach(t, shown)
        return self._cache[t]

    @property
    def area(self) -> Area:
        return self._fit.area

    @property
    def original_size(self) -> tuple[int, int]:
        return self._fit.part.height, self._fit.part.width

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed."""
        shown = self._scan()
        if not 0 <= t < len(shown):
            raise IndexError(f"frame {t} of {len(shown)}")
        if t not in self._whole:
            self._reach(t, shown)
        return resize(self._whole[t], rows, columns)

    def close(self) -> None:
        self._reader.close()
        self._cache.clear()
        self._whole.clear()

    # -- the first pass

    def _scan(self) -> list[_Shown]:
        if self._shown is None:
            try:
                self._shown = self._count()
            except BaseException:  # also when nobody waits any more: begin again the next time
                self._reader.close()
                self._last = self._first = None
                raise
        return self._shown

    def _count(self) -> list[_Shown]:
        picture = self._begin()
        wanted, every = self._settings.frames, self._settings.every
        estimate = wanted or max(0, self._reader.header.estimate - self._settings.start) // every
        shown: list[_Shown] = []
        thumbnails: list[U8] = []
        damaged = number = 0
        slot = -1
        room = CACHE_BYTES // (self.height * self.width * 3)
        last: Picture | None = None
        origin = 0.0
        lost = self._reader.lost
        while picture is not None:
            time = self._time(picture, number)
            if number == 0:
                origin = time
            if last is not None and shown and shown[-1].key == last.key:
                _settle(shown[-1], time)
            place = math.floor((time - origin) * self._settings.fps + 0.5) if self._settings.fps else number
            if place // every > slot if self._settings.fps else number % every == 0:
                if wanted and len(shown) == wanted:
                    break
                slot = place // every
                frame = _Shown(picture.key, time, picture.duration, _check(picture.rgb))
                if len(shown) < room:
                    self._store(len(shown), picture.rgb)
                damaged += picture.damaged
                shown.append(frame)
                thumbnails.append(thumbnail(picture.rgb))
                if len(shown) % 16 == 0:
                    progress.tell(len(shown), estimate, "counting frames")
            last, number = picture, number + 1
            if wanted and len(shown) == wanted and every == 1 and not self._settings.fps:
                self._last = picture.key
                break
            lost = self._reader.lost
            picture = self._reader.next()
            self._last = picture.key if picture is not None else None
        if picture is None:
            lost = self._reader.lost
        if not shown:
            raise ClipError(f"Not one frame of {self._path} can be decoded; the file is damaged or cut short.")
        self._unchanged.check()
        self._finish(shown, number, lost, damaged)
        self._cuts = find_cuts(thumbnails)
        return shown

    def _begin(self) -> Picture | None:
        """Stand at the frame `start`, and give it; ClipError when the film ends before."""
        start, picture = self._settings.start, self._first
        self._first = None
        if picture is None or start:
            self._reader.restart()
            picture = self._pass(start) if start else self._reader.next()
        self._last = picture.key if picture is not None else None
        return picture

    def _pass(self, start: int) -> Picture | None:
        """The frame `start` of a film that was just opened."""
        if start > COUNTED:
            key = self._reader.locate(start)
            if key is not None:
                self._reader.seek(key)
                picture = self._reader.next(since=key)
                if picture is not None and picture.key == key:
                    return picture
            self._reader.restart()
        passed, ended = 0, False
        while passed < start and not ended:
            more, ended = self._reader.pass_frames(start - passed)
            passed += more
            progress.tell(passed, start, "passing over frames")
        picture = None if ended else self._reader.next()
        if picture is None:
            raise ClipError(f"{self._path} has {passed} frames; the start at frame {start} lies beyond them.")
        return picture

    def _time(self, picture: Picture, number: int) -> float:
        if picture.time is not None:
            return picture.time
        return number / (self._reader.header.rate or FALLBACK_FPS)

    def _finish(self, shown: list[_Shown], number: int, lost: int, damaged: int) -> None:
        usual = 1 / (self._reader.header.rate or FALLBACK_FPS)
        if shown[-1].duration <= 0:
            steps = [b.time - a.time for a, b in pairwise(shown)]
            shown[-1].duration = float(np.median(steps)) if steps else usual
        keys = [frame.key for frame in shown]
        self._seekable = all(a < b for a, b in pairwise(keys))
        if lost:
            self._scan_notes.append(f"{lost} of {number + lost} frames could not be decoded and are left out.")
        if damaged:
            self._scan_notes.append(f"{damaged} of {len(shown)} frames are damaged: parts of them are made up.")

    # -- random access

    def _reach(self, t: int, shown: list[_Shown]) -> None:
        """Decode frame t into the cache, from where the decoder is if it has not passed t, else from a key frame."""
        self._unchanged.check()
        if self._reader.closed:
            self._reader.restart()
            self._last = None
        # Where the frames after a key frame need some before it, a place further back may do.
        while self._seekable:
            if self._reach_by_key(t, shown):
                return
            self._back *= 4
            self._seekable = self._back <= MOST_BACK
        if not self._reach_from_start(t, shown):
            self._unchanged.check()
            raise ClipError(f"Frame {t} of {self._path} can no longer be decoded; has the file changed?")

    def _reach_by_key(self, t: int, shown: list[_Shown]) -> bool:
        """Whether frame t was reached, and is what it was."""
        keys = [frame.key for frame in shown]
        at = bisect_left(keys, self._last) if self._last is not None else -1
        if self._last is None or keys[t] <= self._last or t - at > AHEAD:
            first = max(0, t - BEFORE) if self._last is None or keys[t] <= self._last else t
            step = keys[1] - keys[0] if len(keys) > 1 else 0
            try:
                self._reader.seek(keys[max(0, first - self._back)] - max(0, self._back - first) * step)
            except ClipError:
                self._reader.restart()
                self._last = None
                return False
            since: int | None = keys[first]
        else:
            since = keys[at + 1]
        self._last = None
        while True:
            picture = self._reader.next(since)
            since = None
            if picture is None:
                return False
            index = bisect_left(keys, picture.key)
            if index < len(keys) and keys[index] == picture.key:
                if _check(picture.rgb) != shown[index].check:
                    return False
                self._store(index, picture.rgb)
            if index >= t:
                self._last = picture.key
                return t in self._cache

    def _reach_from_start(self, t: int, shown: list[_Shown]) -> bool:
        """Count from the first frame on, as the first pass did."""
        self._first = None
        picture = self._begin()
        index = 0
        while picture is not None and index <= t:
            if picture.key == shown[index].key:
                if index >= t - BEFORE:
                    self._store(index, picture.rgb)
                index += 1
            if index <= t:
                picture = self._reader.next()
        self._last = None
        return t in self._cache

    def _store(self, t: int, rgb: U8) -> None:
        """Keep frame t, at the source's size; of the last ones also what was decoded, where more than counting is done."""
        if rgb.shape[:2] != self._stored:
            raise ClipError(f"Frame {t} of {self._path} has another size than the first; has the file changed?")
        part = self._cut(rgb)
        if self._shown is not None:
            self._whole[t] = part.copy()
            self._whole[t].flags.writeable = False
        picture = self._fit.whole(resize(part, self._fit.area.height, self._fit.area.width))
        if picture is part:  # which lives where the next frame will be decoded to
            picture = picture.copy()
        picture.flags.writeable = False
        self._cache[t] = picture

    def _cut(self, rgb: U8) -> U8:
        """What is shown of a frame as it is stored: pixels need not be square there."""
        part, stretch = self._fit.part, self._stored[1] / shown_size(*self._stored, self._reader.stretch)[1]
        left = round(part.left * stretch)
        return rgb[part.top : part.bottom, left : max(round(part.right * stretch), left + 1)]


def shown_size(height: int, width: int, stretch: float) -> tuple[int, int]:
    """(rows, columns) of a frame stored as `height` x `width`, whose pixels are `stretch` times as wide as high."""
    return height, max(1, round(width * stretch))


def _settle(frame: _Shown, following: float) -> None:
    """A frame is shown until the one that follows it in the file, whatever the header says of its length."""
    if following > frame.time:
        frame.duration = following - frame.time


def _check(rgb: U8) -> int:
    """A number that tells pictures apart: of every eighth row."""
    return zlib.crc32(np.ascontiguousarray(rgb[::8]).data)


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + "."


def _check_file(path: Path) -> None:
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
    """Whether an mp4, mov or avi file is shorter than its own headers say, as a download that broke off is.

    Their parts begin with their size (ISO/IEC 14496-12, section 4.2; RIFF). Frame counts do not tell: they also differ
    where an edit list hides frames. Of other containers nothing is said.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            return 8 + int.from_bytes(head[4:8], "little") > length
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
