"""The parts of the experiment `latent` that are exact: what moves by whole latents and what does not."""

from __future__ import annotations

import pytest
import torch

from gpu.diffusion.sampling.resize_noise import latent_noise
from gpu.experiments import latent


def test_noise_of_latents_moves_without_loss_only_by_whole_latents():
    """By overlapping areas the correlation is 1, 3/4, 1/2, 3/4, 1; the standard error over 4·32·32 values is below 0.016,
    and 5 of them are exceeded with probability below 1e-5."""
    noise = torch.randn((4, 128, 136), generator=torch.Generator().manual_seed(3))
    still = latent_noise(noise[..., :128])
    for shift, expected in enumerate((1.0, 0.75, 0.5, 0.75, 1.0)):
        moved = latent_noise(noise[..., shift : shift + 128])
        assert latent.noise_correlation(still, moved, shift / 4) == pytest.approx(expected, abs=0.08)


def test_difference_is_taken_between_places_that_show_the_same():
    wide = latent.photo("picos")
    for shift in (0, 3, 8):
        moved = wide[..., shift : shift + latent.SIZE]
        assert latent.difference(wide[..., : latent.SIZE], moved, shift) == 0
    assert latent.difference(wide[..., : latent.SIZE], wide[..., 3 : 3 + latent.SIZE], 0) > 1e-3
