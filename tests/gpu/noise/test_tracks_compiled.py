"""A step of tracks in compiled code is that of torch, to the last bit."""

from __future__ import annotations

import pytest
import torch

from gpu import compiled
from gpu.noise import renewal, tracks
from gpu.noise.states import INHERITED, KEPT, NEW, RENEWED, UNDEFINED
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from tests.gpu.noise.motions import CPU

HEIGHT, WIDTH = 31, 43


class Torn:
    """A motion that is smooth, with a jump, and wild in one corner; not valid here and there."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        place = tracks.fresh(0, HEIGHT, WIDTH, CPU).position
        self.flow = torch.stack([torch.sin(place[..., 1] / 5) * 2 - 0.7, torch.cos(place[..., 0] / 4) * 1.5 + 0.3], -1)
        self.flow[:, WIDTH // 2 :, 0] += 6.5
        self.flow[:12, :12] += torch.randn(12, 12, 2, generator=generator) * 3
        self.known = torch.rand(HEIGHT, WIDTH, generator=generator) > 0.05

    def backward(self, t: int) -> torch.Tensor:
        return self.flow

    def valid(self, t: int) -> torch.Tensor:
        return self.known

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros(HEIGHT, WIDTH)


@pytest.mark.parametrize("fill", ["two-stage", "random"])
@pytest.mark.parametrize("seed", [1, 2])
def test_steps_are_those_of_torch(fill: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = Torn(seed)
    fast = tracks.fresh(3, HEIGHT, WIDTH, CPU)
    slow = fast
    seen: set[int] = set()
    for t in range(3, 9):
        fast = tracks.advance(fast, t, motion, fill)
        with monkeypatch.context() as without:
            without.setattr(compiled, "available", lambda: False)
            slow = tracks.advance(slow, t, motion, fill)
        assert torch.equal(fast.label, slow.label)
        assert torch.equal(fast.state, slow.state)
        assert torch.equal(fast.position, slow.position)
        seen |= set(fast.state.unique().tolist())
    assert seen == ({KEPT, INHERITED, NEW} if fill == "two-stage" else {KEPT, UNDEFINED})


@pytest.mark.parametrize("fill", ["two-stage", "random"])
def test_traced_tracks_are_those_of_torch(fill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several bases, with pixels that are renewed and pixels that own nothing."""

    def all_of_it() -> list[Track]:
        def renewing(track: Track, t: int) -> torch.Tensor | None:
            return renewal.renewing(track, 1.0) if t % 4 == 0 else None

        def owned(track: Track, t: int) -> torch.Tensor:
            return (torch.arange(HEIGHT * WIDTH).view(HEIGHT, WIDTH) % 97 != t % 97).to(torch.int32)

        along = tracks.Tracks(Torn(2), NoiseGrid(HEIGHT, WIDTH, CPU), lambda t: 0, fill, renewing, owned)
        return [each for t in range(1, 20) for each in (along.geometric(t), along.transported(t))]

    fast = all_of_it()
    monkeypatch.setattr(compiled, "available", lambda: False)
    slow = all_of_it()
    for a, b in zip(fast, slow, strict=True):
        assert torch.equal(a.label, b.label)
        assert torch.equal(a.state, b.state)
        assert torch.equal(a.position, b.position)
    assert any(bool((track.state == RENEWED).any()) for track in fast)


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.1, 0.3, 1.0, 3.0])
def test_what_is_renewed_is_what_torch_says(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    track = tracks.fresh(3, HEIGHT, WIDTH, CPU)
    for t in range(3, 6):
        track = tracks.advance(track, t, Torn(1), "two-stage")
        fast = renewal.renewing(track, limit)
        with monkeypatch.context() as without:
            without.setattr(compiled, "available", lambda: False)
            slow = renewal.renewing(track, limit)
        assert fast is not None
        assert slow is not None
        assert torch.equal(fast, slow)
