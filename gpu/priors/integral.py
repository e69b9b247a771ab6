"""integral: ∫-noise, carried along the motion from anchors by exact ownership of sub-pixels."""

from __future__ import annotations

from gpu.noise import inspect
from gpu.noise.inspect import Inspection
from gpu.priors import PRIORS, NoiseFrame, PriorContext, PriorInfo, Run


class _Run:
    def __init__(self, context: PriorContext) -> None:
        self._context = context

    def frame(self, t: int) -> NoiseFrame:
        noise, state = self._context.transport.integral(t, self._context.channels)
        return NoiseFrame(noise, state)

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        return inspect.integral(self._context.transport, t, x, y, self._context.channels)


class Integral:
    """∫-noise of Chang et al. 2024 (Eq. 1-5, Algorithm 2), with the two-stage disocclusion handler."""

    info = PriorInfo(
        title="∫-noise",
        summary="A pixel is the integral of an endlessly fine noise field; each frame gathers the sub-pixels that its "
        "pixels cover in their anchor frame. It follows the motion and stays exactly white.",
        source="Chang et al. 2024, How I Warped Your Noise, arXiv 2504.03072",
        modes=("anchored",),
    )

    def start(self, context: PriorContext) -> Run:
        return _Run(context)


PRIORS.add("integral", order=100)(Integral())
