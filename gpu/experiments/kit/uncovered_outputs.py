"""Outputs of a diffusion model where a scene uncovers something: warp errors with both disocclusion handlers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from gpu.engine import Engine
from gpu.engine.clip import opened
from gpu.engine.results import Update
from gpu.engine.sampling import reach
from gpu.metrics import quality
from gpu.priors import INHERITED
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings

U8 = npt.NDArray[np.uint8]


@dataclass
class Errors:
    """Warp errors ×10⁻³ between consecutive outputs by fill ("two-stage", "random"): over `all` valid pixels, and over those
    that came into `view` after frame 0; sharpness; the last output (H, W, 3) of each."""

    all: dict[str, float] = field(default_factory=dict)
    view: dict[str, float] = field(default_factory=dict)
    laplacian: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, U8] = field(default_factory=dict)
    share: float = 0.0  # of pixels that came into view


def outputs(source: SourceSettings, task: str, seed: int, pairs: int) -> Generator[Update, None, Errors]:
    """Sample the last `pairs` + 1 frames with integral noise and each fill. NoisescopeError without the task's weights."""
    result = Errors()
    with opened(source, "torch") as clip:
        shown = range(clip.source.frames - pairs - 1, clip.source.frames)
        reaches = {t: reach(clip.motion, t, 1) for t in shown[1:]}
        uncovered = {t: reaches[t].valid & (clip.transport().track(t).state == INHERITED) for t in shown[1:]}
    result.share = float(np.mean([float(mask.float().mean()) for mask in uncovered.values()]))
    for number, fill in enumerate(("two-stage", "random")):
        noise = NoiseSettings(seed=seed, fill="two-stage" if fill == "two-stage" else "random", backend="torch")
        engine = Engine(Session(source, noise=noise, priors=(PriorSettings("integral"),), task=TaskSettings(task)))
        try:
            pictures: dict[int, torch.Tensor] = {}
            for update in engine.fill(shown):
                yield Update(number * update.total + update.done, 2 * update.total, f"{fill} fill, {update.what}")
                if update.result is not None and update.result.complete:
                    made = update.result.columns["integral"].output
                    assert made is not None
                    pictures[update.result.t] = torch.from_numpy(made)
        finally:
            engine.close()
        errors: list[float] = []
        inside: list[float] = []
        for t, seen in reaches.items():
            errors.append(quality.warp_error(pictures[t], pictures[t - 1], seen.positions, seen.valid)[0])
            inside.append(quality.warp_error(pictures[t], pictures[t - 1], seen.positions, uncovered[t])[0])
        result.all[fill], result.view[fill] = 1e3 * float(np.mean(errors)), 1e3 * float(np.nanmean(inside))
        result.laplacian[fill] = float(np.mean([quality.laplacian_variance(picture) for picture in pictures.values()]))
        last = pictures[shown[-1]].numpy()
        result.pictures[fill] = (np.clip(last, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return result
