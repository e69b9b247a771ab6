"""A pipeline's UNet as a denoiser D(x; σ), with classifier-free guidance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import Pipeline
from gpu.diffusion.model.precondition import Denoiser


def denoiser(
    pipeline: Pipeline,
    guidance: float,
    prompts: torch.Tensor,
    beside: torch.Tensor | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Denoiser:
    """D(x; σ) of the pipeline's UNet. `prompts` is a batch of (negative, positive) or of one; `beside` (1,K,h,w) is put
    beside the scaled x as further channels; `extra` are further arguments of the UNet, for the whole batch.

    Guidance (Ho, Salimans 2022, arXiv 2207.12598, Equation 6): negative + guidance · (positive − negative).
    """
    unet, count = pipeline.parts.unet, len(prompts)

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        given = x / math.sqrt(1 + sigma**2)
        if beside is not None:
            given = torch.cat([given, beside], dim=1)
        step = torch.tensor(pipeline.levels.step_of(sigma), dtype=torch.float32, device=x.device)
        batch = given.to(unet.dtype).expand(count, -1, -1, -1)
        raw = unet(batch, step, encoder_hidden_states=prompts, return_dict=False, **(extra or {}))[0].float()
        raw = raw[:, : x.shape[1]]  # a learned variance, where there is one, comes after; our samplers do not need it
        if count == 2:
            negative, positive = raw.chunk(2)
            raw = negative + guidance * (positive - negative)
        return pipeline.levels.clean(x, raw, sigma)

    return denoise
