"""Appearance transfer with its bundled weights, on the flat landscape."""

from __future__ import annotations

import pytest
import torch

from gpu.diffusion.tasks import TASKS, SamplerOptions
from gpu.metrics.quality import laplacian_variance
from gpu.session import SourceSettings
from gpu.source.opening import open_source

CPU = torch.device("cpu")
TASK = TASKS.get("appearance-transfer")


@pytest.fixture(scope="module")
def flat():
    picture = open_source(SourceSettings("scene", "", "flat", {}, 64, 64, 0, 2)).frame(0)
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


def last(frame, strength, seed=1):
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
    options = SamplerOptions(steps=6, parameters={"strength": strength})
    *_, step = TASK.sample(frame, lambda index: noise, options, CPU)
    return step.image


def test_what_is_flat_passes_and_what_is_textured_does_not(flat):
    assert float((TASK.input_image(flat, SamplerOptions()) - flat).abs().mean()) < 0.02
    grain = torch.rand(flat.shape, generator=torch.Generator().manual_seed(0))
    assert laplacian_variance(TASK.input_image(grain, SamplerOptions())) < 0.02 * laplacian_variance(grain)


def test_the_strength_decides_how_much_the_noise_decides(flat):
    apart = [float((last(flat, s) - last(flat, s, 2)).square().mean().sqrt()) for s in (0.1, 3.0)]
    assert apart[1] > 2 * apart[0]
    assert apart[1] > 0.03
