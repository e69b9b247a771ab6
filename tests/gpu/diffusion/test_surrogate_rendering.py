"""Surrogate rendering with its bundled weights, on a soft picture of smoke."""

from __future__ import annotations

import torch

from gpu.diffusion.tasks import TASKS, SamplerOptions
from gpu.metrics.quality import laplacian_variance


def test_the_noise_decides_the_wisps_and_the_picture_decides_the_rest():
    task, options = TASKS.get("surrogate-rendering"), SamplerOptions(sampler="euler", steps=6)
    x = torch.linspace(0, 6.28, 64)
    frame = (0.45 + 0.35 * torch.sin(x)[None, :] * torch.sin(x)[:, None]).expand(3, -1, -1).contiguous()

    def sampled(seed):
        noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
        *_, step = task.sample(frame, lambda index: noise, options, torch.device("cpu"))
        return step.image

    first, again, other = sampled(1), sampled(1), sampled(2)
    given = task.input_image(frame, options)
    assert torch.equal(first, again)
    assert float((first - other).square().mean().sqrt()) > 0.02
    assert laplacian_variance(first) > 10 * laplacian_variance(given)
    assert float((task.input_image(first, options) - given).abs().mean()) < 0.08
