"""JPEG restoration: replace the blocks and rings of strong compression by detail that may have been there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from gpu.cv import cv2
from gpu.diffusion.data.examples import PhotoPairs
from gpu.diffusion.images.resample import decimate
from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep, parameter
from gpu.parameters import ParameterInfo

MODEL = "jpeg-restoration"
SIGMA_DATA = 0.5
# The decoded picture is low-passed (standard deviation in pixels) before the model sees it: the 8 x 8 blocks stay on the
# screen while the picture moves beneath them, so what they add flickers by itself. At quality 8 the decoded frames of the
# bundled stills have a warp error of 1.2 to 2.9 x10^-3 of their own; low-passed it is 0.4 to 1.1, and the model puts back
# what the low-pass took.
DEBLOCK = 1.5
GAIN = 6.5  # residual (photo minus low-passed JPEG) to data of rms about 0.5 over the qualities trained on
CROP, MARGIN = 64, 16
QUALITY = ParameterInfo(
    "quality", "JPEG quality", 8, 3, 40, 1, "", "Quality the frame is compressed with: lower leaves more to invent."
)


def compressed(picture: torch.Tensor, quality: int) -> torch.Tensor:
    """(3,H,W) in [0,1] to the same after JPEG compression (libjpeg's quality scale 1-100, 4:2:0 colour), on its device."""
    pixels = (picture.detach().clamp(0, 1) * 255).round().to("cpu", torch.uint8).permute(1, 2, 0).numpy()
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded a line above
    return torch.from_numpy(np.ascontiguousarray(decoded[..., ::-1])).permute(2, 0, 1).to(picture) / 255


def deblocked(decoded: torch.Tensor) -> torch.Tensor:
    """(...,3,H,W) in [0,1] to the same, low-passed by a Gaussian of DEBLOCK pixels."""
    return decimate(decoded, 1, DEBLOCK)


def _condition(image: torch.Tensor) -> torch.Tensor:
    return 2 * image - 1


def _pair(clean: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    # Low qualities more often than high ones; the block grid lies at any phase because the crop around it does.
    share = torch.rand(len(clean), generator=generator)
    qualities = (QUALITY.low * (QUALITY.high / QUALITY.low) ** share).round().int().tolist()
    decoded = torch.stack([compressed(picture, quality) for picture, quality in zip(clean, qualities, strict=True)])
    decoded = deblocked(decoded)
    y, x = (int(shift) for shift in torch.randint(0, 2 * MARGIN, (2,), generator=generator))
    window = (..., slice(y, y + CROP), slice(x, x + CROP))
    return GAIN * (clean - decoded)[window], _condition(decoded[window])


def _picture(target: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
    assert condition is not None
    return (condition + 1) / 2 + target / GAIN


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96), blocks=(2, 3)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN, "deblock": DEBLOCK},
        log_sigma_mean=-0.8,
        log_sigma_std=1.3,
        examples=lambda folder, use: PhotoPairs(folder, use, CROP + 2 * MARGIN, _pair),
        picture=_picture,
    )
)


class JpegRestoration:
    """Compress a frame, then sample one of the pictures that may have been compressed to it."""

    name = "jpeg-restoration"
    title = "JPEG restoration"
    about = (
        "The frame is compressed as a JPEG of low quality, and the model puts back what may have been lost. The blocks stay "
        "where they are on the screen while the picture moves under them, so even a perfect prior flickers a little; turn the "
        "quality down and the noise matters more."
    )
    noise_channels = 3
    defaults = SamplerOptions()
    parameters = (QUALITY,)

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the decoded JPEG."""
        denoise.check_frame(frame)
        return compressed(frame, round(parameter(self, options, "quality")))

    def truth(self, frame: torch.Tensor) -> torch.Tensor:
        return frame

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        decoded = deblocked(self.input_image(frame.to(device, torch.float32), options))
        model = load_model(MODEL, device)

        def picture(data: torch.Tensor) -> torch.Tensor:
            return decoded + data[0] / model.settings["gain"]

        yield from denoise.sample(model, torch.zeros_like(decoded), _condition(decoded), noise, options, picture)

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the decoded JPEG, that is no residual at all: what is known when the photo is not."""
        decoded = deblocked(self.input_image(frame.to(device, torch.float32), options))
        nothing = torch.zeros_like(decoded)
        yield from denoise.invert(load_model(MODEL, device), nothing, nothing, _condition(decoded), options)


TASKS.add(JpegRestoration.name, order=12)(JpegRestoration())
