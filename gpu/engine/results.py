"""What the engine hands out: one frame of every column, ready to be drawn. Plain numpy, no torch, no computing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from gpu.metrics.coherence import Coherence
    from gpu.metrics.flicker import Flicker
    from gpu.metrics.quality import Quality
    from gpu.metrics.whiteness import Whiteness

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

SERIES = (
    "variance",
    "coherence_previous",
    "coherence_first",
    "coherence_ceiling",
    "undefined",
    "inherited",
    "new",
    "renewed",
    "warp_error",
    "warp_error_5",
    "coverage",
    "coverage_5",
    "sharpness",
    "laplacian",
    "psnr",
)
"""Names of the curves over time. Coherence is a correlation, and its ceiling what perfect transport reaches with the
previous frame; undefined, inherited, new, renewed and both coverages are fractions; warp_error and warp_error_5 (gaps of 1
and 5 frames) are mean squared differences of images in [0, 1], unscaled (views show x 10^-3); sharpness is relative to the
true frame and NaN, as psnr (dB), where none is known; laplacian, the variance behind it, is on the 0-255 scale."""


@dataclass(frozen=True)
class Column:
    """One prior's part of a frame. `state` is one of gpu.noise.states."""

    key: str
    noise: F32  # (C, H, W)
    state: U8  # (H, W)
    whiteness: Whiteness
    coherence: Coherence | None  # None at the first frame of a shot
    output: F32 | None  # (3, H, W) in [0, 1]; None without a task or before it is done
    error: F32 | None  # (H, W) squared warp difference of the output against the previous frame's, NaN where not valid
    quality: Quality | None


@dataclass(frozen=True)
class FrameResult:
    """Frame t. `columns` holds what is computed so far, in the session's order; `complete` says whether that is all."""

    t: int
    image: U8  # (H, W, 3) the source's frame
    input: F32 | None  # (3, H, W) what the model is given
    backward: F32 | None  # (H, W, 2) on this frame's grid, to frame t-1; None at the first frame of a shot
    valid: Mask | None  # (H, W) where `backward` passes the forward-backward check
    columns: Mapping[str, Column]
    complete: bool
    invalid: int = 0  # flow vectors of `backward` that were not finite, taken as 0 at invalid pixels


@dataclass(frozen=True)
class Flickers:
    """Flicker of the outputs of every column over the longest run of computed frames; `truth` is that of the task's true
    frames, None where they are not known. `columns` is empty where too few frames in a row are computed: `frames` of them."""

    columns: Mapping[str, Flicker]
    truth: Flicker | None
    frames: int


@dataclass(frozen=True)
class Update:
    """One step of long work: `done` of `total` steps, what is being done, and the frame as far as it has come."""

    done: int
    total: int
    what: str
    result: FrameResult | None = None


@dataclass(frozen=True)
class SourceInfo:
    """What is known of the opened source."""

    title: str
    height: int
    width: int
    frames: int
    fps: float
    cuts: tuple[int, ...]
    motion: str  # "true motion", "DIS medium", ...
    has_truth: bool
    backend: str  # "GL: llvmpipe" or "torch cpu"
    device: str
    times: tuple[float, ...] = ()
    """(frames + 1,) seconds at which each frame is shown, and at which the last one's time is over, where they last differently
    long; else nothing."""
    exposure: float | None = None
    """Stops at which pictures of scene-linear light are shown; None of others."""
    layers: tuple[str, ...] = ()
    """Of OpenEXR pictures, those that can be chosen."""

    @property
    def clock(self) -> tuple[float, ...]:
        """`times`, or where they are as the rate says, those; empty where nothing is known of time."""
        if self.times or self.fps <= 0:
            return self.times
        return tuple(t / self.fps for t in range(self.frames + 1))
