"""flow-error: what wrong motion costs. Noise is carried along flows with errors of known size; the true motion judges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gpu.diffusion.tasks import TASKS
from gpu.engine.clip import Clip, opened
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
    Update,
    cells,
)
from gpu.experiments.kit import sampling_runs
from gpu.experiments.kit.progress import within
from gpu.experiments.kit.sampling_runs import RunColumn
from gpu.experiments.table1 import ESTIMATE
from gpu.flow import maps
from gpu.flow.estimators import ESTIMATORS
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import Motion
from gpu.session import PriorSettings, TaskSettings

TRUE, SMOOTH, BIAS = "true", "smooth", "bias"
CARRIED = ("integral", "bilinear")
FRAMES = 7
MOST_ERROR = 100.0  # px
WIDE = 4.0  # pixels: the errors of one pixel and one 4 pixels away are alike
PLOTTED = {
    "warp_error": Axis("warp error of outputs", "×10⁻³", low=0),
    "warp_error_5": Axis("warp error, gap of 5", "×10⁻³", low=0),
    "previous": Axis("correlation with previous frame", low=-0.1, high=1.05),
    "first": Axis("correlation with frame 0", low=-0.1, high=1.05),
}

COLUMNS = (
    Column("flow", "Flow"),
    Column("prior", "Prior"),
    Column("end_point_error", "end-point error", "px", ".3f"),
    Column("warp_error", "warp error", "×10⁻³"),
    Column("warp_error_5", "gap of 5", "×10⁻³"),
    Column("random_over", "random's over it"),
    Column("previous", "noise with previous", form=".3f", tip="Correlation along the true motion"),
    Column("first", "noise with frame 0", form=".3f", tip="Correlation along the true motion"),
    Column("sharpness", "sharpness"),
    Column("n", "runs"),
)


@dataclass
class Erroneous:
    """A motion with `errors(t)` (H, W, 2) added to its backward flow from frame t+1 to t, and taken from its forward flow.

    What is hidden is known as without errors; what then leads out of the frame is not valid.
    """

    motion: Motion
    errors: Callable[[int], torch.Tensor]
    made: dict[int, torch.Tensor] = field(default_factory=dict)

    def backward(self, t: int) -> torch.Tensor:
        """See gpu.priors.Motion."""
        if t not in self.made:
            flow = self.motion.backward(t)
            self.made[t] = flow + self.errors(t).to(flow)
        return self.made[t]

    def forward(self, t: int) -> torch.Tensor:
        """See gpu.priors.Motion."""
        flow = self.motion.forward(t)
        return flow - self.errors(t).to(flow)

    def valid(self, t: int) -> torch.Tensor:
        """See gpu.priors.Motion."""
        seen, flow = self.motion.valid(t), self.backward(t)
        height, width = seen.shape
        return seen & maps.inside(maps.pixel_centres(height, width, seen.device) + flow, height, width)

    def error(self, t: int) -> torch.Tensor:
        """See gpu.priors.Motion."""
        return self.motion.error(t)


def smooth_errors(height: int, width: int, size: float, seed: int, t: int) -> torch.Tensor:
    """(H, W, 2) a smooth Gaussian field, independent in every frame, whose vectors have a root mean square of `size` px."""
    margin = math.ceil(3 * WIDE)
    white = np.random.default_rng([seed, t]).standard_normal((height + 2 * margin, width + 2 * margin, 2))
    smooth = gaussian_filter(white, (WIDE, WIDE, 0))[margin : margin + height, margin : margin + width]
    smooth *= size / math.sqrt(float((smooth**2).sum(-1).mean()))
    return torch.from_numpy(smooth.astype(np.float32))


def constant_errors(height: int, width: int, size: float, seed: int) -> torch.Tensor:
    """(H, W, 2) the same vector of `size` px everywhere, in a direction that the seed decides."""
    angle = np.random.default_rng([seed, 1]).uniform(0, 2 * math.pi)
    vector = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float32) * size
    return vector.expand(height, width, 2)


def with_errors(kind: str, size: float, seed: int) -> Callable[[Clip], Motion]:
    """What makes the motion of a clip erroneous: TRUE, SMOOTH or BIAS errors of `size` px, or, by its name, an estimator."""

    def make(clip: Clip) -> Motion:
        shape = clip.source.height, clip.source.width
        if kind == SMOOTH:
            return Erroneous(clip.motion, lambda t: smooth_errors(*shape, size, seed, t))
        if kind == BIAS:
            return Erroneous(clip.motion, lambda t: constant_errors(*shape, size, seed))
        return clip.motion if kind == TRUE else clip.estimated(kind)

    return make


def end_point_error(motion: Motion, truth: Motion, frames: int) -> float:
    """Mean length in px of the difference of two backward flows, where the truth is valid, over a clip's `frames`."""
    lengths = []
    for t in range(frames - 1):
        length = torch.linalg.vector_norm(motion.backward(t) - truth.backward(t), dim=-1)
        lengths.append(float(length[truth.valid(t)].mean()))
    return float(np.mean(lengths))


