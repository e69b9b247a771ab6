"""Where rows and columns of the comparison grid go. Pictures keep their shape; x-t slices take the room left over."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize

GAP = 8
GUTTER = 76  # width of the row labels at the left
MIN_COLUMN = 128
MIN_SLICE, MAX_SLICE = 48, 320
SLICE_SHARE = 0.2  # of the height, for each row of slices, at least

ROW_LABELS = {
    "noise": "noise",
    "output": "output",
    "xt-noise": "x-t noise\ntime ↓",
    "xt-output": "x-t output\ntime ↓",
    "error": "warp error",
    "motion": "motion",
}


@dataclass(frozen=True)
class Layout:
    """Rectangles in pixels of the widget. `rows` maps a row's name to its top and height."""

    columns: list[QRect]
    rows: dict[str, tuple[int, int]]
    picture_height: int
    has_pictures: bool


def arrange(
    size: QSize, keys: tuple[str, ...], rows: tuple[str, ...], picture: tuple[int, int], zoom: float = 1.0
) -> Layout:
    """Lay out `rows` by `keys` in `size` for pictures of (height, width), which may grow taller when zoomed."""
    count = max(len(keys), 1)
    width = max((size.width() - GUTTER - GAP * count) // count, 16)
    pictures = [row for row in rows if not row.startswith("xt-")]
    slices = [row for row in rows if row.startswith("xt-")]
    room = size.height() - GAP * max(len(rows) - 1, 0)
    # Square pictures would take all there is: slices tell more than they do, and keep a share.
    kept = min(max(MIN_SLICE, round(SLICE_SHARE * room)), room // max(len(rows), 1)) * len(slices)
    wanted = round(width * picture[0] / max(picture[1], 1) * max(zoom, 1.0))
    height = min(wanted, (room - kept) // max(len(pictures), 1))
    height = max(height, 8)
    rest = room - height * len(pictures)
    slice_height = min(max(rest // max(len(slices), 1), 8), MAX_SLICE)
    # A picture much taller than wide would leave its column mostly empty; the column stays, the picture is centred.
    used = height * len(pictures) + slice_height * len(slices) + GAP * max(len(rows) - 1, 0)
    top = max((size.height() - used) // 2, 0) if not slices else 0
    places: dict[str, tuple[int, int]] = {}
    for row in rows:
        tall = slice_height if row.startswith("xt-") else height
        places[row] = (top, tall)
        top += tall + GAP
    columns = [QRect(GUTTER + index * (width + GAP), 0, width, size.height()) for index in range(len(keys))]
    return Layout(columns, places, height, bool(pictures))
