"""Pose to person: a dressed figure before a textured backdrop, from the flat part map of a pose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from gpu.diffusion import sampling
from gpu.diffusion.models import load_model
from gpu.diffusion.network import NetworkConfig
from gpu.diffusion.resample import decimate
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep
from gpu.parameters import ParameterInfo
from gpu.worlds.figure_random import random_figure

MODEL = "person"
SIGMA_DATA = 0.5
# Of one training picture: as high as a whole figure, since what a garment looks like is decided all over it.
CROP = (128, 64)
MARGIN = 4
BLUR = 1.0  # pixels: outlines of parts then move smoothly, wherever they lie between the pixels


def to_data(picture: torch.Tensor) -> torch.Tensor:
    """Pictures in [0,1] as the model's data."""
    return 2 * picture - 1


def to_picture(data: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_data`; not clamped."""
    return (data + 1) / 2


def smoothed(pose: torch.Tensor) -> torch.Tensor:
    """(..., H, W) pose pictures in [0,1], low-passed as the network is given them."""
    return decimate(pose, 1, BLUR)


class Figures:
    """Examples drawn by gpu.worlds.figure_random: nothing is read, and no two are the same."""

    def __init__(self, use: str) -> None:
        self._stream = {"train": 0, "validate": 1}[use]

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`count` pictures (B,3,128,64) as data, and their conditions."""
        height, width = CROP[0] + 2 * MARGIN, CROP[1] + 2 * MARGIN
        seeds = rng.integers(2**62, size=count)
        pairs = [random_figure(np.random.default_rng((self._stream, int(seed))), height, width) for seed in seeds]
        pictures, poses = (torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).contiguous() for some in zip(*pairs))
        window = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
        return to_data(pictures[window]), to_data(smoothed(poses)[window])


def _examples(folder: Path | None, use: str) -> Figures:
    return Figures(use)


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96, 128), blocks=(2, 2, 2)),
        settings={"sigma_data": SIGMA_DATA, "blur": BLUR},
        log_sigma_mean=-0.2,  # higher than for a residual: colours of whole garments are decided at high noise levels
        log_sigma_std=1.5,
        examples=_examples,
        picture=lambda target, _: to_picture(target),
    )
)


class PoseToPerson:
    """Sample a dressed figure in the pose that the frame, a pose picture of the scene `pose`, shows."""

    name = "pose-to-person"
    title = "Pose to person"
    about = (
        "The model is told where the parts of a body are; clothes, hair and backdrop are its own invention, and the noise "
        "decides. With random noise the figure changes its clothes in every frame; with fixed noise the pattern stays on the "
        "screen while the limbs slide through it; with integral noise the clothes go along with the limbs. Look at a sleeve."
    )
    noise_channels = 3
    defaults = SamplerOptions(sigma_max=20.0)
    parameters: tuple[ParameterInfo, ...] = ()

    def injections(self, options: SamplerOptions) -> int:
        return sampling.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the pose picture, low-passed."""
        sampling.check_frame(frame)
        return smoothed(frame).clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> None:
        """Nothing is known of what the figure wears."""
        return None

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        sampling.check_frame(frame)
        condition = to_data(smoothed(frame.to(device, torch.float32)))
        model = load_model(MODEL, device)
        start = torch.zeros_like(condition)
        yield from sampling.sample(model, start, condition, noise, options, lambda data: to_picture(data[0]))

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the pose picture itself: all that is known of the person."""
        sampling.check_frame(frame)
        condition = to_data(smoothed(frame.to(device, torch.float32)))
        yield from sampling.invert(
            load_model(MODEL, device), condition, torch.zeros_like(condition), condition, options
        )


TASKS.add(PoseToPerson.name, order=40)(PoseToPerson())
