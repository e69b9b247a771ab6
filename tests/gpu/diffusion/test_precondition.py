"""EDM preconditioning: the identities that Table 1 of Karras et al. 2022 is built to satisfy."""

from __future__ import annotations

import pytest
import torch

from gpu.diffusion.model.precondition import precondition, scalings, training_loss

SIGMAS = torch.tensor([0.01, 0.1, 0.5, 2.0, 40.0], dtype=torch.float64)
SIGMA_DATA = 0.5


@pytest.mark.slow
def test_network_input_and_target_have_unit_variance():
    c_skip, c_out, c_in, c_noise = scalings(SIGMAS, SIGMA_DATA)
    total = SIGMAS**2 + SIGMA_DATA**2
    torch.testing.assert_close(c_in**2 * total, torch.ones_like(total))  # Equation 114
    # The target (y − c_skip (y + σn)) / c_out has variance ((1 − c_skip)² σ_data² + c_skip² σ²) / c_out² (Eq. 117).
    target = ((1 - c_skip) ** 2 * SIGMA_DATA**2 + c_skip**2 * SIGMAS**2) / c_out**2
    torch.testing.assert_close(target, torch.ones_like(target))
    torch.testing.assert_close((4 * c_noise).exp(), SIGMAS)


def test_skip_takes_over_at_low_noise_and_vanishes_at_high():
    c_skip, c_out, _, _ = scalings(torch.tensor([1e-4, 1e4], dtype=torch.float64), SIGMA_DATA)
    assert c_skip[0] == pytest.approx(1, abs=1e-6)
    assert c_out[0] == pytest.approx(1e-4, rel=1e-6)
    assert c_skip[1] == pytest.approx(0, abs=1e-6)
    assert c_out[1] == pytest.approx(SIGMA_DATA, rel=1e-6)


def test_a_zero_network_gives_the_best_linear_denoiser():
    x = torch.randn((2, 3, 4, 5), generator=torch.Generator().manual_seed(1))
    denoise = precondition(lambda scaled, level: torch.zeros_like(scaled), SIGMA_DATA)
    torch.testing.assert_close(denoise(x, 0.5), 0.5 * x)  # σ = σ_data: half of what is seen is signal


def test_loss_of_a_perfect_network_is_zero_and_of_a_zero_network_is_one():
    generator = torch.Generator().manual_seed(2)
    clean = SIGMA_DATA * torch.randn((4, 3, 64, 64), generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    sigma = torch.tensor([0.05, 0.3, 1.0, 8.0])
    c_skip, c_out, _, _ = (c.view(-1, 1, 1, 1) for c in scalings(sigma, SIGMA_DATA))
    target = (clean - c_skip * (clean + sigma.view(-1, 1, 1, 1) * noise)) / c_out
    perfect = training_loss(lambda x, level: target, clean, noise, sigma, SIGMA_DATA)
    assert float(perfect.max()) == 0
    nothing = training_loss(lambda x, level: torch.zeros_like(x), clean, noise, sigma, SIGMA_DATA)
    # A mean of 12,288 squared standard normals: standard deviation 0.0128, so 0.07 is beyond 5 of them.
    torch.testing.assert_close(nothing, torch.ones(4), atol=0.07, rtol=0)
