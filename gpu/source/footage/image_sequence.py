"""Image sequences as a source: the pictures of a folder, a numbered file or a pattern (gpu.sequences), or a TIFF's pages."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cachetools import LRUCache

from gpu import pictures, sequences
from gpu.cache import ByteCache, bytes_of
from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source import U8, Area, Glance, Truth
from gpu.source.footage.choosing import chosen, chosen_rate
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.stills import fitting, read_still, resize
from gpu.unchanged import Unchanged

CACHE_BYTES = 192 << 20
FPS = 25.0  # pictures say nothing of time
KEPT = 2  # pictures kept at their own size: those that flow is estimated between


class ImagesSource:
    """Frames from picture files in the order of their numbers. All must be of one size."""

    def __init__(self, settings: SourceSettings) -> None:
        """Lists the files, reads the first, and looks at the sizes of the others; ClipError when there is none, when `start`
        lies beyond them, or when they are of several sizes."""
        self.truth: Truth | None = None
        self.fps = chosen_rate(FPS, settings.every, settings.fps)
        if not settings.path:
            raise ClipError("An image sequence needs a path: a folder of pictures, or the first of numbered ones.")
        listed = sequences.find(settings.path, pictures.SUFFIXES)
        self._unchanged = Unchanged(listed.files)
        pages = [(file, 0) for file in listed.files]
        first = read_still(pages[min(settings.start, len(pages) - 1)][0], settings)
        self.notes = (*listed.notes, *first.notes)
        if len(pages) == 1 and first.pages > 1:
            pages = [(pages[0][0], page) for page in range(first.pages)]
            self.notes = tuple(note for note in self.notes if not note.endswith("the first is shown."))
            self.notes += (f"The frames are the {len(pages)} pages of {sequences.shown(pages[0][0].name)}.",)
        if settings.start >= len(pages):
            raise ClipError(
                f"{settings.path} has {len(pages)} pictures; the start at frame {settings.start} lies beyond them."
            )
        times = [number / FPS for number in range(len(pages) - settings.start + 1)]
        taken = chosen(times[:-1], times[-1], settings.every, settings.fps)
        self._pages = [pages[settings.start + index] for index in taken[: settings.frames or None]]
        self.title = Path(settings.path).name or str(settings.path)
        self._layer, self.layers = settings.layer, first.layers
        self.exposure = first.exposure  # one for all: else the light would flicker
        self._cuts: tuple[int, ...] | None = None
        self._survey: list[Glance] = []
        self._size = (first.pixels.shape[0], first.pixels.shape[1])
        self._check_sizes()
        self._fit = fitting(*self._size, settings)
        self.height, self.width = self._fit.height, self._fit.width
        self._cache: ByteCache[int, U8] = ByteCache(max(CACHE_BYTES, 2 * 3 * self.height * self.width), bytes_of)
        self._whole: LRUCache[int, U8] = LRUCache(KEPT)

    def _check_sizes(self) -> None:
        """ClipError where one of the files is of another size; those whose header tells nothing are left to `frame`."""
        files = list(dict.fromkeys(file for file, _ in self._pages))
        if len(files) < 2:
            return
        for file, size in zip(files, pictures.sizes(files), strict=True):
            if not isinstance(size, str) and size != self._size[::-1]:
                raise self._other_size(file, *size)

    def _other_size(self, file: Path, width: int, height: int) -> ClipError:
        return ClipError(
            f"{sequences.shown(file)} is {width}x{height}, but the sequence began with {self._size[1]}x{self._size[0]} "
            f"({sequences.shown(self._pages[0][0].name)}); all pictures must be of one size."
        )

    @property
    def frames(self) -> int:
        return len(self._pages)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Found by reading all pictures, at the first call."""
        if self._cuts is None:
            self._cuts = find_cuts([glance.thumbnail for glance in self.survey])
        return self._cuts

    @property
    def survey(self) -> Sequence[Glance]:
        """As gpu.source.Surveyed; reads all pictures at the first call."""
        if not self._survey:
            place = self._fit.area
            for t in range(self.frames):
                shown = np.ascontiguousarray(self.frame(t)[place.top : place.bottom, place.left : place.right])
                self._survey.append(Glance(thumbnail(shown), zlib.crc32(shown.data)))
        return self._survey

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB uint8, not to be written to. ClipError names a picture that is damaged or of another size."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        if t not in self._cache:
            picture = self._fit.whole(resize(self._read(t), self._fit.area.height, self._fit.area.width))
            picture.flags.writeable = False
            self._cache[t] = picture
        return self._cache[t]

    @property
    def area(self) -> Area:
        return self._fit.area

    @property
    def original_size(self) -> tuple[int, int]:
        return self._fit.part.height, self._fit.part.width

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed."""
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        return resize(self._read(t), rows, columns)

    def _read(self, t: int) -> U8:
        """What is shown of picture t, at its own size. The last ones are kept."""
        if t not in self._whole:
            file, page = self._pages[t]
            self._unchanged.check(file)  # the motion may have been found between others than these
            picture = pictures.read(file, self._layer, page, self.exposure).pixels
            if picture.shape[:2] != self._size:
                raise self._other_size(file, picture.shape[1], picture.shape[0])
            picture.flags.writeable = False
            self._whole[t] = picture
        return self._fit.cut(self._whole[t])

    def close(self) -> None:
        self._cache.clear()
        self._whole.clear()
