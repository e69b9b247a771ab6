"""Stable Diffusion 1 and 2 as image to image: the frame's latents, noised and denoised again (SDEdit)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import CLIP_TOKENIZERS, FAMILIES, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser
from gpu.diffusion.hub.picture_ranges import decode, encode, latent_working_picture
from gpu.diffusion.hub.prompts import clip_embeddings


class StableDiffusion:
    """Rombach et al. 2022, arXiv 2112.10752; image to image by Meng et al. 2022, arXiv 2108.01073."""

    title = "Stable Diffusion, image to image"
    classes = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
    pipeline = "StableDiffusionImg2ImgPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "tokenizer": CLIP_TOKENIZERS,
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
        image = latent_working_picture(pipeline, frame, settings)
        both = clip_embeddings(pipeline, settings)
        latents = encode(parts.vae, image)
        return Prepared(
            latents, latents, denoiser(pipeline, settings.guidance, both), lambda data: decode(parts.vae, data)
        )


FAMILIES.add("stable-diffusion", order=10)(StableDiffusion())
