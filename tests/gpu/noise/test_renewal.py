"""Where outlines can no longer follow a motion pixels are renewed: exactly white across the seams, the same by random access
and by every backend, and as coherent with the frame before as ever."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from gpu import compiled, gl
from gpu.metrics import coherence, whiteness
from gpu.noise import fine_field, renewal, tracks
from gpu.noise.ownership import Rasteriser, TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser
from gpu.noise.spent import Ledger, nothing
from gpu.noise.states import INHERITED, KEPT, NEW, RENEWED, UNDEFINED
from gpu.noise.transport import BEND, Transport, TransportSettings
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, along, carrier

SIZE = (28, 36)
SMALL = (12, 14)
LATE = 18


def with_previous(moved: Transport, t: int, channels: int) -> float:
    motion = moved.motion
    before, here = moved.integral(t - 1, channels)[0], moved.integral(t, channels)[0]
    places = motions.centres(SIZE) + motion.backward(t - 1)
    return float(coherence.correlation(before, here, places, motion.valid(t - 1))[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("rotation", 0.95), ("zoom in", 0.999), ("swirl", 0.93), ("crossing layers", 0.85)]
)
def test_what_can_be_followed_keeps_its_anchor(name: str, least: float) -> None:
    """Of the pixels that come from frame 0, after 20 frames: strips that came into view frame by frame ask for nothing. Of
    crossing layers 5 % own nothing, however they are renewed."""
    moved = carrier(motions.ALL[name]((96, 128)), TorchRasteriser())
    track, kept = moved.tracks.transported(20), moved.track(20).state == KEPT
    assert float((track.state[kept] == KEPT).float().mean()) > least


def test_bends_of_a_parabola() -> None:
    """p = c x^2 has the second difference 2 c along x; along y it is straight. At the border and beside other anchors nothing
    is known."""
    track = tracks.fresh(0, 20, 30, CPU)
    track.position[..., 0] += 0.3 * track.position[..., 0] ** 2
    track.label[:, 10] = 1
    bends = renewal.bends(track)
    assert torch.allclose(bends[:, 1:9], torch.tensor(0.6), atol=1e-4)
    assert torch.allclose(bends[:, 12:29], torch.tensor(0.6), atol=1e-4)
    assert float(bends[:, [0, 9, 10, 11, 29]].abs().max()) < 1e-4
    for size in ((1, 1), (2, 2), (1, 7)):
        assert float(renewal.bends(tracks.fresh(0, *size, CPU)).max()) == 0


def test_company_is_counted_among_the_eight_around() -> None:
    label = torch.tensor([[0, 0, 1], [0, 2, 1], [0, 0, 0]], dtype=torch.int32)
    assert renewal.company(label).tolist() == [[7, 4, 5], [7, 0, 3], [7, 6, 5]]  # the border goes on


def test_who_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels that stand alone among many like them, and those around; not those whose noise is born in this frame, not a single
    one, and nobody without a limit."""
    track = tracks.fresh(0, 24, 30, CPU)
    track.label[6:15, 8:17] = torch.arange(81, dtype=torch.int32).view(9, 9) + 1
    track.state[10, 12] = NEW
    chosen = renewal.renewing(track, 1.0)
    assert chosen is not None
    assert bool(chosen[6:15, 8:17].sum() == 80)
    assert not bool(chosen[10, 12])
    assert not bool(chosen[:4].any() or chosen[17:].any() or chosen[:, :6].any() or chosen[:, 19:].any())
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "available", lambda: False)
        assert torch.equal(chosen, renewal.renewing(track, 1.0))
    assert renewal.renewing(track, math.inf) is None
    assert renewal.renewing(tracks.fresh(0, 24, 30, CPU), 1.0) is None
    one_alone = tracks.fresh(0, 24, 30, CPU)
    one_alone.label[4, 4] = 3
    assert renewal.renewing(one_alone, 1.0) is None


def test_a_crowd_is_counted_within_four_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """21 of 81 are a quarter, 20 are not; and torch counts what compiled code does, at the border too."""
    chosen = torch.zeros(20, 30, dtype=torch.bool)
    chosen[6:9, 10:17] = True
    assert bool(renewal.crowded(chosen)[8, 13])
    chosen[6, 10] = False
    assert not bool(renewal.crowded(chosen)[8, 13])
    for size in ((20, 30), (3, 40), (1, 1)):
        chosen = torch.rand(size, generator=torch.Generator().manual_seed(4)) < 0.25
        fast = renewal.crowded(chosen)
        with monkeypatch.context() as patch:
            patch.setattr(compiled, "available", lambda: False)
            assert torch.equal(renewal.crowded(chosen), fast)