def run(settings: Settings) -> Steps:
    """All flows in each run; random and fixed, which follow none, beside them."""
    size, task = settings.whole("size"), settings.text("task")
    TASKS.get(task)
    flows = [(TRUE, 0.0)]
    flows += [(SMOOTH, amount) for amount in settings.numbers("smooth", 0, MOST_ERROR)]
    flows += [(BIAS, amount) for amount in settings.numbers("bias", 0, MOST_ERROR)]
    flows += [(name, 0.0) for name in settings.names("estimators", ESTIMATORS)]
    labels = {(flow, prior): f"{prior}, {_name(flow)}" for flow in flows for prior in CARRIED}
    jobs = sampling_runs.jobs(task, size, FRAMES, settings.whole("clips"), settings.whole("seeds"), settings.seed)
    runs: list[sampling_runs.Run] = []
    errors: dict[tuple[str, float], list[float]] = {flow: [] for flow in flows}
    for number, (source, seed) in enumerate(jobs):
        what = f"run {number + 1} of {len(jobs)}: "
        yield Update(number, len(jobs), f"{what}flows")
        with opened(source) as clip:
            for flow in flows:
                errors[flow].append(end_point_error(with_errors(*flow, seed)(clip), clip.motion, FRAMES))
        columns = [RunColumn(name, PriorSettings(name)) for name in ("random", "fixed")]
        columns += [
            RunColumn(labels[flow, prior], PriorSettings(prior), with_errors(*flow, seed))
            for flow in flows
            for prior in CARRIED
        ]
        steps = sampling_runs.render(source, TaskSettings(task), columns, seed, frames=sampling_runs.PAIRS)
        runs.append((yield from within(steps, number, len(jobs), what)))
    rows = [_row(name, "none", None, name, runs) for name in ("random", "fixed")]
    rows += [_row(prior, _name(flow), errors[flow], label, runs) for (flow, prior), label in labels.items()]
    table = Table("flow-error", "What wrong motion costs", tuple(rows), COLUMNS, "Means over runs, 95 %.")
    return Outcome(
        _summary(flows, errors, labels, runs),
        (table,),
        (_figure(task, flows, errors, labels, runs),),
        tuple(_claims(flows, labels, runs)),
        (
            "Warp errors and correlations are taken along the true motion, whatever the noise was carried along.",
            "Smooth errors are independent from frame to frame and add up as a random walk does; a bias adds up in proportion.",
        ),
        {"task": task, "correlation length of smooth errors (px)": WIDE},
    )


def _name(flow: tuple[str, float]) -> str:
    kind, amount = flow
    if kind == TRUE:
        return "true motion"
    if kind in (SMOOTH, BIAS):
        return f"{'smooth errors' if kind == SMOOTH else 'bias'} of {amount:g} px"
    return ESTIMATORS.get(kind).title


def _row(prior: str, flow: str, error: list[float] | None, label: str, runs: list[sampling_runs.Run]) -> Row:
    row: dict[str, float | int | str | bool | None] = {"flow": flow, "prior": prior}
    if error is None:
        row |= {"end_point_error": None, "end_point_error_lo": None, "end_point_error_hi": None}
    else:
        row |= cells("end_point_error", intervals.mean(error))
    for name in sampling_runs.MEASURES:
        row |= sampling_runs.averaged(name, sampling_runs.of(runs, label, name))
    return {**row, **cells("random_over", sampling_runs.ratio(runs, "random", label, "warp_error")), "n": len(runs)}


