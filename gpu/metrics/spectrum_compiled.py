"""The power of a spectrum in compiled code: one pass where torch makes two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.compiled import kernel

Floats = npt.NDArray[np.float32]


@kernel
def power(parts: Floats, out: Floats) -> None:
    """|.|^2 of n complex numbers, given as their `parts` (n, 2), into `out` (n,)."""
    for n in range(len(out)):
        out[n] = parts[n, 0] * parts[n, 0] + parts[n, 1] * parts[n, 1]
