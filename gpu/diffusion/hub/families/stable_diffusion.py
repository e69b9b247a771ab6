"""Stable Diffusion 1 and 2 as image to image: the frame's latents, noised and denoised again (SDEdit)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import FAMILIES, TOKENIZERS, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser, embeddings, stacked
from gpu.diffusion.hub.picture_ranges import decode, encode, resized, working_size


class StableDiffusion:
    """Rombach et al. 2022, arXiv 2112.10752; image to image by Meng et al. 2022, arXiv 2108.01073."""

    title = "Stable Diffusion, image to image"
    classes = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
    pipeline = "StableDiffusionImg2ImgPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "tokenizer": TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "vae": ("AutoencoderKL",),
        "unet": ("UNet2DConditionModel",),
    }
    optional: tuple[str, ...] = ()
    noises_condition = False
    starts_from_noise = False

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        return frame

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        parts = pipeline.parts
        image = working_picture(pipeline, frame, settings)

        def prompts(guided: bool) -> tuple[Any, ...]:
            positive, negative = parts.encode_prompt(
                settings.prompt, pipeline.device, 1, guided, negative_prompt=settings.negative if guided else None
            )
            return (stacked(negative if guided else None, positive),)

        (both,) = embeddings(pipeline, settings, prompts)
        latents = encode(parts.vae, image)
        return Prepared(
            latents, latents, denoiser(pipeline, settings.guidance, both), lambda data: decode(parts.vae, data)
        )


def working_picture(pipeline: Pipeline, frame: torch.Tensor, settings: Settings) -> torch.Tensor:
    """The frame at the size that the model works at: its own shape, the shorter side as the model was trained with."""
    factor = pipeline.parts.vae_scale_factor
    shorter = settings.size or pipeline.parts.unet.config.sample_size * factor
    return resized(frame, *working_size(frame, shorter, factor)).clamp(0, 1)


FAMILIES.add("stable-diffusion", order=10)(StableDiffusion())
