"""Samplers of diffusion models as plain functions; all noise, initial and injected, is handed in.

Notation of Karras et al. 2022 (arXiv 2206.00364): x at noise level σ is clean data plus σ times unit noise, and
dx/dσ = (x − D(x; σ)) / σ along the probability flow. A sampler is a generator that yields (x, denoised) after each
of its steps, `denoised` being the current estimate of the clean picture; after the last step both are the output.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from gpu.diffusion.model.precondition import Denoiser
from gpu.errors import ChoiceError

# j >= 1 -> the j-th injected noise: unit variance, of the shape of x.
InjectedNoise = Callable[[int], torch.Tensor]
States = Iterator[tuple[torch.Tensor, torch.Tensor]]


class SampleFunction(Protocol):
    """A sampler: a generator of (x, denoised), one for each step.

    Args:
        x: (B, C, H, W) where sampling begins: clean data plus sigmas[0] times noise of unit variance.
        sigmas: falling noise levels, the last of them 0; there is one step fewer.
        denoise: D(x; σ), the model's estimate of the clean data.
        noise: the j-th injected noise, j from 1, for stochastic samplers.
        churn: stochasticity, 0 (none) to 1.
    """

    def __call__(
        self, x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float
    ) -> States: ...


@dataclass(frozen=True)
class Sampler:
    """A sampler with what a menu needs to know about it."""

    title: str
    run: SampleFunction
    # (steps, churn) -> how many injected noises it asks for, numbered from 1
    injections: Callable[[int, float], int]
    # (steps, sigma_min, sigma_max) -> steps + 1 falling noise levels, the last of them 0
    schedule: Callable[[int, float, float], list[float]]

    @property
    def stochastic(self) -> bool:
        """Whether the stochasticity (churn) changes what it does."""
        return self.injections(4, 0.0) != self.injections(4, 1.0)


def _check_levels(steps: int, sigma_min: float, sigma_max: float) -> None:
    if steps < 1:
        raise ChoiceError(f"A sampler needs at least one step; {steps} were asked for.")
    if not 0 < sigma_min <= sigma_max < math.inf:
        raise ChoiceError(f"Noise levels must satisfy 0 < least ≤ greatest; got {sigma_min} and {sigma_max}.")


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> list[float]:
    """steps + 1 noise levels from sigma_max down to sigma_min, and then 0 (Equation 5).

    >>> [round(sigma, 2) for sigma in karras_sigmas(4, sigma_min=0.02, sigma_max=10.0)]
    [10.0, 2.17, 0.31, 0.02, 0.0]
    """
    _check_levels(steps, sigma_min, sigma_max)
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    spread = max(steps - 1, 1)
    return [(high + step / spread * (low - high)) ** rho for step in range(steps)] + [0.0]


def ddim_sigmas(steps: int, sigma_min: float, sigma_max: float) -> list[float]:
    """steps + 1 noise levels, the last 0, at even times of the variance preserving diffusion that DDIM is used with.

    β rises linearly from 0.1 to 20 over [0, 1] (Song et al. 2021, arXiv 2011.13456, Appendix C: the continuous form of
    the 1000 steps of Ho et al.), and σ² = exp(∫β) − 1. `euler` over these levels is DDIM as it was published.
    """
    _check_levels(steps, sigma_min, sigma_max)
    least, rise = 0.1, 19.9

    def time_of(level: float) -> float:  # the root of rise t²/2 + least t = ln(1 + σ²)
        return (math.sqrt(least**2 + 2 * rise * math.log1p(level**2)) - least) / rise

    first, last = time_of(sigma_max), time_of(sigma_min)
    times = [first + step / max(steps - 1, 1) * (last - first) for step in range(steps)]
    return [math.sqrt(math.expm1(rise * time**2 / 2 + least * time)) for time in times] + [0.0]


def bridge_sigmas(steps: int, sigma_min: float, sigma_max: float) -> list[float]:
    """steps + 1 noise levels of a Schrödinger bridge at even times, and then 0, as levels of plain diffusion.

    Of I²SB (Liu et al. 2023, arXiv 2302.05872, Section 3.2 and Appendix): on [0, 1] the diffusion β is symmetric,
    √β linear in the distance from the nearer end; with σ_t² = ∫₀ᵗ β and σ̄_t² = ∫ₜ¹ β the state between clean x₀ and
    degraded x₁ is N(((σ̄² x₀ + σ² x₁) / (σ̄² + σ²)), σ² σ̄² / (σ̄² + σ²)). Divided by the weight of x₀ it is x₀ − x₁ plus
    Gaussian noise of level σ √(σ² + σ̄²) / σ̄: a bridge is diffusion of the difference from infinite noise. Times are even
    between those at which the level is sigma_max and sigma_min; levels are in units of the data, ∫₀¹ β being 1.
    """
    _check_levels(steps, sigma_min, sigma_max)

    def below(time: float) -> float:  # σ_t² / (σ_t² + σ̄_t²), for √β ∝ min(t, 1 − t)
        return 4 * time**3 if time < 0.5 else 1 - 4 * (1 - time) ** 3

    def time_of(level: float) -> float:
        share = level**2 / (1 + level**2)
        return math.cbrt(share / 4) if share < 0.5 else 1 - math.cbrt((1 - share) / 4)

    first, last = time_of(sigma_max), time_of(sigma_min)
    times = [first + step / max(steps - 1, 1) * (last - first) for step in range(steps)]
    return [math.sqrt(below(time) / (1 - below(time))) for time in times] + [0.0]


def _slope(x: torch.Tensor, denoised: torch.Tensor, sigma: float) -> torch.Tensor:
    return (x - denoised) / sigma


def euler(x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float) -> States:
    """Euler's method on the probability flow: Algorithm 1 of Karras et al. without its second-order correction.

    In these variables it is DDIM (Song, Meng, Ermon 2021, arXiv 2010.02502, Equation 13 with σ_t = 0). No noise is
    injected.

    >>> grey = lambda x, sigma: torch.full_like(x, 0.5)  # a model that sees grey in everything
    >>> noise = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    >>> steps = list(euler(10 * noise, karras_sigmas(4, 0.02, 10.0), grey, noise=lambda index: noise, churn=0.0))
    >>> len(steps), float(steps[-1][0].mean())
    (4, 0.5)
    """
    for sigma, after in itertools.pairwise(sigmas):
        denoised = denoise(x, sigma)
        x = denoised if after == 0 else x + (after - sigma) * _slope(x, denoised, sigma)
        yield x, denoised


def _heun_step(x: torch.Tensor, sigma: float, after: float, denoise: Denoiser) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of Algorithm 1 of Karras et al., lines 4-9: the new x and the estimate of the clean picture."""
    denoised = denoise(x, sigma)
    if after == 0:  # the second evaluation would divide by zero (line 6)
        return denoised, denoised
    slope = _slope(x, denoised, sigma)
    predicted = x + (after - sigma) * slope
    denoised = denoise(predicted, after)
    corrected = 0.5 * (slope + _slope(predicted, denoised, after))
    return x + (after - sigma) * corrected, denoised


