"""The smoke solver: what physics and arithmetic demand of it at every setting."""

from __future__ import annotations

import pytest
import torch

from gpu.worlds.fluid.solver import Fluid, advance, start
from gpu.worlds.fluid.staggered_grid import CENTRE, Velocity, cubic, divergence, places, project


def random_velocity(height, width):
    generator = torch.Generator().manual_seed(3)
    u = torch.randn((height, width), generator=generator, dtype=torch.float64)
    return Velocity(u, torch.randn((height + 1, width), generator=generator, dtype=torch.float64))


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(24, 32), (7, 5), (1, 4)])
def test_projection_removes_all_divergence_keeps_the_floor_shut_and_adds_no_energy(height, width):
    before = random_velocity(height, width)
    after = project(before)
    assert float(divergence(after).abs().max()) < 1e-10
    assert bool((after.v[-1] == 0).all())
    assert sum(float(each.square().sum()) for each in after) < sum(float(each.square().sum()) for each in before)
    for once, twice in zip(after, project(after), strict=True):
        torch.testing.assert_close(once, twice, atol=1e-10, rtol=0)


@pytest.mark.slow
def test_cubic_sampling_returns_the_samples_and_is_periodic():
    field = torch.rand((2, 9, 12), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    here = places(9, 12, CENTRE, field)
    torch.testing.assert_close(cubic(field, here), field)
    away = here + torch.tensor([12.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(cubic(field, away), field)


def run(fluid, frames=30):
    state = start(fluid)
    for frame in range(frames):
        state = advance(fluid, state, frame)
    return state


@pytest.mark.slow
def test_a_seed_decides_the_smoke():
    first, again, other = (run(Fluid(rows=24, columns=24, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.smoke, again.smoke)
    assert not torch.allclose(first.smoke, other.smoke, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "extreme",
    [
        {"buoyancy": 50.0, "vorticity": 5.0, "turbulence": 5.0},
        {"wind": 5.0, "drag": 0.0, "viscosity": 1.0},
        {"source": 0.5, "fading": 0.0},
        {"rows": 4, "columns": 3},
    ],
)
def test_extremes_stay_finite_and_between_nothing_and_full(extreme):
    state = run(Fluid(**{"rows": 24, "columns": 24, **extreme}), 20)
    assert all(bool(each.isfinite().all()) for each in state.velocity)
    assert bool(state.smoke.isfinite().all())
    assert float(state.smoke.min()) >= 0
    assert float(state.smoke.sum(dim=0).max()) <= 1.5
    assert float(divergence(state.velocity).abs().max()) < 1e-8
