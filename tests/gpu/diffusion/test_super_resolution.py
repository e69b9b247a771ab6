"""The super-resolution task with its bundled weights, on a photo the model has not seen."""

from __future__ import annotations

import pytest
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.diffusion.sampling.samplers import SAMPLERS
from gpu.diffusion.tasks import TASKS, SamplerOptions
from gpu.errors import ChoiceError, SizeError

CPU = torch.device("cpu")
TASK = TASKS.get("super-resolution")
QUICK = SamplerOptions(sampler="euler", steps=4)


def feed(shape, seed=1):
    """Independent noises by number."""

    def noise(index: int) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(100 * seed + index))

    return noise


def last(frame, options=QUICK, seed=1):
    *_, step = TASK.sample(frame, feed(frame.shape, seed), options, CPU)
    return step.image


def detail(image):
    """Variance of the Laplacian of the luma."""
    luma = image.mean(dim=0)
    around = luma[1:-1, 2:] + luma[1:-1, :-2] + luma[2:, 1:-1] + luma[:-2, 1:-1]
    return float((around - 4 * luma[1:-1, 1:-1]).var())


@pytest.fixture(scope="module")
def photo():
    """128×128 of grass and rock, as sharp as the pixels allow."""
    picture = cv2.cvtColor(cv2.imread(str(asset("stills/picos.jpg"))), cv2.COLOR_BGR2RGB)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width * 288 // height, 288), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small[100:228, 120:248]).permute(2, 0, 1).float() / 255


@pytest.mark.slow
def test_output_is_much_sharper_than_bicubic_and_not_sharper_than_life(photo):
    output = last(photo, SamplerOptions())
    assert detail(output) > 10 * detail(TASK.input_image(photo, QUICK))
    assert 0.3 * detail(photo) < detail(output) < 1.5 * detail(photo)


@pytest.mark.slow
def test_output_keeps_what_the_low_resolution_picture_says(photo):
    output = last(photo, SamplerOptions())
    again, given = TASK.input_image(output, QUICK), TASK.input_image(photo, QUICK)
    assert float((again - given).square().mean().sqrt()) < 0.02


@pytest.mark.slow
def test_the_noise_decides_the_detail(photo):
    first, again, other = last(photo), last(photo), last(photo, seed=2)
    assert torch.equal(first, again)
    # It differs by much more than rounding, and by less than the lost detail does from nothing.
    assert 0.01 < float((first - other).square().mean().sqrt()) < 0.15


def test_moving_frame_and_noise_together_moves_the_output(photo):
    """By 4 pixels, the period of the network and of the low-resolution grid: then nothing else changes inside."""
    noise = feed((3, 128, 128))(0)
    *_, narrow = TASK.sample(photo[:, :, :120], lambda index: noise[:, :, :120], QUICK, CPU)
    *_, two = TASK.sample(photo[:, :, 4:124], lambda index: noise[:, :, 4:124], QUICK, CPU)
    torch.testing.assert_close(narrow.image[:, 48:80, 52:72], two.image[:, 48:80, 48:68], atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_yields_each_step_and_asks_for_the_announced_noises(name, photo):
    frame = photo[:, :32, :40]
    options = SamplerOptions(sampler=name, steps=3)
    asked = []

    def noise(index):
        asked.append(index)
        return feed(frame.shape)(index)

    steps = list(TASK.sample(frame, noise, options, CPU))
    assert [(step.index, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert asked == list(range(1 + TASK.injections(options)))
    for step in steps:
        assert step.image.shape == frame.shape
        assert 0 <= float(step.image.min()) <= float(step.image.max()) <= 1


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (7, 9), (33, 64)])
def test_any_size(size):
    frame = torch.rand((3, *size), generator=torch.Generator().manual_seed(0))
    image = last(frame)
    assert image.shape == frame.shape
    assert bool(image.isfinite().all())
    assert TASK.input_image(frame, QUICK).shape == frame.shape


def test_closing_the_iterator_cancels(photo):
    asked = TASK.sample(photo[:, :16, :16], feed((3, 16, 16)), SamplerOptions(steps=50), CPU)
    next(asked)
    asked.close()
    with pytest.raises(StopIteration):
        next(asked)
    assert torch.is_grad_enabled()


def test_wrong_arguments_are_named():
    frame = torch.rand((3, 8, 8))
    with pytest.raises(SizeError, match="height"):
        next(TASK.sample(torch.rand((8, 8)), feed((3, 8, 8)), QUICK, CPU))
    with pytest.raises(SizeError, match="Noise of shape"):
        next(TASK.sample(frame, feed((4, 8, 8)), QUICK, CPU))
    with pytest.raises(ChoiceError, match="sampler"):
        next(TASK.sample(frame, feed((3, 8, 8)), SamplerOptions(sampler="nonsense"), CPU))
    with pytest.raises(ChoiceError, match="task"):
        TASKS.get("nonsense")
