"""Motion that is shared through a file: what is put comes back bit for bit, and what is not there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpu.flow import maps
from gpu.session import MotionSettings, SourceSettings
from gpu.source.estimation import Pair
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source
from gpu.source.pair_file import PairFile, discard, file_bytes

CPU = torch.device("cpu")


def pair(seed: int, height: int = 5, width: int = 7) -> Pair:
    chance = torch.Generator().manual_seed(seed)

    def numbers(*last: int) -> torch.Tensor:
        return torch.randn(height, width, *last, generator=chance)

    return Pair(numbers(2), numbers() > 0, numbers(), seed, maps.Cleaned(numbers(2), numbers() > 1))


def same(a: Pair | None, b: Pair) -> bool:
    assert a is not None
    parts = [
        (a.backward, b.backward),
        (a.valid, b.valid),
        (a.error, b.error),
        (a.forward.flow, b.forward.flow),
        (a.forward.bad, b.forward.bad),
    ]
    return a.invalid == b.invalid and all(torch.equal(x, y) and x.dtype == y.dtype for x, y in parts)


def test_pairs_come_back_bit_for_bit_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    mine, others = PairFile(path, 5, 7), PairFile(path, 5, 7)
    assert others.get(0, CPU) is None
    for t in (3, 0, 7):
        mine.put(t, pair(t))
    assert path.stat().st_size <= file_bytes(5, 7, 9)
    assert [t for t in range(9) if others.has(t)] == [0, 3, 7]
    assert all(same(others.get(t, CPU), pair(t)) for t in (0, 3, 7))
    assert [others.get(t, CPU) for t in (1, 2, 4, 5, 6, 8)] == [None] * 6
    others.close()
    discard(mine)
    assert not path.exists()


def test_a_pair_that_is_only_half_there_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    pairs = PairFile(path, 5, 7)
    pairs.put(1, pair(1))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert pairs.get(1, CPU) is None
    pairs.close()


@pytest.mark.slow
def test_motion_is_the_same_whoever_estimated_it(tmp_path: Path) -> None:
    settings = SourceSettings("video", height=48, width=80, frames=5)
    alone, first, second = (SourceMotion(open_source(settings), MotionSettings(), CPU) for _ in range(3))
    first.backward(0)  # at hand before there is a file
    for motion in (first, second):
        motion.share(PairFile(tmp_path / "pairs", 48, 80))
    first.backward(2)
    second._estimation = None  # type: ignore[assignment]  # it must not be asked
    for t in (0, 2):
        assert torch.equal(second.backward(t), alone.backward(t))
        assert torch.equal(second.forward(t), alone.forward(t))
        assert torch.equal(second.valid(t), alone.valid(t))
        assert torch.equal(second.error(t), alone.error(t))
    with pytest.raises(AttributeError):
        second.backward(1)


def test_a_known_motion_is_worked_out_once_and_its_forward_flow_by_each(tmp_path: Path) -> None:
    settings = SourceSettings("synthetic", name="swirl", height=24, width=32, frames=4)
    alone, first, second = (SourceMotion(open_source(settings), MotionSettings(), CPU) for _ in range(3))
    first.backward(0)
    for motion in (first, second):
        motion.share(PairFile(tmp_path / "pairs", 24, 32))
    first.backward(2)
    second._make_step = None  # type: ignore[assignment,method-assign]  # it must not be asked
    for t in (0, 2):
        assert torch.equal(second.backward(t), alone.backward(t))
        assert torch.equal(second.valid(t), alone.valid(t))
        assert torch.equal(second.error(t), alone.error(t))
        assert second.invalid(t) == alone.invalid(t)
        assert torch.equal(second.forward(t), alone.forward(t))
    with pytest.raises(TypeError):
        second.backward(1)
    second.share(None)
    with pytest.raises(TypeError):
        second.backward(1)
