"""Texture out of nothing but noise: the simplest picture of what a prior does, and the model behind SDEdit."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gpu.diffusion.data.examples import PhotoPairs
from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.parameters import ParameterInfo

MODEL = "texture"
SIGMA_DATA = 0.5
CROP = 64
CHOICES = 4  # of so many crops the one with most detail is kept: this model is to know texture, not sky


def to_data(picture: torch.Tensor) -> torch.Tensor:
    """Pictures in [0,1] as the model's data, of rms about 0.5."""
    return 2 * picture - 1


def to_picture(data: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_data`; not clamped."""
    return (data + 1) / 2


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(condition_channels=0, channels=(48, 96, 128), blocks=(2, 2, 2)),
        settings={"sigma_data": SIGMA_DATA},
        log_sigma_mean=-0.4,
        log_sigma_std=1.4,
        examples=lambda folder, use: PhotoPairs(folder, use, CROP, lambda clean, _: (to_data(clean), None), CHOICES),
        picture=lambda target, _: to_picture(target),
    )
)


class UnconditionalTexture:
    """Sample a picture of natural texture from noise alone; of the frame only the size is used."""

    name = "unconditional-texture"
    title = "Texture from noise alone"
    about = (
        "The model is given nothing but the noise, so the video is the noise seen through its eyes: it boils with random "
        "noise, stands still with fixed noise, and moves exactly as the noise is moved. What a prior does shows nowhere more "
        "plainly; there is no truth to compare with."
    )
    noise_channels = 3
    defaults = SamplerOptions()
    parameters: tuple[ParameterInfo, ...] = ()

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """Plain grey: the model is given no picture."""
        denoise.check_frame(frame)
        return torch.full_like(frame, 0.5)

    def truth(self, frame: torch.Tensor) -> None:
        return None

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        denoise.check_frame(frame)
        start = torch.zeros_like(frame, dtype=torch.float32, device=device)
        model = load_model(MODEL, device)
        yield from denoise.sample(model, start, None, noise, options, lambda data: to_picture(data[0]))

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the frame itself: the noise that this model would make it from."""
        denoise.check_frame(frame)
        data = to_data(frame.to(device, torch.float32))
        yield from denoise.invert(load_model(MODEL, device), data, torch.zeros_like(data), None, options)


TASKS.add(UnconditionalTexture.name, order=50)(UnconditionalTexture())
