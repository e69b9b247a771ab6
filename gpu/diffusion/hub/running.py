"""Sampling and inversion of one frame by a pipeline, with every noise from the prior."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from gpu.diffusion.hub.failures import in_words
from gpu.diffusion.hub.family import Pipeline, Settings
from gpu.diffusion.hub.picture_ranges import resized
from gpu.diffusion.sampling.denoise import NoiseFeed, SamplerOptions, SamplerStep, injections
from gpu.diffusion.sampling.resize_noise import normals_of, resize_noise
from gpu.diffusion.sampling.samplers import get_sampler
from gpu.errors import ModelError, SizeError

PREVIEWS = 4
"""At most so many pictures are decoded on the way: an autoencoder costs as much as a step."""


def noise_count(pipeline_noises_condition: bool, options: SamplerOptions) -> int:
    """How many noises beside the initial one are asked for: the sampler's, and the low-resolution picture's as the last."""
    return injections(options) + int(pipeline_noises_condition)


def sample(
    pipeline: Pipeline,
    frame: torch.Tensor,
    noise: NoiseFeed,
    options: SamplerOptions,
    settings: Settings,
) -> Iterator[SamplerStep]:
    """Yield after every step; closing the iterator cancels. `frame` (3,H,W) in [0,1] on the pipeline's device.

    `noise(j)` gives (C,H,W) on the frame's grid; it is resized to the grid the model works on and as many of its channels
    are taken as that has. Pictures have the size of the frame.
    """
    sampler, family = get_sampler(options.sampler), pipeline.family
    height, width = frame.shape[-2:]
    extra = noise(noise_count(True, options)).to(frame) if family.noises_condition else None
    with _in_words(pipeline):
        prepared = family.prepare(pipeline, frame, settings, extra)
    strength = 1.0 if family.starts_from_noise else settings.strength
    sigmas = pipeline.levels.schedule(options, strength)

    def noise_at(index: int) -> torch.Tensor:
        return on_grid(noise(index).to(frame), prepared.start)

    with _in_words(pipeline):
        x = prepared.start + sigmas[0] * noise_at(0)
        states = sampler.run(x, sigmas, prepared.denoise, noise_at, options.churn)
    image = frame
    every = -(-options.steps // (PREVIEWS + 1))
    for index in range(1, options.steps + 1):
        with _in_words(pipeline):
            _, denoised = next(states)
            if index == options.steps or index % every == 0:
                image = resized(_finite(pipeline, prepared.picture(denoised)), height, width).clamp(0, 1)
        yield SamplerStep(index, options.steps, image)


def invert(
    pipeline: Pipeline, frame: torch.Tensor, options: SamplerOptions, settings: Settings, channels: int
) -> Iterator[torch.Tensor]:
    """DDIM inversion (Song, Meng, Ermon 2021, arXiv 2010.02502, Section 4.3) up to the level that sampling begins at.

    Without guidance, under which inversion drifts off (Mokady et al. 2022, arXiv 2211.09794, Section 3.2). Yields
    (channels,H,W) on the frame's grid after every step: the model's noise resized to it, such that sampling, which resizes
    it back, sees the same where the sizes divide. Channels that the model has not are white.
    """
    family = pipeline.family
    with _in_words(pipeline):
        prepared = family.prepare(pipeline, frame, replace(settings, guidance=1.0), None)
    strength = 1.0 if family.starts_from_noise else settings.strength
    sigmas = pipeline.levels.schedule(replace(options, sampler="ddim"), strength)[-2::-1]
    x = prepared.data
    for sigma, after in zip(sigmas, [*sigmas[1:], sigmas[-1]], strict=True):
        with _in_words(pipeline):
            x = x + (after - sigma) * (x - prepared.denoise(x, sigma)) / sigma
            noise = ((x - prepared.start) / after)[0]
            free = [normals_of(noise[:1], 0, 1 + index) for index in range(channels - len(noise))]
            noise = resize_noise(torch.cat([noise, *free])[:channels], *frame.shape[-2:])
        yield noise


def on_grid(field: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """(C',H,W) noise to the shape (1,C,h,w) of `start`, C ≤ C'; SizeError when there are fewer channels."""
    channels, height, width = start.shape[1:]
    if len(field) < channels:
        raise SizeError(f"The model needs noise of {channels} channels; got {len(field)}.")
    return resize_noise(field[:channels], height, width)[None]


def _finite(pipeline: Pipeline, picture: torch.Tensor) -> torch.Tensor:
    if not bool(picture.isfinite().all()):
        raise ModelError(f"The pipeline {pipeline.name} gave values that are not finite; its weights may be damaged.")
    return picture


@contextmanager
def _in_words(pipeline: Pipeline) -> Iterator[None]:
    """No gradients; and what goes wrong inside diffusers as a ModelError of one sentence."""
    with in_words(f"The pipeline {pipeline.name} failed while it ran", _too_large(pipeline)), torch.no_grad():
        yield


def _too_large(pipeline: Pipeline) -> str:
    return f"There is not enough memory on {pipeline.device} for {pipeline.name} at this size; set a smaller size."
