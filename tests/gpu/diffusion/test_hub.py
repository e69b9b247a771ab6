"""Pipelines of one's own: each family against diffusers' own pipeline on the same noise, on tiny random weights."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gpu import interrupt
from gpu.diffusion.hub import loading, running
from gpu.diffusion.hub.picture_ranges import encode, resized
from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.sampling.resize_noise import resize_noise
from gpu.diffusion.tasks import TASKS
from gpu.errors import ModelError
from tests.gpu.diffusion import hub_pipelines

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("diffusers") is None, reason="the optional extra hub is not installed"
)
CPU = torch.device("cpu")
FAMILIES = list(hub_pipelines.MAKERS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Family → the folder of a tiny pipeline, made once for all tests here."""
    base, made = tmp_path_factory.mktemp("pipelines"), {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = hub_pipelines.make(name, base / name)
        return made[name]

    yield folder
    loading.release()


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _frame(height: int = 48, width: int = 64) -> torch.Tensor:
    """Soft shapes: a picture that survives being made smaller."""
    coarse = torch.rand((1, 3, 4, 5), generator=_generator(5))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]


def _feed(height: int, width: int, seed: int = 0) -> Callable[[int], torch.Tensor]:
    return lambda j: torch.randn((4, height, width), generator=_generator(1000 * seed + j))


def _options(folder: Path, **parameters: Any) -> SamplerOptions:
    given = {"path": str(folder), "prompt": "green hills", "negative": "blurry", **parameters}
    return replace(TASKS.get("hub").defaults, steps=3, parameters=given)


def _last(frame: torch.Tensor, options: SamplerOptions, seed: int = 0) -> torch.Tensor:
    *_, step = TASKS.get("hub").sample(frame, _feed(*frame.shape[-2:], seed), options, CPU)
    assert step.index == step.total == options.steps
    return step.image


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_an_output_is_a_picture_that_the_noise_decides(family: str, folders: Callable[[str], Path]) -> None:
    frame, options = _frame(45, 61), _options(folders(family))  # a size that no grid divides
    image = _last(frame, options)
    assert image.shape == frame.shape
    assert image.dtype == torch.float32
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    assert torch.equal(image, _last(frame, options))
    assert not torch.allclose(image, _last(frame, options, seed=1), atol=1e-3)
    assert TASKS.get("hub").input_image(frame, options).shape == frame.shape
    # Stochastic samplers are given their noise by the prior too: nothing else is random.
    stochastic = replace(options, sampler="euler-ancestral", churn=1.0)
    assert torch.equal(_last(frame, stochastic), _last(frame, stochastic))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_and_guidance_matter(family: str, folders: Callable[[str], Path]) -> None:
    frame, options = _frame(), _options(folders(family), guidance=8.0)
    image = _last(frame, options)
    for change in ({"prompt": "a photo"}, {"negative": "hills"}, {"guidance": 1.0}):
        other = replace(options, parameters={**options.parameters, **change})
        assert not torch.equal(image, _last(frame, other)), change


# --- against diffusers' own pipelines, whose noise is replaced by ours -------------------------------------------------


