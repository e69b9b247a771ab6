"""Appearance transfer by SDEdit: a flat picture, noise added up to a strength σ, and taken away again as natural texture.

Meng et al. 2022, "SDEdit" (arXiv 2108.01073, Algorithm 1): sampling starts from the guide plus noise of the strength. The
model is given the guide too, low-passed: a small network alone would lose the picture at strengths at which it invents.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import torch

from gpu.diffusion.data.examples import PhotoPairs
from gpu.diffusion.images.flatten import flatness, gaussian, luma, posterised, without_texture
from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep, parameter
from gpu.parameters import ParameterInfo

MODEL = "appearance"
SIGMA_DATA = 0.5
GAIN = 4.5  # residual (photo minus its flat picture, low-passed) to data of rms about 0.5 over the scales trained on
BLUR = 2.0  # pixels: low-pass of the flat picture before the network sees it, so that its outlines move smoothly
LEVELS = 6  # tones of a flattened frame
CROP, MARGIN, CHOICES = 64, 16, 3
SCALES = (2.0, 9.0)  # pixels: structure smaller than this is taken out of the training photos

STRENGTH = ParameterInfo(
    "strength",
    "Strength σ",
    3.0,
    0.1,
    10.0,
    0.1,
    "× data",
    "Noise added to the flat picture: little keeps it flat, much lets the texture be invented. It is the greatest noise "
    "level of the sampler; half of it is about the contrast of natural texture.",
)
FLATTEN = ParameterInfo(
    "flatten",
    "Flattening",
    4.0,
    0.0,
    8.0,
    0.5,
    "px",
    "Structure of the frame smaller than this is smoothed away and its tones are drawn together before the model is given "
    "it; a frame that is flat already stays as it is. 0 gives it the frame itself.",
)


def flattened(image: torch.Tensor, scale: float, levels: int, phase: float = 0.0) -> torch.Tensor:
    """(B,3,H,W) in [0,1] to the same without structure below `scale` pixels and with its tones drawn to `levels` + 1."""
    if scale <= 0:
        return image
    return posterised(without_texture(image, scale), levels, phase)


def guide(flat: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W): what of a flat picture the model is given, and what its data are differences from."""
    return gaussian(flat, BLUR)


def _condition(low: torch.Tensor) -> torch.Tensor:
    return 2 * low - 1


def _pair(clean: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    def draw(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    # Flat drawings are more colourful than photos.
    tone = luma(clean)
    clean = (tone + draw(0.7, 1.6, len(clean), 1, 1, 1) * (clean - tone)).clamp(0, 1)
    scale = math.exp(float(draw(math.log(SCALES[0]), math.log(SCALES[1]))))
    levels = int(draw(4.0, 11.0))
    flat = flattened(clean, scale, levels, float(draw(0.0, 1.0)))
    flat = flat + draw(0.0, 0.02, len(clean), 1, 1, 1) * torch.randn(flat.shape, generator=generator)
    low = guide(flat)
    y, x = (int(shift) for shift in torch.randint(0, 2 * MARGIN, (2,), generator=generator))
    window = (..., slice(y, y + CROP), slice(x, x + CROP))
    return GAIN * (clean - low)[window], _condition(low[window])


def _picture(target: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
    assert condition is not None
    return (condition + 1) / 2 + target / GAIN


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96), blocks=(2, 3)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN, "blur": BLUR},
        log_sigma_mean=-0.5,
        log_sigma_std=1.4,
        examples=lambda folder, use: PhotoPairs(folder, use, CROP + 2 * MARGIN, _pair, CHOICES),
        picture=_picture,
    )
)


class AppearanceTransfer:
    """Flatten a frame, noise it, and sample a picture of natural texture that it may be the drawing of."""

    name = "appearance-transfer"
    title = "Appearance transfer (SDEdit)"
    about = (
        "A flat picture becomes one of grass, bark and stone: noise is added up to the strength σ and taken away again by a "
        "model of photos. All texture is invented, so the noise decides it: it boils with random noise, stays glued to the "
        "screen with fixed noise, and rides on the hills when the noise does. Turn the strength down and the picture goes flat."
    )
    noise_channels = 3
    defaults = SamplerOptions(sigma_max=STRENGTH.default)
    parameters = (STRENGTH, FLATTEN)

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the flat picture that noise is added to. What is flat in the frame stays as it is."""
        denoise.check_frame(frame)
        scale, picture = parameter(self, options, "flatten"), frame[None]
        if scale <= 0:
            return frame.clamp(0, 1)
        return torch.lerp(flattened(picture, scale, LEVELS), picture, flatness(picture))[0].clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> None:
        return None

    def _options(self, options: SamplerOptions) -> SamplerOptions:
        strength = parameter(self, options, "strength")
        return dataclasses.replace(options, sigma_max=strength, sigma_min=min(options.sigma_min, strength))

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. Its greatest noise level is the strength, not options.sigma_max.
        ModelError when the weights are missing or damaged; ChoiceError for options that no sampler can follow; SizeError
        for a frame that is no picture."""
        flat = self.input_image(frame.to(device, torch.float32), options)
        model, low = load_model(MODEL, device), guide(flat[None])[0]
        gain = model.settings["gain"]

        def picture(data: torch.Tensor) -> torch.Tensor:
            return low + data[0] / gain

        start = gain * (flat - low)
        yield from denoise.sample(model, start, _condition(low), noise, self._options(options), picture)

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the flat picture, which is also where sampling starts from."""
        flat = self.input_image(frame.to(device, torch.float32), options)
        model, low = load_model(MODEL, device), guide(flat[None])[0]
        start = model.settings["gain"] * (flat - low)
        yield from denoise.invert(model, start, start, _condition(low), self._options(options))


TASKS.add(AppearanceTransfer.name, order=20)(AppearanceTransfer())
