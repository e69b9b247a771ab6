"""Walking edges with torch, as graphics cards do and processors without numba: the bits of the compiled kernels, which
test_edges.py compares with the definition."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from gpu import compiled
from gpu.noise import contested, crossings, edges, outlines, prefix_sums, rng, walking
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.states import KEPT, NEW
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from gpu.noise.transport import Transport, TransportSettings
from tests.gpu.noise import motions
from tests.gpu.noise.motions import CPU, along
from tests.gpu.noise.test_edges import CASES, HEIGHT, SEED, WIDTH, places, summed, turned


def sums(limit: int = 1 << 30, height: int = HEIGHT, width: int = WIDTH) -> PrefixSums:
    return PrefixSums(SEED, NoiseGrid(height, width, CPU), limit, lambda label: None)


def track_of(name: str) -> tuple[Track, torch.Tensor]:
    position, label, state = places(name)
    return Track(label, position, state), torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2)) * 3


@pytest.mark.parametrize("share", [walking.WHOLE, 2.0], ids=["whole rows", "single pixels"])
@pytest.mark.parametrize(("name", "k", "s", "channels"), CASES)
def test_every_pixel_gets_the_same_cells(
    name: str, k: int, s: int, channels: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, whether an anchor has sums over whole rows or over the source pixels that are touched; at once, and in
    parts where there is no room."""
    monkeypatch.setattr(walking, "WHOLE", share)
    track, error = track_of(name)
    noise, count = walking.gather(track, error, sums(), k, s, channels)[:2]
    expected, counts = edges.gather(track, error, summed(), k, s, channels)[:2]
    assert torch.equal(count, counts)
    assert torch.equal(noise, expected)
    monkeypatch.setattr(prefix_sums, "PART_BYTES", 1 << 14)
    monkeypatch.setattr(walking, "PATCH_CELLS", 1 << 12)
    monkeypatch.setattr(walking, "PIXELS", 130)
    monkeypatch.setattr(contested, "WORK", 1 << 12)
    little = sums(limit=1000)
    assert torch.equal(walking.gather(track, error, little, k, s, channels)[0], noise)
    assert little.nbytes <= 1000


@pytest.mark.parametrize("name", motions.ALL)
def test_frames_are_those_of_the_compiled_kernels(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several anchors, renewal and folds, three frames on: noise and states alike, to the last bit."""
    size = (13, 21)
    frames = []
    for there in (True, False):
        monkeypatch.setattr(compiled, "installed", lambda there=there: there)
        moved = along(motions.ALL[name](size), TorchRasteriser(), TransportSettings(7))
        frames.append([moved.integral(t, 5) for t in (3, 1)])
    for (noise, state), (other, states) in zip(*frames, strict=True):
        assert torch.equal(noise, other)
        assert torch.equal(state, states)


def test_noise_that_was_carried_to_an_anchor_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole rows of it, and a few pixels. Turbulence makes whole frames the anchor of later ones."""
    size, frames = (18, 26), []
    for there, share in ((True, 1 / 8), (False, 1 / 8), (False, 2.0)):
        monkeypatch.setattr(compiled, "installed", lambda there=there: there)
        monkeypatch.setattr(walking, "WHOLE", share)
        moved = along(motions.turbulent(size), TorchRasteriser(), TransportSettings(7))
        frames.append(moved.integral(9, 3)[0])
        assert len(moved.tracks.anchors()) > 1
    assert torch.equal(frames[0], frames[1])
    assert torch.equal(frames[0], frames[2])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 300)])
