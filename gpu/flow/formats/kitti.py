"""KITTI flow files: 16-bit PNG with red = 64 dx + 2^15, green = 64 dy + 2^15, blue = 1 where the vector is known.

Menze, Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015, and the benchmark's development kit. Steps of
1/64 pixel; unknown vectors come out as NaN.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from gpu.errors import ClipError, FlowError
from gpu.flow.formats import FORMATS, Array, Contents, Whole, check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {0: "grey", 2: "colour", 3: "palette", 4: "grey with transparency", 6: "colour with transparency"}
DEFLATED = 1040
"""No byte of deflate stands for more bytes than this (RFC 1951: 258 bytes in two bits)."""


class Kitti:
    title = "KITTI 16-bit PNG"
    suffix = ".png"

    def open(self, path: Path) -> Contents:
        with path.open("rb") as file:
            head = file.read(33)
        if head[:8] != SIGNATURE or head[12:16] != b"IHDR" or len(head) < 33:
            raise FlowError(f"{path} is not a PNG file that can be read.")
        width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
        if (bits, colour) != (16, 2):
            raise FlowError(
                f"{path} is a {COLOURS.get(colour, 'strange')} picture of {bits} bits a channel; a KITTI flow is a colour PNG "
                "with 16 bits a channel. Pictures of 8 bits do not say how long a vector is."
            )
        check_size(path, width, height)
        held = path.stat().st_size
        if height * (6 * width + 1) > DEFLATED * held:
            raise FlowError(
                f"{path} claims a flow of {width}x{height}, more than its {held} bytes can hold: the file is damaged."
            )

        def load() -> Array:
            from gpu.pictures import read_channels

            try:
                coded = read_channels(path, ("R", "G", "B"))
            except ClipError as problem:
                raise FlowError(f"{path} is not a PNG file that can be read: {problem}") from None
            if coded.values.shape != (height, width, 3) or coded.stored != "uint16":
                raise FlowError(f"{path} is not a PNG file that can be read: it is damaged or cut short.")
            flow = coded.values[..., :2] - np.float32(32768)
            flow /= 64
            flow[coded.values[..., 2] == 0] = np.nan
            return flow

        return Contents({"": Whole((height, width, 2), np.dtype(np.float32), load)}, pixels=True)


FORMATS.add("kitti", order=80)(Kitti())
