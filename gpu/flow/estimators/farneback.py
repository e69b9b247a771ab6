"""Farneback optical flow of OpenCV: polynomial expansion, smooth fields."""

from __future__ import annotations

import numpy as np

from gpu.cv import cv2
from gpu.flow.estimators import ESTIMATORS, F32, U8
from gpu.flow.pairs import estimate_pair, grey, pick

MINIMUM = 32

# Window, iterations, neighbourhood of the polynomial and its Gaussian, as OpenCV's documentation pairs them.
_PRESETS = {
    "medium": (15, 3, 5, 1.1),
    "fine": (11, 8, 7, 1.5),
    "fast": (21, 1, 5, 1.1),
}


class Farneback:
    """Farnebäck, "Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003."""

    title = "Farneback"
    about = "Polynomial expansion: smooth fields, weak where there is little texture."
    presets = tuple(_PRESETS)

    def estimate(self, a: U8, b: U8, preset: str, scale: float) -> F32:
        window, iterations, neighbourhood, sigma = _PRESETS[pick(self.title, preset, self.presets)]

        def compute(first: U8, second: U8) -> F32:
            start = np.zeros((*first.shape[:2], 2), np.float32)
            flow = cv2.calcOpticalFlowFarneback(
                grey(first), grey(second), start, 0.5, 5, window, iterations, neighbourhood, sigma,
                cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
            )  # fmt: skip
            return np.asarray(flow, np.float32)

        return estimate_pair(a, b, scale, MINIMUM, compute)


ESTIMATORS.add("farneback", order=20)(Farneback())
