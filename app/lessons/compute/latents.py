"""A photo and its noise moved by pixels, among pixels and among latents: the lesson on limits asks what survives that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute.draw_statistics import CPU
from app.lessons.compute.scene import Bytes
from gpu.diffusion.model.latents import AUTOENCODER, FACTOR
from gpu.diffusion.model.weight_files import load_autoencoder
from gpu.diffusion.sampling.resize_noise import latent_noise
from gpu.experiments.latent import noise_correlation, photo
from gpu.noise import rng

MOST = 8  # pixels: two latents
SIZE, EDGE = 64, 8  # pixels of the photo that is decoded, and of its edge that is not compared
NOISE = 128  # pixels a side of the noise that is compared
STILL = "picos"


@lru_cache(maxsize=256)
def noise_kept(shift: int, seed: int) -> tuple[float, float, int]:
    """Correlation of noise with itself moved by `shift` pixels, after going back by the nearest whole number: among pixels and
    among latents; and how many latents were compared."""
    wide = rng.white(seed, rng.FIELD, 0, 4, NOISE, NOISE + MOST, CPU)
    still, moved = wide[..., :NOISE], wide[..., shift : shift + NOISE]
    latent, latent_moved = latent_noise(still), latent_noise(moved)
    return (
        noise_correlation(still, moved, shift),
        noise_correlation(latent, latent_moved, shift / FACTOR),
        latent.numel(),
    )


def latent_theory(shift: float) -> float:
    """What is left of a latent's noise after moving by `shift` pixels: the share of it that the nearest latent covers."""
    beside = abs(shift / FACTOR - round(shift / FACTOR))
    return 1 - beside


@dataclass(frozen=True)
class Trip:
    """A photo encoded and decoded, then moved (`first`), and moved, then encoded and decoded (`second`): (H, W, 3) bytes over
    the same part of the photo; their difference (H, W), mean of the channels; and its mean square ×10⁻³."""

    first: Bytes
    second: Bytes
    difference: np.ndarray
    error: float


@lru_cache(maxsize=1)
def _photo() -> torch.Tensor:
    return photo(STILL)[:, :SIZE, : SIZE + MOST]


@lru_cache(maxsize=2 * MOST)
def _decoded(shift: int) -> torch.Tensor:
    autoencoder = load_autoencoder(AUTOENCODER, CPU).network
    with torch.no_grad():
        decoded: torch.Tensor = autoencoder(_photo()[None, :, :, shift : shift + SIZE])[0]
        return decoded.clamp(0, 1)


@lru_cache(maxsize=2 * MOST)
def trip(shift: int) -> Trip:
    """Both ways round for one shift; they would agree if the autoencoder did not know where its grid lies."""
    last = SIZE - EDGE - MOST
    first = _decoded(0)[:, EDGE:-EDGE, EDGE + shift : last + shift]
    second = _decoded(shift)[:, EDGE:-EDGE, EDGE:last]
    difference = second - first
    shown = [(picture * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).numpy() for picture in (first, second)]
    return Trip(
        np.ascontiguousarray(shown[0]), np.ascontiguousarray(shown[1]), difference.mean(0).numpy(),
        1e3 * float(difference.square().mean()),
    )  # fmt: skip
