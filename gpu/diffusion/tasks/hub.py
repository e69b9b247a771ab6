"""A model of the user's own: a diffusers pipeline from a folder or the hub, fed with each prior's noise."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gpu.diffusion.hub import loading, running
from gpu.diffusion.hub.family import Settings
from gpu.diffusion.hub.picture_ranges import resized
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import TASKS, NoiseFeed, SamplerOptions, SamplerStep, parameter
from gpu.parameters import ParameterInfo


class Hub:
    """Stable Diffusion, its ×4 upscaler or DeepFloyd IF on every frame.

    Priors work on the frame's grid. A model of latents, or of another size, is given that noise with areas summed to its
    own grid, which keeps it white and of unit variance. Pixel models take the first three of the four channels.
    """

    name = "hub"
    title = "A model of your own (diffusers)"
    about = (
        "A pipeline of yours (Stable Diffusion image to image, its ×4 upscaler, DeepFloyd IF) from a folder or the hub, given "
        "each prior's noise on its own grid. Latents gain less than pixels: one latent covers 8×8 pixels, so noise that moves "
        "by one pixel hardly moves there. Use frames at least as large as the model's noise grid; a low strength keeps more "
        "of the frame and hides the noise."
    )
    noise_channels = 4
    # Far beyond the models' own largest levels, which bound it.
    defaults = SamplerOptions(sampler="ddim", steps=20, sigma_max=1000.0, sigma_min=0.002, churn=0.5)
    parameters = (
        ParameterInfo(
            "path",
            "Model",
            empty=True,
            tip="Folder of a diffusers pipeline (with model_index.json), or its id on the hub, such as owner/name.",
        ),
        ParameterInfo("prompt", "Prompt", empty=True, tip="What the picture shall show."),
        ParameterInfo("negative", "Negative prompt", empty=True, tip="What it shall not show; read with guidance above 1."),
        ParameterInfo(
            "strength", "Strength", 0.6, 0.05, 1, 0.05, "",
            "How much of the frame is given up to noise (SDEdit). Super-resolution always begins with noise alone.",
        ),
        ParameterInfo(
            "guidance", "Guidance", 5, 1, 20, 0.5, "", "How strongly the prompt steers; 1: no guidance, in half the time."
        ),
        ParameterInfo(
            "size", "Working size", 0, 0, 2048, 8, "px",
            "Shorter side of the picture that the model makes; 0 is what it was made for. The result is shown at the frame's.",
        ),
        ParameterInfo(
            "augmentation", "Input noise", -1, -1, 999, 1, "",
            "Super-resolution: level of noise on the low-resolution picture, from the prior as well; -1 is the model's usual.",
        ),
    )  # fmt: skip

    def injections(self, options: SamplerOptions) -> int:
        """The sampler's, and one more where a low-resolution picture is noised."""
        folder = loading.folder_at(_text(options, "path"))
        return running.noise_count(folder is not None and folder.family.noises_condition, options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): what the model is given, at the frame's size; the frame while no model is known."""
        denoise.check_frame(frame)
        folder = loading.folder_at(_text(options, "path"))
        if folder is None:
            return frame
        shown = folder.family.shown(frame.to(torch.float32), self._settings(options), folder.unet)
        return resized(shown, *frame.shape[-2:]).clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> None:
        """Not known: only the super-resolution models have one, and the frame alone does not tell."""
        return None

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler; the first loads the model, which takes its time. ModelError for everything
        that can be wrong with it; ChoiceError for options that no sampler can follow; SizeError for what is no picture."""
        denoise.check_frame(frame)
        pipeline = loading.load(_text(options, "path"), device)
        yield from running.sample(pipeline, frame.to(device, torch.float32), noise, options, self._settings(options))

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the frame (image to image) or its enlarged low-resolution picture (super-resolution)."""
        denoise.check_frame(frame)
        pipeline = loading.load(_text(options, "path"), device)
        yield from running.invert(
            pipeline, frame.to(device, torch.float32), options, self._settings(options), self.noise_channels
        )

    def _settings(self, options: SamplerOptions) -> Settings:
        return Settings(
            prompt=_text(options, "prompt"),
            negative=_text(options, "negative"),
            strength=parameter(self, options, "strength"),
            guidance=parameter(self, options, "guidance"),
            size=round(parameter(self, options, "size")),
            augmentation=round(parameter(self, options, "augmentation")),
        )


def _text(options: SamplerOptions, name: str) -> str:
    return str(options.parameters.get(name, ""))


TASKS.add(Hub.name, order=90)(Hub())
