"""DeepFloyd IF, stage II: super-resolution of pixels by 4, from 64 to 256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from gpu.diffusion.hub.family import FAMILIES, T5_TOKENIZERS, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser
from gpu.diffusion.hub.levels import scaled_levels
from gpu.diffusion.hub.picture_ranges import resized, working_size
from gpu.diffusion.hub.prompts import t5_embeddings
from gpu.diffusion.sampling.resize_noise import resize_noise

MULTIPLE = 8  # what three halvings inside the UNet divide by
FACTOR = 4
USUAL_LEVEL = 250


class DeepFloydSuper:
    """DeepFloyd IF (2023), after Saharia et al. 2022, arXiv 2205.11487 (Imagen), Section 2.4."""

    title = "DeepFloyd IF stage II, super-resolution ×4"
    classes = ("IFSuperResolutionPipeline", "IFImg2ImgSuperResolutionPipeline")
    pipeline = "IFSuperResolutionPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "image_noising_scheduler": (),
        "tokenizer": T5_TOKENIZERS,
        "text_encoder": ("T5EncoderModel",),
        "unet": ("UNet2DConditionModel",),
    }
    optional: tuple[str, ...] = ()
    noises_condition = True
    starts_from_noise = True

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        """The frame reduced to a quarter of the model's size (256 pixels for the shorter side, or `size`)."""
        shorter = (settings.size or int(unet["sample_size"])) // FACTOR
        return resized(frame, *working_size(frame, shorter, MULTIPLE)).clamp(0, 1)

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        low = 2 * self.shown(frame, settings, pipeline.parts.unet.config) - 1
        rows, columns = (FACTOR * side for side in low.shape[-2:])
        both = t5_embeddings(pipeline, settings)
        level = USUAL_LEVEL if settings.augmentation < 0 else settings.augmentation
        kept, added = scaled_levels(pipeline.parts.image_noising_scheduler, level)
        # Enlarged as in training: bilinear, corner pixels on corner pixels.
        enlarged = F.interpolate(low[None], (rows, columns), mode="bilinear", align_corners=True)
        beside = kept * enlarged
        if condition_noise is not None:
            beside = beside + added * resize_noise(condition_noise[:3].to(low), rows, columns)[None]
        labels = torch.full((len(both),), level, dtype=torch.long, device=pipeline.device)
        return Prepared(
            torch.zeros_like(enlarged),
            enlarged,
            denoiser(pipeline, settings.guidance, both, beside, {"class_labels": labels}),
            lambda clean: (clean[0] + 1) / 2,
        )


FAMILIES.add("deepfloyd-super", order=50)(DeepFloydSuper())
