"""Video files as a source: exact frames by random access, whatever the container says of counts and positions."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from gpu.cache import ByteCache, bytes_of
from gpu.cv import cv2
from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source import U8, Truth
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.stills import resize, target_size

CACHE_BYTES = 192 << 20
"""Decoded frames, at the size they are used at, that one source keeps; more where that is not BEFORE + 2 of them."""

BEFORE = 24  # frames kept ahead of the one asked for when decoding starts over: stepping backwards stays quick
FALLBACK_FPS = 25.0


class VideoSource:
    """Frames of a video file, in the order they are decoded in.

    Reported frame counts and seeks by frame number are wrong for many files (variable frame rates, B-frames, streams
    cut short), so neither is used: frames are counted by decoding once, which finds the shot cuts as well and fills
    the cache, and a frame is reached by decoding forwards from the current one or from the start.
    """

    def __init__(self, settings: SourceSettings, path: str | os.PathLike[str]) -> None:
        """Opens `path` and decodes its first frame; ClipError says why it cannot."""
        self.truth: Truth | None = None
        self._path = Path(path)
        self._start, self._wanted = settings.start, settings.frames
        self._scanned: tuple[int, tuple[int, ...]] | None = None  # number of frames, cuts
        self._open_checked()
        self._cut_short = is_cut_short(self._path)
        picture = self._decode()
        if picture is None:
            self._capture.release()
            raise ClipError(f"Not one frame of {path} can be decoded; the file is damaged or cut short.")
        self.height, self.width = target_size(picture.shape[0], picture.shape[1], settings)
        frame_bytes = self.height * self.width * 3
        self._cache: ByteCache[int, U8] = ByteCache(max(CACHE_BYTES, (BEFORE + 2) * frame_bytes), bytes_of)
        self._pending: U8 | None = picture
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(rate) if math.isfinite(rate) and 0 < rate <= 1000 else FALLBACK_FPS

    @property
    def title(self) -> str:
        """The file's name, and whether its end is missing: the frames that are there are worked with, but said to be few."""
        return self._path.name + (" (file cut short)" if self._cut_short else "")

    @property
    def frames(self) -> int:
        """Frames that can be decoded, from `start` on; ClipError when `start` lies beyond them. The first call decodes
        all of them."""
        return self._scan()[0]

    @property
    def cuts(self) -> tuple[int, ...]:
        return self._scan()[1]

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB uint8, not to be written to. IndexError outside the clip."""
        frames = self._scan()[0]
        if not 0 <= t < frames:
            raise IndexError(f"frame {t} of {frames}")
        if t not in self._cache:
            self._reach(t)
        return self._cache[t]

    def close(self) -> None:
        self._capture.release()
        self._cache.clear()

    def _open_checked(self) -> None:
        path = self._path
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
        # FFmpeg would draw a text file as pictures of its letters, and follow the addresses in a playlist.
        if b"\0" not in head and not head.startswith(b"YUV4MPEG2"):
            raise ClipError(f"{path} is a text file, not a video; expected mp4, avi, mov, mkv, webm, mpg or gif.")
        self._open()
        if not self._capture.isOpened():
            self._capture.release()
            raise ClipError(
                f"{path} cannot be opened as a video: it is damaged, cut short, or of a format that is not known; "
                "expected mp4, avi, mov, mkv, webm, mpg or gif."
            )

    def _open(self) -> None:
        """(Re)open at the file's first frame. An absolute path, so that no name is taken for an address."""
        self._capture = cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self._next = -self._start  # index, counted from `start`, of the frame that is decoded next
        self._pending = None

    def _decode(self) -> U8 | None:
        """The next frame as the decoder gives it, at its full size in blue, green, red; None at the end."""
        read, picture = self._capture.read()
        return np.asarray(picture, np.uint8) if read else None

    def _skip(self) -> bool:
        """Pass over the next frame; False at the end."""
        self._next += 1
        if self._pending is not None:
            self._pending = None
            return True
        return bool(self._capture.grab())

    def _take(self) -> U8 | None:
        """The next frame as `_decode` gives it."""
        self._next += 1
        picture = self._decode() if self._pending is None else self._pending
        self._pending = None
        return picture

    def _store(self, t: int, decoded: U8) -> None:
        """Keep frame t, at the source's size in RGB."""
        picture = _rgb(resize(decoded, self.height, self.width))
        picture.flags.writeable = False
        self._cache[t] = picture

    def _scan(self) -> tuple[int, tuple[int, ...]]:
        """Count the frames and find the cuts in one pass, keeping the first frames in the cache."""
        if self._scanned is not None:
            return self._scanned
        if self._next != -self._start:
            self._open()
        more = True
        while more and self._next < 0:
            more = self._skip()
        thumbnails: list[U8] = []
        room = CACHE_BYTES // (self.height * self.width * 3)
        while more and (self._wanted == 0 or len(thumbnails) < self._wanted):
            picture = self._take()
            if picture is None:
                break
            if len(thumbnails) < room:
                self._store(len(thumbnails), picture)
            thumbnails.append(_rgb(thumbnail(picture)))
        if not thumbnails:
            there = self._start + self._next - 1
            raise ClipError(f"{self._path} has {there} frames; the start at frame {self._start} lies beyond them.")
        self._scanned = len(thumbnails), find_cuts(thumbnails)
        return self._scanned

    def _reach(self, t: int) -> None:
        """Decode frame t into the cache, from where the decoder is if it has not passed t, else from the start."""
        first = t
        if t < self._next:
            self._open()
            first = t - BEFORE
        while self._next <= t:
            at = self._next
            picture = self._take() if at >= max(0, first) else None
            if picture is not None:
                self._store(at, picture)
            elif at >= max(0, first) or not self._skip():
                raise ClipError(f"Frame {t} of {self._path} can no longer be decoded; has the file changed?")


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


def _rgb(picture: U8) -> U8:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
