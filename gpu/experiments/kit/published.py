"""Numbers of the literature that measured ones are set beside: facts, each with its source."""

from __future__ import annotations

CHANG = "Chang et al. 2024, arXiv 2504.03072"
TABLE_1 = f"{CHANG}, Table 1"
TABLE_3 = f"{CHANG}, Table 3"
BURGERT = "Burgert et al. 2025, arXiv 2501.08331, Table 1"

_PRIORS = (
    "random", "fixed", "pyoco-mixed", "pyoco-progressive", "control-a-video", "bilinear", "bicubic", "nearest", "integral",
)  # fmt: skip

WARP_ERROR = {
    "appearance-transfer": dict(zip(_PRIORS, (10.00, 4.35, 7.26, 4.90, 5.09, 3.15, 4.95, 15.10, 2.50))),
    "super-resolution": dict(zip(_PRIORS, (8.91, 7.97, 8.48, 8.10, 7.98, 21.47, 13.02, 14.30, 6.49))),
    "jpeg-restoration": dict(zip(_PRIORS, (8.28, 7.54, 7.77, 7.48, 7.73, 5.26, 5.74, 7.91, 5.98))),
    "pose-to-person": dict(zip(_PRIORS, (34.22, 2.26, 20.92, 11.97, 6.45, 2.13, 2.40, 9.21, 2.92))),
}
"""Warp error ×10⁻³ between consecutive frames, by task and prior (TABLE_1; super-resolution there is ×4)."""

MILLISECONDS = {"bilinear": 5.26, "control-a-video": 6.08, "integral": 629.0, "ddim-inversion": 853.0}
"""ms a frame at 256² on an RTX 3090; integral with k = 3, s = 4, DDIM inversion with 20 steps (TABLE_3)."""

MILLISECONDS_1024 = {"integral": 55.2, "infinite-particle": 2.61, "go-with-the-flow": 2.14}
"""ms a frame at 1024² on an A100 (BURGERT)."""

MORAN = {"integral": 0.0011, "infinite-particle": 0.00036, "go-with-the-flow": 0.00014, "bilinear": 0.30}
"""Moran's I of the noise (BURGERT)."""


def ratio(task: str) -> float | None:
    """Published warp error of random over that of ∫-noise; None where the task was not published."""
    row = WARP_ERROR.get(task)
    return row["random"] / row["integral"] if row else None
