"""table1: every prior on every video task, warp error beside the published Table 1, with what it costs in sharpness."""

from __future__ import annotations

from collections.abc import Generator

from gpu.errors import NoisescopeError
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Bars,
    BarSeries,
    Claim,
    Column,
    Experiment,
    Figure,
    Outcome,
    Pictures,
    Row,
    Settings,
    Steps,
    Table,
    Update,
    cells,
    published,
    renders,
)
from gpu.metrics import intervals
from gpu.parameters import ParameterInfo
from gpu.session import TaskSettings
from gpu.source.scenes import SCENES

AIMS = {
    "appearance-transfer": 4.0,
    "super-resolution": 2.5,
    "super-resolution-x8": 4.5,
    "jpeg-restoration": 2.0,
    "surrogate-rendering": 4.0,
    "pose-to-person": None,
}
"""Tasks of the table, and the ratio of random's to integral's warp error that is aimed at."""

NEED_A_SCENE = ("surrogate-rendering", "pose-to-person")
"""Tasks whose models know nothing of photos: without a scene of their own there is nothing to measure them on."""

COLUMNS = (
    Column("task", "Task"),
    Column("prior", "Prior"),
    Column("warp_error", "warp error", "×10⁻³"),
    Column("published", "warp error", "×10⁻³", published=True, tip=published.TABLE_1),
    Column("warp_error_5", "gap of 5", "×10⁻³"),
    Column("coverage", "coverage"),
    Column("sharpness", "sharpness", tip="Variance of the Laplacian relative to the true frame's"),
    Column("psnr", "PSNR", "dB"),
    Column("n", "runs"),
)


def run(settings: Settings) -> Steps:
    """Sample, average over clips and seeds, and set the ratios against the aims."""
    from gpu.diffusion.tasks import TASKS

    size, frames, seeds = settings.whole("size"), settings.whole("frames"), settings.whole("seeds")
    priors = settings.names("priors") or renders.every_prior()
    tasks = settings.names("tasks") or list(AIMS)
    rows: list[Row] = []
    figures: list[Figure] = []
    claims: list[Claim] = []
    notes: list[str] = []
    for number, task in enumerate(tasks):
        if task not in TASKS:
            notes.append(f"{task} is left out: this version has no such task.")
            continue
        if task in NEED_A_SCENE and not any(scene.task == task for _, scene in SCENES.items()):
            notes.append(f"{task} is left out: this version has no scene that shows what its model was trained for.")
            continue
        runs: list[renders.Run] = []
        clips = renders.clips(task, size, size, frames)[: settings.whole("clips")]
        jobs = [(clip, settings.seed + seed) for seed in range(seeds) for clip in clips]
        keep = tuple(sorted({0, min(5, frames - 1), frames - 1}))
        try:
            for index, (clip, seed) in enumerate(jobs):
                steps = renders.render(clip, TaskSettings(task), priors, seed, keep=keep)
                for update in _collected(runs, steps):
                    share = (index + update.done / max(update.total, 1)) / len(jobs)
                    done = round(1000 * (number + share))
                    yield Update(done, 1000 * len(tasks), f"{task}, run {index + 1} of {len(jobs)}: {update.what}")
        except NoisescopeError as problem:
            notes.append(f"{task} is left out: {problem}")
            continue
        rows += [_row(task, prior, runs) for prior in priors]
        figures += [_bars(task, priors, runs), _sheet(task, priors, runs[0], keep), _slices(task, priors, runs[0])]
        claims += _claims(task, priors, runs)
    table = Table(
        "table1", "Warp error by task and prior", tuple(rows), COLUMNS, "Means over runs (clip × seed), 95 %."
    )
    held = sum(claim.holds is True for claim in claims)
    summary = f"{len({row['task'] for row in rows})} tasks × {len(priors)} priors; {held} of {len(claims)} claims hold."
    return Outcome(summary, (table,), tuple(figures), tuple(claims), tuple(notes), {"motion": "true motion"})


def _collected(runs: list[renders.Run], steps: Generator[Update, None, renders.Run]) -> Generator[Update, None, None]:
    """Pass the updates on and put what the work returns among `runs`."""
    runs.append((yield from steps))


