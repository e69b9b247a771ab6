"""disocclusion: objects that enter, cross and leave. How much noise is undefined, and what two handlers make of it.

A pixel that comes into view has no noise to take over. The two-stage handler (Chang et al. 2024, arXiv 2504.03072, Appendix
C.4) gives it fresh noise once and carries that on; random fill, the baseline, draws it again in every frame. Both are measured
along the exact motion of layers with true occlusion. What outputs of a model show of it is in kit/uncovered_outputs.py.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from gpu.diffusion.tasks import TASKS
from gpu.engine.clip import Clip, opened
from gpu.engine.sampling import Reach, reach
from gpu.errors import NoisescopeError, SessionError
from gpu.experiments import EXPERIMENTS, Experiment, Settings, Steps, Update
from gpu.experiments.kit import uncovered_outputs
from gpu.experiments.kit.disocclusion_report import report
from gpu.experiments.kit.disocclusion_scene import Scene, Sums
from gpu.experiments.kit.progress import within
from gpu.metrics import coherence, whiteness
from gpu.parameters import ParameterInfo
from gpu.priors import INHERITED, NEW, UNDEFINED
from gpu.session import NoiseSettings, SourceSettings
from gpu.source.synthetic.truth import DeformationTruth

U8 = npt.NDArray[np.uint8]

CHANNELS = 4
FILLS: tuple[Literal["two-stage"], Literal["random"]] = ("two-stage", "random")
GROUPS = ("all", "uncovered", "reappeared", "recalled", "over 5 frames")
"""Which pixels are compared: all that were seen one frame earlier; of these the ones whose surface came into view after
frame 0; of these the ones that frame 0 had shown before they were hidden; these against frame 0; `uncovered` over 5 frames."""

GAP = 5


@dataclass(frozen=True)
class Geometry:
    """Where the pixels of one frame were: one frame and GAP frames earlier and in frame 0, and which belong to which group."""

    previous: Reach
    earlier: Reach | None
    origin: torch.Tensor
    uncovered: torch.Tensor
    reappeared: torch.Tensor


def geometry(clip: Clip, t: int) -> Geometry:
    """Groups by the motion alone, the same for both fills."""
    truth = clip.source.truth
    assert isinstance(truth, DeformationTruth)
    previous = reach(clip.motion, t, 1)
    uncovered = previous.valid & (clip.transport().track(t).state == INHERITED)
    seen_in_reference = torch.from_numpy(truth.reference_valid(t))
    return Geometry(
        previous,
        reach(clip.motion, t, GAP) if t >= GAP else None,
        torch.from_numpy(truth.to_reference(t)),
        uncovered,
        uncovered & seen_in_reference,
    )


def layers(pattern: int, size: int, frames: int) -> SourceSettings:
    """Objects that cross in front of a moving background."""
    return SourceSettings(
        "synthetic", name="layers", parameters={"pattern": pattern}, height=size, width=size, frames=frames
    )


def look(clip: Clip, pattern: int, seed: int, keep: tuple[int, ...]) -> Generator[Update, None, Scene]:
    """One scene with both fills."""
    scene, frames = Scene(pattern), clip.source.frames
    noises: dict[tuple[str, int], torch.Tensor] = {}
    ceilings = []
    for t in range(frames):
        where = geometry(clip, t) if t else None
        if where is not None:
            ceilings.append(coherence.ceiling(where.previous.positions, where.previous.valid))
        for fill in FILLS:
            yield Update(t, frames, f"{fill} fill, frame {t + 1}")
            noise, state = clip.transport(NoiseSettings(seed=seed, fill=fill, renewal="off")).integral(t, CHANNELS)
            noises[fill, t] = noise
            noises.pop((fill, t - GAP - 1), None) if t - GAP - 1 > 0 else None
            for kind in (INHERITED, NEW, UNDEFINED):
                scene.shares.setdefault((fill, kind), []).append(float((state == kind).float().mean()))
            if t in keep:
                scene.states[fill, t] = state.numpy().copy()
            if where is not None:
                _compare(scene, fill, t, where, noises)
            if t % GAP == 0 and t:
                measured = whiteness.measure(noise)
                scene.smallest_p[fill] = min(scene.smallest_p.get(fill, 1.0), *measured.p.values())
        if t in keep:
            scene.frames[t] = clip.source.frame(t)
    scene.tests = len(measured.p) * ((frames - 1) // GAP)
    scene.ceiling = float(np.nanmean(ceilings))
    return scene


def _compare(scene: Scene, fill: str, t: int, where: Geometry, noises: dict[tuple[str, int], torch.Tensor]) -> None:
    """Add frame t to the sums of every group."""
    this, before, first = noises[fill, t], noises[fill, t - 1], noises[fill, 0]
    alone = Sums()
    alone.add(before, this, where.previous.positions, where.uncovered)
    scene.uncovered.setdefault(fill, []).append(alone.correlation)
    for group, other, positions, chosen in (
        ("all", before, where.previous.positions, where.previous.valid),
        ("uncovered", before, where.previous.positions, where.uncovered),
        ("reappeared", before, where.previous.positions, where.reappeared),
        ("recalled", first, where.origin, where.reappeared),
    ):
        scene.groups.setdefault((fill, group), Sums()).add(other, this, positions, chosen)
    if where.earlier is not None:
        chosen = where.uncovered & where.earlier.valid
        total = scene.groups.setdefault((fill, "over 5 frames"), Sums())
        total.add(noises[fill, t - GAP], this, where.earlier.positions, chosen)


def run(settings: Settings) -> Steps:
    """Scenes with seeds of their own, then outputs of a model on some of them."""
    size, frames = settings.whole("size"), settings.whole("frames")
    runs, output_runs = settings.whole("runs"), settings.whole("output_runs")
    task, pairs = settings.text("task"), settings.whole("pairs")
    TASKS.get(task)
    if output_runs and pairs >= frames:
        raise SessionError(f"{frames} frames have {frames - 1} consecutive pairs, but pairs is {pairs}.")
    keep = tuple(sorted({frames // 3, 2 * frames // 3, frames - 1}))
    total = runs + 2 * output_runs  # outputs take longer than noise
    scenes: list[Scene] = []
    for number in range(runs):
        with opened(layers(number, size, frames), "torch") as clip:
            work = look(clip, number, settings.seed + number, keep if number == 0 else ())
            scenes.append((yield from within(work, number, total, f"scene {number + 1}, ")))
    outputs: list[uncovered_outputs.Errors] = []
    notes: list[str] = []
    for number in range(output_runs):
        source = layers(number, size, frames)
        work_2 = uncovered_outputs.outputs(source, task, settings.seed + number, pairs)
        try:
            outputs.append(
                (yield from within(work_2, runs // 2 + number, runs // 2 + output_runs, f"output {number + 1}, "))
            )
        except NoisescopeError as problem:
            notes.append(f"Outputs are left out: {problem}")
            break
    return report(scenes, outputs, task, size, keep, tuple(notes))


EXPERIMENTS.add("disocclusion", order=60)(
    Experiment(
        title="When things appear",
        about="Objects enter, cross and leave: shares of undefined, inherited and new pixels, and the coherence of noise "
        "and of outputs with the two-stage handler and with random fill.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 96, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frames", "Frames", 16, 7, 200, 1, "", "Frames of a scene; 5 apart need more than 6."),
            ParameterInfo("runs", "Scenes", 5, 2, 100, 1, "", "Scenes of layers, each with a seed of its own."),
            ParameterInfo("output_runs", "Scenes with outputs", 3, 0, 100, 1, "", "Scenes that a model is run on."),
            ParameterInfo(
                "pairs", "Pairs", 3, 1, 100, 1, "", "Consecutive pairs of the last frames that outputs are made of."
            ),
            ParameterInfo("task", "Task", tip="Whose model makes the outputs.", text="super-resolution"),
        ),
        quick={"size": 48, "frames": 8, "runs": 3, "output_runs": 0},
    )
)
