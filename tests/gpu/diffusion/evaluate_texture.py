"""Compare samples of the texture model with crops of photos it has not seen: the figures of its model card.

`python -m tests.gpu.diffusion.evaluate_texture HELD_OUT… [--trained FOLDER] [--count 64] [--sheet FILE]`
Prints the denoising loss on the held-out crops, and of samples and crops the sharpness, contrast, slope of the power spectrum
and heaviness of the tails of differences; with --trained (the folder of gpu.diffusion.data.photos) also those of photos that
it was trained on, to show how far one set of photos is from another. No test: minutes long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from tqdm import tqdm

from gpu.cv import cv2
from gpu.diffusion.data.photos import Photos
from gpu.diffusion.model.precondition import training_loss
from gpu.diffusion.model.weight_files import load_model
from gpu.diffusion.tasks import RECIPES, TASKS
from gpu.diffusion.tasks.unconditional_texture import CHOICES, CROP, MODEL, to_data
from gpu.metrics import intervals
from gpu.metrics.quality import laplacian_variance
from gpu.metrics.spectrum import radial_spectrum
from gpu.source.stills import read_picture

LEVEL_RATIO, SMALLEST = 0.7, 340  # as gpu.diffusion.data.photos
BAND = (0.06, 0.35)  # cycles per pixel: above what the window blurs, below where pixels are averaged away
MEASURES: dict[str, Callable[[torch.Tensor], float]] = {
    "variance of the Laplacian": lambda picture: laplacian_variance(picture),
    "contrast (standard deviation of luma)": lambda picture: 255 * float(_luma(picture).std()),
    "slope of the power spectrum": lambda picture: slope(picture),
    "excess kurtosis of neighbours' differences": lambda picture: float(
        stats.kurtosis(torch.diff(_luma(picture), dim=1).double().numpy().ravel())
    ),
}


def crops(photos: list[Path], count: int, rng: np.random.Generator) -> torch.Tensor:
    """(count, 3, CROP, CROP) in [0, 1]: at random sizes, averaged over 2×2 pixels, of CHOICES the one with most detail, as in
    training; not turned. Photos take turns."""
    levels = []
    for photo in photos:
        picture, here = read_picture(photo), []
        while picture.shape[0] >= SMALLEST:
            here.append(picture)
            size = (round(picture.shape[1] * LEVEL_RATIO), round(picture.shape[0] * LEVEL_RATIO))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        levels.append(here)
    kept = []
    for number in range(count):
        drawn = []
        for _ in range(CHOICES):
            here = levels[number % len(levels)]
            source = here[rng.integers(len(here))]
            i, j = (int(rng.integers(side - 2 * CROP + 1)) for side in source.shape[:2])
            wide = source[i : i + 2 * CROP, j : j + 2 * CROP]
            drawn.append(cv2.resize(wide, (CROP, CROP), interpolation=cv2.INTER_AREA))
        detail = [cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var() for picture in drawn]
        kept.append(drawn[int(np.argmax(detail))])
    return torch.from_numpy(np.stack(kept)).permute(0, 3, 1, 2).float() / 255


def _always(noise: torch.Tensor, index: int) -> torch.Tensor:
    """The noise feed of a sampler that injects none."""
    return noise


def samples(count: int) -> torch.Tensor:
    """(count, 3, CROP, CROP): what the task makes of white noise with its own defaults."""
    task, made = TASKS.get("unconditional-texture"), []
    for seed in tqdm(range(count), desc="samples"):
        noise = torch.randn((3, CROP, CROP), generator=torch.Generator().manual_seed(seed))
        feed = partial(_always, noise)
        *_, last = task.sample(torch.zeros_like(noise), feed, task.defaults, torch.device("cpu"))
        made.append(last.image)
    return torch.stack(made)


def _luma(picture: torch.Tensor) -> torch.Tensor:
    return 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2]


def slope(picture: torch.Tensor) -> float:
    """The exponent of power over frequency inside BAND: about −2 for photos, 0 for white noise."""
    luma = _luma(picture)
    window = torch.hann_window(luma.shape[0], periodic=False)
    power = torch.fft.rfft2((luma - luma.mean()) * window[:, None] * window[None, :]).abs().square()
    curve = radial_spectrum(power, luma.shape[1], 1 / luma.numel()).curve
    inside = (curve[:, 0] >= BAND[0]) & (curve[:, 0] <= BAND[1])
    return float(np.polyfit(np.log(curve[inside, 0]), np.log(curve[inside, 1] + 1e-12), 1)[0])


@torch.no_grad()
def losses(pictures: torch.Tensor) -> list[float]:
    """One a picture: the loss that training minimises, at noise levels drawn as in training."""
    model, recipe = load_model(MODEL, torch.device("cpu")), RECIPES.get(MODEL)
    generator = torch.Generator().manual_seed(1)
    collected: list[float] = []
    for part in to_data(pictures).split(16):  # type: ignore[no-untyped-call]
        log_sigma = recipe.log_sigma_mean + recipe.log_sigma_std * torch.randn(len(part), generator=generator)
        noise = torch.randn(part.shape, generator=generator)
        loss = training_loss(
            lambda x, c: model.network(x, None, c), part, noise, log_sigma.exp(), model.settings["sigma_data"]
        )
        collected += loss.tolist()
    return collected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--trained", type=Path, help="folder of the training photos, for comparison")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--sheet", type=Path, help="PNG: above samples, below held-out crops")
    given = parser.parse_args()
    began = time.monotonic()
    rng = np.random.default_rng(3)
    sets = {"samples": samples(given.count), "held-out crops": crops(given.photos, given.count, rng)}
    if given.trained:
        sets["training crops"] = Photos(given.trained, "train").batch(rng, given.count, CROP, CHOICES)
    for name, pictures in sets.items():
        if name != "samples":
            interval = intervals.mean(losses(pictures))
            print(f"loss on {len(pictures)} {name}: {interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]")
    print(f"\n| of {CROP}×{CROP} pictures, mean [95 %], n = {given.count} each | {' | '.join(sets)} |")
    print("| --- |" + " --- |" * len(sets))
    for title, of in MEASURES.items():
        cells = []
        for pictures in sets.values():
            interval = intervals.mean([of(picture) for picture in pictures])
            digits = 0 if abs(interval.value) >= 20 else 2
            cells.append(f"{interval.value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]")
        print(f"| {title} | {' | '.join(cells)} |")
    print(f"\n{time.monotonic() - began:.0f} s")
    if given.sheet:
        rows = [torch.cat(list(pictures[:10]), dim=2) for pictures in sets.values()]
        sheet = (255 * torch.cat(rows, dim=1).permute(1, 2, 0)).round().byte().numpy().repeat(2, 0).repeat(2, 1)
        cv2.imwrite(str(given.sheet), sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