def _figure(
    task: str,
    flows: list[tuple[str, float]],
    errors: dict[tuple[str, float], list[float]],
    labels: dict[tuple[tuple[str, float], str], str],
    runs: list[sampling_runs.Run],
) -> Figure:
    def line(label: str, prior: str, chosen: list[tuple[str, float]], measure: str, kind: str, colour: str) -> Line:
        means = [sampling_runs.mean(runs, labels[flow, prior], measure) for flow in chosen]
        x = [float(np.mean(errors[flow])) for flow in chosen]
        low, high = [mean.low for mean in means], [mean.high for mean in means]
        if kind == "line":  # points have bars; the bands of three curves would cover each other
            return Line(label, x, [mean.value for mean in means], None, None, colour)
        return Line(label, x, [mean.value for mean in means], low, high, colour, kind)

    smooth = [flow for flow in flows if flow[0] in (TRUE, SMOOTH)]
    bias = [flow for flow in flows if flow[0] in (TRUE, BIAS)]
    others = [flow for flow in flows if flow[0] not in (TRUE, SMOOTH, BIAS)]
    panels = []
    for measure, y in PLOTTED.items():
        points = [line(f"integral, {_name(flow)}", "integral", [flow], measure, "points", "") for flow in others]
        # In this order no curve has the colour of another: those without a prior's take the next of the cycle.
        series = [
            line("integral, smooth errors", "integral", smooth, measure, "line", "integral"),
            *(line(f"{p}, smooth errors", p, smooth, measure, "line", p) for p in CARRIED[1:]),
            *points[:1],
            line("integral, bias", "integral", bias, measure, "line", ""),
            *points[1:],
        ]
        levels = {
            name: sampling_runs.mean(runs, name, measure).value
            for name in ("random", "fixed")
            if not (measure in ("previous", "first") and name == "random")
        }
        panels.append(Plot("", Axis("mean end-point error of the flow", "px", low=0), y, tuple(series), levels))
    return Figure(
        "flow-error",
        f"{task}: outputs and noise by the error of the flow",
        tuple(panels),
        f"n = {len(runs)} runs (clip and seed) a point; bars: 95 % over runs; intervals of the curves are in the table.",
        "Estimated flows stand at their own measured end-point error. Dashed: random and fixed, which follow no flow.",
        columns=1,
    )


def _claims(
    flows: list[tuple[str, float]], labels: dict[tuple[tuple[str, float], str], str], runs: list[sampling_runs.Run]
) -> list[Claim]:
    claims = []
    smooth = [flow for flow in flows if flow[0] == SMOOTH]
    if smooth:
        worst = max(smooth, key=lambda flow: flow[1])
        costs = sampling_runs.ratio(runs, labels[worst, "integral"], labels[flows[0], "integral"], "warp_error")
        claims.append(
            Claim(f"Smooth errors of {worst[1]:g} px cost: integral's warp error over that along the true motion", costs, "> 1",
                  _above_one(costs))
        )  # fmt: skip
    for flow in flows:
        if flow[0] in (TRUE, SMOOTH, BIAS):
            continue
        gain = sampling_runs.ratio(runs, "random", labels[flow, "integral"], "warp_error")
        claims.append(
            Claim(f"With {_name(flow)} integral is still better than random: random's warp error over its", gain, "> 1",
                  _above_one(gain))
        )  # fmt: skip
        five = sampling_runs.ratio(runs, labels[flow, "integral"], "fixed", "warp_error_5")
        claims.append(
            Claim(
                f"With {_name(flow)} integral's warp error over fixed's at a gap of 5",
                five,
                f"< 1{ESTIMATE}",
                five.value < 1,
            )
        )
    return claims


def _above_one(ratio: Interval) -> bool | None:
    """Whether a ratio is above 1; not decided where its interval reaches to both sides."""
    if not math.isfinite(ratio.low):
        return None
    return ratio.value > 1 if ratio.low > 1 or ratio.high < 1 else None


def _summary(
    flows: list[tuple[str, float]],
    errors: dict[tuple[str, float], list[float]],
    labels: dict[tuple[tuple[str, float], str], str],
    runs: list[sampling_runs.Run],
) -> str:
    parts = []
    for flow in flows:
        gain = sampling_runs.ratio(runs, "random", labels[flow, "integral"], "warp_error")
        parts.append(f"{gain.value:.2f} with {_name(flow)} (end-point error {np.mean(errors[flow]):.2f} px)")
    return "random / integral is " + ", ".join(parts) + "."


EXPERIMENTS.add("flow-error", order=230)(
    Experiment(
        title="When the flow is wrong",
        about="Carries noise along flows with errors of growing size and along estimated flows; the true motion judges.",
        run=run,
        parameters=(
            ParameterInfo(
                "smooth", "Smooth errors", text="0.25,0.5,1,2,4", tip="Root mean squares in px, with commas."
            ),
            ParameterInfo("bias", "Bias", text="0.25,0.5,1,2", tip="Lengths of a constant error in px, with commas."),
            ParameterInfo("estimators", "Estimators", text="dis,farneback", tip="Flow estimators, with commas."),
            ParameterInfo("task", "Task", text="super-resolution", tip="The task whose outputs are judged."),
            ParameterInfo("size", "Size", 64, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("clips", "Clips", 4, 1, 9, 1, "", "Clips, as far as there are."),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
        ),
        together={"size": 48, "clips": 3},
        quick={"smooth": "0.5,2", "bias": "1", "estimators": "dis", "size": 48, "clips": 2},
    )
)
