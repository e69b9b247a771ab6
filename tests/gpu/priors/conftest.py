"""A small world for priors: motion given by a function of the frame, pictures, shots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch

from gpu.diffusion.tasks import TASKS, SamplerOptions
from gpu.flow import maps
from gpu.noise.inspection import Inspection
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track, Tracks
from gpu.noise.transport import Transport, TransportSettings
from gpu.priors import PriorContext
from gpu.session import Parameter

CPU = torch.device("cpu")
FEW_STEPS = SamplerOptions(steps=3)


@dataclass
class Flow:
    """The same backward flow in every frame, valid where it stays in the frame and where `mask(t)` allows."""

    vectors: torch.Tensor  # (H, W, 2)
    mask: Callable[[int], torch.Tensor] | None = None
    ahead: torch.Tensor | None = None  # forward flow (H, W, 2)

    def backward(self, t: int) -> torch.Tensor:
        return self.vectors

    def forward(self, t: int) -> torch.Tensor:
        assert self.ahead is not None, "a prior asks for forward flow of a motion that has none"
        return self.ahead

    def valid(self, t: int) -> torch.Tensor:
        height, width, _ = self.vectors.shape
        inside = maps.inside(maps.pixel_centres(height, width) + self.vectors, height, width)
        return inside if self.mask is None else inside & self.mask(t)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros(self.vectors.shape[:2])


@dataclass(frozen=True)
class Narrow:
    """Of a transport what gpu.priors.Transported promises and nothing else, so that no prior can reach for more."""

    _whole: Transport

    @property
    def fill(self) -> str:
        return self._whole.fill

    @property
    def s(self) -> int:
        return self._whole.s

    def track(self, t: int) -> Track:
        return self._whole.track(t)

    def tracks_where(self, owned: Callable[[Track, int], torch.Tensor]) -> Tracks:
        return self._whole.tracks_where(owned)

    def integral(self, t: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._whole.integral(t, channels)

    def inspect(self, t: int, x: int, y: int, channels: int) -> Inspection:
        return self._whole.inspect(t, x, y, channels)


def picture(t: int, height: int, width: int) -> torch.Tensor:
    """(3, H, W) in [0, 1]: a bright bar that moves two columns a frame over a still ground."""
    image = torch.linspace(0, 0.5, height)[:, None].expand(3, height, width).clone()
    image[:, 3:9, (2 * t) % width : (2 * t) % width + 4] = 1
    return image


Make = Callable[..., PriorContext]


@pytest.fixture
def make() -> Make:
    """make(flow, mode=, seed=, channels=, cut=, fill=, parameters=) -> a PriorContext on the grid of the flow."""

    def build(
        flow: Flow,
        mode: str = "",
        seed: int = 7,
        channels: int = 2,
        cut: int = 10**9,
        fill: str = "two-stage",
        parameters: dict[str, Parameter] | None = None,
    ) -> PriorContext:
        height, width, _ = flow.vectors.shape

        def shot_start(t: int) -> int:
            return cut if t >= cut else 0

        def invert(t: int) -> Iterator[torch.Tensor]:
            return TASKS.get("unconditional-texture").invert(picture(t, height, width), FEW_STEPS, CPU)

        settings = TransportSettings(seed, k=2, s=2, fill=fill)
        transport = Transport(flow, NoiseGrid(height, width, CPU), shot_start, TorchRasteriser(), settings)
        return PriorContext(
            height, width, channels, 30, seed, CPU, flow,
            lambda t: picture(t, height, width), shot_start, Narrow(transport), invert, mode, parameters or {},
        )  # fmt: skip

    return build


@pytest.fixture
def translation() -> Callable[..., Flow]:
    """translation(dx, dy, height=, width=): content moves by (dx, dy), so the backward flow is (-dx, -dy)."""

    def build(dx: float, dy: float, height: int = 20, width: int = 28) -> Flow:
        moved = torch.tensor([float(dx), float(dy)]).expand(height, width, 2)
        return Flow(-moved, ahead=moved)

    return build


@pytest.fixture
def turning() -> Callable[..., Flow]:
    """turning(zoom, angle, height=, width=): backward flow of a rotation about the centre with a change of scale."""

    def build(zoom: float = 0.03, angle: float = 0.05, height: int = 20, width: int = 28) -> Flow:
        away = maps.pixel_centres(height, width) - torch.tensor([width / 2, height / 2])
        step = torch.tensor([[-zoom, -angle], [angle, -zoom]])
        back = torch.linalg.inv(torch.eye(2) + step) - torch.eye(2)
        return Flow(away @ step.T, ahead=away @ back.T)

    return build


@pytest.fixture
def masked() -> Callable[[Flow, Callable[[int], torch.Tensor]], Flow]:
    """masked(flow, mask): the flow, valid only where mask(t) is true as well."""
    return lambda flow, mask: Flow(flow.vectors, mask, flow.ahead)
