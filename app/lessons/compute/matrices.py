"""Panels of covariances: matrices in colour, the meaning of the colours, bars of one column; and who owns which sub-pixel."""

from __future__ import annotations

import numpy as np
import torch

from app.lessons.compute.covariances import LEVEL, Warped
from app.lessons.compute.scene import HUES, SOLID, Bytes, Curve, Floats, Image, Item, Outlines, Panel, Text


def box(x: float, y: float, width: float, height: float) -> Floats:
    """(4, 2) the corners of a rectangle."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def squares(width: int, height: int, top: float = 0.0) -> tuple[Floats, ...]:
    """The outlines of pixels, whose first row begins at `top`."""
    return tuple(box(x, top + y, 1, 1) for y in range(height) for x in range(width))


def owners(warped: Warped) -> Bytes:
    """(H n, W n, 4): every sub-pixel of frame 0 in the colour of the warped pixel that owns it; clear where none does."""
    owner = torch.where(warped.owned.sum(1) > 0, warped.owned.argmax(1), torch.tensor(-1)).numpy()
    hue = (owner % warped.width * 3 + owner // warped.width * 2) % len(HUES)
    table = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] + [235] for colour in HUES], np.uint8)
    picture = np.where((owner >= 0)[:, None], table[hue], np.uint8(0))
    return np.ascontiguousarray(picture.reshape(warped.height << LEVEL, warped.width << LEVEL, 4))


def matrix(
    name: str, title: str, values: torch.Tensor, note: str = "", every: int = 4, mark: int | None = None
) -> Panel:
    """A covariance matrix in colours from -1 to 1, rows downwards; every so many rows and columns have their number, and
    column `mark` a frame."""
    size = len(values)
    items: list[Item] = [
        Image(values.numpy(), (0, 0, size, size), -1, 1, "diverging"),
        Outlines((box(0, 0, size, size),), "border"),
    ]
    if mark is not None:
        items.append(Outlines((box(mark, 0, 1, size),), "accent", width=0.8))
    for at in range(0, size, every):
        items += [
            Text(0, at + 0.5, str(at), "dim", 0.75, (1, 0.5)),
            Text(at + 0.5, 0.02 * size, str(at), "dim", 0.75, (0.5, 1)),
        ]
    ends = (-0.17 * size, 1.02 * size)
    return Panel(name, title, tuple(items), range_x=ends, range_y=ends, square=True, note=note, tip=title)


def scale(weight: float) -> Panel:
    """What the colours of matrices mean."""
    ramp = Image(np.linspace(-1, 1, 128)[:, None], (0, -1, 0.8, 2), -1, 1, "diverging")
    words = tuple(
        Text(0.8, at, name, "text", 0.75, (0, anchor)) for at, name, anchor in ((1, "1", 0.2), (0, "0", 0.5), (-1, "−1", 0.8))
    )  # fmt: skip
    return Panel(
        "scale", " ", (ramp, Outlines((box(0, -1, 0.8, 2),), "border"), *words), range_x=(-0.1, 2.4), range_y=(-1.1, 1.1),
        weight=weight, tip="The colours of covariances from −1 to 1",
    )  # fmt: skip


def bars(place: Floats, heights: Floats, ink: str, label: str, width: float = 0.34) -> Curve:
    """Bars of equal width about places, as one filled line."""
    x = np.stack([place - width / 2, place - width / 2, place + width / 2, place + width / 2], 1).reshape(-1)
    zero = np.zeros_like(heights)
    return Curve(x, np.stack([zero, heights, heights, zero], 1).reshape(-1), ink, label, 0.8, SOLID, True)
