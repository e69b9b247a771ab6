"""Orders of the axes of stored flow, as words of the letters T (steps), C (components), H (rows), W (columns), B (length 1).

    THWC  (T, H, W, 2)      TCHW  (T, 2, H, W)      HWC  (H, W, 2)      CHW  (2, H, W)
    BTHWC (1, T, H, W, 2)   BTCHW (1, T, 2, H, W)   CTHW (2, T, H, W)   and a 1 behind T as well

C is 2; 3 with a validity, 1 where the vector is known and 0 where it is not; or 4 with a second vector. One component alone has
no C. Pure functions on shapes and arrays.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gpu.errors import FlowError

Array = npt.NDArray[np.generic]
F32 = npt.NDArray[np.float32]

Read = Callable[[int, int, int], Array]
"""`read(start, stop, axis)`: what lies at start to stop along an axis of a stored array."""

VECTORS = ("HWC", "CHW", "THWC", "TCHW", "CTHW", "BTHWC", "BTCHW", "BCTHW", "TBHWC", "TBCHW")
"""Orders to try, the first that fits is taken: components behind where the last axis has two, else before rows and columns,
else before the steps. So (2, 2, H, W) are two steps of two components, as a batch of PyTorch is."""

WITH_MORE = ("HWC", "THWC", "BTHWC", "TBHWC")
"""Those that are tried with three or four components: behind only, since (3, H, W) is what a picture looks like."""

COMPONENTS = ("HW", "HWB", "THW", "THWB", "BTHW", "TBHW")
"""Orders of one component alone."""

LATE = ("HWTC", "HWCT", "CHWT", "BHWTC", "BHWCT", "BCHWT")
LATE_ALONE = ("HWT", "BHWT")
"""Orders with the steps behind rows and columns, as MATLAB's arrays have them, never guessed: `doubtful` finds them."""

LEAST, LONGEST = 8, 3.5
"""Pixels that a frame has a side, and how many times longer than the other a side may be, where that is to tell."""

NAMES = ("THWC", "TCHW", "HWC", "CHW", "BTHWC", "BTCHW", "CTHW")
"""Those to offer to a person. Any other order of the letters is understood as well."""

Shape = tuple[int, ...]


def fits(layout: str, shape: Shape, components: tuple[int, ...] = (2, 3, 4)) -> bool:
    """Whether an array of `shape` can have its axes in that order."""
    if len(layout) != len(shape) or 0 in shape:
        return False
    lengths = {"B": (1,), "C": components}
    return all(side in lengths.get(letter, (side,)) for letter, side in zip(layout, shape))


def guess(shape: Shape, single: bool = False) -> str:
    """The layout of an array, "" where none fits; `single`: of one component alone.

    >>> guess((4, 24, 32, 2)), guess((4, 2, 24, 32)), guess((1, 4, 2, 24, 32)), guess((24, 32, 3)), guess((3, 24, 32))
    ('THWC', 'TCHW', 'BTCHW', 'HWC', '')
    """
    if single:
        return next((layout for layout in COMPONENTS if fits(layout, shape)), "")
    two = (layout for layout in VECTORS if fits(layout, shape, (2,)))
    more = (layout for layout in WITH_MORE if fits(layout, shape, (3, 4)))
    return next(two, next(more, ""))


def doubtful(layout: str, shape: Shape) -> tuple[str, ...]:
    """Other orders that make frames of an array where the guessed `layout` makes none, so narrow are they.

    >>> doubtful("THWC", (24, 40, 2, 4)), doubtful("THWC", (480, 832, 49, 2)), doubtful("THWC", (49, 480, 832, 2))
    (('HWTC', 'HWCT'), ('HWTC',), ())
    """
    if "T" not in layout or _frames(layout, shape):
        return ()
    late = LATE if "C" in layout else LATE_ALONE
    least = (2, 4) if layout.endswith("C") and shape[-1] == 4 else (2,)
    return tuple(other for other in late if fits(other, shape, least) and _frames(other, shape))


def _frames(layout: str, shape: Shape) -> bool:
    short, long = sorted(size(layout, shape))
    return short >= LEAST and long <= LONGEST * short


def checked(layout: str) -> str:
    """`layout` as typed, in capitals; FlowError when it is no order of axes."""
    order = layout.strip().upper()
    once = all(order.count(letter) == 1 for letter in "HW") and all(order.count(letter) <= 1 for letter in "TC")
    if not once or set(order) - set("BTCHW") or len(order) > 8:
        raise FlowError(
            f"The flow layout {layout!r} is not understood; give the letters of the axes in their order: T steps, "
            f"C components, H rows, W columns, B an axis of length 1, as in {', '.join(NAMES)}."
        )
    return order


def steps(layout: str, shape: Shape) -> int:
    """How many fields there are."""
    return shape[layout.index("T")] if "T" in layout else 1


def components(layout: str, shape: Shape) -> int:
    """How many components a pixel has; 0 for a component alone."""
    return shape[layout.index("C")] if "C" in layout else 0


def size(layout: str, shape: Shape) -> tuple[int, int]:
    """Rows and columns."""
    return shape[layout.index("H")], shape[layout.index("W")]


def field(layout: str, shape: Shape, read: Read, t: int) -> F32:
    """Field t of a stored array as (H, W, C) float32, or (H, W) of a component alone; only its own part is read.

    What float32 cannot hold becomes infinite, and an invalid vector with it.
    """
    axis = layout.index("T") if "T" in layout else 0
    part = read(t, t + 1, axis) if "T" in layout else read(0, shape[0], 0)
    left = [letter for letter in layout if letter not in "TB"]
    part = part.reshape([side for letter, side in zip(layout, shape) if letter in left])
    order = [left.index(letter) for letter in "HWC" if letter in left]
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(part.transpose(order), np.float32)