def heun(x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float) -> States:
    """Heun's second-order method on the probability flow: Algorithm 1 of Karras et al. No noise is injected."""
    for sigma, after in itertools.pairwise(sigmas):
        x, denoised = _heun_step(x, sigma, after, denoise)
        yield x, denoised


def dpmpp_2m(x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float) -> States:
    """DPM-Solver++(2M) of Lu et al. 2022 (arXiv 2211.01095, Algorithm 2): second order with one evaluation a step.

    With t = −ln σ and h the step in t, x' = (σ'/σ) x + (1 − e^(−h)) D, where D extrapolates the clean estimate to the
    middle of the step from this one and the one before. No noise is injected.
    """
    before: tuple[torch.Tensor, float] | None = None  # the previous estimate of the clean picture, and its step
    for sigma, after in itertools.pairwise(sigmas):
        denoised = denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            step = math.log(sigma / after)
            middle = denoised
            if before is not None and before[1] > 0:  # levels may be equal
                middle = denoised + 0.5 * step / before[1] * (denoised - before[0])
            x = after / sigma * x + (1 - after / sigma) * middle
            before = (denoised, step)
        yield x, denoised


def edm_churn(x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float) -> States:
    """The stochastic sampler of Karras et al., Algorithm 2, with S_noise = 1 and S_tmin = 0, S_tmax = ∞.

    `churn` in 0..1 is γ relative to its largest value: γ = churn · (√2 − 1). Each step first adds noise to raise the
    level from σ to σ(1 + γ), and then takes a Heun step from there. With churn 0 it is `heun`.
    """
    gamma = churn * (math.sqrt(2) - 1)
    for index, (sigma, after) in enumerate(itertools.pairwise(sigmas), start=1):
        raised = sigma * (1 + gamma)
        if gamma > 0:
            x = x + math.sqrt(raised**2 - sigma**2) * noise(index)
        x, denoised = _heun_step(x, raised, after, denoise)
        yield x, denoised