@pytest.mark.slow
def test_turbulence_is_renewed_where_it_is(rasteriser: Rasteriser) -> None:
    """The left half stands still and keeps its anchor; the right half is turbulent."""
    size = (28, 72)
    turbulent = motions.turbulent(size)
    left = torch.arange(72) < 30
    half = motions.Given(size, lambda t: torch.where(left[:, None], 0.0, turbulent.backward(t)))
    moved = carrier(half, rasteriser)
    track = moved.tracks.transported(LATE)
    assert moved.tracks.anchors()[0] % renewal.EVERY == 0
    assert bool((track.state[:, :25] == KEPT).all())
    assert float((track.state[:, 38:] == KEPT).float().mean()) < 0.4
    assert RENEWED in track.state.unique().tolist()
    noise = moved.integral(LATE, 2)[0]
    assert torch.allclose(noise[:, :, :25], moved.integral(0, 2)[0][:, :, :25], atol=1e-3)


def largest_covariance(motion: motions.Given, rasteriser: Rasteriser, t: int, channels: int) -> float:
    """The largest covariance of two pixels of frame t, in its standard deviations."""
    noise = torch.cat([carrier(motion, rasteriser, seed=seed).integral(t, 64)[0] for seed in range(channels // 64)])
    noise = noise.reshape(channels, -1).double()
    covariance = noise.T @ noise / channels
    covariance.fill_diagonal_(0)
    return float(covariance.abs().max()) * math.sqrt(channels)


@pytest.mark.slow
def test_no_two_pixels_are_tied_across_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """All 14,028 pairs of a frame of 12 x 14 with renewed, inherited, kept and new pixels, over 2048 draws: the largest of them
    passes 5.5 standard deviations with p < 1e-3. Without a record of what was spent some pass 7."""
    motion, way = motions.turbulent(SMALL), TorchRasteriser()
    states = carrier(motion, way).integral(9, 1)[1]
    assert {KEPT, NEW, RENEWED} <= set(states.unique().tolist())
    assert largest_covariance(motion, way, 9, 2048) < 5.5
    monkeypatch.setattr(Ledger, "before", lambda self, label, t: nothing(self.k))
    assert largest_covariance(motion, way, 9, 2048) > 7


@pytest.mark.slow
def test_noise_stays_white(rasteriser: Rasteriser) -> None:
    """KS p-values of 200 replicates (8 seeds x 25 channels) are uniform, which fails with probability 0.01 a backend; variance
    within its 99.9 % interval; no autocorrelation beyond its limit at p = 0.001."""
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
def test_noise_follows_where_old_anchors_have_lost_it() -> None:
    motion = motions.turbulent(SIZE)
    renewed, lost = (along(motion, TorchRasteriser(), TransportSettings(7, bend=bend)) for bend in (BEND, math.inf))
    lost.tracks.transported(LATE)
    assert lost.tracks.anchors() == []
    late = [with_previous(renewed, t, 8) for t in range(LATE - 3, LATE + 1)]
    early = with_previous(renewed, 1, 8)
    assert min(late) > early - 0.12
    without = [with_previous(lost, t, 8) for t in range(LATE - 3, LATE + 1)]
    assert sum(late) / 4 > sum(without) / 4 + 0.06


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
    assert len(moved.tracks.anchors()) >= 2
    assert {KEPT, RENEWED, UNDEFINED} >= set(state.unique().tolist())
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
    noise, state = carrier(motion, rasteriser).integral(LATE, 2)
    asked = carrier(motion, rasteriser)
    seen = set()
    for x, y in ((5, 6), (20, 14), (30, 22), (11, 3), (17, 25), (33, 9)):
        inspection = asked.inspect(LATE, x, y, 2)
        assert torch.allclose(torch.from_numpy(inspection.value), noise[:, y, x], atol=1e-4)
        seen.add(int(state[y, x]))
    assert RENEWED in seen
    assert seen <= {KEPT, INHERITED, NEW, RENEWED}


@pytest.mark.slow
def test_ways_to_gather_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code, torch and drawing own the same cells, what is spent among them: the same bits but for ties of drawing."""
    motion = motions.turbulent(SIZE)
    by_kernels = carrier(motion, TorchRasteriser())
    frames = [by_kernels.integral(t, 2) for t in range(LATE + 1)]
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "available", lambda: False)
        by_torch = carrier(motion, TorchRasteriser())
        for t, (noise, state) in enumerate(frames):
            other = by_torch.integral(t, 2)
            assert torch.equal(other[1], state)
            assert torch.equal(other[0], noise)
    monkeypatch.setattr(TorchRasteriser, "by_edges", property(lambda _: False))
    drawn = carrier(motion, TorchRasteriser()).integral(LATE, 2)[0]
    assert float(((drawn - frames[LATE][0]).abs() > 1e-4).float().mean()) < 0.02


@pytest.mark.slow
def test_opengl_agrees(context: gl.Context) -> None:
    drawn = GLRasteriser(context)
    motion = motions.turbulent(SIZE)
    a, b = (carrier(motion, each).integral(LATE, 2)[0] for each in (drawn, TorchRasteriser()))
    drawn.close()
    assert float((a - b).abs().median()) < 1e-4
    assert float(((a - b).abs() > 1e-2).float().mean()) < 0.02
