"""FFmpeg's filters on single pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.error
import av.filter
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

NOT_YET = (av.error.BlockingIOError, av.error.EOFError, BlockingIOError, EOFError)
"""Raised by `pull` of a graph that has nothing ready."""


def graph(picture: Any, base: Fraction, filters: list[tuple[str, str]]) -> Any:
    """`filters`, names with their settings, one after another, for pictures of the size and format of `picture`."""
    made: Any = av.filter.Graph()
    last = made.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=base)
    for name, settings in filters:
        node = made.add(name, settings)
        last.link_to(node)
        last = node
    sink = made.add("buffersink")
    last.link_to(sink)
    made.configure()
    return made


def tag(made: Any, picture: Any) -> None:
    """Give `made` the colours of the frame that it was made of."""
    made.colorspace, made.color_range = picture.colorspace, picture.color_range
    made.color_primaries, made.color_trc = picture.color_primaries, picture.color_trc


def luma(picture: Any) -> U8:
    """(H, W) the first plane, of more than 8 bits the upper ones."""
    plane = picture.planes[0]
    component = picture.format.components[0]
    if component.bits <= 8:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        step = 2 if picture.format.name.startswith(("yuyv", "yvyu")) else 1
        return np.ascontiguousarray(rows[:, : plane.width * step : step])
    rows = np.frombuffer(plane, "<u2").reshape(plane.height, plane.line_size // 2)
    return np.asarray(rows[:, : plane.width] >> (component.bits - 8), np.uint8)
