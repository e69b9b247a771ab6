"""What one pixel of a column's noise is made of, γ included."""

from __future__ import annotations

import dataclasses

import torch

from gpu.errors import SizeError
from gpu.noise import rng
from gpu.noise.inspection import Footprint, Inspection, Shares, Taps
from gpu.priors import PriorInfo, Run, inspect
from gpu.priors.kit.degrade import Degraded, mix


def pixel(run: Run, info: PriorInfo, shape: tuple[int, int], t: int, x: int, y: int, channels: int) -> Inspection:
    """Pixel (x, y) of frame t of a run; of its channels the first `channels`. SizeError outside the frame of that shape."""
    height, width = shape
    if not (0 <= x < width and 0 <= y < height):
        raise SizeError(f"The pixel ({x}, {y}) lies outside the noise of {width} × {height} pixels.")
    if isinstance(run, Degraded):
        inspection = inspect(run.run, info, t, x, y)
        mixed = run.context.white(rng.DEGRADE, t)[:, y, x].cpu()
        value = mix(torch.from_numpy(inspection.own), mixed, run.gamma)
        inspection = dataclasses.replace(inspection, value=value.numpy(), gamma=run.gamma, mixed=mixed.numpy())
    else:
        inspection = inspect(run, info, t, x, y)
    return _first(inspection, channels)


def _first(inspection: Inspection, channels: int) -> Inspection:
    """The inspection with only its first channels: tasks have priors make more than are shown."""

    def cut(part: Footprint | Taps | Shares | None) -> dict[str, object]:
        names = ("values", "value", "total", "parts", "fresh")
        return {name: getattr(part, name)[:channels] for name in names if hasattr(part, name)}

    return dataclasses.replace(
        inspection,
        own=inspection.own[:channels],
        value=inspection.value[:channels],
        mixed=None if inspection.mixed is None else inspection.mixed[:channels],
        footprint=inspection.footprint and dataclasses.replace(inspection.footprint, **cut(inspection.footprint)),  # type: ignore[arg-type]
        taps=inspection.taps and dataclasses.replace(inspection.taps, **cut(inspection.taps)),  # type: ignore[arg-type]
        shares=inspection.shares and dataclasses.replace(inspection.shares, **cut(inspection.shares)),  # type: ignore[arg-type]
    )
