"""DeepFloyd IF, stage I: a pixel model of 64 pixels, as image to image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gpu.diffusion.hub.family import FAMILIES, Pipeline, Prepared, Settings
from gpu.diffusion.hub.guided import denoiser, embeddings, stacked
from gpu.diffusion.hub.picture_ranges import resized, working_size

MULTIPLE = 8  # what three halvings inside the UNet divide by
T5 = ("T5Tokenizer", "T5TokenizerFast")


class DeepFloyd:
    """DeepFloyd IF (2023), after Saharia et al. 2022, arXiv 2205.11487 (Imagen)."""

    title = "DeepFloyd IF stage I, image to image"
    classes = ("IFPipeline", "IFImg2ImgPipeline")
    pipeline = "IFImg2ImgPipeline"
    parts: Mapping[str, tuple[str, ...]] = {
        "scheduler": (),
        "tokenizer": T5,
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
        (both,) = embeddings(pipeline, settings, lambda guided: encoded_prompts(pipeline, settings, guided))
        return Prepared(data, data, denoiser(pipeline, settings.guidance, both), lambda clean: (clean[0] + 1) / 2)


def encoded_prompts(pipeline: Pipeline, settings: Settings, guided: bool) -> tuple[Any, ...]:
    """The prompts as T5 sees them, in one batch."""
    positive, negative = pipeline.parts.encode_prompt(
        settings.prompt, guided, device=pipeline.device, negative_prompt=settings.negative if guided else None
    )
    return (stacked(negative if guided else None, positive),)


FAMILIES.add("deepfloyd", order=40)(DeepFloyd())
