"""Orders of the axes of a noise file, as words of the letters T (frames), C (channels), H (rows), W (columns)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.errors import OutputError

F32 = npt.NDArray[np.float32]

MEANING = {"T": "frames", "C": "channels", "H": "rows", "W": "columns"}


def check(axes: str, frames: int) -> None:
    """OutputError when `axes` is no order of TCHW, or lacks T although there are several frames."""
    if sorted(axes) not in (sorted("TCHW"), sorted("CHW")):
        raise OutputError(
            f"The axis order {axes!r} is not understood; give the letters T, C, H, W once each, as in TCHW."
        )
    if "T" not in axes and frames != 1:
        raise OutputError(
            f"The axis order {axes} holds one frame, but {frames} are to be written; add T or choose one."
        )


def shape(axes: str, frames: int, channels: int, height: int, width: int) -> tuple[int, ...]:
    """The lengths of the axes, in their order."""
    lengths = {"T": frames, "C": channels, "H": height, "W": width}
    return tuple(lengths[letter] for letter in axes)


def standard(array: npt.NDArray[np.generic], axes: str) -> npt.NDArray[np.generic]:
    """The array, whose axes stand in the order `axes`, as a view in the order TCHW (T of length 1 if there is none)."""
    if "T" not in axes:
        array, axes = array[None], "T" + axes
    return array.transpose([axes.index(letter) for letter in "TCHW"])


def text(axes: str, lengths: tuple[int, ...]) -> str:
    """For people: "48 frames × 4 channels × 288 rows × 512 columns (TCHW)"."""
    return " × ".join(f"{length} {MEANING[letter]}" for letter, length in zip(axes, lengths)) + f" ({axes})"
