"""steps: how many sampler steps a prior needs, by the warp error, the sharpness and the ratio of random to integral."""

from __future__ import annotations

from gpu.diffusion.tasks import TASKS
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
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
from gpu.experiments.kit.progress import within
from gpu.experiments.table1 import AIMS, ESTIMATE
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.session import TaskSettings

PRIORS = ("random", "fixed", "bilinear", "integral")

Runs = dict[int, list[sampling_runs.Run]]
"""The runs by the number of steps."""

COLUMNS = (
    Column("task", "Task"),
    Column("steps", "steps"),
    Column("prior", "Prior"),
    Column("warp_error", "warp error", "×10⁻³"),
    Column("warp_error_5", "gap of 5", "×10⁻³"),
    Column("random_over", "random's over it", form=".2f"),
    Column("sharpness", "sharpness", tip="Variance of the Laplacian relative to the true frame's"),
    Column("laplacian", "Laplacian", form=".0f", tip="Its variance, luma 0 to 255"),
    Column("psnr", "PSNR", "dB"),
    Column("n", "runs"),
)


def run(settings: Settings) -> Steps:
    """Sample the same clips and noises with every number of steps."""
    size = settings.whole("size")
    counts = sorted({round(value) for value in settings.numbers("steps", 1, 1000, least=1)})
    tasks, notes = [], []
    for task in settings.names("tasks", TASKS, least=1):
        why = sampling_runs.why_not(task)
        notes += [why] if why else []
        tasks += [] if why else [task]
    runs_by_task: dict[str, Runs] = {task: {count: [] for count in counts} for task in tasks}
    jobs = [
        (task, clip, seed, count)
        for task in tasks
        for clip, seed in sampling_runs.jobs(
            task, size, 7, settings.whole("clips"), settings.whole("seeds"), settings.seed
        )
        for count in counts
    ]
    done, total = 0, sum(count for *_, count in jobs)
    for task, clip, seed, count in jobs:
        steps = sampling_runs.render(clip, TaskSettings(task, steps=count), PRIORS, seed, frames=sampling_runs.PAIRS)
        runs_by_task[task][count].append((yield from within(steps, done, total, f"{task}, {count} steps: ", count)))
        done += count
    rows = [
        _row(task, count, prior, runs)
        for task in tasks
        for count, runs in runs_by_task[task].items()
        for prior in PRIORS
    ]
    claims = [claim for task in tasks for claim in _claims(task, runs_by_task[task])]
    table = Table("steps", "Outputs by the number of steps", tuple(rows), COLUMNS, "Means over runs, 95 %.")
    figures = tuple(_figure(task, runs_by_task[task]) for task in tasks)
    summary = " ".join(_sentence(task, runs_by_task[task]) for task in tasks)
    facts = {"motion": "true motion", "frames": ", ".join(map(str, sampling_runs.PAIRS))}
    return Outcome(summary, (table,), figures, tuple(claims), tuple(notes), facts)


def _row(task: str, count: int, prior: str, runs: list[sampling_runs.Run]) -> Row:
    row: dict[str, float | int | str | bool | None] = {"task": task, "steps": count, "prior": prior}
    for name in sampling_runs.MEASURES:
        row |= sampling_runs.averaged(name, sampling_runs.of(runs, prior, name))
    return {**row, **cells("random_over", sampling_runs.ratio(runs, "random", prior, "warp_error")), "n": len(runs)}


def _line(label: str, by_count: dict[int, Interval], prior: str = "") -> Line:
    values = list(by_count.values())
    return Line(
        label,
        list(by_count),
        [value.value for value in values],
        [value.low for value in values],
        [value.high for value in values],
        prior,
    )


