"""The run of ∫-noise: what the transport gathers, and what one of its pixels is made of."""

from __future__ import annotations

from gpu.noise.inspection import Inspection
from gpu.priors import NoiseFrame, PriorContext


class IntegralRun:
    """∫-noise of Chang et al. 2024 (Eq. 1-5, Algorithm 2), with the two-stage disocclusion handler."""

    def __init__(self, context: PriorContext) -> None:
        self._context = context

    def frame(self, t: int) -> NoiseFrame:
        noise, state = self._context.transport.integral(t, self._context.channels)
        return NoiseFrame(noise, state)

    def renewals(self, t: int) -> dict[int, float]:
        """See gpu.priors.Renewing."""
        return self._context.transport.renewals(t)

    def inspect(self, t: int, x: int, y: int) -> Inspection:
        """See gpu.priors.Inspectable."""
        return self._context.transport.inspect(t, x, y, self._context.channels)
