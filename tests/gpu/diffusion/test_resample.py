"""The low-resolution operator: linear, brightness-preserving, centred, defined for any size."""

from __future__ import annotations

import pytest
import torch

from gpu.diffusion.images.resample import bicubic, decimate


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 300), (5, 7), (64, 48)])
def test_any_size_keeps_a_constant(height, width):
    image = torch.full((3, height, width), 0.3)
    low = decimate(image, 4, 2.0)
    assert low.shape == (3, -(-height // 4), -(-width // 4))
    torch.testing.assert_close(bicubic(low, 4, height, width), image)


def test_a_ramp_comes_back_in_place():
    ramp = torch.arange(64, dtype=torch.float64).expand(1, 64, 64) / 64
    back = bicubic(decimate(ramp, 4, 2.0), 4, 64, 64)
    inner = (..., slice(16, -16), slice(16, -16))
    torch.testing.assert_close(back[inner], ramp[inner], atol=1e-3, rtol=0)


def change_after_a_move(blur: float) -> float:
    """White texture moved by one pixel, reduced, enlarged and moved back: its mean square change over its variance."""
    texture = torch.rand((1, 96, 96), generator=torch.Generator().manual_seed(4))
    still = bicubic(decimate(texture, 4, blur), 4, 96, 96)
    moved = bicubic(decimate(texture.roll(1, -1), 4, blur), 4, 96, 96).roll(-1, -1)
    inner = (..., slice(16, -16), slice(16, -16))
    return float((still - moved)[inner].square().mean() / still[inner].var())


def test_low_resolution_hardly_depends_on_the_phase_of_the_grid():
    assert change_after_a_move(2.0) < 0.1
    assert change_after_a_move(2.0) < 0.3 * change_after_a_move(1.0)
