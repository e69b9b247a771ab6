"""Super-resolution by 4 in the latent space of an autoencoder: the same task, to see why latents gain less from a prior.

Chang et al. 2024 (arXiv 2504.03072), Appendix E: noise that moves with the picture helps latent diffusion less, because
what is coherent among latents need not be coherent among the pixels they are decoded to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from gpu.diffusion.data.examples import Examples, PhotoPairs
from gpu.diffusion.images.resample import bicubic, decimate
from gpu.diffusion.model.autoencoder import LATENT_RMS, Autoencoder, AutoencoderConfig
from gpu.diffusion.model.latents import AUTOENCODER, CHANNELS, FACTOR, latent_of, picture_of
from gpu.diffusion.model.network import NetworkConfig, UNet
from gpu.diffusion.model.weight_files import AutoencoderModel, Model, fingerprint, load_autoencoder, load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.sampling.resize_noise import latent_noise, resize_noise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.errors import ModelError
from gpu.parameters import ParameterInfo

MODEL = "super-resolution-latent"
SIGMA_DATA = LATENT_RMS
BLUR = 2.0  # with FACTOR that of the task in pixel space, so that both see the same low-resolution picture
CROP = 80  # pixels a side; latents 20×20
GAIN = 1.0  # latents of the photo minus latents of the enlarged picture, to data of rms about 0.5


def _pair(clean: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    low = decimate(clean, FACTOR, BLUR)
    # A trace of noise on the input, as in pixel space.
    level = 0.01 * torch.rand((len(low), 1, 1, 1), generator=generator)
    low = low + level * torch.randn(low.shape, generator=generator)
    autoencoder = load_autoencoder(AUTOENCODER, clean.device)
    enlarged, condition = _condition(autoencoder, low, clean.shape[-2], clean.shape[-1])
    return GAIN * (latent_of(autoencoder, clean) - enlarged), condition


def _condition(
    autoencoder: AutoencoderModel, low: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents of the enlarged low-resolution picture (B,3,h,w), and what the network is given: the picture itself, whose
    grid is that of the latents, and those latents."""
    enlarged = latent_of(autoencoder, bicubic(low, FACTOR, height, width))
    return enlarged, torch.cat([2 * low - 1, enlarged], dim=1)


def _picture(target: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
    assert condition is not None
    return picture_of(load_autoencoder(AUTOENCODER, target.device), condition[:, 3:] + target / GAIN)


def _scale(network: UNet | Autoencoder, examples: Examples) -> dict[str, float]:
    assert isinstance(network, Autoencoder)
    pictures, _ = examples.batch(np.random.default_rng(3), 64)
    with torch.no_grad():
        latent = network.encode(pictures.to(next(network.parameters()).device))
    return {"scale": LATENT_RMS / float(latent.square().mean().sqrt())}


RECIPES.add(AUTOENCODER)(
    Recipe(
        network=AutoencoderConfig(),
        examples=lambda folder, use: PhotoPairs(folder, use, 64, lambda clean, _: (clean, None)),
        measured=_scale,
    )
)
RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(
            image_channels=CHANNELS, condition_channels=3 + CHANNELS, channels=(64, 128), blocks=(2, 3), fold=1
        ),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN},
        log_sigma_mean=-0.8,
        log_sigma_std=1.3,
        examples=lambda folder, use: PhotoPairs(folder, use, CROP, _pair),
        picture=_picture,
        measured=lambda network, examples: {"autoencoder": fingerprint(AUTOENCODER)},
    )
)


class SuperResolutionLatent:
    """Low-pass and decimate a frame by 4, sample latents that it may have come from, and decode them."""

    name = "super-resolution-latent"
    title = "Super-resolution ×4 in latent space"
    about = (
        "The same task as super-resolution ×4, but the model works on the latents of an autoencoder, on a grid 4 times "
        "smaller, and noise is summed over the pixels of each latent. Compare with super-resolution: moved noise gains "
        "less here, because a latent's noise is cut anew at every motion that is not whole latents, and the decoder "
        "paints the finest detail on a grid that does not move with the picture."
    )
    noise_channels = CHANNELS
    defaults = SamplerOptions()
    parameters: tuple[ParameterInfo, ...] = ()

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the low-resolution picture, interpolated bicubically back to full size."""
        height, width = frame.shape[-2:]
        return self._enlarged(self._low(frame))[0, :, :height, :width].clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> torch.Tensor:
        return frame

    def _low(self, frame: torch.Tensor) -> torch.Tensor:
        """(1,3,h,w): the low-resolution picture on the grid of the latents, which a part of a square is enough for."""
        denoise.check_frame(frame)
        return decimate(denoise.padded(frame, FACTOR), FACTOR, BLUR)

    def _enlarged(self, low: torch.Tensor) -> torch.Tensor:
        return bicubic(low, FACTOR, FACTOR * low.shape[-2], FACTOR * low.shape[-1])

    def _prepared(
        self, frame: torch.Tensor, device: torch.device
    ) -> tuple[Model, AutoencoderModel, torch.Tensor, torch.Tensor]:
        """The models, the latents of the enlarged picture (CHANNELS,h,w) and the condition (3+CHANNELS,h,w)."""
        low = self._low(frame.to(device, torch.float32))
        model, autoencoder = load_model(MODEL, device), load_autoencoder(AUTOENCODER, device)
        if model.settings.get("autoencoder") != fingerprint(AUTOENCODER):
            raise ModelError(
                f"The weights of the model {MODEL!r} were trained with another autoencoder than the one that is here; "
                "install the program again, or train both with `python -m gpu.diffusion.training.train`."
            )
        with torch.no_grad():
            enlarged, condition = _condition(autoencoder, low, FACTOR * low.shape[-2], FACTOR * low.shape[-1])
        return model, autoencoder, enlarged[0], condition[0]

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when weights are missing, damaged or of another autoencoder;
        ChoiceError for options that no sampler can follow; SizeError for a frame that is no picture."""
        model, autoencoder, enlarged, condition = self._prepared(frame, device)
        height, width = frame.shape[-2:]

        def picture(data: torch.Tensor) -> torch.Tensor:
            decoded = picture_of(autoencoder, enlarged + data / model.settings["gain"])
            return decoded[0, :, :height, :width]

        yield from denoise.sample(
            model, torch.zeros_like(enlarged), condition, lambda index: latent_noise(noise(index)), options, picture
        )

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the latents of the enlarged picture: what is known when the photo is not. The noise is spread over the
        pixels of each latent by conditional sampling, so that their sum gives it back (but for latents that the edge of
        the frame cuts, whose share of it is drawn)."""
        model, _, enlarged, condition = self._prepared(frame, device)
        height, width = frame.shape[-2:]
        nothing = torch.zeros_like(enlarged)
        for latent in denoise.invert(model, nothing, nothing, condition, options):
            fine = resize_noise(latent, FACTOR * latent.shape[-2], FACTOR * latent.shape[-1])
            yield fine[:, :height, :width]


TASKS.add(SuperResolutionLatent.name, order=15)(SuperResolutionLatent())
