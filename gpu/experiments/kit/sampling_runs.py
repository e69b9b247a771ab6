"""Sampling runs for experiments: which clips suit which task, and the measures of every prior's outputs on them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from gpu.assets import asset
from gpu.diffusion.tasks import TASKS
from gpu.engine import task_settings
from gpu.engine.clip import Clip, opened, with_first, with_previous
from gpu.engine.results import U8, Update
from gpu.engine.sampling import judge
from gpu.errors import NoisescopeError, SessionError
from gpu.experiments.kit.outcome import Cell, cells
from gpu.experiments.kit.progress import within
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.metrics.quality import Quality
from gpu.priors import PRIORS, Motion, steps_of
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings
from gpu.source.deformations import DEFORMATIONS
from gpu.source.scenes import SCENES

MEASURES = (
    "warp_error", "warp_error_5", "coverage", "coverage_5", "sharpness", "laplacian", "psnr", "previous", "first",
)  # fmt: skip
"""What a run measures of a prior: means over frames; warp errors ×10⁻³; `previous` and `first` are the coherence of the noise
with that of the previous frame and of the first. Everything is measured along the clip's own motion."""

POSITIVE = ("warp_error", "warp_error_5", "sharpness", "laplacian")

PAIRS = (1, 2, 6)
"""Frames enough for both gaps of the warp error, 1 and 5, none of them the first, which every prior is given whole."""

STILLS = ("picos.jpg", "bowl.jpg", "seeding.jpg")
MOVES = ("rotation-zoom", "swirl", "translation")
"""Held-out photos and the deformations that move them, for tasks without a scene of their own."""

NEED_A_SCENE = ("surrogate-rendering", "pose-to-person")
"""Tasks whose models know nothing of photos: without a scene of their own there is nothing to measure them on."""

VARIED = ("pattern", "seed")
"""Parameters by which one scene is made into several clips."""


@dataclass(frozen=True)
class RunColumn:
    """One column of a run: a prior, and what makes the motion that its noise is carried along (None: the clip's own)."""

    label: str
    prior: PriorSettings
    motion: Callable[[Clip], Motion] | None = None


@dataclass
class Run:
    """One clip and seed: per column the mean of each measure, and what is needed for contact sheets and x-t slices."""

    clip: str
    measures: dict[str, dict[str, float]] = field(default_factory=dict)
    pictures: dict[str, dict[int, U8]] = field(default_factory=dict)  # by column (or "source", "input"), by frame
    slices: dict[str, U8] = field(default_factory=dict)  # (frames, W, 3) of the middle row


def every_prior() -> list[str]:
    """The names of all priors in the registry."""
    return list(PRIORS.names())


def why_not(task: str) -> str:
    """A sentence that says why a task cannot be measured by this version; empty if it can."""
    if task not in TASKS:
        return f"{task} is left out: this version has no such task."
    if task in NEED_A_SCENE and not any(scene.task == task for _, scene in SCENES.items()):
        return f"{task} is left out: this version has no scene that shows what its model was trained for."
    return ""


