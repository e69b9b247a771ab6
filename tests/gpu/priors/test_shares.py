"""infinite-particle: its shares by theory, by compiled code as by torch; white where motion expands, contracts and folds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gpu import compiled
from gpu.noise import rng
from gpu.priors import PRIORS
from gpu.priors.kit import shares
from gpu.priors.kit.sequence import born
from tests.gpu.priors import carried

Build = Callable[..., object]
WAYS = [False, True]


def steps(context: object, whole: bool, frames: int) -> list[torch.Tensor]:
    frame = born(context, 0)
    noises = [frame.noise]
    for t in range(1, frames + 1):
        frame = shares.torch_step(context, frame, t, whole)
        noises.append(frame.noise)
    return noises


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("whole", WAYS)
@pytest.mark.parametrize("motion", carried.MOTIONS)
@pytest.mark.parametrize("fill", ["two-stage", "random"])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_compiled_code_gives_what_torch_gives(make: Build, motion: str, whole: bool, fill: str, channels: int) -> None:
    """After six frames, with a hole in each of them; states are the same, values to 1e-5."""
    context = make(carried.with_holes(motion, 30, 42), channels=channels, fill=fill, parameters={"whole": whole})
    run = PRIORS.get("infinite-particle").start(context)
    frame = born(context, 0)
    for t in range(1, 7):
        frame = shares.torch_step(context, frame, t, whole)
        assert torch.equal(frame.state, run.frame(t).state)
        assert torch.allclose(frame.noise, run.frame(t).noise, rtol=0, atol=1e-5), t


@pytest.mark.slow
def test_without_numba_torch_does_it(make: Build, turning: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = PRIORS.get("infinite-particle").start(make(turning())).frame(4).noise
    monkeypatch.setattr(compiled, "available", lambda: False)
    taken: list[int] = []
    monkeypatch.setattr(shares, "_compiled_step", lambda *words: taken.append(1))
    alone = PRIORS.get("infinite-particle").start(make(turning())).frame(4).noise
    assert not taken
    assert torch.allclose(alone, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("whole", WAYS)
def test_shares_of_a_translation_are_the_weights(make: Build, translation: Build, whole: bool) -> None:
    """Content moves by (0.25, 0.5): inside the frame each pixel asks four for 1/8, 3/8, 1/8 and 3/8, and is asked for 1."""
    context = make(translation(0.25, 0.5))
    asked = shares.ask(context, born(context, 0), 1, whole)
    inner = (slice(None), slice(2, -2), slice(2, -2))
    share = asked.share.view(4, 20, 28)[inner]
    # It was at (x - 0.25, y - 0.5): the pixel to the left has a quarter, each of the two rows a half.
    assert torch.allclose(share[0], torch.tensor(0.125))
    assert torch.allclose(share[1], torch.tensor(0.375))
    assert torch.allclose(asked.total.view(20, 28)[2:-2, 2:-2], torch.tensor(1.0))
    assert float(asked.rest.view(20, 28)[2:-2, 2:-2].abs().max()) < 1e-6


def test_no_source_hands_out_more_than_it_has(make: Build) -> None:
    """On every motion, folds included: at most 1, and exactly 1 of all that is asked for where whole pixels are handed out."""
    for motion in carried.MOTIONS:
        for whole in WAYS:
            context = make(carried.with_holes(motion, 30, 42))
            asked = shares.ask(context, born(context, 0), 1, whole)
            given = torch.zeros(30 * 42).index_add_(0, asked.source.reshape(-1), asked.share.reshape(-1))
            assert float(given.max()) <= 1 + 1e-6
            if whole:
                assert torch.allclose(given[given > 0], torch.tensor(1.0))
            assert torch.allclose(given + asked.rest, torch.tensor(1.0), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("whole", WAYS)
@pytest.mark.parametrize("motion", ["contraction", "fold"])
def test_covariances_of_a_step_are_the_shares(make: Build, motion: str, whole: bool) -> None:
    """Of 4000 draws of a small grid: with frame 0 share / √total, with itself the identity, each entry within 5 standard
    errors; the chance that one of 2 x 10,000 entries is not is below 0.012, for a seed that is fixed."""
    height, width, draws, each = 9, 11, 4000, 50
    flow = carried.MOTIONS[motion](height, width)
    before, after = [], []
    for seed in range(draws // each):
        context = make(flow, channels=each, seed=seed)
        first = born(context, 0)
        before.append(first.noise.reshape(each, -1))
        after.append(shares.step(context, first, 1, whole).noise.reshape(each, -1))
    x, y = torch.cat(before).double(), torch.cat(after).double()
    asked = shares.ask(make(flow), born(make(flow), 0), 1, whole)
    theory = torch.zeros(height * width, height * width, dtype=torch.float64)
    for tap in shares.TAPS:
        theory[asked.source[tap], torch.arange(height * width)] += (asked.share[tap] * asked.total.rsqrt()).double()
    assert float((asked.total < 0.95).sum()) > 3, "some receive less than a whole pixel"
    for expected, other in ((theory, x), (torch.eye(height * width, dtype=torch.float64), y)):
        spread = ((1 + expected**2) / draws).sqrt()
        assert float(((other.T @ y / draws - expected) / spread).abs().max()) < 5


@pytest.mark.slow
@pytest.mark.parametrize("whole", WAYS)
@pytest.mark.parametrize("motion", carried.MOTIONS)
def test_frames_are_white_within_and_across(make: Build, motion: str, whole: bool) -> None:
    context = make(carried.with_holes(motion, 64, 90), channels=4, parameters={"whole": whole})
    carried.assert_white(PRIORS.get("infinite-particle").start(context), context)


@pytest.mark.slow
@pytest.mark.parametrize("whole", WAYS)
@pytest.mark.parametrize("motion", ["fold", "contraction"])
def test_p_values_are_uniform_over_seeds(make: Build, motion: str, whole: bool) -> None:
    """In frame 3, whose parents were folded and had holes."""
    flow, parameters = carried.with_holes(motion, 20, 28), {"whole": whole}

    def frame(seed: int) -> torch.Tensor:
        return PRIORS.get("infinite-particle").start(make(flow, seed=seed, parameters=parameters)).frame(3).noise

    carried.assert_p_values_are_uniform(frame)


@pytest.mark.slow
@pytest.mark.parametrize("whole", WAYS)
def test_memory_is_that_of_the_literature(whole: bool) -> None:
    """Rotation of 2° a frame. The authors' code has 0.669 with the frame before, and 0.084 with frame 0 after 16 frames. Each
    correlation is of 4 x 256 x 256 values less the corners: a standard error of 0.002."""
    first, previous, variance = carried.memory("infinite-particle", {"whole": whole})
    assert first == pytest.approx(0.084, abs=0.01)
    assert previous == pytest.approx(0.669, abs=0.01)
    assert variance == pytest.approx(1, abs=5 * math.sqrt(2 / (4 * 256 * 256)))


def test_random_fill_is_never_read_again(make: Build, translation: Build, masked: Build) -> None:
    """Content moves by half a pixel beside a hole of random fill: what lies next to it takes all from the other side."""
    hole = torch.zeros(20, 28, dtype=torch.bool)
    hole[:, 10:14] = True
    flow = masked(translation(0.5, 0), lambda t: ~hole if t == 0 else torch.ones_like(hole))
    context = make(flow, fill="random")
    run = PRIORS.get("infinite-particle").start(context)
    assert (run.frame(1).state[:, 10:14] == 3).all()
    shown = run.inspect(2, 14, 6)
    assert shown.shares is not None
    assert shown.shares.pixels.tolist() == [[14, 6]]
    assert shown.shares.shares.tolist() == [0.5]


@pytest.mark.parametrize("whole", WAYS)
def test_the_pixel_page_has_what_the_frame_has(make: Build, turning: Build, whole: bool) -> None:
    context = make(turning(), channels=3, parameters={"whole": whole})
    run = PRIORS.get("infinite-particle").start(context)
    frame = run.frame(3)
    for x, y in [(14, 10), (3, 7), (20, 15)]:
        shown = run.inspect(3, x, y)
        assert shown.shares is not None
        part = shown.shares
        assert (part.source, part.cells, len(part.pixels)) == (2, 1, 4)
        np.testing.assert_allclose(part.parts @ part.weights, frame.noise[:, y, x].numpy(), atol=1e-5)
        np.testing.assert_allclose(part.weights**2 * part.shares.sum(), 1, rtol=1e-5)
        held = run.frame(2).noise[:, part.pixels[:, 1], part.pixels[:, 0]]
        np.testing.assert_array_equal(part.values, held.numpy())
        assert np.abs(part.pixels.mean(0) + 0.5 - part.position).max() <= 0.5
    first = run.inspect(0, 3, 4)
    assert first.sentence.startswith("Frame 0 is the first of its shot")
    assert first.value.tolist() == run.frame(0).noise[:, 4, 3].tolist()


def test_pairs_of_normals_are_normal_and_independent() -> None:
    """Of 2^20 pairs: moments, and no correlation of the two, of their squares, or of neighbours."""
    device = torch.device("cpu")
    words = [rng.words(rng.key(3, rng.SHARES, 1, 0, level), 0, 0, 1024, 1024, device) for level in (0, 1)]
    first, second = (normal.double() for normal in rng.pairs(*words))
    n = first.numel()
    for normal in (first, second):
        assert abs(float(normal.mean())) < 5 / math.sqrt(n)
        assert abs(float(normal.square().mean()) - 1) < 5 * math.sqrt(2 / n)
        assert abs(float(normal.pow(4).mean()) - 3) < 5 * math.sqrt(96 / n)
        assert float(normal.abs().max()) > 4.5
    for product in (first * second, (first**2 - 1) * (second**2 - 1) / 2, first[:, 1:] * second[:, :-1]):
        assert abs(float(product.mean())) < 5 / math.sqrt(product.numel())
