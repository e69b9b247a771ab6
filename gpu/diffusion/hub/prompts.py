"""What a pipeline's text encoders make of the prompts, remembered for those used lately."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gpu.diffusion.hub.family import Pipeline, Settings


def embeddings(pipeline: Pipeline, settings: Settings, encode: Callable[[bool], tuple[Any, ...]]) -> tuple[Any, ...]:
    """What `encode(guided)` makes of the prompt, remembered for the prompts used lately."""
    guided = settings.guidance > 1
    key = (settings.prompt, settings.negative, guided)
    if key not in pipeline.embeddings:
        pipeline.embeddings[key] = encode(guided)
    return pipeline.embeddings[key]


def clip_embeddings(pipeline: Pipeline, settings: Settings) -> torch.Tensor:
    """(1 or 2, tokens, width): the prompts as the CLIP encoder of Stable Diffusion sees them, in one batch."""

    def encode(guided: bool) -> tuple[Any, ...]:
        positive, negative = pipeline.parts.encode_prompt(
            settings.prompt, pipeline.device, 1, guided, negative_prompt=settings.negative if guided else None
        )
        return (stacked(negative if guided else None, positive),)

    (both,) = embeddings(pipeline, settings, encode)
    return both  # type: ignore[no-any-return]  # diffusers is not typed


def t5_embeddings(pipeline: Pipeline, settings: Settings) -> torch.Tensor:
    """(1 or 2, tokens, width): the prompts as the T5 encoder of DeepFloyd IF sees them, in one batch."""

    def encode(guided: bool) -> tuple[Any, ...]:
        positive, negative = pipeline.parts.encode_prompt(
            settings.prompt, guided, device=pipeline.device, negative_prompt=settings.negative if guided else None
        )
        return (stacked(negative if guided else None, positive),)

    (both,) = embeddings(pipeline, settings, encode)
    return both  # type: ignore[no-any-return]  # diffusers is not typed


def stacked(negative: torch.Tensor | None, positive: torch.Tensor) -> torch.Tensor:
    """Both prompts' values in one batch, the negative first; the positive's alone without guidance."""
    return positive if negative is None else torch.cat([negative, positive])