def clips(task: str, height: int, width: int, frames: int, count: int) -> list[SourceSettings]:
    """`count` different clips that suit a task, as far as there are: its scenes, with one pattern after another where they
    have patterns, else held-out stills under deformations, so that still and deformation change together."""
    size = SourceSettings("synthetic", height=height, width=width, frames=frames)
    scenes = [(name, scene) for name, scene in SCENES.items() if scene.task == task]
    if not scenes:
        pairs = [(STILLS[i % 3], MOVES[(i + i // 3) % 3]) for i in range(len(STILLS) * len(MOVES))]
        return [
            replace(size, path=str(asset(f"stills/{still}")), name=move, parameters=_as_fast(move, height))
            for still, move in pairs[:count]
        ]
    sources = []
    for shift in range(count):
        for name, scene in scenes:
            info = next((parameter for parameter in scene.parameters if parameter.name in VARIED), None)
            if info is None and shift:
                continue
            values = {info.name: info.default + shift} if info is not None and shift else {}
            sources.append(replace(size, kind="scene", name=name, parameters=values))
    return sources[:count]


def _as_fast(move: str, height: int) -> dict[str, float]:
    """Parameters with which a deformation moves pixels as fast as with its defaults at 128 rows, or those where it is so."""
    if height >= 128:
        return {}
    values = {}
    for info in DEFORMATIONS.get(move).parameters:
        if info.name in ("degrees", "factor"):
            rest = 1.0 if info.name == "factor" else 0.0
            values[info.name] = min(rest + (info.default - rest) * 128 / height, info.high)
    return values


def jobs(task: str, size: int, frames: int, count: int, seeds: int, seed: int) -> list[tuple[SourceSettings, int]]:
    """Clips with `seeds` seeds for each; no two jobs have the same seed, so that runs are independent."""
    sources = clips(task, size, size, frames, count)
    return [
        (clip, seed + number * len(sources) + index) for number in range(seeds) for index, clip in enumerate(sources)
    ]


def render(
    source: SourceSettings,
    task: TaskSettings,
    columns: Sequence[RunColumn | str],
    seed: int,
    keep: Sequence[int] = (),
    frames: Sequence[int] | None = None,
) -> Generator[Update, None, Run]:
    """Sample frames of a clip (all: None) with every column and measure the outputs; `keep` names frames whose pictures stay.

    The name of a prior is a column along the clip's own motion. Equal noises are sampled once. The NoisescopeError of what is
    missing (weights, a scene's file) comes before the first sampling step.
    """
    run_columns = [
        RunColumn(column, PriorSettings(column)) if isinstance(column, str) else column for column in columns
    ]
    use = task_settings.task_use(Session(source, noise=NoiseSettings(seed=seed), task=task))
    if use is None:
        raise SessionError("There is nothing to sample without a task.")
    noise_settings = NoiseSettings(channels=use.channels, seed=seed)
    with opened(source) as clip:
        run = Run(clip.source.title)
        wanted = list(range(clip.source.frames)) if frames is None else sorted(frames)
        motions = {column.label: column.motion(clip) if column.motion else None for column in run_columns}
        noises = {
            column.label: clip.start(column.prior, noise_settings, motions[column.label], use) for column in run_columns
        }
        outputs: dict[str, dict[int, torch.Tensor]] = {column.label: {} for column in run_columns}
        values: dict[str, dict[str, list[float]]] = {column.label: {m: [] for m in MEASURES} for column in run_columns}
        rows: dict[str, list[U8]] = {}
        total, done = len(wanted) * len(run_columns) * use.options.steps, 0
        for t in wanted:
            frame = clip.image(t)
            shown = {"source": frame, "input": use.task.input_image(frame, use.options)}
            sampled: list[tuple[torch.Tensor, torch.Tensor]] = []  # noise and output of the run_columns so far
            for label in outputs:
                what = f"frame {t + 1}, {label}"
                for _ in steps_of(noises[label], t):
                    yield Update(done, total, what)
                noise = noises[label].frame(t).noise
                yield Update(done, total, what)
                output = next((made for other, made in sampled if torch.equal(other, noise)), None)
                if output is None:
                    for step in use.denoise(frame, noise, clip.device):
                        output = step.image
                        yield Update(done, total, what)
                assert output is not None
                sampled.append((noise, output))
                outputs[label][t] = shown[label] = output
                done += use.options.steps
                judged, _ = judge(outputs[label].get, t, clip.motion, use.task.truth(frame))
                for name, value in _measures(judged).items():
                    values[label][name].append(value)
                if t > 0:
                    width = use.task.noise_channels
                    values[label]["previous"].append(with_previous(clip, noises[label], t, width)[0])
                    values[label]["first"].append(with_first(clip, noises[label], t, width)[0])
            for name, picture in shown.items():
                pixels = _bytes(picture)
                rows.setdefault(name, []).append(pixels[clip.source.height // 2].copy())
                if t in keep:
                    run.pictures.setdefault(name, {})[t] = pixels
    for label, lists in values.items():
        finite = {name: [v for v in listed if math.isfinite(v)] for name, listed in lists.items()}
        run.measures[label] = {name: float(np.mean(v)) if v else math.nan for name, v in finite.items()}
    run.slices = {name: np.stack(lines) for name, lines in rows.items()}
    return run


def survey(
    tasks: Sequence[str],
    columns: Sequence[RunColumn | str],
    jobs_of: Callable[[str], Sequence[tuple[SourceSettings, int]]],
    keep: Sequence[int] = (),
    whole: bool = False,
) -> Generator[Update, None, tuple[dict[str, list[Run]], list[str]]]:
    """Every job of every task: the runs by task, and a sentence for each task that is left out. Of a clip only PAIRS are
    sampled, and with `whole` all frames of each task's first job. SessionError when all tasks are left out."""
    runs_by_task: dict[str, list[Run]] = {}
    notes: list[str] = []
    for number, task in enumerate(tasks):
        why = why_not(task)
        if why:
            notes.append(why)
            continue
        runs: list[Run] = []
        listed = jobs_of(task)
        try:
            for index, (clip, seed) in enumerate(listed):
                frames, kept = (None, keep) if whole and index == 0 else (PAIRS, ())
                steps = render(clip, TaskSettings(task), columns, seed, kept, frames)
                what = f"{task}, run {index + 1} of {len(listed)}: "
                runs.append((yield from within(steps, number * len(listed) + index, len(tasks) * len(listed), what)))
        except NoisescopeError as problem:
            notes.append(f"{task} is left out: {problem}")
            continue
        runs_by_task[task] = runs
    if not runs_by_task:
        raise SessionError(" ".join(["Nothing can be measured.", *notes]))
    return runs_by_task, notes


def _measures(judged: Quality) -> dict[str, float]:
    """Of MEASURES those of an output."""
    return {
        name: value * 1e3 if name.startswith("warp_error") else value
        for name, value in dataclasses.asdict(judged).items()
    }


def of(runs: Sequence[Run], label: str, measure: str) -> list[float]:
    """One measure of a column, a value a run."""
    return [run.measures[label][measure] for run in runs]


def mean(runs: Sequence[Run], label: str, measure: str) -> Interval:
    """Its mean over runs."""
    return average(measure, of(runs, label, measure))


def average(measure: str, values: Sequence[float]) -> Interval:
    """The mean of one of MEASURES over runs; the interval of what cannot be negative is not either."""
    return (intervals.positive if measure in POSITIVE else intervals.mean)(values)


def averaged(measure: str, values: Sequence[float]) -> dict[str, Cell]:
    """The same as cells of a row. Coverage is no estimate of anything, so it has no interval."""
    interval = average(measure, values)
    row = cells(measure, interval)
    return {measure: row[measure]} if measure.startswith("coverage") else row


def ratio(runs: Sequence[Run], above: str, below: str, measure: str) -> Interval:
    """The mean of `above` over that of `below`, measured in pairs on the same clip and seed."""
    return intervals.ratio(of(runs, above, measure), of(runs, below, measure))


def _bytes(image: torch.Tensor) -> U8:
    """(3, H, W) in [0, 1] as (H, W, 3) bytes."""
    scaled = (image.cpu().clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).numpy())
