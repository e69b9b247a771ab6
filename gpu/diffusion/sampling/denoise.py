"""A model, a noise feed and a sampler put together: what every task does with a frame of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from gpu.diffusion.model.precondition import Denoiser, precondition
from gpu.diffusion.model.weight_files import Model
from gpu.diffusion.sampling.samplers import get_sampler
from gpu.errors import SizeError
from gpu.session import Parameter

# index 0: the initial noise, index j >= 1: the j-th injected noise; each (C,H,W) float32, zero mean, unit variance, on
# the frame's grid, C being the task's noise_channels. A task whose model works on a smaller grid sums areas.
NoiseFeed = Callable[[int], torch.Tensor]


@dataclass(frozen=True)
class SamplerOptions:
    """What a person can set about the sampler. Noise levels are in units of the data (its rms is about 0.5)."""

    sampler: str = "dpmpp-2m"  # half the evaluations of Heun for nearly its detail
    steps: int = 10
    sigma_max: float = 10.0  # with 1 or less the condition decides everything and the prior is hidden
    sigma_min: float = 0.02
    churn: float = 0.5  # stochasticity from 0 (none) to 1; only stochastic samplers read it
    parameters: Mapping[str, Parameter] = field(default_factory=dict)  # the task's own; missing ones take their default


@dataclass(frozen=True)
class SamplerStep:
    """The state after one step of a sampler."""

    index: int  # 1..total
    total: int
    image: torch.Tensor  # (3,H,W) float32 in [0,1]: the current estimate of the clean picture; the output at the end


# (1,C,H,W) clean data of the model to the picture (3,H,W) it stands for; clamped to [0,1] by the caller.
Picture = Callable[[torch.Tensor], torch.Tensor]


def check_frame(frame: torch.Tensor) -> None:
    """SizeError for what is no picture."""
    if frame.ndim != 3 or frame.shape[0] != 3 or min(frame.shape) < 1:
        raise SizeError(f"A frame of shape (3, height, width) is expected; got {tuple(frame.shape)}.")


def padded(image: torch.Tensor, multiple: int) -> torch.Tensor:
    """(C,H,W) to (1,C,H',W') with H' and W' multiples of `multiple`; the added rows and columns repeat the last."""
    height, width = image.shape[-2:]
    return F.pad(image[None], (0, -width % multiple, 0, -height % multiple), mode="replicate")


def injections(options: SamplerOptions) -> int:
    """How many injected noises the sampler of `options` asks for."""
    return get_sampler(options.sampler).injections(options.steps, options.churn)


def denoiser(model: Model, condition: torch.Tensor | None) -> Denoiser:
    """D(x; σ) of the model on the padded grid, given its padded condition."""
    return precondition(lambda x, c_noise: model.network(x, condition, c_noise), model.settings["sigma_data"])


def sample(
    model: Model,
    start: torch.Tensor,
    condition: torch.Tensor | None,
    noise: NoiseFeed,
    options: SamplerOptions,
    picture: Picture,
) -> Iterator[SamplerStep]:
    """Run the sampler of `options` from `start` + σ·noise and yield after every step; closing the iterator cancels.

    `start` (C,H,W), on the model's device, is where the model's data begins: zeros for sampling from noise, a picture for
    SDEdit (Meng et al. 2022, arXiv 2108.01073). `condition` (K,H,W) or None. `noise(j)` gives (C,H,W). SizeError when it
    does not; ChoiceError for options that no sampler can follow.
    """
    sampler = get_sampler(options.sampler)
    sigmas = sampler.schedule(options.steps, options.sigma_min, options.sigma_max)
    multiple = model.network.size_multiple
    height, width = start.shape[-2:]

    def noise_at(index: int) -> torch.Tensor:
        field = noise(index)
        if field.shape != start.shape:
            raise SizeError(f"Noise of shape {tuple(start.shape)} is expected; got {tuple(field.shape)}.")
        return padded(field.to(start), multiple)

    denoise = denoiser(model, None if condition is None else padded(condition, multiple))
    x = padded(start, multiple) + sigmas[0] * noise_at(0)
    states = sampler.run(x, sigmas, denoise, noise_at, options.churn)
    for index in range(1, options.steps + 1):
        with torch.no_grad():  # entered anew for each step: a caller between two yields keeps its own setting
            _, denoised = next(states)
            image = picture(denoised[..., :height, :width]).clamp(0, 1)
        yield SamplerStep(index, options.steps, image)


def invert(
    model: Model, data: torch.Tensor, start: torch.Tensor, condition: torch.Tensor | None, options: SamplerOptions
) -> Iterator[torch.Tensor]:
    """DDIM inversion: Euler steps of the probability flow from `data` (C,H,W) up to σ_max, one yield a step.

    (Song, Meng, Ermon 2021, arXiv 2010.02502, Section 4.3; in the variables of Karras et al. the flow is
    dx/dσ = (x − D(x; σ)) / σ.) What is yielded is (x − start) / σ, of the shape of `data`: the noise that sampling from
    `start` would turn into about `data`. It is what the model makes of it, not white noise.
    """
    sigmas = get_sampler("euler").schedule(options.steps, options.sigma_min, options.sigma_max)[-2::-1]
    multiple = model.network.size_multiple
    height, width = data.shape[-2:]
    denoise = denoiser(model, None if condition is None else padded(condition, multiple))
    x = padded(data, multiple)
    for index, sigma in enumerate(sigmas):
        after = sigmas[min(index + 1, len(sigmas) - 1)]
        with torch.no_grad():
            x = x + (after - sigma) * (x - denoise(x, sigma)) / sigma
            noise = (x[0, :, :height, :width] - start) / after
        yield noise
