"""Surrogate rendering: a coarse simulation of smoke is turned into a detailed one by a model of fine smoke."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from gpu.diffusion.model.network import NetworkConfig
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.sampling import denoise
from gpu.diffusion.tasks import RECIPES, TASKS, NoiseFeed, Recipe, SamplerOptions, SamplerStep, parameter
from gpu.parameters import ParameterInfo
from gpu.worlds.fluid.appearance import PALETTES, Palette, picture

MODEL = "smoke"
SIGMA_DATA = 0.5
GAIN = 4.0  # brings the residual (fine picture minus blurred) to an rms of about 0.5
CROP = 64
CHOICES = 3
BLUR = (3.5, 7.0)  # standard deviations, in pixels, of the low-pass that training draws from
REACH = 3  # a Gaussian is cut at so many standard deviations


def blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """(..., H, W) low-passed by a Gaussian of `sigma` pixels; the border's pixels go on outwards.

    What is left has no phase: it moves smoothly by any fraction of a pixel.
    """
    reach = max(1, math.ceil(REACH * sigma))
    offsets = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    height, width = image.shape[-2:]
    flat = F.pad(image.reshape(-1, 1, height, width), (reach,) * 4, mode="replicate")
    across = F.conv2d(flat, kernel.view(1, 1, 1, -1))
    return F.conv2d(across, kernel.view(1, 1, -1, 1)).reshape(image.shape)


class SmokeExamples:
    """Crops of fine smoke at any scale, phase, orientation and colour, and what a low-pass leaves of them."""

    def __init__(self, folder: Path | None, use: str) -> None:
        """`use` is "train" or "validate"; `folder` is not read. The simulations run when the first batch is asked for."""
        self._use = use

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        from gpu.worlds.fluid.snapshots import snapshots

        smoke = snapshots(self._use)
        pairs = [self._pair(smoke, rng) for _ in range(count)]
        return torch.stack([target for target, _ in pairs]), torch.stack([condition for _, condition in pairs])

    def _pair(self, smoke: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        margin = math.ceil(REACH * BLUR[1])
        size = CROP + 2 * margin
        fine = picture(_crop(smoke, rng, size), _palette(rng))
        soft = blurred(fine, rng.uniform(*BLUR))
        window = (..., slice(margin, margin + CROP), slice(margin, margin + CROP))
        return GAIN * (fine - soft)[window], 2 * soft[window] - 1


def _crop(smoke: torch.Tensor, rng: np.random.Generator, size: int) -> torch.Tensor:
    """(DYES, size, size) of one of the snapshots (N, DYES, H, W): mirrored, shifted by fractions of a cell, at 1 to 1.6 cells
    a pixel, averaged over each pixel; of some places the one with most detail. Seen upright: smoke rises."""
    height, width = smoke.shape[2:]
    cells = min(rng.uniform(1.0, 1.6), height / size)
    # Two samples a side of a pixel; left and right of the box are the same place, so a crop may span both.
    steps = (torch.arange(2 * size) + 0.5) / 2 * cells
    most = -1.0
    for _ in range(CHOICES):
        snapshot = smoke[rng.integers(len(smoke))]
        x = torch.remainder(steps + rng.uniform(0, width), width)
        y = steps + rng.uniform(0, height - size * cells)
        few = snapshot[:, y[::4].long().clamp(max=height - 1)][:, :, x[::4].long().clamp(max=width - 1)]
        detail = float(few.diff(dim=2).square().mean())
        if detail > most:
            most, chosen, across, down = detail, snapshot, x, y
    wide = torch.cat((chosen, chosen[:, :, :1]), dim=2)
    right = (across / width * 2 - 1).expand(2 * size, -1)
    below = ((down - 0.5) / (height - 1) * 2 - 1)[:, None].expand(-1, 2 * size)
    moved = F.grid_sample(
        wide[None], torch.stack((right, below), dim=-1)[None], mode="bicubic", padding_mode="border", align_corners=True
    )
    moved = F.avg_pool2d(moved, 2)[0].clamp(0, 1)
    return moved.flip(2) if rng.random() < 0.5 else moved


def _palette(rng: np.random.Generator) -> Palette:
    """One of the palettes that scenes have with its dyes exchanged, or colours at random."""
    if rng.random() < 0.5:
        palette = list(PALETTES.values())[rng.integers(len(PALETTES))]
        order = rng.permutation(len(palette.dyes))
        return Palette(tuple(palette.dyes[k] for k in order), palette.behind)
    light = rng.uniform(0.75, 1.0) if rng.random() < 0.2 else rng.uniform(0.0, 0.15)
    behind = np.clip(light + rng.uniform(-0.04, 0.04, 3), 0, 1)
    dyes = rng.uniform(0.5, 1.0, (3, 1)) * rng.uniform(0.15, 1.0, (3, 3))
    first, second, third = ((float(r), float(g), float(b)) for r, g, b in dyes)
    return Palette((first, second, third), (float(behind[0]), float(behind[1]), float(behind[2])))


RECIPES.add(MODEL)(
    Recipe(
        network=NetworkConfig(channels=(48, 96), blocks=(2, 3)),
        settings={"sigma_data": SIGMA_DATA, "gain": GAIN},
        log_sigma_mean=-0.6,
        log_sigma_std=1.3,
        examples=SmokeExamples,
        picture=lambda target, condition: (condition + 1) / 2 + target / GAIN,  # type: ignore[operator]
    )
)


class SurrogateRendering:
    """Sample one of the fine simulations that the coarse one may stand for."""

    name = "surrogate-rendering"
    title = "Surrogate rendering of smoke"
    about = (
        "A coarse simulation is cheap and soft; the model, which has seen fine ones, invents the wisps and curls that it "
        "lacks, and the noise decides which. The solver's own velocity carries the noise: with random noise the smoke "
        "boils, with fixed noise it streams through a pattern that stands still, with integral noise its curls drift along."
    )
    noise_channels = 3
    defaults = SamplerOptions()
    parameters: tuple[ParameterInfo, ...] = (
        ParameterInfo(
            "blur",
            "Low-pass of the simulation",
            5.0,
            BLUR[0],
            BLUR[1],
            0.1,
            "px",
            "How much of the coarse picture is hidden from the model: more leaves more to the noise.",
        ),
    )

    def injections(self, options: SamplerOptions) -> int:
        return denoise.injections(options)

    def input_image(self, frame: torch.Tensor, options: SamplerOptions) -> torch.Tensor:
        """(3,H,W) to (3,H,W): the coarse picture without what the model might lean on."""
        denoise.check_frame(frame)
        return blurred(frame, parameter(self, options, "blur")).clamp(0, 1)

    def truth(self, frame: torch.Tensor) -> None:
        """Nothing is known: a fine simulation goes ways of its own."""
        return None

    def sample(
        self, frame: torch.Tensor, noise: NoiseFeed, options: SamplerOptions, device: torch.device
    ) -> Iterator[SamplerStep]:
        """Yield after every step of the sampler. ModelError when the weights are missing or damaged; ChoiceError for
        options that no sampler can follow; SizeError for a frame that is no picture."""
        soft = self.input_image(frame.to(device, torch.float32), options)
        model = load_model(MODEL, device)

        def shown(data: torch.Tensor) -> torch.Tensor:
            return soft + data[0] / model.settings["gain"]

        yield from denoise.sample(model, torch.zeros_like(soft), 2 * soft - 1, noise, options, shown)

    def invert(self, frame: torch.Tensor, options: SamplerOptions, device: torch.device) -> Iterator[torch.Tensor]:
        """Inverts the low-passed picture, that is no residual at all."""
        soft = self.input_image(frame.to(device, torch.float32), options)
        nothing = torch.zeros_like(soft)
        yield from denoise.invert(load_model(MODEL, device), nothing, nothing, 2 * soft - 1, options)


TASKS.add(SurrogateRendering.name, order=30)(SurrogateRendering())