def test_tiny_and_narrow_grids(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []
    for there in (True, False):
        monkeypatch.setattr(compiled, "installed", lambda there=there: there)
        moved = along(motions.translation(size, 0.3, 0.2), TorchRasteriser(), TransportSettings(7))
        frames.append(moved.integral(2, 2)[0])
    assert torch.equal(*frames)


def test_finer_levels_of_single_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    track, error = track_of("torn")
    levels = {1: 4}
    expected = edges.gather(track, error, summed(), 2, 4, 3, None, levels)[:2]
    made = walking.gather(track, error, sums(), 2, 4, 3, levels)[:2]
    assert torch.equal(made[0], expected[0])
    assert torch.equal(made[1], expected[1])


def test_one_channel_after_four_and_four_after_one() -> None:
    track, error = track_of("turn")
    kept = sums()
    many = walking.gather(track, error, kept, 3, 4, 4)[0]
    assert torch.equal(walking.gather(track, error, kept, 3, 4, 1)[0], many[:1])
    other = sums()
    assert torch.equal(walking.gather(track, error, other, 3, 4, 1)[0], many[:1])
    assert torch.equal(walking.gather(track, error, other, 3, 4, 4)[0], many)
    assert walking.gather(track, error, kept, 3, 4, 0)[0].shape == (0, HEIGHT, WIDTH)


def test_of_cells_that_are_spent_nobody_owns_any() -> None:
    """A frame that does not move, of which rows 8 to 23 of cells, columns 10 to 49, have been given away: what pixels own is
    what is left of their squares."""
    track = Track(
        torch.zeros(HEIGHT, WIDTH, dtype=torch.int32), turned(0.0), torch.full((HEIGHT, WIDTH), KEPT, dtype=torch.uint8)
    )
    made = outlines.outlines(track.position, track.label, track.state != NEW, 3, 4)
    frame = contested.frame(made, track.label, made.kind, 3)
    row = torch.arange(8, 24)
    first, after = row * (8 * WIDTH + 1) + 10, row * (8 * WIDTH + 1) + 50
    gone = contested.lost(frame, torch.zeros(HEIGHT * WIDTH, dtype=torch.int32), (first, after))
    taken = torch.zeros(HEIGHT * 8, WIDTH * 8, dtype=torch.int64)
    for pixel, y, a, b in zip(*(part.tolist() for part in (gone.pixel, gone.row, gone.first, gone.after)), strict=True):
        assert y // 8 * WIDTH + a // 8 == y // 8 * WIDTH + (b - 1) // 8 == pixel
        taken[y, a:b] += 1
    expected = torch.zeros_like(taken)
    expected[8:24, 10:50] = 1
    assert torch.equal(taken, expected)


def test_quotients_in_single_precision_are_exact() -> None:
    generator = torch.Generator().manual_seed(6)
    divisor = torch.randint(1, 1 << 22, (20000,), generator=generator)
    divisor[:5000] = torch.randint(1, 300, (5000,), generator=generator)
    number = torch.randint(-(1 << 40), 1 << 40, (20000,), generator=generator) % (divisor << 20)
    number[1::2] *= -1
    number[::3] = number[::3] // divisor[::3] * divisor[::3] - (torch.arange(len(number[::3])) % 3 - 1)
    expected = torch.tensor([a // b for a, b in zip(number.tolist(), divisor.tolist(), strict=True)])
    assert torch.equal(crossings.quotient_in_single_precision(number, divisor), expected)
    assert torch.equal(crossings.quotient(number, divisor), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fold", "crossing layers", "swirl"])
def test_noise_is_white(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """KS p-values of 200 replicates (8 seeds x 25 channels) are uniform: fails with probability 0.001 a motion."""
    monkeypatch.setattr(compiled, "installed", lambda: False)
    size, p_values = (20, 26), []
    for seed in range(8):
        moved = Transport(
            motions.ALL[name](size), NoiseGrid(*size, CPU), lambda t: 0, TorchRasteriser(), TransportSettings(seed)
        )
        p_values += [stats.kstest(channel.numpy().ravel(), "norm").pvalue for channel in moved.integral(2, 25)[0]]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_a_seed_is_what_it_always_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one pixel owns when nothing moves is its own value."""
    monkeypatch.setattr(compiled, "installed", lambda: False)
    moved = along(motions.translation((5, 7), 0, 0), TorchRasteriser(), TransportSettings(3))
    expected = rng.white(3, rng.FIELD, 0, 1, 5, 7, CPU)
    assert (moved.integral(1, 1)[0] - expected).abs().max() <= math.ldexp(1, -20)
