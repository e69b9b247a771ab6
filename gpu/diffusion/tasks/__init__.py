"""What a diffusion model can do with a frame and a noise prior: one file a task, and how its model is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from gpu.diffusion.network import NetworkConfig
from gpu.registry import Registry

# index 0: the initial noise, index j >= 1: the j-th injected noise; each (3,H,W) float32, zero mean, unit variance.
NoiseFeed = Callable[[int], torch.Tensor]


@dataclass(frozen=True)
class SamplerOptions:
    """What a person can set about the sampler. Noise levels are in units of the data (its rms is about 0.5)."""

    sampler: str = "dpmpp-2m"  # half the evaluations of Heun for nearly its detail
    steps: int = 10
    sigma_max: float = 10.0  # with 1 or less the condition decides everything and the prior is hidden
    sigma_min: float = 0.02
    churn: float = 0.5  # stochasticity from 0 (none) to 1; only stochastic samplers read it


@dataclass(frozen=True)
class SamplerStep:
    """The state after one step of a sampler."""

    index: int  # 1..total
    total: int
    image: torch.Tensor  # (3,H,W) float32 in [0,1]: the current estimate of the clean picture; the output at the end


class Task(Protocol):
    """A use of a diffusion model on video frames."""

    name: str
    title: str
    about: str  # a short text on what to look at
    noise_channels: int
    size_multiple: int  # height and width must be multiples of this; 1 when the task pads by itself

    def injections(self, options: SamplerOptions) -> int:
        """How many injected noises the sampler will ask for; 0 when it is deterministic."""

    def input_image(self, frame: torch.Tensor) -> torch.Tensor:
        """(3,H,W) in [0,1] to what the model is given, shown at full size."""

    def baseline(self, frame: torch.Tensor) -> torch.Tensor:
        """(3,H,W) in [0,1] to what one would get without a model."""

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step; closing the iterator cancels."""


@dataclass(frozen=True)
class Recipe:
    """How a task's model is trained; `gpu.diffusion.train` does the rest."""

    network: NetworkConfig
    settings: dict[str, float]  # stored with the weights; holds sigma_data
    log_sigma_mean: float  # noise levels of training: ln σ is normal with this mean
    log_sigma_std: float
    crop: int  # side of the training target, in pixels
    margin: int  # clean pixels around it that the degradation may look at
    # (clean crops (B,3,S,S) with S = crop + 2·margin, generator) to target and condition, both (B,·,crop,crop)
    pair: Callable[[torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


TASKS: Registry[Task] = Registry("task", "gpu.diffusion.tasks")
RECIPES: Registry[Recipe] = Registry("training recipe", "gpu.diffusion.tasks")
