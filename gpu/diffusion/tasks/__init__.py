"""What a diffusion model can do with a frame and a noise prior: one file a task, and how its model is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from gpu.diffusion.data.examples import Examples
from gpu.diffusion.model.autoencoder import Autoencoder, AutoencoderConfig
from gpu.diffusion.model.network import NetworkConfig, UNet
from gpu.diffusion.sampling.denoise import NoiseFeed, SamplerOptions, SamplerStep
from gpu.parameters import ParameterInfo
from gpu.registry import Registry

__all__ = [
    "RECIPES",
    "TASKS",
    "NoiseFeed",
    "Recipe",
    "SamplerOptions",
    "SamplerStep",
    "Task",
    "parameter",
]


class Task(Protocol):
    """A use of a diffusion model on video frames."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def about(self) -> str:
        """A short text on what to look at."""
        ...

    @property
    def noise_channels(self) -> int: ...
    @property
    def defaults(self) -> SamplerOptions:
        """What the task was tuned with."""
        ...

    @property
    def parameters(self) -> tuple[ParameterInfo, ...]:
        """The task's own settings, read from options.parameters."""
        ...

    def injections(self, options: SamplerOptions) -> int:
        """How many injected noises the sampler will ask for; 0 when it is deterministic."""

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) in [0,1] to (3,H,W) in [0,1]: what the model is given, shown at full size."""

    def truth(self, frame: torch.Tensor) -> torch.Tensor | None:
        """(3,H,W): what a perfect output would be, for PSNR and relative sharpness; None where nothing is known."""

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step; closing the iterator cancels. `frame` (3,H,W) in [0,1] may have any size."""

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """The probability flow run backwards from the model's input picture to noise (DDIM inversion): yields after each
        step, (noise_channels,H,W) of unit nominal variance; the last is the result."""


def _nothing(network: UNet | Autoencoder, examples: Examples) -> dict[str, float]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained; `gpu.diffusion.training.train` does the rest. The kind of `network` says what for: a U-Net
    to denoise what `examples` yield, an autoencoder to give it back."""

    network: NetworkConfig | AutoencoderConfig
    examples: Callable[[Path | None, str], Examples]  # (folder of photos or None, "train" or "validate")
    settings: dict[str, float] = field(default_factory=dict)  # stored with the weights; a denoiser's hold sigma_data
    log_sigma_mean: float = -0.8  # noise levels of a denoiser's training: ln σ is normal with this mean
    log_sigma_std: float = 1.3
    # (target, condition) to pictures (B,3,h,w) in [0,1], for the sample sheets of a training run
    picture: Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor] = lambda target, _: target
    # further settings, known only when there are weights: asked at every checkpoint, with examples to validate on
    measured: Callable[[UNet | Autoencoder, Examples], dict[str, float]] = _nothing


def parameter(task: Task, options: SamplerOptions, name: str) -> float:
    """The value of the task's own setting `name`: what `options` say, inside its range, or its default."""
    info = next(info for info in task.parameters if info.name == name)
    return min(max(float(options.parameters.get(name, info.default)), info.low), info.high)


TASKS: Registry[Task] = Registry("task", "gpu.diffusion.tasks")
RECIPES: Registry[Recipe] = Registry("training recipe", "gpu.diffusion.tasks")
