"""Animations of lessons as GIF files. No Qt here: the frames are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from gpu.errors import OutputError
from gpu.files import replacing

Frame = npt.NDArray[np.uint8]

MILLISECONDS = 80
FRAMES = 40  # most of one animation
COLOURS = 128


def positions(low: float, high: float, step: float, most: int = FRAMES) -> list[float]:
    """Where an animation stops between `low` and `high`: whole multiples of `step` from `low`, both ends included, at most
    about `most` of them."""
    count = max(round((high - low) / step), 1)
    every = max(1, -(-count // (most - 1)))
    places = [low + step * index for index in range(0, count + 1, every)]
    if places[-1] < high - 1e-9:
        places.append(high)
    return places


def write_gif(path: Path, frames: Sequence[Frame], milliseconds: int = MILLISECONDS) -> Path:
    """Write frames (H, W, 3) as an endless animation; OutputError when there are none or the file cannot be written."""
    if not frames:
        raise OutputError(f"The animation {path} has no frames.")
    shape = frames[0].shape
    if any(frame.shape != shape for frame in frames):
        raise OutputError(f"The frames of the animation {path} have different sizes; leave the window's size alone.")
    # One palette for all frames, from the first, middle and last: areas that do not change do not flicker.
    chosen = [frames[0], frames[len(frames) // 2], frames[-1]]
    palette = Image.fromarray(np.concatenate(chosen)).quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    pictures = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    with replacing(path) as partial:
        pictures[0].save(
            partial,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=milliseconds,
            loop=0,
            optimize=False,
        )
    return path
