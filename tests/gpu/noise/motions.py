"""Small motions with known answers, for tests of transport: all as backward flow (H, W, 2) with validity."""

from __future__ import annotations

import math
from collections.abc import Callable

import av
import cv2
import numpy as np
import torch

from gpu.noise import gathering, tracks
from gpu.noise.ownership import Rasteriser
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import Transport, TransportSettings

CPU = torch.device("cpu")


class Given:
    """Motion from functions of t; validity is `inside the frame` unless given."""

    def __init__(
        self,
        size: tuple[int, int],
        backward: Callable[[int], torch.Tensor],
        valid: Callable[[int], torch.Tensor] | None = None,
        error: Callable[[int], torch.Tensor] | None = None,
    ) -> None:
        self.size, self._backward, self._valid, self._error = size, backward, valid, error

    def backward(self, t: int) -> torch.Tensor:
        return self._backward(t).to(torch.float32)

    def valid(self, t: int) -> torch.Tensor:
        height, width = self.size
        place = centres(self.size) + self.backward(t)
        inside = ((place >= 0) & (place <= torch.tensor([width, height]))).all(-1)
        return inside if self._valid is None else inside & self._valid(t)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros(self.size) if self._error is None else self._error(t)


def centres(size: tuple[int, int]) -> torch.Tensor:
    return tracks.fresh(0, *size, CPU).position


def carrier(motion: Given, rasteriser: Rasteriser, seed: int = 7, k: int = 3, s: int = 4, fill: str = "two-stage"):
    """A Transport of one shot along `motion`."""
    return along(motion, rasteriser, TransportSettings(seed, k, s, fill))


def along(
    motion: Given, rasteriser: Rasteriser, settings: TransportSettings, shot_start: Callable[[int], int] = lambda t: 0
) -> Transport:
    """The same with all settings, and with shots."""
    return Transport(motion, NoiseGrid(*motion.size, CPU), shot_start, rasteriser, settings)


def cut(moved: Transport, track: tracks.Track, t: int) -> gathering.Pieces:
    """The pieces that frame t looks at along a track."""
    return gathering.cut(track, moved.motion.error(t - 1), moved.field.tiling, moved.settings.s)


def translation(size: tuple[int, int], dx: float, dy: float) -> Given:
    """The picture moves by (dx, dy) a frame."""
    return Given(size, lambda t: torch.tensor([-dx, -dy]).expand(*size, 2))


def linear(size: tuple[int, int], matrix: list[list[float]]) -> Given:
    """Backward map p -> centre + M (p - centre)."""
    middle = torch.tensor([size[1] / 2, size[0] / 2])
    return Given(size, lambda t: (centres(size) - middle) @ (torch.tensor(matrix).T - torch.eye(2)))


def rotation(size: tuple[int, int], degrees: float) -> Given:
    a = math.radians(degrees)
    return linear(size, [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])


def zoom(size: tuple[int, int], factor: float) -> Given:
    """The picture grows by `factor` a frame."""
    return linear(size, [[1 / factor, 0.0], [0.0, 1 / factor]])


def swirl(size: tuple[int, int], degrees: float) -> Given:
    """Rotation that falls off with the distance from the centre."""
    middle = torch.tensor([size[1] / 2, size[0] / 2])
    offset = centres(size) - middle
    angle = math.radians(degrees) * torch.exp(-(offset.norm(dim=-1) / (0.35 * size[1])).square())
    cos, sin = angle.cos(), angle.sin()
    turned = torch.stack([cos * offset[..., 0] - sin * offset[..., 1], sin * offset[..., 0] + cos * offset[..., 1]], -1)
    return Given(size, lambda t: turned - offset)


def fold(size: tuple[int, int], strength: float = 1.7) -> Given:
    """A backward map that turns back on itself: x -> x - 1.7 d exp(-(d / w)^2), whose slope reaches -0.7. The right half is
    told to be hidden by a larger forward-backward error."""
    d = centres(size)[..., 0] - size[1] / 2
    flow = torch.stack([-strength * d * torch.exp(-((d / (size[1] / 6)) ** 2)), torch.zeros_like(d)], -1)
    return Given(size, lambda t: flow if t == 0 else torch.zeros_like(flow), error=lambda t: (d > 0).float())


def layers(size: tuple[int, int]) -> Given:
    """A square that crosses the frame over a background that moves the other way, with true disocclusion."""
    height, width = size

    def covers(t: int) -> torch.Tensor:
        x = centres(size)[..., 0] - (0.1 * width + 3.3 * t)
        y = centres(size)[..., 1] - 0.3 * height
        return (x >= 0) & (x < 0.35 * width) & (y >= 0) & (y < 0.4 * height)

    def backward(t: int) -> torch.Tensor:
        return torch.where(covers(t + 1)[..., None], torch.tensor([-3.3, 0.0]), torch.tensor([1.2, 0.4]))

    def valid(t: int) -> torch.Tensor:
        came = centres(size) + backward(t)
        x, y = came[..., 0].floor().long().clamp(0, width - 1), came[..., 1].floor().long().clamp(0, height - 1)
        return covers(t)[y, x] == covers(t + 1)

    return Given(size, backward, valid)


def bunny(size: tuple[int, int]) -> Given:
    """DIS flow of the bundled clip, scaled to `size`, with the forward-backward check."""
    from gpu.assets import asset

    with av.open(str(asset("clips/bunny.mp4"))) as clip:
        decoded = [frame.to_ndarray(format="rgb24") for _, frame in zip(range(5), clip.decode(video=0), strict=False)]
    # Twice as large as the grid: the flow of tiny pictures is no flow.
    frames = [cv2.cvtColor(cv2.resize(frame, (4 * size[1], 4 * size[0])), cv2.COLOR_RGB2GRAY) for frame in decoded]
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def flow(a: int, b: int) -> torch.Tensor:
        full = finder.calc(frames[a], frames[b], None)
        return torch.from_numpy(cv2.resize(full, size[::-1], interpolation=cv2.INTER_AREA) / np.float32(4))

    def valid(t: int) -> torch.Tensor:
        backward, forward = flow(t + 1, t), flow(t, t + 1)
        came = centres(size) + backward
        x = came[..., 0].floor().long().clamp(0, size[1] - 1)
        y = came[..., 1].floor().long().clamp(0, size[0] - 1)
        gap = (backward + forward[y, x]).square().sum(-1)
        return gap < 0.01 * (backward.square().sum(-1) + forward[y, x].square().sum(-1)) + 0.5

    return Given(size, lambda t: flow(t + 1, t), valid)


ALL: dict[str, Callable[[tuple[int, int]], Given]] = {
    "translation": lambda size: translation(size, 2.3, -1.7),
    "rotation": lambda size: rotation(size, 7.0),
    "zoom in": lambda size: zoom(size, 1.3),
    "zoom out": lambda size: zoom(size, 1 / 1.3),
    "swirl": lambda size: swirl(size, 25.0),
    "fold": fold,
    "crossing layers": layers,
    "DIS flow of the bunny clip": bunny,
}


def turbulent(size: tuple[int, int]) -> Given:
    """Small whirls that change from frame to frame and drift: after a few frames the accumulated positions of neighbours lie
    in no line any more."""

    def flow(t: int) -> torch.Tensor:
        place = 2 * math.pi * centres(size) / 11.0
        x, y = place[..., 0] + 1.7 * t, place[..., 1] - 0.9 * t
        return torch.stack([1.1 * torch.sin(y) + 0.5, 0.9 * torch.cos(x + 0.4) - 0.3], -1)

    return Given(size, flow)
