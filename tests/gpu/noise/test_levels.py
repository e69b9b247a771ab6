"""A picture that comes closer: cells are looked at on finer levels, and nothing runs dry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from gpu import compiled
from gpu.flow import maps
from gpu.metrics import coherence, whiteness
from gpu.noise import levels, tracks
from gpu.noise.known_motion import KnownMotion
from gpu.noise.ownership import Rasteriser, TorchRasteriser
from gpu.noise.states import KEPT
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from gpu.noise.transport import Transport, TransportSettings
from tests.gpu.noise.motions import CPU

HEIGHT, WIDTH = 36, 48


class Drawn(TorchRasteriser):
    """Never by edges."""

    by_edges = False


def closer(zoom: float) -> KnownMotion:
    """The picture comes closer by `zoom` a frame, about a point beside the middle."""
    place = maps.pixel_centres(HEIGHT, WIDTH)
    return KnownMotion((place - torch.tensor([20.3, 16.1])) * (1 / zoom - 1))


def carrier(zoom: float, rasteriser: Rasteriser | None = None) -> Transport:
    grid = NoiseGrid(HEIGHT, WIDTH, CPU)
    return Transport(closer(zoom), grid, lambda t: 0, rasteriser or TorchRasteriser(), TransportSettings(7))


@pytest.mark.parametrize(("zoom", "level"), [(1.0, 3), (1.4, 3), (1.45, 4), (2.8, 4), (2.9, 5), (20.0, 7), (1000.0, 8)])
def test_one_level_more_for_every_halving(zoom: float, level: int) -> None:
    """A pixel of a picture that came closer by 1.41 covers half a pixel of its anchor: from there on level 4, and so on; the
    finest is 8."""
    position = (maps.pixel_centres(HEIGHT, WIDTH) - 10) / zoom + 10
    zeros = torch.zeros(HEIGHT, WIDTH)
    track = Track(zeros.to(torch.int32), position, zeros.to(torch.uint8))
    assert levels.levels(track, 3).get(0, 3) == level
    assert levels.levels(tracks.fresh(2, HEIGHT, WIDTH, CPU), 3) == {}


def test_areas_are_added_up_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(3)
    label = torch.randint(0, 3, (HEIGHT, WIDTH), generator=generator, dtype=torch.int32)
    label[:, 20:] = 1
    state = torch.randint(0, 4, (HEIGHT, WIDTH), generator=generator).to(torch.uint8)
    place = maps.pixel_centres(HEIGHT, WIDTH) * 0.3 + torch.rand(HEIGHT, WIDTH, 2, generator=generator)
    track = Track(label, place, state)
    fast = levels.levels(track, 2)
    assert fast
    monkeypatch.setattr(compiled, "available", lambda: False)
    assert levels.levels(track, 2) == fast


@pytest.mark.slow
def test_sixty_times_closer_nothing_runs_dry() -> None:
    """64 times in 100 frames. Every pixel stays kept, noise is white with variance 1 (each frame at p = 1e-5, 26 frames looked
    at: false alarms below 0.1 %), follows the motion as well at the end as at the beginning, and memory stays bounded."""
    zoom = 64 ** (1 / 100)
    moved = carrier(zoom)
    before = moved.integral(0, 2)[0]
    low, high = stats.chi2.interval(1 - 1e-5, 2 * HEIGHT * WIDTH)
    followed = []
    for t in range(1, 101):
        noise, state = moved.integral(t, 2)
        assert (state == KEPT).all()
        if t % 4 == 0:
            assert low < float(noise.double().square().sum()) < high
            assert whiteness.measure(noise).verdict.ok, whiteness.measure(noise).verdict.text
        was = tracks.step_back(moved.motion, t - 1)
        followed.append(float(coherence.correlation(before, noise, was.position, was.valid)[0]))
        before = noise
    assert np.mean(followed[-25:]) > 0.9 * np.mean(followed[:25]), followed
    assert moved._summed is not None
    assert moved._summed.nbytes < 200 << 20


@pytest.mark.parametrize("t", [12, 40])
def test_drawing_looks_at_the_same_levels(t: int) -> None:
    """All but ties, of which this motion has none here; and the pixel page explains the value."""
    zoom = 64 ** (1 / 100)
    walked, drawn = carrier(zoom), carrier(zoom, Drawn())
    a, b = walked.integral(t, 1)[0], drawn.integral(t, 1)[0]
    assert (a != b).float().mean() < 0.01
    shown = walked.inspect(t, 20, 11, 1)
    assert shown.footprint is not None
    assert shown.footprint.level == (4 if t == 12 else 5)
    assert shown.value[0] == pytest.approx(float(a[0, 11, 20]), abs=1e-5)
