"""Super-resolution by 4 and by 8: invent the fine detail that a low-resolution picture has lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from gpu.diffusion.data.examples import Pair, PhotoPairs
from gpu.diffusion.images.resample import bicubic, decimate
from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.parameters import ParameterInfo

SIGMA_DATA = 0.5
CROP = 64
# By factor: the low-pass before decimation, in pixels, wide enough that the low-resolution picture moves smoothly when
# the picture moves; and the gain that brings the residual (photo minus bicubic) to data of rms about 0.5.
BLUR = {4: 2.0, 8: 4.0}
GAIN = {4: 6.25, 8: 5.0}


def condition_of(interpolated: torch.Tensor) -> torch.Tensor:
    """The enlarged picture in [0,1] as the network is given it."""
    return 2 * interpolated - 1


def _pair(factor: int) -> Pair:
    margin = 4 * factor

    def pair(clean: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        size = clean.shape[-1]
        low = decimate(clean, factor, BLUR[factor])
        # A trace of noise on the input, as compressed video has it.
        level = 0.01 * torch.rand((len(low), 1, 1, 1), generator=generator)
        low = low + level * torch.randn(low.shape, generator=generator)
        interpolated = bicubic(low, factor, size, size)
        # Cut at any phase of the low-resolution grid, so that the network cannot lean on where that grid lies.
        shift = torch.randint(0, factor, (2,), generator=generator)
        y, x = (margin - factor // 2 + int(s) for s in shift)
        window = (..., slice(y, y + CROP), slice(x, x + CROP))
        return GAIN[factor] * (clean - interpolated)[window], condition_of(interpolated)[window]

    return pair


def _recipe(factor: int) -> Recipe:
    def picture(target: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        assert condition is not None
        return (condition + 1) / 2 + target / GAIN[factor]

    return Recipe(
        network=NetworkConfig(channels=(48, 96), blocks=(2, 3)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN[factor], "factor": factor, "blur": BLUR[factor]},
        log_sigma_mean=-0.8,
        log_sigma_std=1.3,
        examples=lambda folder, use: PhotoPairs(folder, use, CROP + 8 * factor, _pair(factor)),
        picture=picture,
    )


for _factor in (4, 8):
    RECIPES.add(f"super-resolution-x{_factor}")(_recipe(_factor))


@dataclass(frozen=True)
class SuperResolution:
    """Low-pass and decimate a frame by `factor`, then sample one of the sharp pictures that it may have come from."""

    name: str
    factor: int
    about: str
    defaults: SamplerOptions = field(default_factory=SamplerOptions)
    noise_channels: int = 3
    parameters: tuple[ParameterInfo, ...] = ()

    @property
    def title(self) -> str:
        return f"Super-resolution ×{self.factor}"

    @property
    def model(self) -> str:
        """The name of the bundled weights."""
        return f"super-resolution-x{self.factor}"

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the low-resolution picture, interpolated bicubically back to full size."""
        return self._enlarged(frame).clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> torch.Tensor:
        return frame

    def _enlarged(self, frame: torch.Tensor) -> torch.Tensor:
        denoise.check_frame(frame)
        height, width = frame.shape[-2:]
        return bicubic(decimate(frame, self.factor, BLUR[self.factor]), self.factor, height, width)

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        enlarged = self._enlarged(frame.to(device, torch.float32))
        model = load_model(self.model, device)

        def picture(data: torch.Tensor) -> torch.Tensor:
            return enlarged + data[0] / model.settings["gain"]

        start = torch.zeros_like(enlarged)
        yield from denoise.sample(model, start, condition_of(enlarged), noise, options, picture)

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the enlarged picture, that is no residual at all: what is known when the photo is not."""
        enlarged = self._enlarged(frame.to(device, torch.float32))
        nothing = torch.zeros_like(enlarged)
        model = load_model(self.model, device)
        yield from denoise.invert(model, nothing, nothing, condition_of(enlarged), options)


TASKS.add("super-resolution", order=10)(
    SuperResolution(
        "super-resolution",
        4,
        "The model sees the frame reduced by 4 and invents the fine detail. What it invents follows the noise: watch "
        "grass, rock and leaves flicker with random noise, stick to the screen with fixed noise, and move with the "
        "picture when the noise does.",
    )
)
TASKS.add("super-resolution-x8", order=11)(
    SuperResolution(
        "super-resolution-x8",
        8,
        "Only one pixel in 64 is left of the frame, so nearly everything you see is invented, and the noise decides what. "
        "The difference between the priors is larger than at ×4; compare the x-t slices.",
    )
)
