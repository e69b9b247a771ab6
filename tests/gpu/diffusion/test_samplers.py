"""Samplers on Gaussian data, where the best denoiser, and so the right answer, is known."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from gpu.diffusion.sampling.samplers import SAMPLERS, get_sampler, karras_sigmas
from gpu.errors import ChoiceError

MEAN, SPREAD = 0.7, 0.5
SIGMA_MAX = 10.0
SHAPE = (1, 1, 100, 100)


def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """E[y | y + σn = x] for y ~ N(MEAN, SPREAD²)."""
    return MEAN + (x - MEAN) * SPREAD**2 / (SPREAD**2 + sigma**2)


class Feed:
    """Independent noises by number; remembers which were asked for."""

    def __init__(self, seed: int) -> None:
        self.seed, self.asked = seed, []

    def __call__(self, index: int) -> torch.Tensor:
        self.asked.append(index)
        return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1000 * self.seed + index)).double()


def run(name: str, steps: int, churn: float = 0.5, seed: int = 1, sigma_max: float = SIGMA_MAX):
    feed = Feed(seed)
    sigmas = karras_sigmas(steps, 0.02, sigma_max)
    states = list(get_sampler(name).run(sigma_max * feed(0), sigmas, denoise, feed, churn))
    return states, feed


def test_noise_levels_fall_from_greatest_to_zero():
    sigmas = karras_sigmas(10, 0.02, 80.0)
    assert len(sigmas) == 11
    assert sigmas[0] == pytest.approx(80)
    assert sigmas[-2] == pytest.approx(0.02)
    assert sigmas[-1] == 0
    assert all(later < earlier for earlier, later in itertools.pairwise(sigmas))
    assert karras_sigmas(1, 0.02, 5.0) == pytest.approx([5.0, 0.0])


@pytest.mark.parametrize(("steps", "low", "high"), [(0, 0.1, 1), (5, 0, 1), (5, 2, 1), (5, 0.1, math.inf)])
def test_impossible_noise_levels_are_refused(steps, low, high):
    with pytest.raises(ChoiceError):
        karras_sigmas(steps, low, high)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_levels_that_are_all_equal_are_sampled(name):
    sampler = get_sampler(name)
    feed = Feed(1)
    states = list(sampler.run(2 * feed(0), sampler.schedule(4, 2.0, 2.0), denoise, feed, 0.5))
    assert len(states) == 4
    assert all(bool(part.isfinite().all()) for state in states for part in state)


def exact_flow(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Where the probability flow takes x at σ to at 0: for Gaussian data it shrinks the distance to the mean."""
    return MEAN + (x - MEAN) * SPREAD / math.sqrt(SPREAD**2 + sigma**2)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("dpmpp-2m", 2)])
def test_deterministic_samplers_converge_to_the_exact_flow_at_their_order(name, order):
    exact = exact_flow(SIGMA_MAX * Feed(1)(0), SIGMA_MAX)
    errors = []
    for steps in (40, 80):
        states, _ = run(name, steps)
        errors.append(float((states[-1][0] - exact).abs().max()))
    assert errors[1] < 0.05
    # Doubling the steps divides the error by 2^order; the least level, which is fixed, adds a little.
    assert errors[0] / errors[1] > 0.8 * 2**order


def test_heun_in_ten_steps_is_close():
    exact = exact_flow(SIGMA_MAX * Feed(1)(0), SIGMA_MAX)
    states, _ = run("heun", 10)
    assert float((states[-1][0] - exact).square().mean().sqrt()) < 0.1 * SPREAD


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SAMPLERS))
@pytest.mark.parametrize("churn", [0.0, 0.5, 1.0])
def test_samples_have_the_data_distribution(name, churn):
    """Mean and spread of 10,000 independent values at a fixed seed.

    Their standard errors are 1 % and 0.7 % of SPREAD; 5 % is 5 and 7 of them (chance below 1e-6), and leaves room for
    the error of 200 steps.
    """
    states, _ = run(name, 200, churn, seed=3, sigma_max=40.0)
    out = states[-1][0]
    assert abs(float(out.mean()) - MEAN) < 0.05 * SPREAD
    assert abs(float(out.std()) / SPREAD - 1) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SAMPLERS))
@pytest.mark.parametrize("churn", [0.0, 0.7])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_injected_noises_are_the_announced_ones(name, churn, steps):
    states, feed = run(name, steps, churn)
    assert feed.asked == list(range(1 + get_sampler(name).injections(steps, churn)))
    assert len(states) == steps
    torch.testing.assert_close(*states[-1])  # the last estimate is the output


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_nothing_but_the_feed_is_random(name):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = run(name, 5)[0][-1][0]
    torch.testing.assert_close(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(run(name, 5)[0][-1][0], first)


@pytest.mark.parametrize("name", ["edm-churn", "euler-ancestral"])
def test_stochastic_samplers_follow_the_injected_noise(name):
    sigmas = karras_sigmas(6, 0.02, SIGMA_MAX)
    ends = []
    for seed in (1, 2):
        *_, (end, _) = get_sampler(name).run(SIGMA_MAX * Feed(1)(0), sigmas, denoise, Feed(seed), 1.0)
        ends.append(end)
    assert float((ends[0] - ends[1]).std()) > 0.2 * SPREAD


def test_without_churn_the_stochastic_samplers_are_the_deterministic_ones():
    torch.testing.assert_close(run("edm-churn", 6, 0.0)[0][-1][0], run("heun", 6)[0][-1][0])
    torch.testing.assert_close(run("euler-ancestral", 6, 0.0)[0][-1][0], run("euler", 6)[0][-1][0])


def test_an_unknown_sampler_is_named_with_the_choices():
    with pytest.raises(ChoiceError, match="heun"):
        get_sampler("nonsense")
