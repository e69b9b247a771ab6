"""Sampling runs of the Engine for experiments: which clips suit which task, and the measures of every prior on them."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gpu.assets import asset
from gpu.engine.results import F32, U8, Update
from gpu.priors import PRIORS
from gpu.session import MotionSettings, NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings
from gpu.source.scenes import SCENES

MEASURES = ("warp_error", "warp_error_5", "coverage", "coverage_5", "sharpness", "laplacian", "psnr")
"""What a run measures of a prior: means over frames, warp errors ×10⁻³."""

STILL_CLIPS = (("picos.jpg", "rotation-zoom"), ("bowl.jpg", "swirl"), ("seeding.jpg", "rotation-zoom"))
"""Held-out photos and the deformations that move them, for tasks without a scene of their own."""


@dataclass
class Run:
    """One clip and seed: per prior the mean of each measure, and what is needed for contact sheets and x-t slices."""

    clip: str
    measures: dict[str, dict[str, float]] = field(default_factory=dict)
    pictures: dict[str, dict[int, U8]] = field(default_factory=dict)  # by prior (or "source", "input"), by frame
    slices: dict[str, U8] = field(default_factory=dict)  # (frames, W, 3) of the middle row


def every_prior() -> list[str]:
    """The names of all priors in the registry."""
    return list(PRIORS.names())


def clips(task: str, height: int, width: int, frames: int) -> list[SourceSettings]:
    """The clips that suit a task: its scenes where there are any, else held-out stills under a deformation."""
    scenes = [name for name, scene in SCENES.items() if scene.task == task]
    if scenes:
        return [SourceSettings("scene", name=name, height=height, width=width, frames=frames) for name in scenes]
    return [
        SourceSettings("synthetic", str(asset(f"stills/{still}")), name, height=height, width=width, frames=frames)
        for still, name in STILL_CLIPS
    ]


def render(
    source: SourceSettings,
    task: TaskSettings,
    priors: Sequence[str],
    seed: int,
    motion: MotionSettings | None = None,
    keep: Sequence[int] = (),
) -> Generator[Update, None, Run]:
    """Sample every frame of a clip with every prior and measure the outputs; `keep` names frames whose pictures stay.

    The NoisescopeError of what is missing (weights, a scene's file) comes before the first sampling step.
    """
    from gpu.engine import Engine

    columns = tuple(PriorSettings(name) for name in priors)
    engine = Engine(Session(source, motion or MotionSettings(), NoiseSettings(seed=seed), columns, task))
    try:
        run = Run(engine.info.title)
        values: dict[str, dict[str, list[float]]] = {name: {m: [] for m in MEASURES} for name in priors}
        rows: dict[str, list[U8]] = {}
        middle = engine.info.height // 2
        for update in engine.fill():
            yield replace(update, result=None)
            result = update.result
            if result is None or not result.complete:
                continue
            shown = {"source": result.image}
            if result.input is not None:
                shown["input"] = _bytes(result.input)
            for key, column in result.columns.items():
                assert column.output is not None
                shown[key] = _bytes(column.output)
                for name in MEASURES:
                    value = getattr(column.quality, name, math.nan)
                    if math.isfinite(value):
                        values[key][name].append(value)
            for name, picture in shown.items():
                rows.setdefault(name, []).append(picture[middle].copy())
                if result.t in keep:
                    run.pictures.setdefault(name, {})[result.t] = picture
    finally:
        engine.close()
    for key, lists in values.items():
        run.measures[key] = {name: float(np.mean(v)) if v else math.nan for name, v in lists.items()}
        for name in ("warp_error", "warp_error_5"):
            run.measures[key][name] *= 1e3
    run.slices = {name: np.stack(lines) for name, lines in rows.items()}
    return run


def _bytes(image: F32) -> U8:
    """(3, H, W) in [0, 1] as (H, W, 3) bytes."""
    return np.ascontiguousarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0))
