"""What one pixel of noise is made of, as data: the sub-pixels it owns, the pixels that interpolation reads, or the shares of
pixels that it received; and sentences that say where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu.noise.states import UNDEFINED
from gpu.noise.tracks import Motion

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """A pixel (x, y) beside the one inspected, and its outline (m, 2) in the same anchor frame."""

    x: int
    y: int
    polygon: F32


@dataclass(frozen=True)
class Footprint:
    """The outline `polygon` (m, 2) of a pixel in frame `anchor`, in pixels, around `position` (2,), and the sub-pixels of level
    k that it owns: their places (n, 2) in sub-pixels and what they hold, (C, n).

    `area` of the outline in px^2; `jacobian` the determinant of the map's derivative; `covered` sub-pixels have their centre
    in the outline, of which other pixels own n less. The pixel's value (C,) is `total` (C,) times sqrt(N_k / n).
    """

    anchor: int
    position: F32
    polygon: F32
    neighbours: tuple[Neighbour, ...]
    level: int
    subpixels: I64
    values: F32
    area: float
    jacobian: float
    covered: int
    total: F32
    value: F32

    @property
    def count(self) -> int:
        """How many sub-pixels are owned: |Omega|."""
        return len(self.subpixels)


@dataclass(frozen=True)
class Taps:
    """The pixels (n, 2) of frame `source` that interpolation at `position` (2,) reads, their weights (n,) and what they hold,
    (C, n); `value` (C,) is the weighted sum, and `variance` the sum of the squared weights: the variance of the value."""

    source: int
    position: F32
    pixels: I64
    weights: F32
    values: F32
    value: F32
    variance: float


@dataclass(frozen=True)
class Shares:
    """The shares of pixels (n, 2) of frame `source` that a pixel received which was at `position` (2,) there.

    Each pixel holds `values` (C, n) and hands out `shares` (n,) of its area, which carry `parts` (C, n) of its noise: random,
    and independent of each other. `value` (C,) is the sum of the parts times their `weights` (n,), and of what was drawn
    anew, `fresh` (C,). `pixels` are counted in cells, of which `cells` lie side by side in a pixel of the frame.
    """

    source: int
    position: F32
    pixels: I64
    values: F32
    shares: F32
    parts: F32
    weights: F32
    fresh: F32
    value: F32
    cells: int = 1


@dataclass(frozen=True)
class Inspection:
    """Pixel (x, y) of frame t of one column: its `state` (gpu.noise.states), the prior's `own` value (C,), the `value` (C,)
    that is shown, which differs where `gamma` mixes `mixed` (C,) in, a sentence, and what the own value is made of."""

    t: int
    x: int
    y: int
    state: int
    own: F32
    value: F32
    sentence: str
    footprint: Footprint | None = None
    taps: Taps | None = None
    shares: Shares | None = None
    gamma: float = 0.0
    mixed: F32 | None = None


def first(t: int) -> str:
    """Where the pixels of a shot's first frame come from."""
    return f"Frame {t} is the first of its shot: noise is born here, as the integral over the pixel's own square."


def carried(anchor: int) -> str:
    """Where a pixel comes from that owns sub-pixels of frame `anchor`."""
    return f"Carried from frame {anchor}: the sum of the sub-pixels it owns there, brought back to variance 1."


def not_followed(motion: Motion, t: int, x: int, y: int, state: int) -> str:
    """Why pixel (x, y) of frame t took nothing over from frame t - 1."""
    flow = motion.backward(t - 1)
    height, width = flow.shape[:2]
    at_x, at_y = x + 0.5 + float(flow[y, x, 0]), y + 0.5 + float(flow[y, x, 1])
    if not (0 <= at_x <= width and 0 <= at_y <= height):
        why = f"came into view: it was at ({at_x:.1f}, {at_y:.1f}) in frame {t - 1}, outside the picture"
    elif not bool(motion.valid(t - 1)[y, x]):
        why = f"was not seen in frame {t - 1}: its motion fails the forward-backward check, or the truth says so"
    else:
        why = f"stands where frame {t - 1} had no noise to carry on"
    return f"This pixel {why}. {_fresh(state)}"


def _fresh(state: int) -> str:
    if state == UNDEFINED:
        return "Random fill gives it fresh noise, which is thrown away after this frame."
    return "It opens an anchor here: fresh noise, which later frames carry on."


def owns_nothing(footprint: Footprint, state: int) -> str:
    """Why a pixel that was followed to `footprint` in its anchor frame is fresh all the same."""
    if footprint.covered:
        where = (
            f"covers {footprint.covered} sub-pixels of frame {footprint.anchor}, "
            "and pixels in front own all of them: the map folds"
        )
    else:
        where = (
            f"has shrunk to {abs(footprint.area):.2g} px² of frame {footprint.anchor} and covers no sub-pixel's centre"
        )
    return f"The outline of this pixel {where}. {_fresh(state)}"
