"""coherence: the ablation of temporal coherence, every prior on every task, along the true motion and along estimated flow."""

from __future__ import annotations

import math

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
    Line,
    Outcome,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    cells,
)
from gpu.experiments.kit import published, sampling_runs
from gpu.experiments.kit.sampling_runs import Run, RunColumn
from gpu.experiments.table1 import AIMS, ESTIMATE
from gpu.flow.estimators import ESTIMATORS
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS
from gpu.session import PriorSettings, SourceSettings

TRUE, NONE = "true motion", "none"
FRAMES = 7

ColumnsByName = dict[tuple[str, str], RunColumn]
"""By prior and by what it is carried along: TRUE, the title of an estimator, or NONE for priors that follow no motion."""

COLUMNS = (
    Column("task", "Task"),
    Column("prior", "Prior"),
    Column("flow", "Flow"),
    Column("warp_error", "warp error", "×10⁻³"),
    Column("published", "warp error", "×10⁻³", published=True, tip=published.TABLE_1),
    Column("relative", "over random's", form=".3f"),
    Column("published_relative", "over random's", form=".3f", published=True, tip=published.TABLE_1),
    Column("warp_error_5", "gap of 5", "×10⁻³"),
    Column("relative_5", "gap of 5, over random's", form=".3f"),
    Column("sharpness", "sharpness", tip="Variance of the Laplacian relative to the true frame's"),
    Column("sharpness_relative", "sharpness over random's", form=".3f"),
    Column("psnr", "PSNR", "dB"),
    Column("previous", "noise with previous", form=".3f", tip="Correlation along the true motion"),
    Column("first", "noise with frame 0", form=".3f", tip="Correlation along the true motion"),
    Column("n", "runs"),
)


def strands_of(priors: list[str], estimator: str) -> ColumnsByName:
    """Every prior along the true motion and, where it follows any, along what the estimator finds."""
    columns: ColumnsByName = {}
    title = ESTIMATORS.get(estimator).title
    for prior in priors:
        given = PriorSettings(prior)
        if not PRIORS.get(prior).info.uses_motion:
            columns[prior, NONE] = RunColumn(prior, given)
            continue
        columns[prior, TRUE] = RunColumn(f"{prior}, {TRUE}", given)
        columns[prior, title] = RunColumn(f"{prior}, {title}", given, lambda clip: clip.estimated(estimator))
    return columns


def run(settings: Settings) -> Steps:
    """Sample all tasks, and set the warp errors relative to random's beside the published ones."""
    size = settings.whole("size")
    columns = strands_of(settings.names("priors", PRIORS) or sampling_runs.every_prior(), settings.text("estimator"))

    def jobs(task: str) -> list[tuple[SourceSettings, int]]:
        return sampling_runs.jobs(task, size, FRAMES, settings.whole("clips"), settings.whole("seeds"), settings.seed)

    tasks = settings.names("tasks", TASKS) or list(AIMS)
    runs_by_task, notes = yield from sampling_runs.survey(tasks, list(columns.values()), jobs)
    rows = [
        _row(task, key, column.label, runs) for task, runs in runs_by_task.items() for key, column in columns.items()
    ]
    figures = [_figure(task, columns, runs) for task, runs in runs_by_task.items()]
    if runs_by_task:
        figures.append(_cause(columns, runs_by_task))
    claims = [claim for task, runs in runs_by_task.items() for claim in _claims(task, columns, runs)]
    held = sum(claim.holds is True for claim in claims)
    summary = f"{len(runs_by_task)} tasks × {len(columns)} columns; {held} of {len(claims)} claims hold. "
    summary += " ".join(_sentence(task, columns, runs) for task, runs in runs_by_task.items())
    table = Table(
        "coherence",
        "All priors, tasks and flows",
        tuple(rows),
        COLUMNS,
        f"Means over runs (clip and seed), 95 %; frames {', '.join(map(str, sampling_runs.PAIRS))} of {FRAMES}. "
        f"Columns marked as published are from {published.TABLE_1}, on other clips and models: compare the ratios, not the "
        "errors.",
    )
    notes += [
        "Everything is measured along the true motion, also where the noise was carried along estimated flow.",
        "The published figures are of videos, with estimated flow.",
    ]
    return Outcome(summary, (table,), tuple(figures), tuple(claims), tuple(notes))


def _relative(runs: list[Run], label: str, measure: str) -> Interval:
    """The column's measure over random's; NaN where random was not among the priors."""
    if "random" not in runs[0].measures:
        return Interval(math.nan, math.nan, math.nan, 0)
    return sampling_runs.ratio(runs, label, "random", measure)


def _published(task: str, prior: str) -> tuple[float | None, float | None]:
    row = published.WARP_ERROR.get(task, {})
    value = row.get(prior)
    return value, None if value is None else value / row["random"]


def _row(task: str, key: tuple[str, str], label: str, runs: list[Run]) -> Row:
    row: dict[str, float | int | str | bool | None] = {"task": task, "prior": key[0], "flow": key[1]}
    for name in sampling_runs.MEASURES:
        row |= sampling_runs.averaged(name, sampling_runs.of(runs, label, name))
    for name, measure in (
        ("relative", "warp_error"), ("relative_5", "warp_error_5"), ("sharpness_relative", "laplacian"),
    ):  # fmt: skip
        row |= cells(name, _relative(runs, label, measure))
    row["published"], row["published_relative"] = _published(task, key[0])
    return {**row, "n": len(runs)}


