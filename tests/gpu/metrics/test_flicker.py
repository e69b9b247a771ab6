"""Flicker: white noise flat, stillness zero, a sinusoid at its frequency, along the motion and at fixed pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal

from gpu.metrics.flicker import SEGMENT, SHORTEST, longest_run, measure, stretches

SIZE = (40, 56)


def still(_: int) -> torch.Tensor:
    return torch.zeros((*SIZE, 2))


def everywhere(_: int) -> torch.Tensor:
    return torch.ones(SIZE, dtype=torch.bool)


def grey(values: torch.Tensor) -> torch.Tensor:
    """(3, H, W) of one luma."""
    return values.expand(3, *SIZE)


def test_white_noise_is_flat_at_twice_its_variance() -> None:
    """sigma = 0.02 of the range, 40 frames: each of 8 frequencies averages 2240 points x 4 stretches. A chi-squared mean with
    at least 2 x 2240 degrees of freedom (one stretch; overlapping ones repeat each other) has a relative deviation of 0.021 at
    most, so 5 % is 4.7 of them at each bin but the real one at 1/2, whose 0.030 makes it 3.3: failure probability 1e-3."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn((40, *SIZE), generator=generator) * 0.02 + 0.5
    found = measure(lambda t: grey(noise[t]), stretches(range(40), still, everywhere))
    assert found is not None
    expected = 2 * (0.02 * 255) ** 2
    assert np.abs(found.fixed / expected - 1).max() < 0.05
    assert np.array_equal(found.fixed, found.along)  # nothing moves
    assert found.frequency[0] == pytest.approx(1 / SEGMENT)
    assert found.frequency[-1] == 0.5
    assert (found.start, found.frames, found.stretches, found.coverage) == (0, 40, 4, 1.0)


def test_agrees_with_scipy_where_the_mean_has_no_say() -> None:
    """Welch's estimate by scipy, from the second bin on; it halves the density of the last bin, 1/2 cycle/frame, as a sum."""
    noise = torch.rand((SEGMENT, *SIZE), generator=torch.Generator().manual_seed(1))
    found = measure(lambda t: grey(noise[t]), stretches(range(SEGMENT), still, everywhere))
    assert found is not None
    _, power = signal.welch(noise.double().numpy() * 255, fs=1, window="hann", nperseg=SEGMENT, axis=0)
    expected = power.mean(axis=(1, 2))[2:]
    expected[-1] *= 2
    np.testing.assert_allclose(found.fixed[1:], expected, rtol=1e-4)


def test_what_stands_still_does_not_flicker() -> None:
    picture = torch.rand(SIZE, generator=torch.Generator().manual_seed(1))
    found = measure(lambda _: grey(picture), stretches(range(3, 30), still, everywhere))
    assert found is not None
    assert found.fixed.max() < 1e-6
    assert found.start == 3
    assert found.frames == 27


def test_a_sinusoid_stands_at_its_frequency() -> None:
    """Amplitude 10 grey levels at 3/16 cycles/frame: power 50, of which the Hann window puts 1/6, 2/3, 1/6 into three bins."""
    found = measure(
        lambda t: grey(torch.full(SIZE, 0.5 + 10 / 255 * np.sin(2 * np.pi * 3 / 16 * t))),
        stretches(range(16), still, everywhere),
    )
    assert found is not None
    assert found.frequency[found.fixed.argmax()] == pytest.approx(3 / 16)
    assert found.fixed.sum() / SEGMENT == pytest.approx(50, rel=1e-3)
    np.testing.assert_allclose(found.fixed[1:4] / found.fixed.sum(), [1 / 6, 2 / 3, 1 / 6], atol=1e-3)


def test_what_moves_is_still_along_its_motion() -> None:
    """A texture moved by whole pixels: no flicker along the motion, a lot at fixed pixels; points that leave are left out."""
    picture = torch.rand((SIZE[0], 200), generator=torch.Generator().manual_seed(2))

    def video(t: int) -> torch.Tensor:
        return grey(picture[:, 100 - 2 * t : 100 - 2 * t + SIZE[1]])

    flow = torch.tensor([-2.0, 0.0]).expand(*SIZE, 2)
    found = measure(video, stretches(range(16), lambda _: flow, everywhere))
    assert found is not None
    assert found.along.max() < 1e-6 * found.fixed.min()
    assert found.coverage == pytest.approx((SIZE[1] - 30) / SIZE[1])
    blind = measure(video, stretches(range(16), lambda _: flow, lambda _: torch.zeros(SIZE, dtype=torch.bool)))
    assert blind is not None
    assert blind.coverage == 0
    assert np.isnan(blind.along).all()
    assert np.isfinite(blind.fixed).all()


def test_the_longest_run_of_computed_frames_is_used() -> None:
    there = [True, True, False, True, True, True, True, True, False, True]
    assert longest_run(there, [t == 0 for t in range(10)]) == range(3, 8)
    assert longest_run(there, [t in (0, 5) for t in range(10)]) == range(5, 8)
    assert longest_run([False] * 4, [True, False, False, False]) == range(0)
    assert longest_run([True] * 4, [True, False, False, False]) == range(4)
    assert stretches(range(SHORTEST - 1), still, everywhere) == []
    assert measure(lambda _: torch.zeros(3, *SIZE), []) is None
    short = measure(lambda t: grey(torch.full(SIZE, t % 2 / 2)), stretches(range(5), still, everywhere))
    assert short is not None
    assert len(short.frequency) == 2


def test_points_are_followed_back_by_the_motion_of_every_step() -> None:
    """Step t moves content by (t, -0.5): in each of 6 frames a point was further left by all that it moved since, and a point
    that met a hole on its way is not known."""

    def backward(t: int) -> torch.Tensor:
        assert 2 <= t <= 6, "a step outside the stretch"
        return torch.tensor([-float(t), 0.5]).expand(*SIZE, 2)

    hole = torch.ones(SIZE, dtype=torch.bool)
    hole[20, 30] = False
    (stretch,) = stretches(range(2, 8), backward, lambda t: hole if t == 4 else everywhere(t), points=40 * 56)
    assert stretch.start == 2
    assert stretch.positions.shape == (6, 40 * 56, 2)
    last = stretch.positions[-1]
    assert last[:2].tolist() == [[0.5, 0.5], [1.5, 0.5]]
    for frame, moved in enumerate([2 + 3 + 4 + 5 + 6, 3 + 4 + 5 + 6, 4 + 5 + 6, 5 + 6, 6, 0]):
        expected = last + torch.tensor([-float(moved), 0.5 * (5 - frame)])
        assert torch.allclose(stretch.positions[frame][stretch.known], expected[stretch.known])
    inside = (last[:, 0] - 20 >= 0) & (last[:, 1] + 2.5 <= 40)
    # Step 4 is taken on the grid of frame 5, where the point was 5 + 6 to the left and 1 below.
    met = ((last[:, 0] - 11 - 30.5).abs() < 1) & ((last[:, 1] + 1 - 20.5).abs() < 1)
    assert torch.equal(stretch.known, inside & ~met)
    assert int(met.sum()) == 1
