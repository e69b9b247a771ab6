"""KITTI flow files: 16-bit PNG with red = 64 dx + 2^15, green = 64 dy + 2^15, blue = 1 where the vector is known.

Menze, Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015, and the benchmark's development kit. Steps of
1/64 pixel; unknown vectors come out as NaN.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow.formats import F32, FORMATS


class Kitti:
    title = "KITTI 16-bit PNG"
    suffix = ".png"
    single = True

    def read(self, path: Path) -> F32:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        coded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
        if coded is None:
            raise FlowError(f"{path} is not a PNG file that can be read.")
        if coded.ndim != 3 or coded.shape[2] != 3 or coded.dtype != np.uint16:
            raise FlowError(
                f"{path} is a picture of shape {coded.shape} and type {coded.dtype}; a KITTI flow is a colour PNG with "
                "16 bits a channel."
            )
        flow = (coded[..., 2:0:-1].astype(np.float32) - 32768) / 64  # OpenCV gives blue, green, red
        flow[coded[..., 0] == 0] = np.nan
        return np.ascontiguousarray(flow[None], np.float32)


FORMATS.add("kitti", order=40)(Kitti())