def euler_ancestral(
    x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float
) -> States:
    """Ancestral sampling with Euler steps: DDPM's posterior (Ho et al. 2020, arXiv 2006.11239, Equation 7) in the
    variables of Karras et al.; with `churn` as the η of DDIM (Song et al. 2021, Equation 16).

    Every step goes down to σ_down and adds fresh noise of σ_up, with σ_down² + σ_up² = σ_after². Injected noise j
    follows step j; the last step adds none.
    """
    for index, (sigma, after) in enumerate(itertools.pairwise(sigmas), start=1):
        denoised = denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            up = min(after, churn * after * math.sqrt(1 - (after / sigma) ** 2))
            down = math.sqrt(after**2 - up**2)
            x = x + (down - sigma) * _slope(x, denoised, sigma)
            if up > 0:
                x = x + up * noise(index)
        yield x, denoised


def bridge(x: torch.Tensor, sigmas: list[float], denoise: Denoiser, noise: InjectedNoise, churn: float) -> States:
    """The posterior sampling of I²SB (arXiv 2302.05872, Algorithm 2) in the variables of `bridge_sigmas`.

    There the bridge's posterior given x₀ is that of a Brownian motion in σ²: x' = D + (σ'/σ)² (x − D) + noise of variance
    σ'² (1 − (σ'/σ)²). It is `euler_ancestral` with full noise; what makes it a bridge is that the data are differences
    from the degraded picture and that the levels are the bridge's. `churn` is not read: a bridge is as random as it is (its
    deterministic limit is `euler`).
    """
    for index, (sigma, after) in enumerate(itertools.pairwise(sigmas), start=1):
        denoised = denoise(x, sigma)
        kept = (after / sigma) ** 2
        x = denoised + kept * (x - denoised)
        if after > 0:
            x = x + after * math.sqrt(1 - kept) * noise(index)
        yield x, denoised


def _none(steps: int, churn: float) -> int:
    return 0


def _between(steps: int, churn: float) -> int:
    return steps - 1 if churn > 0 else 0


SAMPLERS: dict[str, Sampler] = {
    "heun": Sampler("Heun (EDM, deterministic)", heun, _none, karras_sigmas),
    "dpmpp-2m": Sampler("DPM-Solver++ 2M (deterministic)", dpmpp_2m, _none, karras_sigmas),
    "euler": Sampler("Euler (deterministic)", euler, _none, karras_sigmas),
    "ddim": Sampler("DDIM (deterministic)", euler, _none, ddim_sigmas),
    "edm-churn": Sampler(
        "EDM with churn (stochastic)", edm_churn, lambda steps, churn: steps if churn > 0 else 0, karras_sigmas
    ),
    "euler-ancestral": Sampler("Euler ancestral / DDPM (stochastic)", euler_ancestral, _between, karras_sigmas),
    "bridge": Sampler("I²SB bridge (stochastic)", bridge, lambda steps, churn: steps - 1, bridge_sigmas),
}


def get_sampler(name: str) -> Sampler:
    """The sampler of that name; ChoiceError names the choices when there is none.

    >>> sampler = get_sampler("edm-churn")
    >>> sampler.title, sampler.stochastic, sampler.injections(10, 0.5)
    ('EDM with churn (stochastic)', True, 10)
    """
    if name not in SAMPLERS:
        raise ChoiceError(f"There is no sampler named {name!r}. Choose one of: {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]
