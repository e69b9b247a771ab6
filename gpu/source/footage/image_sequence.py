"""Image sequences as a source: the pictures of a folder, or a numbered file and those that follow it."""

from __future__ import annotations

import re
from pathlib import Path

from cachetools import LRUCache

from gpu.cache import ByteCache, bytes_of
from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source import U8, Area, Truth
from gpu.source.footage.choosing import chosen, chosen_rate
from gpu.source.footage.shots import find_cuts, thumbnail
from gpu.source.stills import fitting, read_picture, resize

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".exr", ".jp2")
CACHE_BYTES = 192 << 20
FPS = 25.0  # pictures say nothing of time
KEPT = 2  # pictures kept at their own size: those that flow is estimated between


class ImagesSource:
    """Frames from picture files in the order of their numbers. All must be of one size."""

    def __init__(self, settings: SourceSettings) -> None:
        """Lists the files and reads the first; ClipError when there is none, or `start` lies beyond them."""
        self.truth: Truth | None = None
        self.fps = chosen_rate(FPS, settings.every, settings.fps)
        if not settings.path:
            raise ClipError("An image sequence needs a path: a folder of pictures, or the first of numbered ones.")
        files = find_sequence(Path(settings.path))
        if settings.start >= len(files):
            raise ClipError(
                f"{settings.path} has {len(files)} pictures; the start at frame {settings.start} lies beyond them."
            )
        times = [number / FPS for number in range(len(files) - settings.start + 1)]
        taken = chosen(times[:-1], times[-1], settings.every, settings.fps)
        self._files = [files[settings.start + index] for index in taken[: settings.frames or None]]
        self.title = Path(settings.path).name or str(settings.path)
        self._cuts: tuple[int, ...] | None = None
        first = read_picture(self._files[0])
        self._size = (first.shape[0], first.shape[1])
        self._fit = fitting(*self._size, settings)
        self.height, self.width = self._fit.height, self._fit.width
        self._cache: ByteCache[int, U8] = ByteCache(max(CACHE_BYTES, 2 * 3 * self.height * self.width), bytes_of)
        self._whole: LRUCache[int, U8] = LRUCache(KEPT)

    @property
    def frames(self) -> int:
        return len(self._files)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Found by reading all pictures, at the first call."""
        if self._cuts is None:
            self._cuts = find_cuts([thumbnail(self.frame(t)) for t in range(self.frames)])
        return self._cuts

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
            picture = read_picture(self._files[t])
            if picture.shape[:2] != self._size:
                raise ClipError(
                    f"{self._files[t]} is {picture.shape[1]}x{picture.shape[0]}, but the sequence began with "
                    f"{self._size[1]}x{self._size[0]} ({self._files[0].name}); all pictures must be of one size."
                )
            picture.flags.writeable = False
            self._whole[t] = picture
        return self._fit.cut(self._whole[t])

    def close(self) -> None:
        self._cache.clear()
        self._whole.clear()


def find_sequence(path: Path) -> list[Path]:
    """The pictures of a folder in natural order (2 before 10); or of a numbered file ("shot_007.png"), that file and
    those of the same name with higher numbers, as far as no number is missing. ClipError when there is none."""
    try:
        if path.is_dir():
            pictures = [
                file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
            ]
            if not pictures:
                raise ClipError(
                    f"The folder {path} holds no pictures; expected PNG, JPEG, WebP, TIFF, BMP or the like."
                )
            return sorted(pictures, key=_natural)
        if not path.is_file():
            raise ClipError(f"There is no folder or picture {path}.")
        numbered = re.fullmatch(r"(.*?)(\d+)", path.stem, re.DOTALL)
        if numbered is None:
            return [path]
        by_number = {}
        for file in path.parent.iterdir():
            other = re.fullmatch(r"(.*?)(\d+)", file.stem, re.DOTALL)
            if other and other[1] == numbered[1] and file.suffix == path.suffix:
                by_number[int(other[2])] = file
    except OSError as problem:
        raise ClipError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    by_number[int(numbered[2])] = path
    files, number = [], int(numbered[2])
    while number in by_number:
        files.append(by_number[number])
        number += 1
    return files


def _natural(file: Path) -> list[tuple[int, int, str]]:
    """A key that sorts runs of digits by their value."""
    parts = re.split(r"(\d+)", file.name.lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
