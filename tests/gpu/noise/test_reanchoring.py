"""Where accumulated positions can no longer be trusted a frame becomes the anchor of all that follow: still white, still the
same by random access, and as coherent with the frame before as ever."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from gpu import gl
from gpu.metrics import coherence, whiteness
from gpu.noise import fine_field, tracks
from gpu.noise.ownership import Rasteriser, TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.transport import BEND, Transport, TransportSettings
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, along, carrier

SIZE = (28, 36)
LATE = 14


def with_previous(moved: Transport, t: int, channels: int) -> float:
    motion = moved.motion
    before, here = moved.integral(t - 1, channels)[0], moved.integral(t, channels)[0]
    places = motions.centres(SIZE) + motion.backward(t - 1)
    return float(coherence.correlation(before, here, places, motion.valid(t - 1))[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["translation", "rotation", "zoom in", "zoom out", "crossing layers"])
def test_affine_motions_keep_their_anchors_for_ever(name: str) -> None:
    moved = carrier(motions.ALL[name](SIZE), TorchRasteriser())
    moved.tracks.transported(20)
    assert moved.tracks.whole_anchors() == []
    assert tracks.bend(moved.tracks.transported(20)) < 1e-3


def test_bend_of_a_parabola() -> None:
    """p = c x^2 has the second difference 2 c everywhere; along y it is straight, so that half of all triples are."""
    track = tracks.fresh(0, 20, 30, CPU)
    track.position[..., 0] += 0.3 * track.position[..., 0] ** 2
    bent = tracks.bend(tracks.Track(track.label[:3, :], track.position[:3, :], track.state[:3, :]))
    assert bent == pytest.approx(0.6, abs=1e-4)  # 3 x 28 triples along x, 30 along y
    assert tracks.bend(tracks.fresh(0, 1, 1, CPU)) == tracks.bend(tracks.fresh(0, 2, 2, CPU)) == 0.0


@pytest.mark.slow
def test_turbulence_gets_new_anchors(rasteriser: Rasteriser) -> None:
    moved = carrier(motions.turbulent(SIZE), rasteriser)
    moved.tracks.transported(LATE)
    anchors = moved.tracks.whole_anchors()
    assert len(anchors) >= 3
    assert anchors[0] > 1
    track = moved.tracks.transported(LATE)
    assert int(track.label.min()) >= anchors[-1], "nothing is anchored before the last whole anchor"
    states = set(track.state.unique().tolist())
    assert KEPT in states, "what was never out of view is still called kept"
    assert states <= {KEPT, INHERITED, NEW}


@pytest.mark.slow
def test_noise_stays_white(rasteriser: Rasteriser) -> None:
    """As in test_transport: KS p-values of 200 replicates (8 seeds x 25 channels) are uniform, which fails with probability
    0.01 a backend; variance within its 99.9 % interval; no autocorrelation beyond its limit at p = 0.001."""
    motion = motions.turbulent(SIZE)
    p_values, squares, last = [], 0.0, torch.zeros(0)
    for seed in range(8):
        last = carrier(motion, rasteriser, seed=seed).integral(LATE, 25)[0]
        p_values += [stats.kstest(channel.numpy().ravel(), "norm").pvalue for channel in last]
        squares += float(last.double().square().sum())
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    low, high = stats.chi2.interval(0.999, 200 * SIZE[0] * SIZE[1])
    assert low < squares < high
    measured = whiteness.measure(last[:4])
    assert measured.autocorrelation < measured.autocorrelation_limit
    assert measured.channel_correlation < measured.channel_limit


@pytest.mark.slow
def test_no_pair_of_near_pixels_is_tied() -> None:
    """Covariances of a pixel with its neighbours at all offsets up to (2, 3), over 64 channels and all places: each is normal
    with standard deviation 1/sqrt(n); the largest of the 17 passes 4.5 of them with p < 2e-4."""
    noise = carrier(motions.turbulent(SIZE), TorchRasteriser(), seed=3).integral(LATE, 64)[0]
    for dy in range(3):
        for dx in range(-3, 4):
            if dy == 0 and dx <= 0:
                continue
            a = noise[:, : SIZE[0] - dy, max(0, -dx) : SIZE[1] - max(0, dx)]
            b = noise[:, dy:, max(0, dx) : SIZE[1] - max(0, -dx)]
            assert abs(float((a * b).mean())) * math.sqrt(a.numel()) < 4.5, (dx, dy)


@pytest.mark.slow
def test_noise_follows_where_old_anchors_have_lost_it() -> None:
    motion = motions.turbulent(SIZE)
    renewed, lost = (along(motion, TorchRasteriser(), TransportSettings(7, bend=bend)) for bend in (BEND, math.inf))
    assert lost.tracks.whole_anchors() == []
    late = [with_previous(renewed, t, 8) for t in range(LATE - 3, LATE + 1)]
    early = with_previous(renewed, 1, 8)
    assert min(late) > early - 0.06
    assert max(with_previous(lost, t, 8) for t in range(LATE - 3, LATE + 1)) < min(late) - 0.05


@pytest.mark.slow
def test_random_access_gives_what_playing_gives(rasteriser: Rasteriser, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = motions.turbulent(SIZE)
    played = carrier(motion, rasteriser)
    frames = [played.integral(t, 2)[0] for t in range(LATE + 1)]
    monkeypatch.setattr(fine_field, "ANCHOR_CACHE_BYTES", 1)
    asked = carrier(motion, rasteriser)
    for t in (LATE, 3, LATE - 1, 9, LATE):
        assert torch.equal(asked.integral(t, 2)[0], frames[t])
    assert torch.equal(asked.integral(LATE, 5)[0][:2], frames[LATE]), "more channels are more of the same"
    assert torch.equal(asked.integral(LATE, 1)[0], frames[LATE][:1])


@pytest.mark.slow
def test_random_fill_never_carries_what_it_filled(rasteriser: Rasteriser) -> None:
    moved = carrier(motions.turbulent(SIZE), rasteriser, fill="random")
    noise, state = moved.integral(LATE, 4)
    assert len(moved.tracks.whole_anchors()) >= 2
    assert {KEPT, UNDEFINED} >= set(state.unique().tolist())
    low, high = stats.chi2.interval(0.9999, noise.numel())
    assert low < float(noise.double().square().sum()) < high


@pytest.mark.slow
def test_a_shot_has_anchors_of_its_own(rasteriser: Rasteriser) -> None:
    moved = along(motions.turbulent(SIZE), rasteriser, TransportSettings(7), lambda t: 8 if t >= 8 else 0)
    late = moved.integral(LATE, 2)[0]
    assert int(moved.tracks.transported(LATE).label.min()) >= 8
    again = along(motions.turbulent(SIZE), rasteriser, TransportSettings(7), lambda t: 8 if t >= 8 else 0)
    again.integral(7, 2)
    assert torch.equal(again.integral(LATE, 2)[0], late)


@pytest.mark.slow
def test_a_pixel_can_be_inspected(rasteriser: Rasteriser) -> None:
    motion = motions.turbulent(SIZE)
    noise = carrier(motion, rasteriser).integral(LATE, 2)[0]
    asked = carrier(motion, rasteriser)
    for x, y in ((5, 6), (20, 14), (30, 22)):
        inspection = asked.inspect(LATE, x, y, 2)
        assert torch.allclose(torch.from_numpy(inspection.value), noise[:, y, x], atol=1e-4)


@pytest.mark.slow
def test_backends_agree(context: gl.Context) -> None:
    drawn = GLRasteriser(context)
    motion = motions.turbulent(SIZE)
    a, b = (carrier(motion, each).integral(LATE, 2)[0] for each in (drawn, TorchRasteriser()))
    drawn.close()
    assert float((a - b).abs().median()) < 1e-4
    assert float(((a - b).abs() > 1e-2).float().mean()) < 0.02
