"""Pose to person: its training examples fit their conditions, and the bundled model dresses the scene's figure."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu.diffusion.tasks import RECIPES, TASKS, SamplerOptions
from gpu.metrics.quality import laplacian_variance
from gpu.session import SourceSettings
from gpu.source.opening import open_source

CPU = torch.device("cpu")


@pytest.mark.slow
def test_examples_are_reproducible_and_their_flat_pictures_are_their_mean_colours():
    recipe = RECIPES.get("person")
    target, condition = recipe.examples(None, "validate").batch(np.random.default_rng(3), 6)
    again, _ = recipe.examples(None, "validate").batch(np.random.default_rng(3), 6)
    assert torch.equal(target, again)
    assert target.shape == condition.shape == (6, 3, 128, 64)
    assert 0.35 < float(target.square().mean().sqrt()) < 0.65  # σ_data is 0.5
    finished = recipe.picture(target, condition)
    assert float(finished.min()) >= -1e-5
    assert float(finished.max()) <= 1 + 1e-5
    blurred = torch.nn.functional.avg_pool2d(target, 32)
    assert float(blurred.square().mean().sqrt()) < 0.35 * float(target.square().mean().sqrt())
    other, _ = recipe.examples(None, "train").batch(np.random.default_rng(3), 6)
    assert not torch.equal(target, other)


@pytest.mark.slow
def test_the_noise_decides_the_clothes_and_the_picture_their_colour():
    task, options = TASKS.get("pose-to-person"), SamplerOptions(sampler="euler", steps=6)
    source = open_source(SourceSettings("scene", "", "pose", {"cycle": "wave"}, 96, 72, 0, 2))
    frame = torch.from_numpy(source.frame(0)).permute(2, 0, 1).float() / 255

    def sampled(seed):
        noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
        *_, step = task.sample(frame, lambda index: noise, options, CPU)
        return step.image

    first, again, other = sampled(1), sampled(1), sampled(2)
    given = task.input_image(frame, options)
    assert torch.equal(first, again)
    assert float((first - other).square().mean().sqrt()) > 0.03
    assert laplacian_variance(first) > 10 * laplacian_variance(given)
    pooled = torch.nn.functional.avg_pool2d(first - given, 12)
    assert float(pooled.abs().mean()) < 0.06
