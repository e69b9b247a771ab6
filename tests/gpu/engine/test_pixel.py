"""The engine explains pixels of every prior; what it says gives the noise that is shown."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.engine import Engine
from gpu.errors import SizeError
from gpu.priors import PRIORS
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings

SOURCE = SourceSettings("synthetic", name="rotation-zoom", height=30, width=44, frames=6)
COLUMNS = (
    *(PriorSettings(name) for name in PRIORS.names() if name != "ddim-inversion"),
    PriorSettings("bilinear", "chained"),
    PriorSettings("bicubic", "chained"),
    PriorSettings("integral", gamma=0.3),
    PriorSettings("bilinear", gamma=0.5),
)


@pytest.fixture(scope="module")
def engine():
    made = Engine(Session(SOURCE, noise=NoiseSettings(channels=3, backend="torch"), priors=COLUMNS))
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("key", [prior.key for prior in COLUMNS])
def test_the_value_is_the_noise(engine: Engine, key: str) -> None:
    places = np.random.default_rng(2).integers(0, (44, 30), (12, 2))
    for t in (0, 1, 4):
        noise, state = engine.noise(key, t)
        for x, y in [*places.tolist(), [0, 0], [43, 29]]:
            found = engine.inspect(key, t, x, y)
            np.testing.assert_allclose(found.value, noise[:, y, x], atol=1e-4)
            assert found.state == state[y, x]
            assert len(found.sentence) > 20
            own = found.own
            if found.gamma:
                assert found.mixed is not None
                g = found.gamma
                mixed = ((1 - g) * own + g * found.mixed) / np.hypot(1 - g, g)
                np.testing.assert_allclose(mixed, found.value, atol=1e-5)
            if found.footprint is not None:
                foot = found.footprint
                rebuilt = foot.values.sum(1) * np.sqrt(4**foot.level / foot.count)
                np.testing.assert_allclose(rebuilt, own, atol=1e-4)
            if found.taps is not None:
                taps = found.taps
                np.testing.assert_allclose(taps.values @ taps.weights, own, atol=1e-4)
                assert taps.variance == pytest.approx(float(np.square(taps.weights).sum()), rel=1e-4)
                assert len(np.unique(taps.pixels, axis=0)) == len(taps.pixels)


def test_bilinear_reads_the_four_pixels_around_its_place(engine: Engine) -> None:
    found = engine.inspect("bilinear", 4, 20, 14).taps
    assert found is not None
    assert found.source == 0
    assert found.weights.sum() == pytest.approx(1)
    corner = np.floor(found.position - 0.5)
    assert set(map(tuple, (found.pixels - corner).astype(int).tolist())) == {(0, 0), (1, 0), (0, 1), (1, 1)}
    born, _ = engine.noise("fixed", 0)
    np.testing.assert_array_equal(found.values, born[:, found.pixels[:, 1], found.pixels[:, 0]])
    chained = engine.inspect("bilinear (chained)", 4, 20, 14).taps
    assert chained is not None
    before, _ = engine.noise("bilinear (chained)", 3)
    np.testing.assert_array_equal(chained.values, before[:, chained.pixels[:, 1], chained.pixels[:, 0]])


def test_outside_the_frame(engine: Engine) -> None:
    with pytest.raises(SizeError, match="44 × 30"):
        engine.inspect("integral", 1, 44, 0)