def _diffusers(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path, noises: list[torch.Tensor]) -> Any:
    """diffusers' pipeline of class `name` from `folder`; it draws `noises` in turn instead of random numbers."""
    import diffusers

    maker = getattr(diffusers, name)
    pipeline = maker.from_pretrained(str(folder), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    if (
        "variance_type" not in pipeline.scheduler.config
    ):  # DeepFloyd's pipelines read it of any scheduler, DDIM's has none
        pipeline.scheduler.register_to_config(variance_type="fixed_small")
    drawn = iter(noises)
    module = importlib.import_module(maker.__module__)

    def draw(shape: Any, **_: Any) -> torch.Tensor:
        noise = next(drawn)
        assert tuple(noise.shape) == tuple(shape)
        return noise

    monkeypatch.setattr(module, "randn_tensor", draw)
    return pipeline


def _even(folder: Path, first: int, count: int, **parameters: Any) -> SamplerOptions:
    """DDIM from step `first` down to 1 (or 0) in `count` even steps, as diffusers takes them."""
    levels = loading.load(str(folder), CPU).levels
    last = first % 50
    return replace(
        _options(folder, strength=1.0, **parameters),
        sampler="ddim",
        steps=count,
        sigma_max=float(levels.sigmas[first]),
        sigma_min=float(levels.sigmas[last]),
    )


@pytest.mark.slow
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_stable_diffusion_equals_diffusers(prediction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        hub_pipelines.stable_diffusion(tmp_path, prediction_type=prediction)
    frame, feed = _frame(64, 80), _feed(64, 80)
    noise = resize_noise(feed(0), 8, 10)[None]
    theirs = _diffusers(monkeypatch, "StableDiffusionImg2ImgPipeline", tmp_path, [noise])
    expected = theirs(
        prompt="green hills", negative_prompt="blurry", image=encode(theirs.vae, frame), strength=0.5,
        num_inference_steps=20, guidance_scale=5.0, output_type="pt",
    ).images[0]  # fmt: skip
    # Ten steps in other variables than theirs: float32 rounds differently, by far less than a grey level (4e-3).
    torch.testing.assert_close(_last(frame, _even(tmp_path, 451, 10)), expected, rtol=0, atol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_stable_diffusion_xl_equals_diffusers(
    guidance: float, folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, frame, feed = folders("stable-diffusion-xl"), _frame(64, 80), _feed(64, 80)
    noise = resize_noise(feed(0), 8, 10)[None]
    import diffusers

    theirs = diffusers.StableDiffusionXLImg2ImgPipeline.from_pretrained(str(folder))
    theirs.set_progress_bar_config(disable=True)
    monkeypatch.setattr(importlib.import_module(type(theirs).__module__), "randn_tensor", lambda *_, **__: noise)
    expected = theirs(
        prompt="green hills", negative_prompt="blurry", image=encode(theirs.vae, frame), strength=0.5,
        num_inference_steps=20, guidance_scale=guidance, output_type="pt", original_size=(64, 80), target_size=(64, 80),
    ).images[0]  # fmt: skip
    options = _even(folder, 451, 10, guidance=guidance)
    torch.testing.assert_close(_last(frame, options), expected, rtol=0, atol=2e-5)


@pytest.mark.slow
def test_the_upscaler_equals_diffusers(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, frame, feed = folders("upscaler"), _frame(64, 96), _feed(64, 96)
    low = torch.nn.functional.avg_pool2d(frame[None], 4)
    condition, noise = resize_noise(feed(1)[:3], 16, 24)[None], resize_noise(feed(0), 16, 24)[None]
    options = _even(folder, 951, 20)
    # Our x begins at σ·noise, theirs, scaled by √ᾱ, at the noise itself.
    begin = noise * options.sigma_max / (1 + options.sigma_max**2) ** 0.5
    theirs = _diffusers(monkeypatch, "StableDiffusionUpscalePipeline", folder, [condition])
    expected = theirs(
        prompt="green hills", negative_prompt="blurry", image=low, num_inference_steps=20, guidance_scale=5.0,
        noise_level=20, latents=begin, output_type="pt",
    ).images[0]  # fmt: skip
    torch.testing.assert_close(_last(frame, options), expected, rtol=0, atol=2e-5)


@pytest.mark.slow
def test_deepfloyd_equals_diffusers(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, frame, feed = folders("deepfloyd"), _frame(24, 32), _feed(24, 32)
    noise = feed(0)[None, :3]
    theirs = _diffusers(monkeypatch, "IFImg2ImgPipeline", folder, [noise])
    expected = theirs(
        prompt="green hills", negative_prompt="blurry", image=2 * frame[None] - 1, strength=0.5,
        num_inference_steps=20, guidance_scale=5.0, output_type="pt",
    ).images[0]  # fmt: skip
    options = _even(folder, 450, 10, size=24)
    torch.testing.assert_close(_last(frame, options), (expected / 2 + 0.5).clamp(0, 1), rtol=0, atol=2e-5)


@pytest.mark.slow
def test_deepfloyd_super_equals_diffusers(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, frame, feed = folders("deepfloyd-super"), _frame(32, 32), _feed(32, 32)
    options = _even(folder, 950, 20)
    begin = feed(0)[None, :3] * options.sigma_max / (1 + options.sigma_max**2) ** 0.5
    theirs = _diffusers(monkeypatch, "IFSuperResolutionPipeline", folder, [begin, feed(1)[None, :3]])
    expected = theirs(
        prompt="green hills", negative_prompt="blurry", image=2 * resized(frame, 8, 8).clamp(0, 1)[None] - 1,
        height=32, width=32, num_inference_steps=20, guidance_scale=5.0, noise_level=250, output_type="pt",
    ).images[0]  # fmt: skip
    torch.testing.assert_close(_last(frame, options), (expected / 2 + 0.5).clamp(0, 1), rtol=0, atol=1e-4)


# --- strength, inversion, interruption ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_little_strength_keeps_the_frame(folders: Callable[[str], Path]) -> None:
    frame, folder = _frame(32, 32), folders("deepfloyd")
    distances = []
    for strength in (0.05, 0.5, 1.0):
        image = _last(frame, _options(folder, strength=strength, size=32, guidance=1.0))
        distances.append(float((image - frame).square().mean()))
    assert distances[0] < 0.01
    assert distances[0] < distances[1] < distances[2]


@pytest.mark.slow
def test_sampling_from_the_inverted_noise_gives_the_frame_back(folders: Callable[[str], Path]) -> None:
    task, frame = TASKS.get("hub"), _frame(32, 32)
    options = replace(_options(folders("deepfloyd"), strength=0.5, size=32, guidance=1.0), steps=40)
    states = list(task.invert(frame, options, CPU))
    assert len(states) == 40
    inverted = states[-1]
    assert inverted.shape == (4, 32, 32)
    *_, step = task.sample(frame, lambda _: inverted, options, CPU)
    *_, other = task.sample(frame, _feed(32, 32), options, CPU)
    back, apart = (float((s.image - frame).square().mean()) for s in (step, other))
    assert back < 1e-3 < 0.1 * apart


@pytest.mark.slow
@pytest.mark.parametrize("family", ["stable-diffusion", "upscaler"])
def test_inverted_latents_return_through_the_frame_grid(
    family: str, folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Latents are handed out on the frame's grid; where the sizes divide, sampling gets the very latents back."""
    frame, options = _frame(64, 64), _options(folders(family), guidance=1.0)
    handed: list[torch.Tensor] = []

    def recorded(noise: torch.Tensor, height: int, width: int) -> torch.Tensor:
        handed.append(noise)
        return resize_noise(noise, height, width)

    monkeypatch.setattr(running, "resize_noise", recorded)
    *_, inverted = TASKS.get("hub").invert(frame, options, CPU)
    assert inverted.shape == (4, 64, 64)
    assert inverted.std() > 0.1
    latents = handed[-1]
    returned = running.on_grid(inverted, torch.empty((1, *latents.shape)))[0]
    torch.testing.assert_close(returned, latents, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_work_is_given_up_between_two_layers(folders: Callable[[str], Path]) -> None:
    frame, options = _frame(), _options(folders("stable-diffusion"))
    steps = TASKS.get("hub").sample(frame, _feed(48, 64), options, CPU)
    next(steps)
    asked = 0

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    interrupt.watch(enough)
    try:
        with pytest.raises(interrupt.Interrupted):
            next(steps)
    finally:
        interrupt.watch(None)
    assert asked == 6


@pytest.mark.slow
def test_one_pipeline_is_kept_and_released_for_the_next(folders: Callable[[str], Path]) -> None:
    first = loading.load(str(folders("deepfloyd")), CPU)
    assert loading.load(str(folders("deepfloyd")), CPU) is first
    loading.load(str(folders("upscaler")), CPU)
    assert loading.load(str(folders("deepfloyd")), CPU) is not first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("scheduler/scheduler_config.json", "3", "expected a JSON object"),
        ("tokenizer/tokenizer_config.json", "{}", "failed while it ran"),
        ("unet/config.json", None, "cannot be loaded"),
    ],
)
def test_damaged_descriptions_get_a_sentence(
    file: str, content: str | None, says: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders("stable-diffusion"), tmp_path / "copy"))
    described = json.loads((folder / file).read_text())
    (folder / file).write_text(content or json.dumps(described | {"norm_num_groups": 0}))
    with pytest.raises(ModelError, match=says):
        _last(_frame(), _options(folder))
