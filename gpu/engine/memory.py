"""How much memory a session takes at its most, asked before it is opened: sizes that no machine has room for are refused.

Everything kept from frame to frame has a bound in bytes, so that long clips take no more than short ones; what working on one
frame takes grows with its pixels.
"""

from __future__ import annotations

import os

from gpu.errors import SizeError
from gpu.noise import fine_field, sparse, tracks
from gpu.session import NoiseSettings
from gpu.source import motion

NOISE_CACHE_BYTES = 64 << 20
"""Of noise of the last frames of all columns; more where one frame of all of them takes it."""

PROGRAM_BYTES = 340 << 20
"""What the libraries take before anything is computed."""

WORK_BYTES = 800
"""Bytes a pixel that working on one frame takes beside what is kept: outlines, and which pieces they touch. Measured, with all
of the below, by `python -m tests.gpu.engine.measure_memory` for integral."""


def kept_noise(height: int, width: int, channels: int, columns: int) -> int:
    """Bytes of noise to keep: every column's frame is compared with the one before and with the shot's first."""
    return max(NOISE_CACHE_BYTES, 3 * columns * (4 * channels + 1) * height * width)


def needed(height: int, width: int, noise: NoiseSettings, columns: int = 1) -> int:
    """Bytes that `columns` noises of this size take at the most, the whole program counted, however many frames there are."""
    pixels = height * width
    steps = max(motion.CACHE_BYTES // 2, 2 * motion.STEP_PIXEL_BYTES * pixels)
    forwards = max(motion.CACHE_BYTES // 2, 2 * motion.FORWARD_PIXEL_BYTES * pixels)
    places = max(tracks.TRACK_CACHE_BYTES, 4 * tracks.TRACK_PIXEL_BYTES * pixels)
    pieces = min(fine_field.FIELD_CACHE_BYTES, 4 * noise.channels * (1 << 2 * noise.k) * pixels)
    kept = kept_noise(height, width, noise.channels, columns) + steps + forwards + places + pieces
    return PROGRAM_BYTES + kept + sparse.BLOCK_CACHE_BYTES + WORK_BYTES * pixels


def check(height: int, width: int, noise: NoiseSettings, columns: int = 1) -> None:
    """SizeError when frames of that size cannot be worked on in this machine's memory."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return
    wanted = needed(height, width, noise, columns)
    if wanted > there:
        raise SizeError(
            f"Frames of {height} × {width} pixels need about {wanted / 1e9:.0f} GB of memory; "
            f"this machine has {there / 1e9:.0f} GB. Choose a smaller size."
        )
