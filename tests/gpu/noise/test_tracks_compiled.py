"""A step of tracks in compiled code is that of torch, to the last bit."""

from __future__ import annotations

import pytest
import torch

from gpu import compiled
from gpu.noise import tracks
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
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


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.1, 0.3, 1.0, 3.0])
def test_what_is_bent_is_what_torch_says(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    track = tracks.fresh(3, HEIGHT, WIDTH, CPU)
    for t in range(3, 6):
        track = tracks.advance(track, t, Torn(1), "two-stage")
        assert tracks.is_bent(track, limit) == (tracks.bend(track) > limit)
    alone = Track(
        torch.arange(6, dtype=torch.int32).view(2, 3), torch.rand(2, 3, 2), torch.zeros(2, 3, dtype=torch.uint8)
    )
    assert not tracks.is_bent(alone, 0.0)
