"""Floats as bytes that can be drawn: the one place that says how noise looks, in the window and in what is exported."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

NOISE_RANGE = 3.0
"""Noise is drawn between black at −3σ and white at +3σ, always, so that a lost variance shows as lost contrast."""


def noise_bytes(noise: F32, colours: str) -> U8:
    """(C, H, W) noise as (H, W) grey of channel 0, or as (H, W, 3) of channels 0 to 2 (missing: the last again)."""
    scale, middle = np.float32(127.5 / NOISE_RANGE), np.float32(127.5)
    if colours == "grey":
        return to_bytes(noise[0] * scale + middle)
    channels = [noise[min(index, noise.shape[0] - 1)] for index in range(3)]
    return np.stack([to_bytes(channel * scale + middle) for channel in channels], axis=-1)


def image_bytes(image: F32) -> U8:
    """(3, H, W) in [0, 1] as (H, W, 3) bytes."""
    return np.ascontiguousarray(to_bytes(image * np.float32(255)).transpose(1, 2, 0))


def to_bytes(values: F32) -> U8:
    """Values from 0 to 255 rounded to bytes; what lies outside is cut, NaN is 0."""
    values = np.nan_to_num(values, nan=0.0)
    return np.asarray(np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8))
