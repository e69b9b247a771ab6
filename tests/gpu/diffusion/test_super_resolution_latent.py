"""Super-resolution among latents: the autoencoder's round trip, noise by sums of areas, any size, a run that goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.diffusion.model.autoencoder import AutoencoderConfig
from gpu.diffusion.model.weight_files import load_autoencoder, load_model, read_autoencoder, weights_path
from gpu.diffusion.tasks import TASKS, Recipe, SamplerOptions
from gpu.diffusion.tasks import super_resolution_latent as latent
from gpu.diffusion.training import train
from gpu.errors import ModelError, SizeError
from gpu.metrics.quality import psnr

CPU = torch.device("cpu")
TASK = TASKS.get("super-resolution-latent")
QUICK = SamplerOptions(sampler="euler", steps=3)


def normal(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def photo():
    picture = cv2.cvtColor(cv2.imread(str(asset("stills/picos.jpg"))), cv2.COLOR_BGR2RGB)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width * 288 // height, 288), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small[100:228, 120:248]).permute(2, 0, 1).float() / 255


def test_the_round_trip_of_a_photo_it_has_not_seen(photo):
    """28.56 dB were measured."""
    model = load_autoencoder(latent.AUTOENCODER, CPU)
    with torch.no_grad():
        code = latent.latent_of(model, photo[None])
        back = latent.picture_of(model, code)[0].clamp(0, 1)
    assert code.shape == (1, 4, 32, 32)
    assert 0.25 < float(code.square().mean().sqrt()) < 1.0
    assert psnr(back, photo) > 27.5


@pytest.mark.slow
def test_sampling_stays_near_the_photo_and_follows_the_noise(photo):
    noise, other = normal(4, 128, 128), normal(4, 128, 128, seed=2)
    *_, first = TASK.sample(photo, lambda index: noise, QUICK, CPU)
    *_, again = TASK.sample(photo, lambda index: noise, QUICK, CPU)
    *_, two = TASK.sample(photo, lambda index: other, QUICK, CPU)
    assert torch.equal(first.image, again.image)
    assert psnr(first.image, photo) > 20
    assert 0.01 < float((first.image - two.image).square().mean().sqrt()) < 0.15


def test_latent_noise_is_the_sum_over_areas_and_white_at_cut_edges():
    noise = normal(4, 8, 12)
    expected = noise.reshape(4, 2, 4, 3, 4).sum((2, 4)) / 4
    torch.testing.assert_close(latent.latent_noise(noise), expected)
    # 4000 channels of 5×6 pixels: four latents a channel, three of them cut. Of each the standard error of the variance
    # is sqrt(2/4000) = 0.022; 5 of them are exceeded with probability below 1e-5.
    cut = latent.latent_noise(normal(4000, 5, 6))
    assert cut.shape == (4000, 2, 2)
    assert float((cut.var(dim=0) - 1).abs().max()) < 0.112


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (7, 9)])
def test_any_size(size):
    frame = torch.rand((3, *size), generator=torch.Generator().manual_seed(0))
    *_, step = TASK.sample(frame, lambda index: normal(4, *size), QUICK, CPU)
    *_, noise = TASK.invert(frame, QUICK, CPU)
    assert step.image.shape == TASK.input_image(frame, QUICK).shape == frame.shape
    assert noise.shape == (4, *size)
    assert bool(step.image.isfinite().all())
    assert bool(noise.isfinite().all())


def test_wrong_arguments_and_other_autoencoders_are_named(monkeypatch, photo):
    with pytest.raises(SizeError, match="height"):
        next(TASK.sample(torch.rand((8, 8)), lambda index: normal(4, 8, 8), QUICK, CPU))
    with pytest.raises(SizeError, match="Noise of shape"):
        next(TASK.sample(photo, lambda index: normal(3, 128, 128), QUICK, CPU))
    with pytest.raises(ModelError, match="another kind"):
        read_autoencoder(weights_path(latent.MODEL), CPU)
    monkeypatch.setattr(latent, "fingerprint", lambda name: load_model(latent.MODEL, CPU).settings["autoencoder"] + 1)
    with pytest.raises(ModelError, match="another autoencoder"):
        next(TASK.sample(photo, lambda index: normal(4, 128, 128), QUICK, CPU))


class Patches:
    """Random smooth pictures instead of photos."""

    def batch(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, None]:
        coarse = torch.from_numpy(rng.random((count, 3, 4, 4), dtype=np.float32))
        return torch.nn.functional.interpolate(coarse, size=16, mode="bilinear"), None


@pytest.mark.slow
def test_a_run_of_the_autoencoder_that_was_stopped_ends_where_it_would_have(tmp_path, monkeypatch):
    config = AutoencoderConfig(channels=(4, 8), encoder_blocks=(1, 1), decoder_blocks=(1, 1))
    recipe = Recipe(network=config, examples=lambda folder, use: Patches(), measured=latent._scale)
    monkeypatch.setattr(train, "RECIPES", {"tiny": recipe})
    monkeypatch.setattr(train, "LOG_EVERY", 1)  # a checkpoint every 10 steps
    monkeypatch.setattr(train, "learning_rate", lambda step, steps, peak: peak)

    def trained(work: Path, *lengths: int) -> dict[str, torch.Tensor]:
        for steps in lengths:
            train.train("tiny", None, work, steps, 2, 1e-3, 0, None)
        model = read_autoencoder(work / "weights.safetensors", CPU)
        assert model.settings["scale"] > 0
        return model.network.state_dict()

    whole, parts = trained(tmp_path / "whole", 20), trained(tmp_path / "parts", 10, 20)
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())
    assert (tmp_path / "parts" / "samples.png").exists()
