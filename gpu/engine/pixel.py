"""What one pixel of a column's noise is made of, γ included."""

from __future__ import annotations

import dataclasses

import torch

from gpu.errors import SizeError
from gpu.noise import rng
from gpu.noise.inspection import Footprint, Inspection, Taps
from gpu.priors import PriorInfo, Run, inspect
from gpu.priors.kit.degrade import Degraded, mix


def pixel(run: Run, info: PriorInfo, shape: tuple[int, int], t: int, x: int, y: int, channels: int) -> Inspection:
    """Pixel (x, y) of frame t of a run; of its channels the first `channels`. SizeError outside the frame of that shape."""
    height, width = shape
    if not (0 <= x < width and 0 <= y < height):
        raise SizeError(f"The pixel ({x}, {y}) lies outside the noise of {width} × {height} pixels.")
    if isinstance(run, Degraded):
        found = inspect(run.run, info, t, x, y)
        mixed = run.context.white(rng.DEGRADE, t)[:, y, x].cpu()
        value = mix(torch.from_numpy(found.own), mixed, run.gamma)
        found = dataclasses.replace(found, value=value.numpy(), gamma=run.gamma, mixed=mixed.numpy())
    else:
        found = inspect(run, info, t, x, y)
    return _first(found, channels)


def _first(found: Inspection, channels: int) -> Inspection:
    """The inspection with only its first channels: tasks have priors make more than are shown."""

    def cut(part: Footprint | Taps | None) -> dict[str, object]:
        if part is None:
            return {}
        names = ("values", "value", "total") if isinstance(part, Footprint) else ("values", "value")
        return {name: getattr(part, name)[:channels] for name in names}

    return dataclasses.replace(
        found,
        own=found.own[:channels],
        value=found.value[:channels],
        mixed=None if found.mixed is None else found.mixed[:channels],
        footprint=found.footprint and dataclasses.replace(found.footprint, **cut(found.footprint)),  # type: ignore[arg-type]
        taps=found.taps and dataclasses.replace(found.taps, **cut(found.taps)),  # type: ignore[arg-type]
    )
