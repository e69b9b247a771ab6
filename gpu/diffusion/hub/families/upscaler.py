"""The Stable Diffusion ×4 upscaler: latents on the grid of the low-resolution picture, which stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from gpu.diffusion.hub.family import CLIP_TOKENIZERS, FAMILIES, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser
from gpu.diffusion.hub.levels import scaled_levels
from gpu.diffusion.hub.picture_ranges import decode, encode, resized, working_size
from gpu.diffusion.hub.prompts import clip_embeddings
from gpu.diffusion.sampling.resize_noise import resize_noise

FACTOR = 4
USUAL_LEVEL = 20


class Upscaler:
    """Rombach et al. 2022, arXiv 2112.10752, with the noise augmentation of Ho et al. 2022, arXiv 2106.15282."""

    title = "Stable Diffusion ×4 upscaler"
    classes = ("StableDiffusionUpscalePipeline",)
    pipeline = "StableDiffusionUpscalePipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "low_res_scheduler": (),
        "tokenizer": CLIP_TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "vae": ("AutoencoderKL",),
        "unet": ("UNet2DConditionModel",),
    }
    optional: tuple[str, ...] = ()
    noises_condition = True
    starts_from_noise = True

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        """The frame at a quarter of its size (or of `size`): means of 4 by 4 pixels."""
        height, width = working_size(frame, settings.size or min(frame.shape[-2:]), FACTOR)
        return F.avg_pool2d(resized(frame, height, width)[None], FACTOR)[0].clamp(0, 1)

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        parts = pipeline.parts
        low = self.shown(frame, settings, {})
        rows, columns = low.shape[-2:]
        both = clip_embeddings(pipeline, settings)
        level = USUAL_LEVEL if settings.augmentation < 0 else settings.augmentation
        level = min(level, int(parts.config.get("max_noise_level", level)))
        kept, added = scaled_levels(parts.low_res_scheduler, level)
        beside = kept * (2 * low - 1)
        if condition_noise is not None:
            beside = beside + added * resize_noise(condition_noise[:3].to(low), rows, columns)
        labels = torch.full((len(both),), level, dtype=torch.long, device=pipeline.device)
        data = encode(parts.vae, resized(low, FACTOR * rows, FACTOR * columns).clamp(0, 1))
        return Prepared(
            torch.zeros_like(data),
            data,
            denoiser(pipeline, settings.guidance, both, beside[None], {"class_labels": labels}),
            lambda latents: decode(parts.vae, latents),
        )


FAMILIES.add("upscaler", order=30)(Upscaler())
