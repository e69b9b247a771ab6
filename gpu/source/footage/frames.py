"""The frames of a film as they are stored, by random access: exact, whatever the container says of counts and positions."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from gpu import progress
from gpu.decoders.video import Picture, VideoReader
from gpu.errors import ClipError
from gpu.source import U8
from gpu.source.footage.gaps import Shown, left_out, settle, usual_step
from gpu.unchanged import Unchanged

WARM = 4  # frames decoded before the first that counts: what takes combs away looks at its neighbours
MOST_BACK = 64  # and so many at most, where what comes after a key frame needs frames before it
AHEAD = 64  # frames that are rather decoded than sought past
COUNTED = 250  # a start further on is looked up in the file's table of packets instead of decoding up to it
TOLD = 16  # frames after which progress is told
FALLBACK_FPS = 25.0


class Frames:
    """The frames of one film from `start` on, those that can be decoded, in the order they are shown in.

    Frame counts and positions in headers are wrong for many files, so frames are counted by decoding once. Later a frame is
    reached by its time: from the key frame before it, or from where the decoder is. What is reached that way is compared
    with what the first pass saw; where it differs (streams without true key frames), the film is decoded from its beginning
    instead.
    """

    def __init__(self, path: Path, deinterlace: str, start: int, cut_short: bool = False) -> None:
        """Opens the film and decodes a frame; ClipError says why it cannot. `cut_short`: its end is known to be missing."""
        self._path, self._start, self._cut_short = path, start, cut_short
        self._shown: list[Shown] = []
        self._keys: list[int] = []
        self._last: int | None = None  # key of the frame that was decoded last
        self._counted: int | None = None  # its number, where frames are reached by counting
        self._seekable = True
        self._back = WARM
        self._notes: list[str] = []
        self._unchanged = Unchanged(path)
        # An absolute path, so that no name is taken for an address.
        self._reader = VideoReader(str(path.absolute()), deinterlace)
        try:
            first = self._reader.next()
            if first is None:
                raise self._empty()
        except BaseException:
            self._reader.close()
            raise
        self.height, self.width = first.rgb.shape[:2]
        self.stretch = self._reader.stretch
        """How much wider than high a pixel is shown."""
        self._first: Picture | None = first

    @property
    def header_rate(self) -> float:
        """Frames a second as the file says, 0 where it does not."""
        return self._reader.header.rate

    @property
    def estimate(self) -> int:
        """How many frames there may be from `start` on, as the file says; 0 where it does not."""
        return max(0, self._reader.header.estimate - self._start)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how the film was read, in sentences."""
        return (*self._notes, *(note[:1].upper() + note[1:] + "." for note in self._reader.notes))

    def close(self) -> None:
        self._reader.close()

    # -- the first pass

    def scan(self, enough: Callable[[Sequence[Shown]], bool], see: Callable[[int, U8], None]) -> list[Shown]:
        """Decode until `enough` says so, or to the end; `see` gets each frame with its number. ClipError without any."""
        try:
            return self._scan(enough, see)
        except BaseException:  # also when nobody waits any more: it begins again the next time
            self._reader.close()
            self._first = self._last = None
            raise

    def _scan(self, enough: Callable[[Sequence[Shown]], bool], see: Callable[[int, U8], None]) -> list[Shown]:
        picture: Picture | None = self._begin()
        shown: list[Shown] = []
        first = 0  # of those that were told the time that the last one was
        damaged, lost = 0, 0
        before = self._reader.lost if self._start else 0
        while picture is not None:
            number = len(shown)
            time = number / (self.header_rate or FALLBACK_FPS) if picture.time is None else picture.time
            if shown and time > shown[first].time:
                settle(shown, first, time)  # until the next, whatever the file says of its length
                first = number
            if enough(shown):
                break
            self._size_checked(picture.rgb)
            begin = shown[first].time if first < number else time
            shown.append(Shown(picture.key, begin, picture.duration, _check(picture.rgb)))
            self._last = picture.key
            damaged, lost = damaged + picture.damaged, self._reader.lost
            see(number, picture.rgb)
            if number % TOLD == 0:
                progress.tell(number, self.estimate, "counting frames")
            picture = self._reader.next()
        if picture is None:
            lost = self._reader.lost
            self._last = None
        else:
            self._last = picture.key
        self._unchanged.check()
        if not shown:
            raise self._empty()
        if first < len(shown):
            usual = usual_step(shown[: first + 1]) or 1 / (self.header_rate or FALLBACK_FPS)
            settle(shown, first, shown[first].time + (shown[-1].duration if shown[-1].duration > 0 else usual))
        self._tell(shown, lost - before, damaged, ended=picture is None)
        self._shown, self._keys = shown, [frame.key for frame in shown]
        self._seekable = self._reader.steady and all(a < b for a, b in pairwise(self._keys))
        return shown

    def _tell(self, shown: Sequence[Shown], lost: int, damaged: int, ended: bool) -> None:
        """Add to the notes what could not be read."""
        gaps, header = left_out(shown), self._reader.header
        step = usual_step(shown) or shown[-1].duration
        rest = round((header.end - shown[-1].time - shown[-1].duration) / step) if ended and step > 0 else 0
        if self._cut_short and rest > 0:
            all_of_them = len(shown) + gaps + rest
            self._notes.append(f"The file is cut short: {len(shown)} of about {all_of_them} frames are there.")
            lost = min(lost, gaps)
        elif lost or damaged or self._reader.torn:
            lost = max(lost, gaps) + (max(rest, 0) if header.sure_of_end else 0)
        elif header.sure_of_end and rest > 0:
            lost = rest
        elif 0 < gaps <= len(shown):
            missing = f"{gaps} of {len(shown) + gaps} are missing between the others: lost, or never taken."
            self._notes.append(f"By the times of its frames, {missing}")
        if lost > 0:
            self._notes.append(f"{lost} of {len(shown) + lost} frames could not be decoded and are left out.")
        if damaged:
            told = "is damaged: parts of it are" if damaged == 1 else "are damaged: parts of them are"
            self._notes.append(f"{damaged} of {len(shown)} frames {told} made up.")

    def _begin(self) -> Picture:
        """Stand at the frame `start`, and give it; ClipError when the film ends before."""
        picture, self._first = self._first, None
        if picture is None or self._start:
            self._reader.restart()
            picture = self._pass() if self._start else self._reader.next()
        if picture is None:
            raise self._empty()
        self._last = picture.key
        return picture

    def _pass(self) -> Picture:
        """The frame `start` of a film that was just opened."""
        if self._start > COUNTED:
            key = self._reader.locate(self._start)
            if key is not None:
                self._reader.seek(key)
                picture = self._reader.next(since=key)
                if picture is not None and picture.key == key:
                    return picture
            self._reader.restart()
        passed, ended = 0, False
        while passed < self._start and not ended:
            more, ended = self._reader.pass_frames(self._start - passed)
            passed += more
            progress.tell(passed, self._start, "passing over frames")
        picture = None if ended else self._reader.next()
        if picture is None:
            raise ClipError(f"{self._path} has {passed} frames; the start at frame {self._start} lies beyond them.")
        return picture

    def _empty(self) -> ClipError:
        return ClipError(f"Not one frame of {self._path} can be decoded; the file is damaged or cut short.")

    def _size_checked(self, rgb: U8) -> None:
        if rgb.shape[:2] != (self.height, self.width):
            raise ClipError(f"The frames of {self._path} change their size; has the file changed?")

    # -- random access

    def reach(self, number: int, before: int, see: Callable[[int, U8], None]) -> None:
        """Decode frame `number`, counted from `start`, after a `scan`: `see` gets it, and frames on the way; where decoding
        starts over, some `before` it. ClipError when it is no longer what it was."""
        self._unchanged.check()
        if self._reader.closed:
            self._reader.restart()
            self._last = self._counted = None
        # Where the frames after a key frame need some before it, a place further back may do.
        while self._seekable:
            if self._reach_by_key(number, before, see):
                return
            self._back *= 4
            self._seekable = self._back <= MOST_BACK
        if not self._reach_from_start(number, before, see):
            self._unchanged.check()
            raise ClipError(f"Frame {number} of {self._path} can no longer be decoded; has the file changed?")

    def _reach_by_key(self, number: int, before: int, see: Callable[[int, U8], None]) -> bool:
        """Whether the frame was reached, and is what it was."""
        keys, last = self._keys, self._last
        at = bisect_left(keys, last) if last is not None else -1
        since: int | None = None
        if last is None or keys[number] <= last or number - at > AHEAD:
            first = number if last is not None and keys[number] > last else max(0, number - before)
            step = keys[1] - keys[0] if len(keys) > 1 else 0
            try:
                self._reader.seek(keys[max(0, first - self._back)] - max(0, self._back - first) * step)
            except ClipError:
                self._reader.restart()
                self._last = None
                return False
            since = keys[first]
        self._last = None
        while True:
            picture = self._reader.next(since)
            since = None
            if picture is None:
                return False
            index = bisect_left(keys, picture.key)
            if index < len(keys) and keys[index] == picture.key:
                if _check(picture.rgb) != self._shown[index].check:
                    return False
                see(index, picture.rgb)
            if index >= number:
                self._last = picture.key
                return index < len(keys) and keys[number] == picture.key

    def _reach_from_start(self, number: int, before: int, see: Callable[[int, U8], None]) -> bool:
        """Count from the first frame on, as the first pass did, or from where it stands."""
        index = self._counted
        self._last = self._counted = None
        if index is None or index >= number:
            picture: Picture | None = self._begin()
            self._last = None
            index = 0
        else:
            picture = self._reader.next()
            index += 1
        while picture is not None:
            if _check(picture.rgb) != self._shown[index].check:
                return False
            if index >= number - before:
                see(index, picture.rgb)
            if index == number:
                self._counted = number
                return True
            index += 1
            picture = self._reader.next()
        return False


def _check(rgb: U8) -> int:
    """A number that tells pictures apart: of every eighth row."""
    return zlib.crc32(np.ascontiguousarray(rgb[::8]).data)
