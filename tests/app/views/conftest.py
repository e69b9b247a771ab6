"""Made-up results of the engine, as plain data, for the widgets that draw them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from app.look import theme
from app.views.widgets.drawing_queue import DrawingQueue
from gpu.engine.results import SourceInfo

KEYS = ("random", "fixed", "bilinear", "integral", "bilinear (chained)", "pyoco-progressive")
NAMES = ("mean", "variance", "skewness", "kurtosis", "ks", "moran", "autocorrelation", "channels", "spectrum")


def whiteness(seed: int, deviation: float = 1.0, nothing: bool = False) -> SimpleNamespace:
    """Measures of n = 4096 values of N(0, deviation²); or of a grid that leaves everything undefined."""
    values = np.random.default_rng(seed).normal(0, deviation, 4096)
    edges = np.linspace(-4.5, 4.5, 91, dtype=np.float32)
    density = np.histogram(values, edges, density=True)[0].astype(np.float32)
    probabilities = (np.arange(101) + 0.5) / 101
    theory = np.sort(np.random.default_rng(1).normal(size=101))
    quantiles = np.stack([theory, np.quantile(values, probabilities)], 1).astype(np.float32)
    frequency = np.linspace(0.02, 0.7, 32)
    spectrum = np.stack([frequency, np.full(32, deviation**2)], 1).astype(np.float32)
    shifts = np.random.default_rng(seed + 1).normal(0, 0.01, (33, 33)).astype(np.float32)
    shifts[16, 16] = 1
    shifts[16, 17] = 0.25
    ok: bool | None = abs(deviation - 1) < 0.05
    number = float(values.var())
    if nothing:
        ok, number = None, np.nan
        density, quantiles = np.full_like(density, np.nan), np.full_like(quantiles, np.nan)
        spectrum, shifts = np.full_like(spectrum, np.nan), np.full_like(shifts, np.nan)
    words = {True: "white Gaussian noise (n = 4096)", False: "not white: variance 0.44 instead of 1", None: "too few"}
    verdict = SimpleNamespace(ok=ok, text=words[ok])
    return SimpleNamespace(
        n=4096,
        mean=0.0 if not nothing else np.nan,
        variance=number,
        variance_low=0.93,
        variance_high=1.07,
        skewness=number * 0.01,
        kurtosis=number * -0.01,
        ks=number * 0.01,
        ks_p=number * 0.5,
        moran=number * 0.001,
        moran_z=number,
        moran_p=number * 0.5,
        autocorrelation=number * 0.05,
        autocorrelation_expected=0.05,
        autocorrelation_limit=0.07,
        autocorrelation_shift=(0, 1),
        channel_correlation=number * 0.02,
        channel_limit=0.04,
        verdicts=dict.fromkeys(NAMES, verdict),
        verdict=verdict,
        edges=edges,
        density=density,
        quantiles=quantiles,
        spectrum=spectrum,
        autocorrelation_map=shifts,
    )


@pytest.fixture
def frame_result() -> Callable[..., SimpleNamespace]:
    """A FrameResult of so many priors; bilinear ones have lost variance."""

    def make(count: int = 4, t: int = 0, nothing: bool = False) -> SimpleNamespace:
        columns = {
            key: SimpleNamespace(
                key=key, whiteness=whiteness(t + number, 0.66 if "bilinear" in key else 1.0, nothing=nothing)
            )
            for number, key in enumerate(KEYS[:count])
        }
        return SimpleNamespace(t=t, columns=columns, complete=True)

    return make


@pytest.fixture
def source_info() -> Callable[..., SourceInfo]:
    """A SourceInfo."""

    def make(frames: int = 48, fps: float = 24.0, cuts: tuple[int, ...] = (30,)) -> SourceInfo:
        return SourceInfo("clip one.mp4", 18, 32, frames, fps, cuts, "DIS", False, "torch cpu", "cpu")

    return make


@pytest.fixture
def time_series() -> Callable[..., dict[str, dict[str, np.ndarray]]]:
    """Curves over time of two priors: random high, integral low."""

    def make(frames: int = 48, nothing: bool = False) -> dict[str, dict[str, np.ndarray]]:
        def curve(level: float) -> np.ndarray:
            values = level * (1 + 0.1 * np.sin(np.arange(frames)))
            return np.full(frames, np.nan, np.float32) if nothing else values.astype(np.float32)

        return {
            key: {"warp_error": curve(level * 1e-3), "variance": curve(1.0), "coherence_first": curve(0.1 / level)}
            for key, level in (("random", 8.0), ("integral", 2.0))
        }

    return make


@pytest.fixture(scope="module")
def themed(qapp: object) -> object:
    """The application in our dark theme, as it runs; without it afterwards, for tests that follow."""
    theme.apply(qapp, theme.DARK)
    yield qapp
    qapp.setStyleSheet("")


@pytest.fixture(autouse=True)
def _at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spread over turns of the event loop is drawn at once, but in the test of the turns themselves."""
    if request.node.path.stem != "test_drawing_queue":
        monkeypatch.setattr(DrawingQueue, "put", lambda self, key, action: action())