def _of(runs: list[renders.Run], prior: str, measure: str) -> list[float]:
    return [one.measures[prior][measure] for one in runs]


def _row(task: str, prior: str, runs: list[renders.Run]) -> Row:
    row: dict[str, float | int | str | bool | None] = {"task": task, "prior": prior}
    for name in renders.MEASURES:
        row |= cells(name, intervals.mean(_of(runs, prior, name)))
    return {**row, "published": published.WARP_ERROR.get(task, {}).get(prior), "n": len(runs)}


def _bars(task: str, priors: list[str], runs: list[renders.Run]) -> Figure:
    series = []
    for prior in priors:
        found = [intervals.mean(_of(runs, prior, name)) for name in ("warp_error", "warp_error_5")]
        series.append(
            BarSeries(prior, [f.value for f in found], [f.low for f in found], [f.high for f in found], prior)
        )
    panel = Bars("", Axis("warp error", "×10⁻³", low=0), ("gap of 1 frame", "gap of 5 frames"), tuple(series))
    return Figure(f"{task}-warp-error", f"{task}: warp error", (panel,), f"n = {len(runs)} runs; bars: 95 %.")


def _sheet(task: str, priors: list[str], one: renders.Run, keep: tuple[int, ...]) -> Figure:
    names = [name for name in ("source", "input", *priors) if name in one.pictures]
    pictures = tuple(tuple(one.pictures[name][t] for t in keep) for name in names)
    panel = Pictures("", tuple(names), tuple(f"frame {t}" for t in keep), pictures)
    return Figure(f"{task}-outputs", f"{task}: outputs", (panel,), f"n = 1 run: {one.clip}.")


def _slices(task: str, priors: list[str], one: renders.Run) -> Figure:
    names = [name for name in ("source", *priors) if name in one.slices]
    pictures = tuple((one.slices[name].repeat(2, axis=0),) for name in names)
    caption = (
        "x to the right, time down: random is grain, what sticks to the screen is vertical, what moves is slanted."
    )
    panel = Pictures("", tuple(names), ("middle row over time",), pictures)
    return Figure(f"{task}-slices", f"{task}: x-t slices", (panel,), f"n = 1 run: {one.clip}.", caption)


def _claims(task: str, priors: list[str], runs: list[renders.Run]) -> list[Claim]:
    if not {"random", "fixed", "integral"} <= set(priors):
        return []
    aim = AIMS.get(task)
    error = intervals.ratio(_of(runs, "random", "warp_error"), _of(runs, "integral", "warp_error"))
    five = intervals.ratio(_of(runs, "integral", "warp_error_5"), _of(runs, "fixed", "warp_error_5"))
    sharp = intervals.ratio(_of(runs, "integral", "laplacian"), _of(runs, "random", "laplacian"))
    wanted = f"≥ {aim:g}" if aim else "no aim was set"
    return [
        Claim(f"{task}: random's warp error over integral's", error, wanted, error.value >= aim if aim else None,
              published=published.ratio(task), published_source=published.TABLE_1),
        Claim(f"{task}: integral's warp error over fixed's at a gap of 5", five, "< 1", five.value < 1),
        Claim(f"{task}: integral's sharpness over random's", sharp, "0.95 to 1.05", abs(sharp.value - 1) <= 0.05),
    ]  # fmt: skip


EXPERIMENTS.add("table1", order=200)(
    Experiment(
        title="The paper's Table 1: all priors on all tasks",
        about="Samples every task with every prior along the true motion and sets the warp errors beside the published ones.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 128, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frames", "Frames", 10, 7, 200, 1, "", "Frames of a clip; the gap of 5 needs more than 6."),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
            ParameterInfo("clips", "Clips", 2, 1, 9, 1, "", "Clips for each task, as far as there are."),
            ParameterInfo("tasks", "Tasks", tip="Names with commas; empty: the paper's.", empty=True),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all.", empty=True),
        ),
        quick={"size": 64, "frames": 7, "clips": 1, "priors": "random,fixed,bilinear,integral"},
    )
)
