"""Super-resolution by 4: invent the fine detail that a low-resolution picture has lost."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F

from gpu.diffusion.models import load_model
from gpu.diffusion.network import NetworkConfig
from gpu.diffusion.precondition import precondition
from gpu.diffusion.resample import bicubic, decimate
from gpu.diffusion.samplers import get_sampler, karras_sigmas
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.errors import SizeError

MODEL = "super-resolution-x4"

FACTOR = 4
BLUR = 2.0  # pixels: a low-pass wide enough that the low-resolution picture moves smoothly when the picture moves
GAIN = 6.25  # residual (photo minus bicubic) to data of rms about 0.5
SIGMA_DATA = 0.5
CROP, MARGIN = 64, 16


def _condition(interpolated: torch.Tensor) -> torch.Tensor:
    return 2 * interpolated - 1


def _pair(clean: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    size = clean.shape[-1]
    low = decimate(clean, FACTOR, BLUR)
    # A trace of noise on the input, as compressed video has it.
    level = 0.01 * torch.rand((len(low), 1, 1, 1), generator=generator)
    low = low + level * torch.randn(low.shape, generator=generator)
    interpolated = bicubic(low, FACTOR, size, size)
    # Cut at any phase of the low-resolution grid, so that the network cannot lean on where that grid lies.
    shift = torch.randint(0, FACTOR, (2,), generator=generator)
    y, x = (MARGIN - FACTOR // 2 + int(s) for s in shift)
    window = (..., slice(y, y + CROP), slice(x, x + CROP))
    return GAIN * (clean - interpolated)[window], _condition(interpolated)[window]


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96), blocks=(2, 3)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN, "factor": FACTOR, "blur": BLUR},
        log_sigma_mean=-0.8,
        log_sigma_std=1.3,
        crop=CROP,
        margin=MARGIN,
        pair=_pair,
    )
)


def _check(frame: torch.Tensor) -> None:
    if frame.ndim != 3 or frame.shape[0] != 3 or min(frame.shape) < 1:
        raise SizeError(f"A frame of shape (3, height, width) is expected; got {tuple(frame.shape)}.")


def _padded(image: torch.Tensor, multiple: int) -> torch.Tensor:
    """(C,H,W) to (1,C,H',W') with H' and W' multiples of `multiple`; the added rows and columns repeat the last."""
    height, width = image.shape[-2:]
    return F.pad(image[None], (0, -width % multiple, 0, -height % multiple), mode="replicate")


class SuperResolution:
    """Low-pass and decimate a frame by 4, then sample one of the sharp pictures that it may have come from."""

    name = "super-resolution"
    title = "Super-resolution ×4"
    about = (
        "The model sees the frame reduced by 4 and invents the fine detail. What it invents follows the noise: watch "
        "grass, rock and leaves flicker with random noise, stick to the screen with fixed noise, and move with the "
        "picture when the noise does."
    )
    noise_channels = 3
    size_multiple = 1

    def injections(self, options: SamplerOptions) -> int:
        return get_sampler(options.sampler).injections(options.steps, options.churn)

    def input_image(self, frame: torch.Tensor) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the low-resolution picture, interpolated bicubically back to full size."""
        _check(frame)
        height, width = frame.shape[-2:]
        return bicubic(decimate(frame, FACTOR, BLUR), FACTOR, height, width).clamp(0, 1)

    def baseline(self, frame: torch.Tensor) -> torch.Tensor:
        return self.input_image(frame)

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        _check(frame)
        sampler = get_sampler(options.sampler)
        sigmas = karras_sigmas(options.steps, options.sigma_min, options.sigma_max)
        model = load_model(MODEL, device)
        height, width = frame.shape[-2:]
        low = decimate(frame.to(device, torch.float32), FACTOR, BLUR)
        interpolated = bicubic(low, FACTOR, height, width)
        multiple = model.network.size_multiple
        condition = _padded(_condition(interpolated), multiple)
        gain = model.settings["gain"]

        def noise_at(index: int) -> torch.Tensor:
            field = noise(index)
            if field.shape != frame.shape:
                raise SizeError(f"Noise of shape {tuple(frame.shape)} is expected; got {tuple(field.shape)}.")
            return _padded(field.to(device, torch.float32), multiple)

        denoise = precondition(lambda x, c_noise: model.network(x, condition, c_noise), model.settings["sigma_data"])
        start = sigmas[0] * noise_at(0)
        total = options.steps
        states = sampler.run(start, sigmas, denoise, noise_at, options.churn)
        for index in range(1, total + 1):
            with torch.no_grad():  # entered anew for each step: a caller between two yields keeps its own setting
                _, denoised = next(states)
                image = (interpolated + denoised[0, :, :height, :width] / gain).clamp(0, 1)
            yield SamplerStep(index, total, image)


TASKS.add(SuperResolution.name, order=10)(SuperResolution())
