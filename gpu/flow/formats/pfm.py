"""Portable float maps (.pfm) as the Scene Flow datasets have them: three floats a pixel, dx, dy and 0, rows from below.

Mayer, Ilg, Häusser, Fischer, Cremers, Dosovitskiy, Brox, "A Large Dataset to Train Convolutional Networks for Disparity,
Optical Flow, and Scene Flow Estimation", CVPR 2016 (FlyingThings3D, Monkaa, Driving). The header is PF (Pf: one float a
pixel), width and height, and a scale whose sign says the order of bytes: negative is little-endian (Debevec's format).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gpu.errors import FlowError
from gpu.flow.formats import FORMATS, Array, Contents, Whole, check_size, read_exactly

HEADER = re.compile(rb"(P[Ff])\s+([0-9]{1,9})\s+([0-9]{1,9})\s+([-+]?[0-9.eE+-]{1,30})[ \t\r]*\n")


class Pfm:
    title = "Portable float map"
    suffix = ".pfm"

    def open(self, path: Path) -> Contents:
        with path.open("rb") as file:
            head = HEADER.match(file.read(200))
        try:
            scale = float(head[4]) if head else 0.0
        except ValueError:
            scale = 0.0
        if head is None or not np.isfinite(scale) or scale == 0:
            raise FlowError(
                f"{path} is not a portable float map: it does not begin with PF, a width, a height and a scale."
            )
        width, height, channels = int(head[2]), int(head[3]), 3 if head[1] == b"PF" else 1
        check_size(path, width, height)
        held, needed = path.stat().st_size, head.end() + 4 * channels * width * height
        if held < needed:
            raise FlowError(
                f"{path} holds {held} bytes, but a float map of {width}x{height} has {needed}: "
                "the file is damaged or cut short."
            )

        def load() -> Array:
            data = read_exactly(path, head.end(), needed - head.end())
            rows = np.frombuffer(data, "<f4" if scale < 0 else ">f4").reshape(height, width, channels)[::-1]
            return np.ascontiguousarray(rows[..., :2] if channels == 3 else rows[..., 0], np.float32)

        shape = (height, width, 2) if channels == 3 else (height, width)
        return Contents({"": Whole(shape, np.dtype(np.float32), load)}, pixels=True)


FORMATS.add("pfm", order=70)(Pfm())
