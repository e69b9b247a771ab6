"""Sampling and the forward-backward check by compiled code give what torch gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from gpu import compiled
from gpu.flow import maps

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not compiled.available(), reason="numba is not installed")]


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """What a call gives by compiled code, and by torch."""

    def run(call: Callable[[], Any]) -> tuple[Any, Any]:
        by_code = call()
        with monkeypatch.context() as patch:
            patch.setattr(compiled, "available", lambda: False)
            return by_code, call()

    return run


def places(height: int, width: int) -> torch.Tensor:
    """Positions inside, at centres, beyond every border, on it, far away, and none at all."""
    random = torch.Generator().manual_seed(3)
    spread = torch.rand(4000, 2, generator=random) * torch.tensor([width + 8.0, height + 8.0]) - 4
    special = [0.0, 0.5, 1.0, height - 0.5, width - 0.5, width, height, -1e9, 1e9, 1e30, math.inf, -math.inf, math.nan]
    pairs = torch.tensor([(x, y) for x in special for y in special])
    return torch.cat([maps.pixel_centres(height, width).reshape(-1, 2), spread, pairs])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (9, 1), (2, 2), (37, 53)])
def test_sampling(height: int, width: int, both: Any) -> None:
    random = torch.Generator().manual_seed(7)
    field = torch.randn(5, height, width, generator=random)
    at = places(height, width)
    for ours, theirs in (
        both(lambda: maps.bilinear(field, at)),
        both(lambda: maps.bilinear(field.permute(1, 0, 2)[:, :3], at)[:, : len(at)]),  # not contiguous
        both(lambda: maps.sample(field.permute(1, 2, 0)[..., 1:3], at.reshape(1, -1, 2))),
    ):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        assert torch.allclose(ours, theirs, rtol=0, atol=2e-6)
    centres = maps.pixel_centres(height, width)
    assert torch.equal(maps.bilinear(field, centres), field)  # exactly
    vectors = field[:2].permute(1, 2, 0)
    assert torch.equal(maps.sample(vectors, centres), vectors)


def test_samples_do_not_depend_on_which_are_asked_for_together() -> None:
    field, at = torch.randn(3, 40, 30, generator=torch.Generator().manual_seed(1)), places(40, 30)
    together = maps.bilinear(field, at)
    assert torch.equal(maps.bilinear(field, at[1700:1731]), together[:, 1700:1731])


def test_what_compiled_code_cannot_do_is_done_by_torch(both: Any) -> None:
    """Other types of numbers, and gradients."""
    at = maps.pixel_centres(5, 6) + 0.3
    double = torch.rand(2, 5, 6, dtype=torch.float64)
    ours, theirs = both(lambda: maps.bilinear(double, at))
    assert ours.dtype == torch.float64
    assert torch.equal(ours, theirs)
    field = torch.rand(1, 5, 6, requires_grad=True)
    maps.bilinear(field, at).sum().backward()
    assert field.grad is not None
    assert float(field.grad.sum()) == pytest.approx(30)


@pytest.mark.parametrize("pixel", [(1.0, 1.0), (2.0, 0.5)])
def test_the_forward_backward_check(pixel: tuple[float, float], both: Any) -> None:
    random = torch.Generator().manual_seed(5)
    flow = torch.randn(61, 83, 2, generator=random) * 3
    back = -flow + torch.randn(61, 83, 2, generator=random) * 0.5
    back[3, 4], back[7, 8, 0], flow[9] = math.nan, math.inf, math.nan
    ours, theirs = both(lambda: maps.check(back, flow, pixel))
    assert torch.equal(ours.valid, theirs.valid)
    assert 0.02 < ours.valid.float().mean() < 0.9
    assert torch.allclose(ours.error, theirs.error, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert (ours.error == maps.UNSEEN).sum() == (theirs.error == maps.UNSEEN).sum() > 50
    assert maps.check(back.permute(1, 0, 2), flow.permute(1, 0, 2), pixel).valid.shape == (83, 61)


def test_cleaning(both: Any) -> None:
    """Vectors that are none, infinite, too long on either axis or together, and just not too long."""
    flow = (
        torch.randn(30, 40, 2, generator=torch.Generator().manual_seed(5)) * 90
    )  # 50 pixels of diagonal, 200 at the most
    special = [math.nan, math.inf, -math.inf, 1e30, 3e38, 1e-40, 200.0, -200.0, 199.99, 200.01, 0.0]
    flow[3:14, 5:16] = torch.tensor([[(x, y) for x in special] for y in special])
    ours, theirs = both(lambda: maps.clean(flow))
    assert torch.equal(ours.flow, theirs.flow)
    assert torch.equal(ours.bad, theirs.bad)
    assert 60 < ours.bad.sum() < 600
    assert not ours.bad[9, 15]  # (200, 0) is exactly as long as may be
    turned = maps.clean(flow.permute(1, 0, 2))
    assert torch.equal(turned.flow, ours.flow.permute(1, 0, 2))
