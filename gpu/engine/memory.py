"""How much memory a session takes at its most, asked before it is opened: sizes that no machine has room for are refused.

Everything kept from frame to frame has a bound in bytes, so that long clips take no more than short ones; what working on one
frame takes grows with its pixels.
"""

from __future__ import annotations

import os

from gpu.errors import SizeError
from gpu.noise import blocks, field_limit, tracks
from gpu.session import NoiseSettings
from gpu.source import motion

NOISE_CACHE_BYTES = 64 << 20
"""Of noise of the last frames of all columns; more where one frame of all of them takes it."""

PROGRAM_BYTES = 400 << 20
"""What the libraries take before anything is computed, and what the allocator does not give back."""

GL_BYTES = 160 << 20
"""What OpenGL takes beside them where the processor draws (llvmpipe)."""

GL_WORK_BYTES = 190
"""Bytes a pixel that OpenGL takes in the same case: its buffers and textures are the processor's memory too. Measured, with all
of the below: 757 MB for 256x256x3, 1153 for 512x512x3, 2552 for 1024x1024x3, reckoned with 1.03, 1.00 and 1.04 of it."""

WORK_BYTES = 550
"""Bytes a pixel that working on one frame takes beside what is kept: by `python -m tests.gpu.engine.measure_memory`, for
integral: 484 MB for 128x128x3, 866 for 512x512x3, 2315 for 1024x1024x5, which are reckoned with 1.06, 1.05 and 1.03 of it; most
is the field, which is kept (gpu.noise.prefix_sums). Without numba torch takes less: 769 MB for 512x512x3."""

MANY = 1_000_000
"""Frames that fill every bound."""


def kept_noise(height: int, width: int, channels: int, columns: int) -> int:
    """Bytes of noise to keep: every column's frame is compared with the one before and with the shot's first."""
    return max(NOISE_CACHE_BYTES, 3 * columns * (4 * channels + 1) * height * width)


def needed(height: int, width: int, noise: NoiseSettings, columns: int = 1, frames: int = MANY) -> int:
    """Bytes that `columns` noises of so many frames of this size take at the most, the whole program counted."""
    pixels, pairs = height * width, max(frames - 1, 1)
    step, forward, place = (
        each * pixels for each in (motion.STEP_PIXEL_BYTES, motion.FORWARD_PIXEL_BYTES, tracks.TRACK_PIXEL_BYTES)
    )
    half = motion.CACHE_BYTES // 2
    kept = min(kept_noise(height, width, noise.channels, columns), frames * columns * (4 * noise.channels + 1) * pixels)
    kept += min(max(half, 2 * step), pairs * step) + min(max(half, 2 * forward), pairs * forward)
    kept += min(max(tracks.TRACK_CACHE_BYTES, 4 * place), frames * place)
    cells, groups = (1 << 2 * noise.k) * pixels, -(-noise.channels // 4)
    kept += blocks.BLOCK_CACHE_BYTES
    kept += min(field_limit.limit(), 16 * groups * cells)
    # With `auto` OpenGL is chosen where a graphics card has a memory of its own.
    drawn = {"torch": 0, "auto": GL_BYTES}.get(noise.backend, GL_BYTES + GL_WORK_BYTES * pixels)
    return PROGRAM_BYTES + drawn + kept + WORK_BYTES * pixels


def there() -> int:
    """Bytes of memory that this machine has; 0 where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 0


def processes(height: int, width: int, noise: NoiseSettings, frames: int = MANY) -> int:
    """How many processes that each work on a noise of so many frames of this size this machine has memory for, one at least."""
    return max(1, there() // needed(height, width, noise, 1, frames)) if there() else MANY


def check(
    height: int, width: int, noise: NoiseSettings, columns: int = 1, frames: int = MANY, workers: int = 0
) -> None:
    """SizeError when frames of that size cannot be worked on in this machine's memory, by this process and `workers` more."""
    wanted = needed(height, width, noise, columns, frames) + workers * needed(height, width, noise, 1, frames)
    if there() and wanted > there():
        who = f" with {workers} workers" if workers else ""
        what = "fewer workers, or a smaller size" if workers else "a smaller size"
        raise SizeError(
            f"Frames of {height} × {width} pixels need about {wanted / 1e9:.0f} GB of memory{who}; "
            f"this machine has {there() / 1e9:.0f} GB. Choose {what}."
        )