def _figure(task: str, columns: ColumnsByName, runs: list[Run]) -> Figure:
    priors = list(dict.fromkeys(prior for prior, _ in columns))
    estimated = next((flow for _, flow in columns if flow not in (TRUE, NONE)), "")

    def bars(label: str, flow: str, measure: str) -> BarSeries:
        ratios = []
        for prior in priors:
            column = columns.get((prior, flow)) or (columns.get((prior, NONE)) if flow == TRUE else None)
            ratios.append(
                _relative(runs, column.label, measure) if column else Interval(math.nan, math.nan, math.nan, 0)
            )
        return BarSeries(
            label, [ratio.value for ratio in ratios], [ratio.low for ratio in ratios], [ratio.high for ratio in ratios]
        )

    relative = [_published(task, prior)[1] for prior in priors]
    literature = BarSeries(
        "published (Chang et al. 2024)", [math.nan if r is None else r for r in relative], published=True
    )
    panels = []
    for gap, measure in ((1, "warp_error"), (5, "warp_error_5")):
        series = [bars("measured, true motion or none", TRUE, measure)]
        if estimated:
            series.append(bars(f"measured, {estimated} flow", estimated, measure))
        if gap == 1 and any(r is not None for r in relative):
            series.append(literature)
        title = f"Gap of {gap} frame{'s' if gap > 1 else ''}"
        panels.append(
            Bars(title, Axis("warp error over random's", low=0), tuple(priors), tuple(series), {"random": 1.0})
        )
    return Figure(
        f"{task}-coherence",
        f"{task}: warp error relative to random's",
        tuple(panels),
        f"n = {len(runs)} runs (clip and seed); bars: 95 % of the paired ratio.",
        "Low bars of bilinear, bicubic and ddim-inversion are bought with blur: see the sharpness in the table.",
    )


def _cause(columns: ColumnsByName, runs_by_task: dict[str, list[Run]]) -> Figure:
    """What the noise's coherence makes of the outputs': one point a task and column."""
    series = []
    for (prior, flow), column in columns.items():
        if flow not in (TRUE, NONE):
            continue
        x = [sampling_runs.mean(runs, column.label, "previous").value for runs in runs_by_task.values()]
        y = [_relative(runs, column.label, "warp_error").value for runs in runs_by_task.values()]
        series.append(Line(prior, x, y, kind="points", prior=prior))
    runs = sum(map(len, runs_by_task.values()))
    panel = Plot(
        "",
        Axis("correlation of the noise with the previous frame's, along the true motion"),
        Axis("warp error of outputs over random's", low=0),
        tuple(series),
    )
    return Figure(
        "cause",
        "What coherent noise does to outputs",
        (panel,),
        f"n = {runs} runs; one point a task and prior, carried along the true motion.",
        "The more of the previous frame's noise is met along the motion, the less outputs change. bilinear, bicubic and "
        "ddim-inversion are lowest because they blur; root-bilinear, which is not white, gains less than its coherence.",
    )


def _claims(task: str, columns: ColumnsByName, runs: list[Run]) -> list[Claim]:
    if not {"random", "fixed", "integral"} <= {prior for prior, _ in columns}:
        return []
    claims = []
    aim = AIMS.get(task)
    for (prior, flow), column in columns.items():
        if prior != "integral":
            continue
        gain = sampling_runs.ratio(runs, "random", column.label, "warp_error")
        true = flow == TRUE
        wanted = (f"≥ {aim:g}" if aim and true else "> 1") + ESTIMATE
        holds = gain.value >= aim if aim and true else gain.value > 1
        with_flow = f"{task}, {flow if true else f'{flow} flow'}"
        five = sampling_runs.ratio(runs, column.label, "fixed", "warp_error_5")
        claims += [
            Claim(f"{with_flow}: random's warp error over integral's", gain, wanted, holds,
                  published=published.ratio(task), published_source=published.TABLE_1),
            Claim(f"{with_flow}: integral's warp error over fixed's at a gap of 5", five, f"< 1{ESTIMATE}", five.value < 1),
        ]  # fmt: skip
    return claims


def _sentence(task: str, columns: ColumnsByName, runs: list[Run]) -> str:
    if "random" not in runs[0].measures:
        return ""
    parts = [
        f"{sampling_runs.ratio(runs, 'random', column.label, 'warp_error').value:.2f} with {flow}"
        for (prior, flow), column in columns.items()
        if prior == "integral"
    ]
    return f"{task}: random / integral {', '.join(parts)}." if parts else ""


EXPERIMENTS.add("coherence", order=210)(
    Experiment(
        title="Temporal coherence: all priors, tasks and flows",
        about="Every prior on every task, carried along the true motion and along estimated flow, beside the published table.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 64, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo(
                "clips", "Clips", 3, 1, 9, 1, "", "Clips for each task, as far as there are; each has a seed."
            ),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
            ParameterInfo("estimator", "Estimator", text="dis", tip="The flow estimator set beside the true motion."),
            ParameterInfo("tasks", "Tasks", tip="Names with commas; empty: the paper's.", empty=True),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all.", empty=True),
        ),
        together={"size": 48, "clips": 2},
        quick={
            "size": 48,
            "clips": 2,
            "priors": "random,fixed,bilinear,integral",
            "tasks": "super-resolution,super-resolution-x8",
        },
    )
)
