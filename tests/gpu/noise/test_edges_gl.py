"""Walking edges in shaders: the bits of the compiled kernels, which test_edges.py compares with the definition."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from scipy import stats

from gpu import compiled, gl
from gpu.noise import claims_gl, contested, edges, edges_gl, outlines, walking
from gpu.noise.edges_gl import Walker
from gpu.noise.outlines import NONE
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.states import NEW
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from gpu.noise.transport import TransportSettings
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, along
from tests.gpu.noise.test_edges import CASES, HEIGHT, SEED, WIDTH, places, summed


def sums() -> PrefixSums:
    return PrefixSums(SEED, NoiseGrid(HEIGHT, WIDTH, CPU), 1 << 30, lambda label: None)


@pytest.fixture
def walker(context: gl.Context) -> Iterator[Walker]:
    made = Walker(context, 1 << 28)
    yield made
    made.close()


@pytest.mark.parametrize("there", [True, False], ids=["with numba", "without"])
@pytest.mark.parametrize(("name", "k", "s", "channels"), CASES)
def test_every_pixel_gets_the_same_cells(
    name: str, k: int, s: int, channels: int, there: bool, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both anchors at once; in one part, and in parts of a few rows, with owners drawn a few pieces at a time and positions
    that lie plane by plane."""
    position, label, state = places(name)
    track = Track(label, position, state)
    error = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2)) * 3
    noise, count = edges.gather(track, error, summed(), k, s, channels)[:2]
    monkeypatch.setattr(compiled, "installed", lambda: there)
    made = walker.gather(track, error, sums(), k, s, channels, [0, 1])
    assert made is not None
    assert torch.equal(made[1], count)
    assert torch.equal(made[0], noise)
    monkeypatch.setattr(edges_gl, "PART_BYTES", 5 * ((WIDTH << k) + 1) * (16 << k))
    monkeypatch.setattr(edges_gl, "STRIP_BYTES", 2 * ((WIDTH << k) + 1) * (16 << k))
    monkeypatch.setattr(claims_gl, "PIECES", 2)
    monkeypatch.setattr(claims_gl, "PIECE_BITS", 4)
    walker.limit = 3 * edges_gl.PART_BYTES
    track = Track(label, position.permute(2, 0, 1).contiguous().permute(1, 2, 0), state)
    other = walker.gather(track, error, sums(), k, s, channels, [0, 1])
    assert other is not None
    assert torch.equal(other[1], count)
    assert torch.equal(other[0], noise)


@pytest.mark.parametrize("name", ["turn", "fold"])
def test_of_cells_that_are_spent_nobody_owns_any(name: str, walker: Walker) -> None:
    """As torch has it, whose numbers of cells of anchor 0 are row (columns + 1) + column."""
    position, label, state = places(name)
    track, error, k = Track(label, position, state), torch.rand(HEIGHT, WIDTH), 3
    row = torch.arange(8, 90, 3)
    spent = torch.stack([row, row % 37, row % 37 + 20 + row], 1)
    made = outlines.outlines(position, label, state != NEW, k, 4)
    frame = contested.frame(made, label, made.kind, k)
    numbers = spent[:, :1] * ((WIDTH << k) + 1) + spent[:, 1:]
    gone = contested.lost(frame, walking.ranks(error), (numbers[:, 0].contiguous(), numbers[:, 1].contiguous()))
    drawn = walker.gather(track, error, sums(), k, 4, 2, [0], {0: spent})
    whole = walker.gather(track, error, sums(), k, 4, 0, [0])
    assert drawn is not None
    assert whole is not None
    expected = torch.zeros(HEIGHT * WIDTH, dtype=torch.int64)
    every = contested.covered(frame, torch.nonzero(frame.kind != NONE)[:, 0])
    expected.index_add_(0, every.pixel, every.after - every.first)
    expected.index_add_(0, gone.pixel, gone.first - gone.after)
    assert torch.equal(drawn[1].view(-1).to(torch.int64), expected)
    assert int(whole[1].sum() - drawn[1].sum()) > 500


@pytest.mark.parametrize("name", motions.ALL)
def test_frames_are_those_of_the_compiled_kernels(name: str, context: gl.Context) -> None:
    """Several anchors, renewal and folds, three frames on: noise and states alike, to the last bit."""
    drawn = GLRasteriser(context)
    frames = []
    for rasteriser in (TorchRasteriser(), drawn):
        moved = along(motions.ALL[name]((13, 21)), rasteriser, TransportSettings(7))
        frames.append([moved.integral(t, 5) for t in (3, 1)])
    drawn.close()
    for (noise, state), (other, states) in zip(*frames, strict=True):
        assert torch.equal(noise, other)
        assert torch.equal(state, states)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 300)])
def test_tiny_and_narrow_grids(size: tuple[int, int], context: gl.Context) -> None:
    drawn = GLRasteriser(context)
    a, b = (
        along(motions.translation(size, 0.3, 0.2), rasteriser, TransportSettings(7)).integral(2, 2)[0]
        for rasteriser in (TorchRasteriser(), drawn)
    )
    drawn.close()
    assert torch.equal(a, b)


def test_noise_that_was_carried_to_an_anchor_is_used(context: gl.Context) -> None:
    drawn = GLRasteriser(context)
    frames = []
    for rasteriser in (TorchRasteriser(), drawn):
        moved = along(motions.turbulent((18, 26)), rasteriser, TransportSettings(7))
        frames.append(moved.integral(9, 3)[0])
        assert len(moved.tracks.anchors()) > 1
    drawn.close()
    assert torch.equal(*frames)


def test_what_is_kept_stays_below_the_limit(walker: Walker) -> None:
    """And outlines that are larger than shaders reckon with are left to the processor."""
    position, label, state = places("turn")
    track, error = Track(label, position, state), torch.zeros(HEIGHT, WIDTH)
    walker.limit = 1 << 20
    for _ in range(3):
        given = sums()
        for first in (1, 4):
            assert walker.gather(track, error, given, 3, 4, first, [0]) is not None
        assert sum(kept.width * kept.height * kept.components * 4 for kept in walker._kept.values()) <= 1 << 20
    assert walker.gather(Track(label, position * 100, state), error, sums(), 8, 4, 1, [0]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fold", "crossing layers", "swirl"])
def test_noise_is_white(name: str, context: gl.Context) -> None:
    """KS p-values of 200 replicates (8 seeds x 25 channels) are uniform: fails with probability 0.001 a motion."""
    p_values = []
    for seed in range(8):
        drawn = GLRasteriser(context)
        moved = along(motions.ALL[name]((20, 26)), drawn, TransportSettings(seed))
        p_values += [stats.kstest(channel.numpy().ravel(), "norm").pvalue for channel in moved.integral(2, 25)[0]]
        drawn.close()
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
