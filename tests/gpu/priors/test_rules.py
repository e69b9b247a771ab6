"""Each prior's own rule, by its theory."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from gpu import interrupt
from gpu.errors import ChoiceError, SessionError
from gpu.flow import maps
from gpu.metrics.whiteness import measure
from gpu.noise import rng
from gpu.noise.chain import RECENT, Chain
from gpu.priors import PRIORS, NoiseFrame
from gpu.priors.control_a_video import changed
from gpu.priors.kit import interpolation as ip
from gpu.priors.kit.degrade import degrade, mix

Build = Callable[..., object]
SIDE = 64
N = 2 * SIDE * SIDE  # values of a frame: a correlation of independent frames has a standard deviation of 1 / sqrt(N)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack((a.flatten(), b.flatten())))[0, 1])


def run(make: Build, flow: object, name: str, **settings: object):
    return PRIORS.get(name).start(make(flow, **settings))


def test_random_frames_are_independent_and_fixed_frames_are_equal(make: Build, translation: Build) -> None:
    flow = translation(0, 0, SIDE, SIDE)
    random, fixed = run(make, flow, "random"), run(make, flow, "fixed", cut=5)
    assert abs(correlation(random.frame(0).noise, random.frame(1).noise)) < 5 / math.sqrt(N)
    assert torch.equal(fixed.frame(0).noise, fixed.frame(4).noise)
    assert torch.equal(fixed.frame(5).noise, fixed.frame(9).noise)
    assert abs(correlation(fixed.frame(4).noise, fixed.frame(5).noise)) < 5 / math.sqrt(N)


@pytest.mark.parametrize("alpha", [None, 0.0, 0.5, 3.0])
def test_pyoco_mixed_correlates_by_its_share(make: Build, translation: Build, alpha: float | None) -> None:
    prior = run(
        make, translation(0, 0, SIDE, SIDE), "pyoco-mixed", parameters={} if alpha is None else {"alpha": alpha}
    )
    value = 1.0 if alpha is None else alpha
    theory = value**2 / (1 + value**2)
    for a, b in [(0, 1), (2, 9)]:
        assert correlation(prior.frame(a).noise, prior.frame(b).noise) == pytest.approx(theory, abs=5 / math.sqrt(N))


def test_pyoco_mixed_is_its_two_parts_and_shares_nothing_over_a_cut(make: Build, translation: Build) -> None:
    """(α s + ε) / √(1 + α²) with s that the shot's first frame is born with: of frame 0 before the cut, of frame 5 after."""
    context = make(translation(0, 0, SIDE, SIDE), cut=5, parameters={"alpha": 2.0})
    prior = PRIORS.get("pyoco-mixed").start(context)
    for t, first in [(0, 0), (4, 0), (5, 5), (9, 5)]:
        shared, fresh = context.white(rng.FIELD, first), context.white(rng.INDEPENDENT, t)
        assert torch.allclose(prior.frame(t).noise, (2 * shared + fresh) / math.sqrt(5), atol=1e-6), t
    assert correlation(prior.frame(5).noise, prior.frame(9).noise) == pytest.approx(0.8, abs=5 / math.sqrt(N))
    for t in (5, 9):
        assert abs(correlation(prior.frame(4).noise, prior.frame(t).noise)) < 5 / math.sqrt(N)


def test_pyoco_progressive_forgets_geometrically(make: Build, translation: Build) -> None:
    prior = run(make, translation(0, 0, SIDE, SIDE), "pyoco-progressive")
    keep = 2 / math.sqrt(5)
    for gap in (1, 2, 6):
        measured = correlation(prior.frame(1).noise, prior.frame(1 + gap).noise)
        assert measured == pytest.approx(keep**gap, abs=5 / math.sqrt(N))
    strong = run(make, translation(0, 0, SIDE, SIDE), "pyoco-progressive", parameters={"alpha": 0})
    assert abs(correlation(strong.frame(0).noise, strong.frame(1).noise)) < 5 / math.sqrt(N)


@pytest.mark.parametrize("value", [-1, 9.5, math.nan, "two", True])
def test_a_parameter_out_of_range_is_refused(make: Build, translation: Build, value: object) -> None:
    for name, label in [("pyoco-mixed", "α"), ("control-a-video", "Threshold")]:
        prior = run(make, translation(0, 0), name, parameters={"alpha": value, "threshold": value})
        with pytest.raises(SessionError, match=f"{label} of .* is .*, but a number between 0 and"):
            prior.frame(1)


