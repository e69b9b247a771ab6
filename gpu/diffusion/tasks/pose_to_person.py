"""Pose to person: a figure in finished clothes before a textured backdrop, from a flat picture of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from gpu.diffusion.images.resample import decimate
from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.parameters import ParameterInfo
from gpu.worlds.figure.random_figures import random_figure

MODEL = "person"
SIGMA_DATA = 0.5
GAIN = 6.0  # brings the residual (finished picture minus flat one) to an rms of about 0.5
# Of one training picture: as high as a whole figure, since the pattern of a garment goes on all over it.
CROP = (128, 64)
MARGIN = 4
BLUR = 1.0  # pixels: outlines of parts then move smoothly, wherever they lie between the pixels
POOL = {"train": 4000, "validate": 200}  # figures that are drawn, each once; drawing costs a third of a training step


def smoothed(flat: torch.Tensor) -> torch.Tensor:
    """(..., H, W) flat pictures in [0,1], low-passed as the network is given them."""
    return decimate(flat, 1, BLUR)


class Figures:
    """Examples drawn by gpu.worlds.figure.random_figures when first asked for; nothing is read."""

    def __init__(self, use: str) -> None:
        self._stream, self._count = {"train": 0, "validate": 1}[use], POOL[use]
        self._drawn: dict[int, torch.Tensor] = {}

    def _figure(self, number: int) -> torch.Tensor:
        """(2, 3, 128 + 8, 64 + 8) uint8: finished and flat."""
        if number not in self._drawn:
            size = CROP[0] + 2 * MARGIN, CROP[1] + 2 * MARGIN
            pair = np.stack(random_figure(np.random.default_rng((self._stream, number)), *size))
            self._drawn[number] = torch.from_numpy((255 * pair).round().clip(0, 255).astype(np.uint8)).permute(
                0, 3, 1, 2
            )
        return self._drawn[number]

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`count` residuals (B,3,128,64), finished minus flat, and their conditions; each cut out at random."""
        residuals, conditions = [], []
        for number in rng.choice(self._count, count, replace=False):
            finished, flat = self._figure(int(number)).float() / 255
            flat = smoothed(flat)
            y, x = rng.integers(2 * MARGIN + 1, size=2)
            window = (..., slice(y, y + CROP[0]), slice(x, x + CROP[1]))
            residuals.append(GAIN * (finished - flat)[window])
            conditions.append(2 * flat[window] - 1)
        return torch.stack(residuals), torch.stack(conditions)


def _examples(folder: Path | None, use: str) -> Figures:
    return Figures(use)


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96, 128), blocks=(2, 2, 2)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN, "blur": BLUR},
        log_sigma_mean=-0.5,
        log_sigma_std=1.4,
        examples=_examples,
        picture=lambda target, condition: (condition + 1) / 2 + target / GAIN,  # type: ignore[operator]
    )
)


class PoseToPerson:
    """Sample a finished figure for the flat one that the frame, a picture of the scene `pose`, shows."""

    name = "pose-to-person"
    title = "Pose to person"
    about = (
        "The model is given a paper doll, flat colours with dots for eyes, before a plain room; weave and pattern, folds, "
        "hair, face and the texture of wall and floor are its own invention, and the noise decides which. With random noise "
        "the figure changes its clothes in every frame; with fixed noise the pattern stays on the screen while the limbs "
        "slide through it; with integral noise the clothes go along with the limbs. Look at a sleeve."
    )
    noise_channels = 3
    defaults = SamplerOptions()
    parameters: tuple[ParameterInfo, ...] = ()

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the flat picture, low-passed."""
        denoise.check_frame(frame)
        return smoothed(frame).clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> None:
        """Nothing is known of what the figure wears."""
        return None

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        flat = self.input_image(frame.to(device, torch.float32), options)
        model = load_model(MODEL, device)

        def shown(data: torch.Tensor) -> torch.Tensor:
            return flat + data[0] / model.settings["gain"]

        yield from denoise.sample(model, torch.zeros_like(flat), 2 * flat - 1, noise, options, shown)

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the flat picture, that is no residual at all: all that is known of the person."""
        flat = self.input_image(frame.to(device, torch.float32), options)
        nothing = torch.zeros_like(flat)
        yield from denoise.invert(load_model(MODEL, device), nothing, nothing, 2 * flat - 1, options)


TASKS.add(PoseToPerson.name, order=40)(PoseToPerson())