def _figure(task: str, runs_by_count: Runs) -> Figure:
    def lines(measure: str) -> tuple[Line, ...]:
        return tuple(
            _line(
                prior, {count: sampling_runs.mean(runs, prior, measure) for count, runs in runs_by_count.items()}, prior
            )
            for prior in PRIORS
        )

    runs = next(iter(runs_by_count.values()))
    relative = any(value == value for value in sampling_runs.of(runs, "random", "sharpness"))
    x = Axis("sampler steps", log=True)
    ratios = {
        f"gap of {gap}": {
            count: sampling_runs.ratio(runs, "random", "integral", measure) for count, runs in runs_by_count.items()
        }
        for gap, measure in ((1, "warp_error"), (5, "warp_error_5"))
    }
    levels = {"aim": AIMS.get(task) or 1.0} if AIMS.get(task) else {}
    published_ratio = published.ratio(task)
    if published_ratio:
        levels["published (Chang et al.)"] = published_ratio
    panels = (
        Plot("Warp error, gap of 1", x, Axis("warp error", "×10⁻³", log=True), lines("warp_error")),
        Plot("Warp error, gap of 5", x, Axis("warp error", "×10⁻³", log=True), lines("warp_error_5")),
        Plot("random / integral", x, Axis("ratio of warp errors", low=0),
             tuple(_line(label, values) for label, values in ratios.items()), levels),
        Plot("Sharpness", x, Axis("relative to the true frame" if relative else "variance of the Laplacian", low=0),
             lines("sharpness" if relative else "laplacian"), {"true frame": 1.0} if relative else {}),
    )  # fmt: skip
    return Figure(
        f"{task}-steps",
        f"{task}: outputs by the number of steps",
        panels,
        f"n = {len(runs)} runs (clip and seed) a point; bands: 95 %, over clips, and wide because clips differ.",
        "Few steps leave the picture smooth, and a smooth picture has little warp error whatever the noise.",
        columns=2,
    )


def _claims(task: str, runs_by_count: Runs) -> list[Claim]:
    counts = list(runs_by_count)
    few, many = counts[0], counts[-1]
    ratio = sampling_runs.ratio(runs_by_count[many], "random", "integral", "warp_error")
    sharper = [
        value.measures["integral"]["laplacian"] / less.measures["integral"]["laplacian"]
        for value, less in zip(runs_by_count[many], runs_by_count[few], strict=True)
    ]
    aim = AIMS.get(task)
    least = min(sharper)
    wanted = f"≥ {aim:g}{ESTIMATE}" if aim else "no aim was set"
    return [
        Claim(f"{task}: random's warp error over integral's at {many} steps", ratio, wanted,
              ratio.value >= aim if aim else None, published=published.ratio(task), published_source=published.TABLE_1),
        Claim(f"{task}: more steps add detail, in every run: the least ratio of integral's sharpness at {many} and {few} steps",
              least, "> 1", least > 1),
    ]  # fmt: skip


def _sentence(task: str, runs_by_count: Runs) -> str:
    parts = []
    for count, runs in runs_by_count.items():
        ratio = sampling_runs.ratio(runs, "random", "integral", "warp_error")
        parts.append(f"{ratio.value:.2f} at {count}")
    return f"{task}: random / integral is {', '.join(parts)} steps."


EXPERIMENTS.add("steps", order=240)(
    Experiment(
        title="How many steps",
        about="Samples the same clips with more and more steps: warp error, sharpness, and what the prior is worth.",
        run=run,
        parameters=(
            ParameterInfo("steps", "Steps", text="2,4,8,16,32", tip="Numbers of sampler steps, with commas."),
            ParameterInfo(
                "tasks", "Tasks", text="super-resolution,appearance-transfer", tip="Names with commas."
            ),
            ParameterInfo("size", "Size", 64, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("clips", "Clips", 3, 1, 9, 1, "", "Clips for each task, as far as there are."),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
        ),
        quick={"steps": "2,8,16", "tasks": "super-resolution", "size": 48, "clips": 2},
        together={"size": 48, "clips": 2},
    )
)  # fmt: skip