def test_control_a_video_renews_exactly_what_changed(make: Build, translation: Build) -> None:
    context = make(translation(0, 0))
    prior = PRIORS.get("control-a-video").start(context)
    before, after = prior.frame(2), prior.frame(3)
    mask = torch.zeros(20, 28, dtype=torch.bool)
    mask[3:9, 4:6] = True  # where the bar left
    mask[3:9, 8:10] = True  # where it arrived
    assert torch.equal((before.noise != after.noise).all(dim=0), mask)
    assert torch.equal(after.state == 2, mask)
    assert torch.equal(after.noise[:, ~mask], before.noise[:, ~mask])
    assert torch.equal(after.noise[:, mask], context.white(rng.INDEPENDENT, 3)[:, mask])
    never = PRIORS.get("control-a-video").start(make(translation(0, 0), parameters={"threshold": 1.0}))
    assert torch.equal(never.frame(5).noise, never.frame(0).noise)


def test_control_a_video_mask_is_relative_to_the_largest_change_and_resized() -> None:
    previous = torch.zeros(3, 8, 12)
    current = previous.clone()
    current[:, :4, :6] = torch.tensor([0.0, 0.3, 0.0])[:, None, None]  # mean 0.1: the maximum
    current[0, 4:, :6] = 0.0299  # mean 0.00997 < 0.1 of it
    current[0, 4:, 6:] = 0.0301
    mask = changed(current, previous, 0.1, 4, 6)
    assert mask.tolist() == [[True] * 3 + [False] * 3] * 2 + [[False] * 3 + [True] * 3] * 2
    assert not changed(previous, previous, 0.1, 8, 12).any()


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0.0), (0.3, 0.0), (0.0, 0.2), (0.25, -0.6)])
def test_anchored_bilinear_variance_is_the_theory(make: Build, translation: Build, dx: float, dy: float) -> None:
    """1-D: a^2 + (1 - a)^2, 2-D the product, within five standard deviations; at frame 3 of the motion."""
    frame = run(make, translation(dx, dy, 140, 170), "bilinear").frame(3)
    inner = frame.noise[:, 4:-4, 4:-4]
    a, b = 3 * dx % 1, 3 * dy % 1
    theory = (a * a + (1 - a) ** 2) * (b * b + (1 - b) ** 2)
    spread = math.prod(1 + 2 * (f * (1 - f) / (f * f + (1 - f) ** 2)) ** 2 for f in (a, b))
    assert float(inner.var()) == pytest.approx(theory, rel=5 * math.sqrt(2 * spread / inner.numel()))


def test_chained_bilinear_blurs_on_where_anchored_recovers(make: Build, translation: Build) -> None:
    """Two half pixels: a whole one from the anchor (variance 1), the kernel 1/4 1/2 1/4 in a chain (0.375)."""
    flow, modes = translation(0.5, 0, 100, 120), ("anchored", "chained")
    anchored, chained = (run(make, flow, "bilinear", mode=m).frame(2).noise[:, :, 3:] for m in modes)
    original = run(make, flow, "bilinear").frame(0).noise
    assert torch.allclose(anchored, original[:, :, 2:-1], rtol=0, atol=1e-5)
    expected = (original[:, :, 1:-2] + 2 * original[:, :, 2:-1] + original[:, :, 3:]) / 4
    assert torch.allclose(chained, expected, rtol=0, atol=1e-5)
    assert float(chained.var()) == pytest.approx(0.375, abs=0.02)


def test_root_bilinear_keeps_the_variance_and_ties_neighbours(make: Build, translation: Build) -> None:
    noise = run(make, translation(0.5, 0, 120, 160), "root-bilinear").frame(1).noise[:, :, 1:]
    result = measure(noise)
    # Neighbours share one of two pixels with weight 1/2: correlation 1/2, and Var(s^2) is 1 + 2/4 times as large.
    assert result.variance == pytest.approx(1, abs=5 * math.sqrt(2 * 1.5 / result.n))
    along = (noise[:, :, 1:] * noise[:, :, :-1]).mean()
    assert float(along) == pytest.approx(0.5, abs=0.03)


def test_root_bilinear_has_no_chain(make: Build, translation: Build) -> None:
    with pytest.raises(ChoiceError, match="cannot be chained; choose anchored"):
        run(make, translation(0.5, 0), "root-bilinear", mode="chained")


