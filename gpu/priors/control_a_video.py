"""Prior `control-a-video`: new noise where the picture changed, the old noise elsewhere (Chen et al. 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu.parameters import ParameterInfo
from gpu.priors import INHERITED, KEPT, NEW, PRIORS, Prior, PriorInfo

if TYPE_CHECKING:
    import torch

    from gpu.priors import NoiseFrame, PriorContext, Run

INFO = PriorInfo(
    title="Control-A-Video",
    summary="Draws new noise where the picture changed since the previous frame and keeps the old noise elsewhere.",
    source="Chen et al. 2023, Control-A-Video, arXiv 2305.13840, residual-based noise initialisation.",
    parameters=(
        ParameterInfo(
            "threshold",
            "Threshold",
            0.1,
            0.0,
            1.0,
            0.01,
            tip="Change that draws new noise, relative to the largest.",
        ),
    ),
    uses_motion=False,
    hue="purple",
    dash="dashed",
)


def changed(current: torch.Tensor, previous: torch.Tensor, threshold: float, height: int, width: int) -> torch.Tensor:
    """(height, width) bool: where the channel mean of |current - previous|, over its maximum, exceeds `threshold`.

    The images are (3, h, w); the mask is resized to the noise grid by its nearest pixel. Equal images have no change.
    """
    from torch.nn.functional import interpolate

    difference = (current - previous).abs().mean(dim=0)
    mask = difference > threshold * difference.amax()
    if mask.shape != (height, width):
        resized = interpolate(mask[None, None].float(), size=(height, width), mode="nearest-exact")
        mask = resized[0, 0] > 0
    return mask


def start(context: PriorContext) -> Run:
    """ε_t where the picture changed, n_{t-1} elsewhere."""
    import torch

    from gpu.noise import rng
    from gpu.priors import NoiseFrame
    from gpu.priors.kit.sequence import chain, number

    def step(previous: NoiseFrame, t: int) -> NoiseFrame:
        threshold = number(context, INFO, "threshold")
        before = context.image(
            t - 1
        )  # first, so that this frame's is the last to leave a cache of two: the next needs it
        mask = changed(context.image(t), before, threshold, context.height, context.width)
        noise = torch.where(mask, context.white(rng.INDEPENDENT, t), previous.noise)
        old = torch.where(previous.state == KEPT, KEPT, INHERITED)
        return NoiseFrame(noise, torch.where(mask, NEW, old).to(torch.uint8))

    return chain(context, step)


PRIORS.add("control-a-video", order=50)(Prior(INFO, start))
