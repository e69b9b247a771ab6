"""How a film's display matrix turns and mirrors its frames."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
ONE = 1 << 16  # 16.16 fixed point


class Orientation(NamedTuple):
    """First rows and columns change places (`swap`), then the order of rows, of columns is reversed (`down`, `across`)."""

    swap: bool = False
    down: bool = False
    across: bool = False


def from_matrix(data: bytes) -> tuple[Orientation, bool]:
    """The orientation that is nearest to a display matrix, and whether it is that exactly.

    Nine 32-bit numbers a b u / c d v / x y w in the machine's order: a stored position (p, q) is shown at (a p + c q + x,
    b p + d q + y) (ISO/IEC 14496-12, section 6.2.2, and FFmpeg's libavutil/display.h). Where a to d are 0, as some programs
    leave them, it says nothing and turns nothing. ValueError for bytes that are none.

    >>> flat = struct.pack("=9i", -ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    >>> from_matrix(flat)
    (Orientation(swap=False, down=False, across=True), True)
    """
    if len(data) != 36:
        raise ValueError("a display matrix has nine numbers of 32 bits")
    a, b, _, c, d, *_ = (number / ONE for number in struct.unpack("=9i", data))
    if a == b == c == d == 0:
        return Orientation(), True
    swap = abs(b) + abs(c) > abs(a) + abs(d)
    if swap:  # shown column = c q, shown row = b p
        chosen = Orientation(True, down=b < 0, across=c < 0)
        exact = min(abs(b), abs(c)) > 0 and max(abs(a), abs(d)) < 0.01 * min(abs(b), abs(c))
    else:
        chosen = Orientation(False, down=d < 0, across=a < 0)
        exact = min(abs(a), abs(d)) > 0 and max(abs(b), abs(c)) < 0.01 * min(abs(a), abs(d))
    return chosen, exact


def turned(picture: U8, orientation: Orientation) -> U8:
    """`picture` (H, W, C) as it is to be shown, (W, H, C) where rows and columns change places. A view, not a copy."""
    if orientation.swap:
        picture = picture.swapaxes(0, 1)
    if orientation.down:
        picture = picture[::-1]
    if orientation.across:
        picture = picture[:, ::-1]
    return picture