def test_interpolation_agrees_with_torch() -> None:
    """Against grid_sample, inside the frame, at positions all over an asymmetric grid."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 21, 34, generator=generator)
    positions = torch.rand(500, 2, generator=generator) * torch.tensor([29.0, 16.0]) + 2.5
    normal = (positions / torch.tensor([34.0, 21.0]) * 2 - 1)[None, None]
    for kernel, mode in [(ip.BILINEAR, "bilinear"), (ip.BICUBIC, "bicubic"), (ip.NEAREST, "nearest")]:
        expected = torch.nn.functional.grid_sample(values[None], normal, mode=mode, align_corners=False)[0, :, 0]
        assert torch.allclose(ip.interpolate(values, positions, kernel), expected, atol=2e-4), mode


@pytest.mark.parametrize("kernel", [ip.BILINEAR, ip.BICUBIC, ip.NEAREST, ip.ROOT_BILINEAR])
def test_kernels_are_exact_at_centres_and_sum_as_they_should(kernel: ip.Kernel) -> None:
    values = torch.randn(2, 9, 13, generator=torch.Generator().manual_seed(1))
    at = maps.pixel_centres(9, 13).reshape(-1, 2)
    assert torch.equal(ip.interpolate(values, at, kernel), values.reshape(2, -1))
    weights = torch.stack(kernel.weights(torch.linspace(0, 0.999, 50)))
    total = weights.square().sum(dim=0) if kernel is ip.ROOT_BILINEAR else weights.sum(dim=0)
    assert torch.allclose(total, torch.ones(50), atol=1e-5)
    corners = torch.tensor([[0.0, 0.0], [13.0, 9.0], [0.2, 8.9]])
    assert torch.allclose(ip.interpolate(values, corners, kernel)[0], values[0, [0, 8, 8], [0, 12, 0]], atol=1e-6)
    many = torch.rand(40_000, 2, generator=torch.Generator().manual_seed(2)) * torch.tensor([13.0, 9.0])
    assert torch.equal(ip.interpolate(values, many, kernel)[:, -5:], ip.interpolate(values, many[-5:], kernel))


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.5, 1.0])
def test_degradation_keeps_the_variance_and_gives_up_correlation(make: Build, translation: Build, gamma: float) -> None:
    context = make(translation(0, 0, SIDE, SIDE))
    plain = PRIORS.get("fixed").start(context)
    degraded = degrade(plain, context, gamma)
    first, second, clean = degraded.frame(1).noise, degraded.frame(2).noise, plain.frame(1).noise
    scale = math.hypot(1 - gamma, gamma)
    result = measure(first)
    assert result.verdict.ok
    assert correlation(first, clean) == pytest.approx((1 - gamma) / scale, abs=5 / math.sqrt(N))
    assert correlation(first, second) == pytest.approx(((1 - gamma) / scale) ** 2, abs=5 / math.sqrt(N))
    assert torch.equal(degraded.frame(1).noise, first)
    assert torch.equal(degraded.frame(1).state, plain.frame(1).state)


def test_degradation_is_independent_of_every_stream_a_prior_uses(make: Build, translation: Build) -> None:
    for name in ("random", "pyoco-mixed", "pyoco-progressive"):
        context = make(translation(0, 0, SIDE, SIDE))
        prior = PRIORS.get(name).start(context)
        measured = correlation(degrade(prior, context, 0.5).frame(2).noise, prior.frame(2).noise)
        assert measured == pytest.approx(math.sqrt(0.5), abs=5 / math.sqrt(N)), name


def test_degradation_at_its_ends() -> None:
    a, b = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)), torch.ones(2, 3, 4)
    assert mix(a, b, 0) is a
    assert torch.equal(mix(a, b, 1), b)


def test_a_chain_is_bounded_and_revisits_cheaply() -> None:
    steps: list[int] = []

    def step(state: int, t: int) -> int:
        steps.append(t)
        return (state * 31 + t) % 1_000_003

    chain = Chain(lambda first: first + 1, step, lambda t: 0 if t < 300 else 300, keep=20)
    truth: list[int] = []
    for t in range(500):
        truth.append(t + 1 if t in (0, 300) else (truth[-1] * 31 + t) % 1_000_003)
        assert chain.at(t) == truth[t]
    assert steps == [t for t in range(500) if t not in (0, 300)]  # playing costs one step a frame
    assert chain.kept() <= 20 + RECENT
    for t in (499, 7, 250, 299, 301, 100, 300, 0):
        steps.clear()
        assert chain.at(t) == truth[t]
        assert len(steps) <= 32  # the spacing: the power of two that leaves at most 20 of 500


def test_a_chain_can_be_interrupted_and_goes_on_where_it_was() -> None:
    steps: list[int] = []
    chain = Chain(lambda first: first, lambda state, t: steps.append(t) or state + t, lambda t: 0, keep=20)
    interrupt.watch(lambda: len(steps) == 6)
    try:
        with pytest.raises(interrupt.Interrupted):
            chain.at(10)
    finally:
        interrupt.watch(None)
    assert chain.at(10) == sum(range(11))
    assert steps == list(range(1, 11))


def test_chained_noise_does_not_depend_on_who_changes_what_it_returned(make: Build, translation: Build) -> None:
    prior = run(make, translation(0.5, 0.25), "bilinear", mode="chained")
    frame: NoiseFrame = prior.frame(3)
    kept = frame.noise.clone()
    prior.frame(9)
    assert torch.equal(frame.noise, kept)
