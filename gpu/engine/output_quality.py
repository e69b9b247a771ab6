"""How outputs are judged: against the true frame, and against earlier outputs along the motion, in whatever order they come."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial

import torch

from gpu.engine import sampling
from gpu.engine.frame_cache import FrameCache
from gpu.engine.results import F32, Flickers
from gpu.metrics import flicker
from gpu.priors import Motion


def around(
    cache: FrameCache,
    key: str,
    t: int,
    motion: Motion,
    shot_start: Callable[[int], int],
    truth: Callable[[int], torch.Tensor | None],
) -> None:
    """Judge the output of frame t of column `key` and those of later frames that are compared with it, as far as they are
    at hand; the figures go into `cache`. `truth(t)` is what a perfect output would be, None where nothing is known."""
    for later in (t, *(t + gap for gap in sampling.GAPS)):
        if later < cache.frames:
            _judge(cache, key, later, motion, shot_start(later), truth)


def _judge(
    cache: FrameCache, key: str, t: int, motion: Motion, first: int, truth: Callable[[int], torch.Tensor | None]
) -> None:
    result = cache.get(t)
    column = result.columns.get(key) if result else None
    if result is None or column is None or column.output is None:
        return
    device = motion.backward(0).device if cache.frames > 1 else torch.device("cpu")

    def output(frame: int) -> torch.Tensor | None:
        made = _output(cache, key, frame)
        return None if made is None else torch.from_numpy(made).to(device)

    true = truth(t)
    judged, difference = sampling.judge(output, t, motion, None if true is None else true.to(device), first)
    shown = column.error if difference is None else difference.cpu().numpy()
    column = dataclasses.replace(column, error=shown, quality=judged)
    cache.put(dataclasses.replace(result, columns={**result.columns, key: column}))
    values = dataclasses.asdict(judged)
    for name in ("warp_error", "coverage", "warp_error_5", "coverage_5"):
        if math.isnan(values[name]):  # an earlier measurement outlives the frame it was made with
            del values[name]
    cache.note(key, t, **values)


def _output(cache: FrameCache, key: str, t: int) -> F32 | None:
    result = cache.get(t)
    column = result.columns.get(key) if result else None
    return column.output if column else None


def flickers(
    cache: FrameCache,
    keys: Sequence[str],
    motion: Motion,
    shot_start: Callable[[int], int],
    truth: Callable[[int], torch.Tensor | None],
) -> Flickers:
    """The flicker of every column's outputs over the longest run of frames, within one shot, that all of them have."""

    def has(t: int) -> bool:
        return cache.get(t) is not None and all(_output(cache, key, t) is not None for key in keys)

    run = flicker.longest_run([has(t) for t in range(cache.frames)], [shot_start(t) == t for t in range(cache.frames)])
    followed = flicker.stretches(run, motion.backward, motion.valid)
    if not followed or not keys:
        return Flickers({}, None, len(run))

    def output(key: str, t: int) -> torch.Tensor:
        made = _output(cache, key, t)
        assert made is not None
        return torch.from_numpy(made)

    def true(t: int) -> torch.Tensor:
        picture = truth(t)
        assert picture is not None
        return picture

    columns = {key: flicker.measure(partial(output, key), followed) for key in keys}
    return Flickers(
        {key: measured for key, measured in columns.items() if measured is not None},
        None if truth(run.start) is None else flicker.measure(true, followed),
        len(run),
    )
