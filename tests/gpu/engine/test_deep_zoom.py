"""Deep zoom: 64 times closer no pixel is without noise, every frame has unit variance, nothing flickers, memory is bounded.

Seeds are fixed; what is statistical fails by chance with a probability that is stated.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gpu.engine.engine import Engine
from gpu.flow.maps import pixel_centres
from gpu.metrics import coherence, whiteness
from gpu.noise import field_limit
from gpu.noise.states import KEPT
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings
from gpu.source.deformations import DEFORMATIONS, Grid, resolve

PLACES = {"middle": (0.5, 0.5), "aside": (0.31, 0.66), "corner": (0.0, 1.0)}


def deep(
    side: int, frames: int, prior: str = "integral", place: tuple[float, float] = (0.4, 0.55), k: int = 3
) -> Engine:
    source = SourceSettings(
        "synthetic",
        name="deep-zoom",
        parameters={"x": place[0], "y": place[1], "over": frames},
        height=side,
        width=side,
        frames=frames,
    )
    return Engine(Session(source, noise=NoiseSettings(k=k, backend="torch"), priors=(PriorSettings(prior),)))


def noises(engine: Engine) -> list[torch.Tensor]:
    """Of all frames, each of whose pixels is carried from frame 0."""
    made = []
    for t in range(engine.info.frames):
        noise, state = engine.noise(engine.session.priors[0].key, t)
        assert bool((state == KEPT).all()), t
        made.append(torch.from_numpy(noise))
    return made


def memories(engine: Engine, made: list[torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Of all frames but the first, the correlation with the frame before along the true motion, and its ceiling."""
    side = engine.info.height
    everywhere = torch.ones((side, side), dtype=torch.bool)
    pairs = []
    for t in range(1, len(made)):
        before = pixel_centres(side, side) + engine.opened.motion.backward(t - 1)
        pairs.append(
            (coherence.correlation(made[t - 1], made[t], before, everywhere)[0], coherence.ceiling(before, everywhere))
        )
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def check(engine: Engine, made: list[torch.Tensor], error: float) -> None:
    """Unit variance of each of n frames (fails by chance with probability 1e-4 in all), and a memory of the frame before that
    stays at its level: each within `error` of what carried areas give, without a trend."""
    degrees = made[0].numel()
    low, high = stats.chi2.interval(1 - 1e-4 / len(made), degrees)
    squares = [float(noise.double().square().sum()) for noise in made]
    assert low < min(squares) <= max(squares) < high
    kept, ceiling = memories(engine, made)
    assert float(np.abs(kept - ceiling).max()) < error
    half = len(kept) // 2
    assert kept[half:].mean() == pytest.approx(kept[:half].mean(), abs=error / 3)


@pytest.mark.parametrize("place", PLACES)
def test_the_place_stays_and_each_step_is_like_any_other(place: str) -> None:
    x, y = PLACES[place]
    values = resolve("deep-zoom", DEFORMATIONS.get("deep-zoom"), {"x": x, "y": y, "times": 64})
    warp = DEFORMATIONS.get("deep-zoom").make(Grid(40, 60, 200), values)
    there = torch.tensor([[60 * x, 40 * y]], dtype=torch.float64)
    beside = there + torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    label = warp.surface(0, there)
    sizes = []
    for t in range(200):
        assert torch.allclose(warp.to_reference(t, there, label), there)
        sizes.append(warp.to_reference(t, beside, label) - there)
        assert float(warp.determinant(t, there)) == pytest.approx(64 ** (-2 * t / 199))
    assert torch.allclose(sizes[199] * 64, sizes[0])
    rates = torch.stack(sizes[1:]) / torch.stack(sizes[:-1])
    assert torch.allclose(rates, torch.tensor(64.0, dtype=torch.float64) ** (-1 / 199))
    shorter = DEFORMATIONS.get("deep-zoom").make(Grid(40, 60, 8), values)
    assert torch.equal(shorter.to_reference(7, beside, label), warp.to_reference(7, beside, label))


def test_64_times_closer_in_few_frames() -> None:
    """Each frame is 1.3 times closer; correlations of 4 x 400 values, 5 standard errors."""
    engine = deep(20, 17, k=2)
    check(engine, noises(engine), 5 / math.sqrt(4 * 20 * 20))
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("prior", ["integral", "integral-exact"])
def test_64_times_closer_over_200_frames(prior: str) -> None:
    """Correlations of 4 x 4096 values, 6 standard errors; distribution and all shifts looked at every 40th frame
    (5 tests of 1e-3 and 1e-4 each). `integral-exact` has no detail below a pixel: its frames are white, but they boil."""
    engine = deep(64, 200, prior)
    made = noises(engine)
    if prior == "integral":
        check(engine, made, 6 / math.sqrt(4 * 64 * 64))
    for t in range(39, 200, 40):
        measured = whiteness.measure(made[t])
        assert measured.ks_p > 1e-4
        assert measured.autocorrelation < measured.autocorrelation_limit
    engine.close()


@pytest.mark.slow
def test_memory_is_bounded_whatever_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The field of every level within a limit that is a fraction of what they take, and the same noise."""
    monkeypatch.setenv(field_limit.VARIABLE, "1000")
    engine = deep(64, 200)
    expected = {t: engine.noise("integral", t)[0] for t in range(0, 200, 9)}
    assert engine.field_bytes > 32 << 20
    engine.close()
    monkeypatch.setenv(field_limit.VARIABLE, "12")
    engine, taken = deep(64, 200), []
    for t, noise in expected.items():
        assert np.array_equal(engine.noise("integral", t)[0], noise)
        taken.append(engine.field_bytes)
    engine.close()
    assert max(taken) <= 12 << 20
