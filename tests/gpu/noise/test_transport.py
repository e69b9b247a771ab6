"""Transport: exactness, whiteness, coherence, unique ownership, agreement of the backends."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gpu import gl
from gpu.metrics import coherence, whiteness
from gpu.noise import field, fine_field, gathering, polygons, tracks
from gpu.noise.ownership import Rasteriser, TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.noise.transport import TransportSettings
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, along, carrier, cut

SIZE = (28, 36)


def test_zero_flow_returns_the_same_noise(rasteriser: Rasteriser) -> None:
    moved = carrier(motions.translation(SIZE, 0.0, 0.0), rasteriser)
    first = moved.integral(0, 3)[0]
    for t in (1, 4):
        noise, state = moved.integral(t, 3)
        assert torch.allclose(noise, first, atol=1e-5, rtol=0)
        assert bool((state == KEPT).all())


@pytest.mark.slow
@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, 2), (-4, 1), (5, -3)])
def test_integer_translation_moves_the_noise(rasteriser: Rasteriser, dx: int, dy: int) -> None:
    moved = carrier(motions.translation(SIZE, dx, dy), rasteriser)
    first, (noise, state) = moved.integral(0, 2)[0], moved.integral(2, 2)
    came = torch.roll(first, (2 * dy, 2 * dx), (1, 2))
    kept = (state == KEPT).expand_as(noise)
    assert int(kept[0].sum()) == (SIZE[0] - 2 * abs(dy)) * (SIZE[1] - 2 * abs(dx))
    assert torch.allclose(noise[kept], came[kept], atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", motions.ALL)
def test_noise_is_white_for_every_motion(rasteriser: Rasteriser, name: str) -> None:
    """KS p-values of 200 replicates (8 seeds x 25 channels) are uniform: fails with probability 0.01 a motion and backend;
    variance within its 99.9 % interval; no autocorrelation over all shifts beyond its limit at p = 0.001."""
    motion = motions.ALL[name](SIZE)
    p_values, squares, last = [], 0.0, None
    for seed in range(8):
        last = carrier(motion, rasteriser, seed=seed).integral(2, 25)[0]
        p_values += [stats.kstest(channel.numpy().ravel(), "norm").pvalue for channel in last]
        squares += float(last.double().square().sum())
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    low, high = stats.chi2.interval(0.999, 200 * SIZE[0] * SIZE[1])
    assert low < squares < high
    assert last is not None
    measured = whiteness.measure(last[:4])
    assert measured.autocorrelation < measured.autocorrelation_limit
    assert measured.channel_correlation < measured.channel_limit


@pytest.mark.slow
@pytest.mark.parametrize("name", motions.ALL)
def test_backends_agree(context: gl.Context, name: str) -> None:
    """Owners may differ only at sub-pixels within 1e-3 pixels of an outline."""
    drawn, tested = GLRasteriser(context), TorchRasteriser()
    motion = motions.ALL[name](SIZE)
    by = carrier(motion, tested)
    track = by.tracks.transported(2)
    pieces, tiling = cut(by, track, 2), by.field.tiling
    assert int(pieces.piece.max()) < tiling.columns * tiling.rows * 3
    chosen = torch.nonzero(tiling.labels(pieces.piece) == 0)[:, 0]  # anchored in frame 0
    piece, polygon = pieces.piece[chosen], pieces.polygon[chosen]
    slots = int(piece.max()) + 1
    corner = tiling.corners(piece).float()
    relative = pieces.contours.relative(polygon, corner)
    outlines = relative.vertices
    arguments = (relative, piece, pieces.rank[polygon], slots)
    a, b = drawn.own(*arguments), tested.own(*arguments)
    drawn.close()
    assert int((b >= 0).sum()) > 0.3 * SIZE[0] * SIZE[1] * 64
    slot, y, x = torch.nonzero(a != b, as_tuple=True)
    for here in range(len(slot)):
        at = torch.stack([x[here], y[here]]).float() + 0.5
        distances = []
        for owner in (int(a[slot[here], y[here], x[here]]), int(b[slot[here], y[here], x[here]])):
            if owner >= 0:
                start, end = outlines[owner], outlines[owner].roll(-1, 0)
                edge = end - start
                share = (((at - start) * edge).sum(1) / edge.square().sum(1).clamp(min=1e-9)).clamp(0, 1)
                distances.append(float((start + share[:, None] * edge - at).norm(dim=1).min()))
        assert min(distances) < 1e-3 * 8


def test_both_backends_give_the_same_noise(context: gl.Context) -> None:
    drawn = GLRasteriser(context)
    motion = motions.layers(SIZE)
    a, b = (carrier(motion, each).integral(6, 2)[0] for each in (drawn, TorchRasteriser()))
    drawn.close()
    assert float((a - b).abs().median()) < 1e-5
    assert float(((a - b).abs() > 1e-3).float().mean()) < 0.01


def test_a_sub_pixel_has_one_owner_also_at_folds(rasteriser: Rasteriser) -> None:
    """Transporting a field of ones over sub-pixels can hand out no more area than there is."""
    moved = carrier(motions.fold(SIZE, 4.0), rasteriser)
    track = moved.tracks.before_renewal(1)
    assert int(moved.gather(track, 1, 0)[1].sum()) <= SIZE[0] * SIZE[1] * 64
    areas = polygons.areas(cut(moved, track, 1).contours.vertices)
    assert float(areas.abs().sum()) > 1.05 * SIZE[0] * SIZE[1] * 64  # the outlines do overlap


def test_at_folds_the_smaller_forward_backward_error_wins(rasteriser: Rasteriser) -> None:
    """The half with the smaller error keeps its sub-pixels, whichever half is drawn first."""
    for sign in (1, -1):
        motion = motions.fold(SIZE, 4.0)
        d = motions.centres(SIZE)[..., 0] - SIZE[1] / 2
        motion._error = lambda t, d=d, sign=sign: (sign * d > 0).float()
        moved = carrier(motion, rasteriser)
        track = moved.tracks.transported(1)
        wins = (moved.gather(moved.tracks.before_renewal(1), 1, 0)[1] > 0).float().mean(0)
        near = d[0].abs() < 8
        visible, hidden = wins[near & (sign * d[0] < 0)].mean(), wins[near & (sign * d[0] > 0)].mean()
        assert visible > 0.6
        assert hidden < 0.4  # each half also folds onto itself
        assert bool(((track.state == NEW) == (moved.gather(track, 1, 0)[1] == 0)).all())


@pytest.mark.slow
def test_rotation_remembers_frame_0(rasteriser: Rasteriser) -> None:
    """2 degrees a frame, 192 x 192, inner disc of radius 0.3 x 192: >= 0.62 after 16 frames, >= 0.64 with the previous."""
    size = (192, 192)
    motion = motions.rotation(size, 2.0)
    moved = carrier(motion, rasteriser)
    if isinstance(rasteriser, TorchRasteriser):
        moved.tracks._transported = (
            moved.tracks._geometric
        )  # the disc turns rigidly: nothing in it needs the ownership of the corners
    first, before, noise = (moved.integral(t, 2)[0] for t in (0, 15, 16))
    disc = (motions.centres(size) - 96).norm(dim=-1) < 0.3 * 192
    whole = motions.rotation(size, 32.0)
    with_first, _ = coherence.correlation(first, noise, motions.centres(size) + whole.backward(0), disc)
    with_previous, _ = coherence.correlation(before, noise, motions.centres(size) + motion.backward(0), disc)
    assert with_first >= 0.62
    assert with_previous >= 0.64


def test_direction_is_backward_flow(rasteriser: Rasteriser) -> None:
    """A picture that moves right and up takes its noise along to the right and up: +x is not -x, x is not y."""
    moved = carrier(motions.translation(SIZE, 2.3, -1.7), rasteriser)
    first, noise = moved.integral(0, 4)[0], moved.integral(1, 4)[0]
    place = motions.centres(SIZE)
    everywhere = torch.ones(SIZE, dtype=torch.bool)
    right = coherence.correlation(first, noise, place + torch.tensor([-2.3, 1.7]), everywhere)[0]
    wrong = [(2.3, -1.7), (2.3, 1.7), (-2.3, -1.7), (1.7, -2.3)]
    others = [coherence.correlation(first, noise, place + torch.tensor(flow), everywhere)[0] for flow in wrong]
    assert right > 0.6
    assert max(others) < 0.1


@pytest.mark.slow
def test_random_access_gives_what_playing_gives(rasteriser: Rasteriser) -> None:
    motion = motions.layers(SIZE)
    played = carrier(motion, rasteriser)
    frames = [played.integral(t, 2)[0] for t in range(10)]
    alone = carrier(motion, rasteriser).integral(9, 2)[0]
    assert torch.equal(alone, frames[9])
    assert torch.equal(played.integral(4, 2)[0], frames[4])


@pytest.mark.slow
def test_dropped_tracks_are_recomputed_alike(rasteriser: Rasteriser, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = motions.layers(SIZE)
    expected = carrier(motion, rasteriser).integral(12, 1)[0]
    monkeypatch.setattr(tracks, "TRACK_CACHE_BYTES", 1)
    monkeypatch.setattr(fine_field, "FIELD_CACHE_BYTES", 1)
    starved = carrier(motion, rasteriser)
    starved.integral(12, 1)
    assert torch.equal(starved.integral(12, 1)[0], expected)


@pytest.mark.slow
@pytest.mark.parametrize("fill", ["two-stage", "random"])
def test_disocclusion(rasteriser: Rasteriser, fill: str) -> None:
    """Two-stage: what appears opens an anchor and is carried on. Random fill: it stays undefined and never coheres."""
    motion = motions.layers(SIZE)
    moved = along(motion, rasteriser, TransportSettings(7, fill=fill, bend=math.inf))
    noise, state = moved.integral(6, 4)
    if fill == "random":
        assert set(state.unique().tolist()) == {KEPT, UNDEFINED}
    else:
        assert set(state.unique().tolist()) == {KEPT, INHERITED, NEW}
    appeared = moved.integral(5, 4)[1] != KEPT
    place = motions.centres(SIZE) + motion.backward(5)
    column, row = place[..., 0].floor().long().clamp(0, SIZE[1] - 1), place[..., 1].floor().long().clamp(0, SIZE[0] - 1)
    carried = appeared[row, column] & motion.valid(5)
    r, n = coherence.correlation(moved.integral(5, 4)[0], noise, place, carried)
    assert n > 50
    # The correlation of n x 4 independent values has a standard deviation of 1 / sqrt(4 n): 4 of them.
    assert r > 0.4 if fill == "two-stage" else abs(r) < 4 / np.sqrt(4 * n)


def test_sparse_and_dense_gathering_agree(rasteriser: Rasteriser, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = motions.swirl(SIZE, 25.0)
    results = []
    for share in (0.0, 1e9):  # everything dense, everything sparse
        monkeypatch.setattr(gathering, "SPARSE", share)
        moved = carrier(motion, rasteriser)
        track = moved.tracks.before_renewal(1)
        results.append(moved.gather(track, 1, 2))
    (dense, dense_count), (sparse, sparse_count) = results
    assert int((dense_count != sparse_count).sum()) <= 4  # sub-pixels on an outline, GL against torch
    assert float((dense - sparse).abs().median()) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("k", [0, 1, 2, 4])
@pytest.mark.parametrize("s", [1, 2, 3])
def test_other_levels_and_contours_are_white_too(rasteriser: Rasteriser, k: int, s: int) -> None:
    """Variance within its 99.99 % interval over 40 channels and no large autocorrelation: fails with probability 0.001."""
    noise = carrier(motions.rotation((40, 44), 5.0), rasteriser, k=k, s=s).integral(2, 40)[0]
    low, high = stats.chi2.interval(0.9999, noise.numel())
    assert low < float(noise.double().square().sum()) < high
    measured = whiteness.measure(noise[:4])
    assert measured.autocorrelation < measured.autocorrelation_limit


@pytest.mark.slow
def test_extreme_magnification_opens_anchors_and_stays_white(rasteriser: Rasteriser) -> None:
    """Magnified 2 x a frame: 32 x closer the field is looked at more finely, and no pixel is empty; 1024 x closer pixels cover
    less than a cell of the finest level, and are born anew. Fails with probability 0.002."""
    moved = carrier(motions.zoom(SIZE, 2.0), rasteriser)
    for t, empty in ((5, False), (10, True)):
        noise, state = moved.integral(t, 20)
        assert bool((state == NEW).any()) == empty
        low, high = stats.chi2.interval(0.999, noise.numel())
        assert low < float(noise.double().square().sum()) < high


def test_outlines_of_even_s_are_the_octagon() -> None:
    assert len(polygons.template(4)) == len(polygons.template(2)) == 8
    assert len(polygons.template(1)) == 4
    assert len(polygons.template(3)) == 12


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 300)])
def test_tiny_and_narrow_grids(rasteriser: Rasteriser, size: tuple[int, int]) -> None:
    noise, _ = carrier(motions.translation(size, 0.3, 0.2), rasteriser).integral(2, 2)
    assert noise.shape == (2, *size)
    assert bool(torch.isfinite(noise).all())


@pytest.mark.slow
def test_wild_motion_ends_in_bounded_time_and_finite_noise(rasteriser: Rasteriser) -> None:
    """Uniformly random flow over the frame: outlines must not be stretched across it."""
    generator = torch.Generator().manual_seed(3)
    wild = [torch.rand(*SIZE, 2, generator=generator) * torch.tensor(SIZE[::-1]) for _ in range(2)]
    moved = carrier(motions.Given(SIZE, lambda t: wild[t] - motions.centres(SIZE)), rasteriser)
    noise, _ = moved.integral(2, 2)
    assert bool(torch.isfinite(noise).all())
    areas = polygons.areas(cut(moved, moved.tracks.transported(1), 2).contours.vertices)
    assert float(areas.abs().median()) < 64 * 64


def test_shots_start_anew(rasteriser: Rasteriser) -> None:
    motion = motions.translation(SIZE, 1.0, 0.0)
    moved = along(motion, rasteriser, TransportSettings(7), lambda t: 3 if t >= 3 else 0)
    noise, state = moved.integral(3, 1)
    assert torch.equal(noise, field.pixels(7, 3, 1, *SIZE, CPU))
    after, state = moved.integral(4, 1)
    kept = (state == KEPT)[None]
    assert torch.allclose(after[kept], torch.roll(noise, 1, 2)[kept], atol=1e-5)
