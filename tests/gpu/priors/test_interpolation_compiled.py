"""Resampled noise by compiled code is that by torch, whatever is kept and whatever is drawn where it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch

from gpu import compiled
from gpu.engine.clip import Clip, opened
from gpu.priors.kit import interpolation as ip
from gpu.session import NoiseSettings, PriorSettings, SourceSettings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not compiled.available(), reason="numba is not installed")]

KERNELS = {"bilinear": ip.BILINEAR, "bicubic": ip.BICUBIC, "nearest": ip.NEAREST, "root-bilinear": ip.ROOT_BILINEAR}
ROOT_ERROR = 2e-6  # torch's square roots are not correctly rounded on every processor


def tolerance(name: str) -> float:
    return ROOT_ERROR if name == "root-bilinear" else 0


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (2, 5), (41, 67)])
def test_values_at_positions(name: str, height: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(11)
    values = torch.randn(3, height, width, generator=random)
    at = torch.rand(3000, 2, generator=random) * torch.tensor([width + 6.0, height + 6.0]) - 3
    at[:4] = torch.tensor([[0.0, 0.0], [width, height], [width - 0.5, 0.5], [-1e8, 1e8]])
    ours = ip.interpolate(values, at, KERNELS[name])
    part = ip.interpolate(values, at[700:750], KERNELS[name])
    monkeypatch.setattr(compiled, "available", lambda: False)
    assert torch.allclose(ours, ip.interpolate(values, at, KERNELS[name]), rtol=0, atol=tolerance(name))
    assert torch.equal(part, ours[:, 700:750])


@pytest.fixture(params=["rotation", "turbulence"])
def clip(request: pytest.FixtureRequest) -> Iterator[Clip]:
    """Frames whose pixels come from many anchors: a rotation, by 5 degrees a frame, opens some in every corner."""
    parameters = {"degrees": 5.0} if request.param == "rotation" else {}
    source = SourceSettings("synthetic", name=request.param, height=48, width=70, frames=9, parameters=parameters)
    with opened(source, "torch", "cpu") as made:
        yield made


@pytest.mark.parametrize(
    ("name", "mode"),
    [(n, m) for n in KERNELS for m in ("anchored", "chained") if (n, m) != ("root-bilinear", "chained")],
)
@pytest.mark.parametrize("fill", ["two-stage", "random"])
def test_frames(name: str, mode: str, fill: str, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = NoiseSettings(channels=3, fill=fill)  # type: ignore[arg-type]

    def frames() -> list[torch.Tensor]:
        run = clip.start(PriorSettings(name, mode), noise)  # type: ignore[arg-type]
        return [run.frame(t).noise for t in (8, 3)]

    by_default = frames()
    assert all(math.isfinite(float(frame.sum())) for frame in by_default)
    anchors = clip.transport(noise).track(8).label.unique()
    assert len(anchors) >= (4 if fill == "two-stage" else 2)
    with monkeypatch.context() as patch:  # all noise is drawn where it is read, but for one anchor's
        patch.setattr(ip, "FIELDS", 1)
        assert all(torch.equal(*pair) for pair in zip(frames(), by_default))
    with monkeypatch.context() as patch:  # all is kept
        patch.setattr(ip, "WORTH", 1 << 20)
        assert all(torch.equal(*pair) for pair in zip(frames(), by_default))
    monkeypatch.setattr(compiled, "available", lambda: False)
    for ours, theirs in zip(by_default, frames()):
        assert torch.allclose(ours, theirs, rtol=0, atol=tolerance(name))
