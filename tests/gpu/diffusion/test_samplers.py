"""Samplers on Gaussian data, where the best denoiser, and so the right answer, is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize

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


def test_karras_levels_are_those_of_the_paper():
    """Equation 5 with its ρ = 7 at σ from 0.002 to 80: the middle level of three is ((80^(1/7) + 0.002^(1/7)) / 2)^7, worked
    out with a calculator, and of 18 the levels are even in σ^(1/7)."""
    assert karras_sigmas(3, 0.002, 80.0)[1] == pytest.approx(2.5152, abs=1e-4)
    roots = [sigma ** (1 / 7) for sigma in karras_sigmas(18, 0.002, 80.0)[:-1]]
    assert roots == pytest.approx(np.linspace(80 ** (1 / 7), 0.002 ** (1 / 7), 18))


def test_ddim_levels_are_at_even_times_of_the_linear_schedule():
    """σ² = exp(∫β) − 1 with β = 0.1 + 19.9 t (Song et al. 2021, Appendix C), the integral by quadrature: at even times, from
    the greatest level to the least."""
    sigmas = SAMPLERS["ddim"].schedule(11, 0.01, 150.0)

    def level(time: float) -> float:
        return math.sqrt(math.expm1(integrate.quad(lambda t: 0.1 + 19.9 * t, 0, time)[0]))

    times = [optimize.brentq(lambda time, sigma=sigma: level(time) - sigma, 0, 1.1) for sigma in sigmas[:-1]]
    assert [sigmas[0], sigmas[10], sigmas[11]] == pytest.approx([150.0, 0.01, 0.0])
    assert np.diff(times) == pytest.approx(np.full(10, (times[10] - times[0]) / 10))


def test_ddim_levels_are_those_of_the_thousand_steps():
    """σ² = (1 − ᾱ) / ᾱ of the β from 1e-4 to 0.02 of Ho et al. 2020: the continuous form lies within 0.3 % of step 500."""
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    discrete = np.sqrt((1 - kept) / kept)
    middle = SAMPLERS["ddim"].schedule(3, float(discrete[249]), float(discrete[749]))[1]
    assert middle == pytest.approx(discrete[499], rel=3e-3)


def test_bridge_levels_are_at_even_times_of_a_symmetric_bridge():
    """I²SB with √β a triangle: σ² = ∫₀ᵗβ and σ̄² = ∫ₜ¹β by quadrature, and the level is σ √(σ² + σ̄²) / σ̄."""

    def level(time: float) -> float:
        def beta(t: float) -> float:
            return 12 * min(t, 1 - t) ** 2  # ∫₀¹ is 1

        before, after = (integrate.quad(beta, *ends, points=[0.5])[0] for ends in ((0, time), (time, 1)))
        return math.sqrt(before * (before + after) / after)

    sigmas = SAMPLERS["bridge"].schedule(4, level(0.2), level(0.95))
    assert sigmas == pytest.approx([level(0.95), level(0.7), level(0.45), level(0.2), 0], rel=1e-6)


@pytest.mark.parametrize("churn", [0.5, 1.0])
def test_churn_raises_the_level_by_its_share_of_the_root_of_two(churn):
    """γ ≤ √2 − 1 (Karras et al., Algorithm 2): with churn 1 the level is raised to √2 σ by noise of σ, which is seen alone
    where the model changes nothing."""
    seen = []

    def leave(x: torch.Tensor, sigma: float) -> torch.Tensor:
        seen.append(sigma)
        return x

    feed = Feed(1)
    states = get_sampler("edm-churn").run(torch.zeros(SHAPE).double(), [4.0, 1.0, 0.0], leave, feed, churn)
    first = next(states)[0]
    raised = 4 * (1 + churn * 0.41421356)
    assert seen[0] == pytest.approx(raised)
    torch.testing.assert_close(first, math.sqrt(raised**2 - 16) * Feed(1)(1))
