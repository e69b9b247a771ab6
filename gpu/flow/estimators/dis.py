"""DIS optical flow of OpenCV: dense inverse search, quick and good on textured motion."""

from __future__ import annotations

import numpy as np

from gpu.cv import cv2
from gpu.flow.estimators import ESTIMATORS, F32, U8
from gpu.flow.pairs import estimate_pair, grey, pick

MINIMUM = 32  # smaller pictures have no pyramid level that DIS can start from

_PRESETS = {
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
}


class Dis:
    """Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016."""

    title = "DIS"
    about = "Dense inverse search: quick, good on textured motion."
    presets = tuple(_PRESETS)

    def estimate(self, a: U8, b: U8, preset: str, scale: float) -> F32:
        search = cv2.DISOpticalFlow.create(_PRESETS[pick(self.title, preset, self.presets)])

        def compute(first: U8, second: U8) -> F32:
            # None: an array given here is read as a starting guess (and garbage in it makes OpenCV crash).
            flow = search.calc(grey(first), grey(second), None)  # type: ignore[call-overload]
            return np.asarray(flow, np.float32)

        return estimate_pair(a, b, scale, MINIMUM, compute)


ESTIMATORS.add("dis", order=10)(Dis())
