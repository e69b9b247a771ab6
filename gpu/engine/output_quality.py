"""How outputs are judged: against the true frame, and against earlier outputs along the motion, in whatever order they come."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch

from gpu.engine.cache import Cache
from gpu.engine.results import Flickers
from gpu.flow import maps
from gpu.metrics import flicker, quality
from gpu.priors import Motion

GAPS = (1, 5)
"""Warp errors are measured between frames this far apart."""


class Reach(NamedTuple):
    """Where a frame's pixels were some frames earlier, (H, W, 2) absolute, and (H, W) where that is known."""

    positions: torch.Tensor
    valid: torch.Tensor


def reach(motion: Motion, t: int, gap: int) -> Reach:
    """Where frame t's pixels were in frame t - gap, by composing backward flows bilinearly."""
    first = motion.backward(t - 1)
    height, width = first.shape[:2]
    positions = maps.pixel_centres(height, width, first.device)
    valid = torch.ones((height, width), dtype=torch.bool, device=first.device)
    for earlier in range(t - 1, t - gap - 1, -1):
        seen = maps.bilinear(motion.valid(earlier)[None].to(torch.float32), positions)[0] > 0.999
        positions = positions + maps.bilinear(motion.backward(earlier).permute(2, 0, 1), positions).permute(1, 2, 0)
        valid = valid & seen & maps.inside(positions, height, width)
    return Reach(positions, valid)


def around(
    cache: Cache,
    key: str,
    t: int,
    motion: Motion,
    shot_start: Callable[[int], int],
    truth: Callable[[int], torch.Tensor | None],
) -> None:
    """Judge the output of frame t of column `key` and those of later frames that are compared with it, as far as they are
    at hand; the figures go into `cache`. `truth(t)` is what a perfect output would be, None where nothing is known."""
    for later in (t, *(t + gap for gap in GAPS)):
        if later < cache.frames:
            _judge(cache, key, later, motion, shot_start(later), truth)


def _judge(
    cache: Cache, key: str, t: int, motion: Motion, first: int, truth: Callable[[int], torch.Tensor | None]
) -> None:
    result = cache.get(t)
    column = result.columns.get(key) if result else None
    if result is None or column is None or column.output is None:
        return
    device = motion.backward(0).device if cache.frames > 1 else torch.device("cpu")
    output, true = torch.from_numpy(column.output).to(device), truth(t)
    errors, coverages, shown = [], [], column.error
    for gap in GAPS:
        before = cache.get(t - gap) if t - gap >= first else None
        other = before.columns.get(key) if before else None
        if other is None or other.output is None:
            errors.append(math.nan)
            coverages.append(math.nan)
            continue
        was = reach(motion, t, gap)
        earlier = torch.from_numpy(other.output).to(device)
        error, coverage, difference = quality.warp_error(output, earlier, was.positions, was.valid)
        errors.append(error)
        coverages.append(coverage)
        if gap == 1:
            shown = difference.cpu().numpy()
    judged = quality.Quality(
        warp_error=errors[0],
        coverage=coverages[0],
        warp_error_5=errors[1],
        coverage_5=coverages[1],
        psnr=math.nan if true is None else quality.psnr(output, true.to(device)),
        sharpness=math.nan if true is None else quality.sharpness(output, true.to(device)),
        laplacian=quality.laplacian_variance(output),
    )
    column = dataclasses.replace(column, error=shown, quality=judged)
    cache.put(dataclasses.replace(result, columns={**result.columns, key: column}))
    values = {"sharpness": judged.sharpness, "psnr": judged.psnr, "laplacian": judged.laplacian}
    measured = {f"warp_error{gap}": error for gap, error in zip(("", "_5"), errors, strict=True)}
    measured |= {f"coverage{gap}": share for gap, share in zip(("", "_5"), coverages, strict=True)}
    for name, value in measured.items():
        if not math.isnan(value):  # an earlier measurement outlives the frame it was made with
            values[name] = value
    cache.note(key, t, **values)


def flickers(
    cache: Cache,
    keys: Sequence[str],
    motion: Motion,
    shot_start: Callable[[int], int],
    truth: Callable[[int], torch.Tensor | None],
) -> Flickers:
    """The flicker of every column's outputs over the longest run of frames, within one shot, that all of them have."""

    def has(t: int) -> bool:
        result = cache.get(t)
        return result is not None and all(
            (column := result.columns.get(key)) is not None and column.output is not None for key in keys
        )

    run = flicker.longest_run([has(t) for t in range(cache.frames)], [shot_start(t) == t for t in range(cache.frames)])
    followed = flicker.stretches(run, motion.backward, motion.valid)
    if not followed or not keys:
        return Flickers({}, None, len(run))

    def output(key: str, t: int) -> torch.Tensor:
        result = cache.get(t)
        assert result is not None
        made = result.columns[key].output
        assert made is not None
        return torch.from_numpy(made)

    def true(t: int) -> torch.Tensor:
        known = truth(t)
        assert known is not None
        return known

    columns = {key: flicker.measure(partial(output, key), followed) for key in keys}
    return Flickers(
        {key: one for key, one in columns.items() if one is not None},
        None if truth(run.start) is None else flicker.measure(true, followed),
        len(run),
    )
