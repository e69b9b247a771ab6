"""Sampling runs for experiments: which clips suit which task, and the measures of every prior's outputs on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from gpu.assets import asset
from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.tasks import TASKS, Task
from gpu.engine import clip as carrying
from gpu.engine import output_quality, task_settings
from gpu.engine.clip import Clip, within
from gpu.engine.results import U8, Update
from gpu.errors import NoisescopeError, SessionError
from gpu.experiments.kit.outcome import Cell, cells
from gpu.metrics import intervals, quality
from gpu.metrics.intervals import Interval
from gpu.priors import PRIORS, Motion, steps_of
from gpu.priors import Run as Noise
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
    """One clip and seed: per strand the mean of each measure, and what is needed for contact sheets and x-t slices."""

    clip: str
    measures: dict[str, dict[str, float]] = field(default_factory=dict)
    pictures: dict[str, dict[int, U8]] = field(default_factory=dict)  # by strand (or "source", "input"), by frame
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
    found = []
    for shift in range(count):
        for name, scene in scenes:
            info = next((one for one in scene.parameters if one.name in VARIED), None)
            if info is None and shift:
                continue
            values = {info.name: info.default + shift} if info is not None and shift else {}
            found.append(replace(size, kind="scene", name=name, parameters=values))
    return found[:count]


def _as_fast(move: str, height: int) -> dict[str, float]:
    """Parameters with which a deformation moves pixels as fast as with its defaults at 128 rows, or those where it is so."""
    if height >= 128:
        return {}
    found = {}
    for info in DEFORMATIONS.get(move).parameters:
        if info.name in ("degrees", "factor"):
            rest = 1.0 if info.name == "factor" else 0.0
            found[info.name] = min(rest + (info.default - rest) * 128 / height, info.high)
    return found


def jobs(task: str, size: int, frames: int, count: int, seeds: int, seed: int) -> list[tuple[SourceSettings, int]]:
    """Clips with `seeds` seeds for each; no two jobs have the same seed, so that runs are independent."""
    found = clips(task, size, size, frames, count)
    return [(clip, seed + number * len(found) + index) for number in range(seeds) for index, clip in enumerate(found)]


def render(
    source: SourceSettings,
    task: TaskSettings,
    strands: Sequence[RunColumn | str],
    seed: int,
    keep: Sequence[int] = (),
    frames: Sequence[int] | None = None,
) -> Generator[Update, None, Run]:
    """Sample frames of a clip (all: None) with every strand and measure the outputs; `keep` names frames whose pictures stay.

    The name of a prior is a strand along the clip's own motion. Equal noises are sampled once. The NoisescopeError of what is
    missing (weights, a scene's file) comes before the first sampling step.
    """
    columns = [RunColumn(one, PriorSettings(one)) if isinstance(one, str) else one for one in strands]
    session = Session(source, noise=NoiseSettings(seed=seed), task=task)
    model, options = TASKS.get(task.name), task_settings.options_of(session)
    channels = model.noise_channels * (1 + model.injections(options))
    with carrying.opened(source) as clip:
        run = Run(clip.source.title)
        wanted = list(range(clip.source.frames)) if frames is None else sorted(frames)
        motions = {one.label: one.motion(clip) if one.motion else None for one in columns}
        noises = {
            one.label: carrying.start(clip, one.prior, seed, channels, motions[one.label], task=model, options=options)
            for one in columns
        }
        outputs: dict[str, dict[int, torch.Tensor]] = {one.label: {} for one in columns}
        values: dict[str, dict[str, list[float]]] = {one.label: {m: [] for m in MEASURES} for one in columns}
        rows: dict[str, list[U8]] = {}
        total, done = len(wanted) * len(columns) * options.steps, 0
        for t in wanted:
            frame = clip.image(t)
            shown = {"source": frame, "input": model.input_image(frame, options)}
            known: list[tuple[torch.Tensor, torch.Tensor]] = []
            for one in columns:
                label = one.label
                what = f"frame {t + 1}, {label}"
                for _ in steps_of(noises[label], t):
                    yield Update(done, total, what)
                noise = noises[label].frame(t).noise
                yield Update(done, total, what)
                output = next((made for other, made in known if torch.equal(other, noise)), None)
                if output is None:
                    for step in _sampled(model, frame, noise, options, clip.device):
                        output = step
                        yield Update(done, total, what)
                assert output is not None
                known.append((noise, output))
                outputs[label][t] = shown[label] = output
                done += options.steps
                for name, value in _judged(clip, model, outputs[label], t, frame).items():
                    values[label][name].append(value)
                for name, value in _coherence(clip, noises[label], t, model.noise_channels).items():
                    values[label][name].append(value)
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
    strands: Sequence[RunColumn | str],
    jobs_of: Callable[[str], Sequence[tuple[SourceSettings, int]]],
    keep: Sequence[int] = (),
    whole: bool = False,
) -> Generator[Update, None, tuple[dict[str, list[Run]], list[str]]]:
    """Every job of every task: the runs by task, and a sentence for each task that is left out. Of a clip only PAIRS are
    sampled, and with `whole` all frames of each task's first job. SessionError when all tasks are left out."""
    found: dict[str, list[Run]] = {}
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
                steps = render(clip, TaskSettings(task), strands, seed, kept, frames)
                what = f"{task}, run {index + 1} of {len(listed)}: "
                runs.append((yield from within(steps, number * len(listed) + index, len(tasks) * len(listed), what)))
        except NoisescopeError as problem:
            notes.append(f"{task} is left out: {problem}")
            continue
        found[task] = runs
    if not found:
        raise SessionError(" ".join(["Nothing can be measured.", *notes]))
    return found, notes


def _sampled(
    task: Task, frame: torch.Tensor, noise: torch.Tensor, options: SamplerOptions, device: torch.device
) -> Generator[torch.Tensor, None, None]:
    """The output after every step of the sampler."""
    width = task.noise_channels
    for step in task.sample(frame, lambda index: noise[index * width : (index + 1) * width], options, device):
        yield step.image


def _judged(clip: Clip, task: Task, outputs: dict[int, torch.Tensor], t: int, frame: torch.Tensor) -> dict[str, float]:
    """Measures of the output of frame t, of `outputs` by frame up to there."""
    here, truth = outputs[t], task.truth(frame)
    found = {"laplacian": quality.laplacian_variance(here)}
    if truth is not None:
        found |= {"psnr": quality.psnr(here, truth), "sharpness": quality.sharpness(here, truth)}
    for gap in output_quality.GAPS:
        before = outputs.get(t - gap)
        if before is not None:
            was = output_quality.reach(clip.motion, t, gap)
            error, coverage, _ = quality.warp_error(here, before, was.positions, was.valid)
            suffix = "" if gap == 1 else f"_{gap}"
            found |= {f"warp_error{suffix}": 1e3 * error, f"coverage{suffix}": coverage}
    return found


def _coherence(clip: Clip, noise: Noise, t: int, channels: int) -> dict[str, float]:
    if t == 0:
        return {}
    return {
        "previous": carrying.with_previous(clip, noise, t, channels)[0],
        "first": carrying.with_first(clip, noise, t, channels)[0],
    }


def of(runs: Sequence[Run], label: str, measure: str) -> list[float]:
    """One measure of a strand, a value a run."""
    return [one.measures[label][measure] for one in runs]


def mean(runs: Sequence[Run], label: str, measure: str) -> Interval:
    """Its mean over runs."""
    return average(measure, of(runs, label, measure))


def average(measure: str, values: Sequence[float]) -> Interval:
    """The mean of one of MEASURES over runs; the interval of what cannot be negative is not either."""
    return (intervals.positive if measure in POSITIVE else intervals.mean)(values)


def averaged(measure: str, values: Sequence[float]) -> dict[str, Cell]:
    """The same as cells of a row. Coverage is no estimate of anything, so it has no interval."""
    found = average(measure, values)
    known = cells(measure, found)
    return {measure: known[measure]} if measure.startswith("coverage") else known


def ratio(runs: Sequence[Run], above: str, below: str, measure: str) -> Interval:
    """The mean of `above` over that of `below`, measured in pairs on the same clip and seed."""
    return intervals.ratio(of(runs, above, measure), of(runs, below, measure))


def _bytes(image: torch.Tensor) -> U8:
    """(3, H, W) in [0, 1] as (H, W, 3) bytes."""
    scaled = (image.cpu().clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).numpy())
