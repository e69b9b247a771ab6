"""A pipeline's own diffusion in the variables of our samplers: steps t ↔ noise levels σ, predictions → D(x; σ).

A variance preserving model knows x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) n (Ho et al. 2020, arXiv 2006.11239, Equation 4). With
σ_t = √((1 − ᾱ_t) / ᾱ_t) and x = x_t / √ᾱ_t = x₀ + σ n, and √ᾱ_t = 1 / √(1 + σ²).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.sampling.samplers import get_sampler
from gpu.errors import ModelError

PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True)
class Levels:
    """The noise levels that a model was trained at, what its network predicts, and how its estimates are limited."""

    sigmas: np.ndarray  # (T,) float64, rising: σ of the steps t = 0, 1, …
    prediction: str
    config: Mapping[str, Any]  # of the scheduler: thresholding, clip_sample and their settings

    def step_of(self, sigma: float) -> float:
        """The step t at which the noise level is `sigma`: ln σ is interpolated, and a level of training is its step."""
        t = float(np.interp(math.log(sigma), np.log(self.sigmas), np.arange(len(self.sigmas))))
        return float(round(t)) if abs(t - round(t)) < 1e-3 else t

    def schedule(self, options: SamplerOptions, strength: float) -> list[float]:
        """Falling noise levels, the last 0, for the sampler of `options`.

        They begin at the level of step strength·T (SDEdit, Meng et al. 2022, arXiv 2108.01073, Section 3), and nowhere
        above sigma_max of `options` or below sigma_min. For `ddim` they lie at even steps t of this very model; other
        samplers keep their own spacing.
        """
        count = len(self.sigmas)
        start = self.sigmas[min(max(round(strength * count) - 1, 0), count - 1)]
        high = max(min(float(start), options.sigma_max), float(self.sigmas[0]))
        low = min(max(float(self.sigmas[0]), options.sigma_min), high)
        if options.sampler != "ddim" or options.steps < 1:
            return get_sampler(options.sampler).schedule(options.steps, low, high)
        steps = np.linspace(self.step_of(high), self.step_of(low), options.steps)
        if steps[0] - steps[-1] >= options.steps - 1:
            steps = steps.round()  # the network has seen no others
        return [*np.exp(np.interp(steps, np.arange(count), np.log(self.sigmas))).tolist(), 0.0]

    def clean(self, x: torch.Tensor, raw: torch.Tensor, sigma: float) -> torch.Tensor:
        """D(x; σ) from the network's output `raw` for x / √(1 + σ²).

        ε: x − σ ε. v (Salimans, Ho 2022, arXiv 2202.00512, Appendix D): x / (1 + σ²) − σ v / √(1 + σ²). Then limited as the
        scheduler's configuration asks.
        """
        if self.prediction == "epsilon":
            clean = x - sigma * raw
        elif self.prediction == "v_prediction":
            clean = x / (1 + sigma**2) - sigma / math.sqrt(1 + sigma**2) * raw
        else:
            clean = raw
        return self._limited(clean)

    def _limited(self, clean: torch.Tensor) -> torch.Tensor:
        """Dynamic thresholding (Saharia et al. 2022, arXiv 2205.11487, Section 2.3) or clipping, where configured."""
        if self.config.get("thresholding"):
            ratio = float(self.config.get("dynamic_thresholding_ratio", 0.995))
            most = max(float(self.config.get("sample_max_value", 1.0)), 1.0)
            bound = float(torch.quantile(clean.abs().flatten(), ratio).clamp(1.0, most))
            return clean.clamp(-bound, bound) / bound
        if self.config.get("clip_sample"):
            bound = float(self.config.get("clip_sample_range", 1.0))
            return clean.clamp(-bound, bound)
        return clean


def levels_of(scheduler: Any) -> Levels:
    """The levels of a diffusers scheduler that is variance preserving; ModelError for flow matching and the like."""
    kept = vars(scheduler).get("alphas_cumprod")
    name = type(scheduler).__name__
    config = dict(scheduler.config)
    prediction = str(config.get("prediction_type", "epsilon"))
    if kept is None or prediction not in PREDICTIONS:
        raise ModelError(
            f"The pipeline's scheduler {name} (prediction {prediction!r}) is of a kind that is not supported; a variance "
            f"preserving one that predicts {', '.join(PREDICTIONS)} is expected."
        )
    alphas = np.asarray(kept.detach().cpu().double())
    alphas = alphas[(alphas > 1e-12) & (alphas < 1)]  # a schedule that ends in noise alone has no finite last level
    sigmas = np.sqrt((1 - alphas) / alphas)
    if len(sigmas) < 2 or not (np.diff(sigmas) > 0).all():
        raise ModelError(
            f"The noise levels of the pipeline's scheduler {name} do not rise; its configuration is damaged."
        )
    return Levels(sigmas, prediction, config)


def scaled_levels(scheduler: Any, level: int) -> tuple[float, float]:
    """(√ᾱ, √(1 − ᾱ)) at step `level` of a scheduler: the factors of a picture and of the noise that is added to it."""
    alphas = scheduler.alphas_cumprod
    kept = float(alphas[min(max(level, 0), len(alphas) - 1)])
    return math.sqrt(kept), math.sqrt(1 - kept)
