"""Animated WebP, which FFmpeg does not decode, through Pillow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, WebPImagePlugin

from gpu.decoders.film import MOST_PIXELS, U8, Frame, Header, Look


class WebP:
    """gpu.decoders.film.Film of a WebP file, animated or not; transparent parts are shown over black."""

    def __init__(self, path: str) -> None:
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses twice as many
        picture = Image.open(path, formats=("WEBP",))
        assert isinstance(picture, WebPImagePlugin.WebPImageFile)
        self._picture = picture
        count = int(getattr(picture, "n_frames", 1))
        self.header = Header("webp", picture.width, picture.height, 0.0, 0.0, count)
        self.notes: dict[str, None] = {}
        self.lost, self.steady, self.torn = 0, True, False
        self.look: Look | None = Look(picture.size, (False, False, False), 0.0, 1.0)
        self._at = 0

    def frames(self) -> Iterator[Frame]:
        time = 0.0
        for index in range(self.header.estimate):
            self._picture.seek(index)
            self._picture.load()
            seconds = float(self._picture.info.get("duration", 0) or 0) / 1000
            if index >= self._at:
                yield Frame(index, time, seconds, self._rgb)
            time += seconds

    def _rgb(self) -> U8:
        picture = self._picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            self.notes["where it is transparent it is shown over black"] = None
        flat = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        flat.alpha_composite(picture)
        return np.asarray(flat.convert("RGB"), np.uint8)

    def seek(self, key: int) -> None:
        self._at = key

    def locate(self, index: int) -> int | None:
        return index if index < self.header.estimate else None
