"""Stable Diffusion XL, base and refiner, as image to image: two text encoders and the sizes as further conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import CLIP_TOKENIZERS, FAMILIES, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser
from gpu.diffusion.hub.picture_ranges import decode, encode, latent_working_picture
from gpu.diffusion.hub.prompts import embeddings, stacked

AESTHETIC, NEGATIVE_AESTHETIC = 6.0, 2.5  # what the refiner is asked for and away from, as its authors do


class StableDiffusionXL:
    """Podell et al. 2023, arXiv 2307.01952."""

    title = "Stable Diffusion XL, image to image"
    classes = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline")
    pipeline = "StableDiffusionXLImg2ImgPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": CLIP_TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "text_encoder_2": ("CLIPTextModelWithProjection",),
        "vae": ("AutoencoderKL",),
        "unet": ("UNet2DConditionModel",),
    }
    optional = ("tokenizer", "text_encoder")  # the refiner has only the second
    noises_condition = False
    starts_from_noise = False

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        return frame

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        parts = pipeline.parts
        image = latent_working_picture(pipeline, frame, settings)

        def prompts(guided: bool) -> tuple[Any, ...]:
            positive, negative, pooled, negative_pooled = parts.encode_prompt(
                settings.prompt,
                device=pipeline.device,
                do_classifier_free_guidance=guided,
                # No words stand for "nothing in particular", which SDXL was trained to see as zeros.
                negative_prompt=(settings.negative or None) if guided else None,
            )
            if not guided:
                return positive, pooled
            return stacked(negative, positive), stacked(negative_pooled, pooled)

        both, pooled = embeddings(pipeline, settings, prompts)
        size = tuple(image.shape[-2:])
        # Section 2.2: the size of the original picture, where it was cropped, and the size wanted (or a score of beauty).
        if parts.config.requires_aesthetics_score:
            rows = [(*size, 0, 0, NEGATIVE_AESTHETIC), (*size, 0, 0, AESTHETIC)]
        else:
            rows = [(*size, 0, 0, *size)] * 2
        ids = torch.tensor(rows[-len(both) :], dtype=both.dtype, device=pipeline.device)
        extra = {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": ids}}
        latents = encode(parts.vae, image)
        return Prepared(
            latents,
            latents,
            denoiser(pipeline, settings.guidance, both, extra=extra),
            lambda data: decode(parts.vae, data),
        )


FAMILIES.add("stable-diffusion-xl", order=20)(StableDiffusionXL())
