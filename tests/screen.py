"""Looks at what stands on an Xvfb's screen, read from its frame buffer file (`Xvfb -fbdir`); used by `.ci/bare`.

    python tests/screen.py FRAMEBUFFER OUT.png

Writes the picture and exits 1 when the screen shows no window: black, of one colour, or without any picture in it.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

COLOURS = 2000
"""A window with grains of noise and frames of a clip shows many times as many (measured: 20,000 and more)."""


def read(path: Path) -> npt.NDArray[np.uint8]:
    """The picture in an XWD file of 24 bits in 32, as Xvfb keeps it: uint8 (H, W, 3). ValueError for any other."""
    data = path.read_bytes()
    header = struct.unpack(">25I", data[:100])
    size, version, form, depth, width, height = header[:6]
    bits, row, colours = header[11], header[12], header[19]
    if version != 7 or form != 2 or depth != 24 or bits != 32:
        raise ValueError(f"{path} is no X window dump of 24 bits in 32")
    start = size + 12 * colours  # the palette's entries lie between header and picture
    picture = np.frombuffer(data, np.uint8, row * height, start).reshape(height, row)[:, : 4 * width]
    pixels = picture.reshape(height, width, 4)
    return np.ascontiguousarray(pixels[..., 2::-1] if header[7] == 0 else pixels[..., 1:])


def verdict(picture: npt.NDArray[np.uint8]) -> str:
    """What is wrong with a picture of a screen (H, W, 3) that should show the window; "" when nothing is."""
    flat = picture.reshape(-1, 3).astype(np.uint32)
    colours, counts = np.unique(flat @ np.array([65536, 256, 1], np.uint32), return_counts=True)
    black = float(counts[colours == 0].sum()) / len(flat)
    if black > 0.5:
        return f"{black:.0%} of the screen are black"
    if len(colours) < COLOURS:
        return f"the screen shows {len(colours)} colours, fewer than the {COLOURS} of a window with pictures in it"
    return ""


if __name__ == "__main__":
    screen = read(Path(sys.argv[1]))
    Image.fromarray(screen).save(sys.argv[2])
    wrong = verdict(screen)
    print(wrong or f"{sys.argv[2]}: {screen.shape[1]}×{screen.shape[0]}, a window with pictures in it")
    sys.exit(1 if wrong else 0)
