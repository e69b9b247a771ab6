"""table1: every prior on every video task, warp error beside the published Table 1, with what it costs in sharpness."""

from __future__ import annotations

from gpu.diffusion.tasks import TASKS
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
)
from gpu.experiments.kit import published, sampling_runs
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS
from gpu.session import SourceSettings

AIMS = {
    "appearance-transfer": 4.0,
    "super-resolution": 2.5,
    "super-resolution-x8": 4.5,
    "jpeg-restoration": 2.0,
    "surrogate-rendering": 4.0,
    "pose-to-person": None,
}
"""Tasks of the table, and the ratio of random's to integral's warp error that is aimed at."""

ESTIMATE = ", by the estimate"
"""How claims are decided whose aims were set for means: intervals of a few clips and seeds reach far."""

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
    size, frames = settings.whole("size"), settings.whole("frames")
    priors = settings.names("priors", PRIORS) or sampling_runs.every_prior()
    keep = tuple(sorted({0, min(5, frames - 1), frames - 1}))

    def jobs(task: str) -> list[tuple[SourceSettings, int]]:
        return sampling_runs.jobs(task, size, frames, settings.whole("clips"), settings.whole("seeds"), settings.seed)

    runs_by_task, notes = yield from sampling_runs.survey(
        settings.names("tasks", TASKS) or list(AIMS), priors, jobs, keep, whole=True
    )
    rows = [_row(task, prior, runs) for task, runs in runs_by_task.items() for prior in priors]
    figures: list[Figure] = []
    claims: list[Claim] = []
    for task, runs in runs_by_task.items():
        figures += [_bars(task, priors, runs), _sheet(task, priors, runs[0], keep), _slices(task, priors, runs[0])]
        claims += _claims(task, priors, runs)
    table = Table(
        "table1", "Warp error by task and prior", tuple(rows), COLUMNS, "Means over runs (clip × seed), 95 %."
    )
    held = sum(claim.holds is True for claim in claims)
    summary = f"{len(runs_by_task)} tasks × {len(priors)} priors; {held} of {len(claims)} claims hold."
    return Outcome(summary, (table,), tuple(figures), tuple(claims), tuple(notes), {"motion": "true motion"})


def _row(task: str, prior: str, runs: list[sampling_runs.Run]) -> Row:
    row: dict[str, float | int | str | bool | None] = {"task": task, "prior": prior}
    for name in sampling_runs.MEASURES:
        row |= sampling_runs.averaged(name, sampling_runs.of(runs, prior, name))
    return {**row, "published": published.WARP_ERROR.get(task, {}).get(prior), "n": len(runs)}


def _bars(task: str, priors: list[str], runs: list[sampling_runs.Run]) -> Figure:
    series = []
    for prior in priors:
        errors = [sampling_runs.mean(runs, prior, name) for name in ("warp_error", "warp_error_5")]
        series.append(
            BarSeries(
                prior,
                [error.value for error in errors],
                [error.low for error in errors],
                [error.high for error in errors],
                prior,
            )
        )
    panel = Bars("", Axis("warp error", "×10⁻³", low=0), ("gap of 1 frame", "gap of 5 frames"), tuple(series))
    return Figure(f"{task}-warp-error", f"{task}: warp error", (panel,), f"n = {len(runs)} runs; bars: 95 %.")


def _sheet(task: str, priors: list[str], run: sampling_runs.Run, keep: tuple[int, ...]) -> Figure:
    names = [name for name in ("source", "input", *priors) if name in run.pictures]
    pictures = tuple(tuple(run.pictures[name][t] for t in keep) for name in names)
    panel = Pictures("", tuple(names), tuple(f"frame {t}" for t in keep), pictures)
    return Figure(f"{task}-outputs", f"{task}: outputs", (panel,), f"n = 1 run: {run.clip}.")


def _slices(task: str, priors: list[str], run: sampling_runs.Run) -> Figure:
    names = [name for name in ("source", *priors) if name in run.slices]
    pictures = tuple((run.slices[name].repeat(2, axis=0),) for name in names)
    caption = (
        "x to the right, time down: random is grain, what sticks to the screen is vertical, what moves is slanted."
    )
    panel = Pictures("", tuple(names), ("middle row over time",), pictures)
    return Figure(f"{task}-slices", f"{task}: x-t slices", (panel,), f"n = 1 run: {run.clip}.", caption)


def _claims(task: str, priors: list[str], runs: list[sampling_runs.Run]) -> list[Claim]:
    if not {"random", "fixed", "integral"} <= set(priors):
        return []
    aim = AIMS.get(task)
    error = sampling_runs.ratio(runs, "random", "integral", "warp_error")
    five = sampling_runs.ratio(runs, "integral", "fixed", "warp_error_5")
    sharp = sampling_runs.ratio(runs, "integral", "random", "laplacian")
    wanted = f"≥ {aim:g}{ESTIMATE}" if aim else "no aim was set"
    return [
        Claim(f"{task}: random's warp error over integral's", error, wanted, error.value >= aim if aim else None,
              published=published.ratio(task), published_source=published.TABLE_1, answers="warp-error"),
        Claim(f"{task}: integral's warp error over fixed's at a gap of 5", five, f"< 1{ESTIMATE}", five.value < 1),
        Claim(f"{task}: integral's sharpness over random's", sharp, f"0.95 to 1.05{ESTIMATE}", _near_one(sharp)),
    ]  # fmt: skip


def _near_one(ratio: Interval) -> bool | None:
    """Whether a ratio is within 5 % of 1; not decided where it is not, but its interval reaches there."""
    if abs(ratio.value - 1) <= 0.05:
        return True
    return None if ratio.low <= 1.05 and ratio.high >= 0.95 else False


EXPERIMENTS.add("table1", order=200)(
    Experiment(
        title="The paper's Table 1: all priors on all tasks",
        about="Samples every task with every prior along the true motion and sets the warp errors beside the published ones.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 128, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frames", "Frames", 10, 7, 200, 1, "", "Of the first clip; of others three are sampled."),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
            ParameterInfo("clips", "Clips", 5, 1, 9, 1, "", "Clips for each task, as far as there are."),
            ParameterInfo("tasks", "Tasks", tip="Names with commas; empty: the paper's.", empty=True),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all.", empty=True),
        ),
        together={"size": 96, "clips": 2, "frames": 7},
        quick={"size": 48, "frames": 7, "clips": 2, "priors": "random,fixed,bilinear,integral"},
    )
)
