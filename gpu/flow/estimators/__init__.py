"""Flow estimators, one file each: motion between two pictures. The registry is ESTIMATORS."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpu.registry import Registry

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]


class Estimator(Protocol):
    """A module-level object. `presets` are named settings, the first the one used unless another is asked for.

    >>> rng = np.random.default_rng(0)
    >>> coarse = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    >>> picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    >>> moved = np.roll(picture, 3, axis=1)  # to the right
    >>> flow = ESTIMATORS.get("dis").estimate(picture, moved, preset="medium", scale=1.0)
    >>> flow.shape, np.median(flow, axis=(0, 1)).round()
    ((96, 128, 2), array([3., 0.], dtype=float32))
    """

    title: str
    about: str
    presets: tuple[str, ...]

    def estimate(self, a: U8, b: U8, preset: str, scale: float) -> F32:
        """(H, W, 2) flow from `a` to `b` on a's grid: what is seen at p of a is at p + flow(p) in b, in pixels.

        Args:
            a: (H, W, 3) RGB uint8, of any size from 1 x 1.
            b: (H, W, 3) RGB uint8, of the same size.
            preset: one of `presets`; "" and "medium" stand for the first.
            scale: the working resolution relative to that of the pictures.

        The same input gives the same bytes, whatever the number of threads. FlowError for pictures that do not fit
        together, ChoiceError for an unknown preset, BackendError where something the estimator needs is missing.
        """
        ...


ESTIMATORS: Registry[Estimator] = Registry("flow estimator", "gpu.flow.estimators")
