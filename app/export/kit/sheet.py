"""Labelled pictures beside each other: the side-by-side video and the sheet of x-t slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.look.palette import style
from gpu.assets import asset

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.ImageFont import FreeTypeFont

U8 = npt.NDArray[np.uint8]

PAPER, INK, QUIET = "#14161a", "#e6e8ec", "#9aa3b2"
LINE = 24
GAP = 8
ROWS = 96
"""Fewest rows an x-t slice is drawn with."""


def font(size: int) -> FreeTypeFont:
    """The letters of the window."""
    from PIL import ImageFont

    return ImageFont.truetype(str(asset("fonts/Inter_400Regular.ttf")), size)


def columns_for(count: int, height: int, width: int) -> int:
    """How many cells to put in a row, so that they are largest when the sheet fills a screen of 16:9."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        return min(16 / (columns * (width + GAP)), 9 / (rows * (height + LINE + GAP)))

    return max(range(1, count + 1), key=scale)


class Sheet:
    """A sheet of cells of one size with their labels, whose pictures change from frame to frame."""

    def __init__(self, names: Sequence[str], height: int, width: int) -> None:
        from PIL import Image, ImageDraw

        self._columns = columns_for(len(names), height, width)
        rows = -(-len(names) // self._columns)
        self._places = {}
        size = (GAP + self._columns * (width + GAP), GAP + rows * (height + LINE + GAP))
        sheet = Image.new("RGB", size, PAPER)
        draw = ImageDraw.Draw(sheet)
        for index, name in enumerate(names):
            x = GAP + index % self._columns * (width + GAP)
            y = GAP + index // self._columns * (height + LINE + GAP)
            self._places[name] = (y + LINE, x)
            _label(draw, name, x, y, width)
        self._paper = np.asarray(sheet)
        self._size = (height, width)

    def draw(self, pictures: Mapping[str, U8]) -> U8:
        """The sheet with these pictures (H, W, 3) in the cells of their names."""
        sheet = self._paper.copy()
        for name, picture in pictures.items():
            y, x = self._places[name]
            sheet[y : y + self._size[0], x : x + self._size[1]] = picture
        return sheet


def _label(draw: ImageDraw.ImageDraw, name: str, x: int, y: int, width: int) -> None:
    """A spot in the prior's colour and its name, cut to the width of the cell."""
    colour = INK if name in ("source", "input") else style(name).colour
    draw.ellipse((x, y + 6, x + 9, y + 15), fill=colour)
    letters = font(14)
    text = name
    while len(text) > 1 and letters.getlength(text) > width - 16:
        text = text[:-2] + "…"
    draw.text((x + 15, y + 10), text, INK, letters, anchor="lm")


def slices_sheet(path: Path, slices: Mapping[str, U8], row: int, fps: float) -> None:
    """x-t slices (frames, W, 3), one under the other, time down: what stays in place is a vertical stripe, what moves
    is a slanted one, what flickers is grain."""
    from PIL import Image, ImageDraw

    frames, width = next(iter(slices.values())).shape[:2]
    repeat = max(1, -(-ROWS // frames))
    left, height = 64, frames * repeat
    size = (left + max(width, 240) + GAP, GAP + len(slices) * (height + LINE + GAP) + LINE)
    sheet = Image.new("RGB", size, PAPER)
    draw, small = ImageDraw.Draw(sheet), font(12)
    for index, (name, picture) in enumerate(slices.items()):
        y = GAP + index * (height + LINE + GAP)
        _label(draw, name, left, y, max(width, 240))
        sheet.paste(Image.fromarray(np.repeat(picture, repeat, axis=0)), (left, y + LINE))
        draw.text((left - 6, y + LINE), "0 s", QUIET, small, anchor="rt")
        draw.text((left - 6, y + LINE + height), f"{frames / fps:.3g} s", QUIET, small, anchor="rb")
    draw.text((left, size[1] - LINE), f"x → along row {row}, time ↓", QUIET, small, anchor="lt")
    sheet.save(path, "PNG")
