"""EDM preconditioning (Karras, Aittala, Aila, Laine 2022, arXiv 2206.00364, Table 1 and Section 5)."""

from __future__ import annotations

from collections.abc import Callable

import torch

# (x, sigma) -> the expected clean picture. x is (B,C,H,W), sigma a float: the noise level in units of the data.
Denoiser = Callable[[torch.Tensor, float], torch.Tensor]
# (scaled x, c_noise) -> raw network output; a condition, where there is one, is already bound.
RawNetwork = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def scalings(sigma: torch.Tensor, sigma_data: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(c_skip, c_out, c_in, c_noise) for noise levels `sigma` of any shape (Table 1, last column).

    They keep the network's input and training target at unit variance at every level, given data of standard
    deviation `sigma_data`.
    """
    total = sigma**2 + sigma_data**2
    c_skip = sigma_data**2 / total
    c_out = sigma * sigma_data / total.sqrt()
    c_in = 1 / total.sqrt()
    c_noise = sigma.log() / 4
    return c_skip, c_out, c_in, c_noise


def precondition(network: RawNetwork, sigma_data: float) -> Denoiser:
    """D(x; σ) = c_skip x + c_out F(c_in x; c_noise) (Equation 7)."""

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        level = torch.full((x.shape[0],), sigma, dtype=x.dtype, device=x.device)
        c_skip, c_out, c_in, c_noise = (c.to(x) for c in scalings(level, sigma_data))
        column = (-1, 1, 1, 1)
        raw = network(c_in.view(column) * x, c_noise)
        return c_skip.view(column) * x + c_out.view(column) * raw

    return denoise


def training_loss(
    network: RawNetwork, clean: torch.Tensor, noise: torch.Tensor, sigma: torch.Tensor, sigma_data: float
) -> torch.Tensor:
    """Loss per example (B,): λ(σ) ‖D(y + σn; σ) − y‖² with λ = 1/c_out² (Equations 2 and 8), a mean over the values.

    With this weight it equals the squared error of the raw network output to a target of unit variance.
    """
    column = (-1, 1, 1, 1)
    c_skip, c_out, c_in, c_noise = scalings(sigma, sigma_data)
    noisy = clean + sigma.view(column) * noise
    target = (clean - c_skip.view(column) * noisy) / c_out.view(column)
    raw = network(c_in.view(column) * noisy, c_noise)
    return (raw - target).square().mean(dim=(1, 2, 3))
