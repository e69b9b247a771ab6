"""DeepFloyd IF, stage I: a pixel model of 64 pixels, as image to image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import FAMILIES, T5_TOKENIZERS, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser
from gpu.diffusion.hub.picture_ranges import resized, working_size
from gpu.diffusion.hub.prompts import t5_embeddings

MULTIPLE = 8  # what three halvings inside the UNet divide by


class DeepFloyd:
    """DeepFloyd IF (2023), after Saharia et al. 2022, arXiv 2205.11487 (Imagen)."""

    title = "DeepFloyd IF stage I, image to image"
    classes = ("IFPipeline", "IFImg2ImgPipeline")
    pipeline = "IFImg2ImgPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "tokenizer": T5_TOKENIZERS,
        "text_encoder": ("T5EncoderModel",),
        "unet": ("UNet2DConditionModel",),
    }
    optional: tuple[str, ...] = ()
    noises_condition = False
    starts_from_noise = False

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        """The frame at the model's size: the shorter side 64 pixels, or `size`."""
        shorter = settings.size or int(unet["sample_size"])
        return resized(frame, *working_size(frame, shorter, MULTIPLE)).clamp(0, 1)

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        data = (2 * self.shown(frame, settings, pipeline.parts.unet.config) - 1)[None]
        both = t5_embeddings(pipeline, settings)
        return Prepared(data, data, denoiser(pipeline, settings.guidance, both), lambda clean: (clean[0] + 1) / 2)


FAMILIES.add("deepfloyd", order=40)(DeepFloyd())
