"""toy1d: what lies between two Gaussian values. Interpolation loses variance; the window of a finer field (∫-noise) does not.

The one-dimensional example of Chang et al. 2024 (arXiv 2504.03072, Figure 2 b). Two neighbouring pixels x0, x1 and a pixel
that covers [α, 1 + α]: linear interpolation gives (1 − α) x0 + α x1, of variance α² + (1 − α)². The integral of the field,
whose parts are Brownian bridges of variance α (1 − α) each about their shares of x0 and x1, has variance 1.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from gpu.errors import SessionError
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Claim,
    Column,
    Experiment,
    Figure,
    Histogram,
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
from gpu.metrics import intervals, moments
from gpu.metrics.intervals import Interval
from gpu.noise import field, rng
from gpu.parameters import ParameterInfo
from gpu.priors.kit.interpolation import BILINEAR, interpolate

F64 = npt.NDArray[np.float64]

CONFIDENCE = 0.99  # of all α together
LEVEL = 5  # of the fine field: α is a multiple of 1 / 32
ROWS = 4000  # draws made at once
EDGES = np.linspace(-4, 4, 65)
CPU = torch.device("cpu")


def draws(seed: int, count: int, alphas: F64) -> Generator[int, None, tuple[F64, F64]]:
    """(A, count) values at every α, interpolated and integrated, of `count` independent pairs; yields how many are made.

    Pairs are the rows of an image two pixels wide, so that interpolation and the fine field are the program's own. SessionError
    where an α is no multiple of 2^-LEVEL: there the window would cut a sub-interval.
    """
    n = 1 << LEVEL
    starts = np.rint(alphas * n).astype(int)
    if not np.allclose(starts, alphas * n) or starts.min() < 0 or starts.max() > n:
        raise SessionError(f"α must be multiples of 1/{n} between 0 and 1.")
    values = rng.plane(seed, rng.FIELD, 0, 0, 0, 0, 0, count, 2, CPU)
    between = np.empty((len(alphas), count))
    integrals = np.empty((len(alphas), count))
    for at in range(0, count, ROWS):
        rows = slice(at, min(at + ROWS, count))
        pairs = values[rows]
        size = len(pairs)
        y = torch.arange(size, dtype=torch.float32) + 0.5
        # Summed over its rows, the fine field of a pixel is the fine field of an interval.
        steps = field.refine(pairs, seed, 0, 0, LEVEL, at, 0).view(size, n, 2 * n).sum(1).double()
        walk = torch.nn.functional.pad(steps.cumsum(1), (1, 0)).numpy()
        for number, (alpha, start) in enumerate(zip(alphas, starts)):
            positions = torch.stack([torch.full_like(y, 0.5 + float(alpha)), y], -1)
            between[number, rows] = interpolate(pairs[None], positions, BILINEAR)[0].double().numpy()
            integrals[number, rows] = walk[:, start + n] - walk[:, start]
        yield rows.stop
    return between, integrals


def interpolated_variance(alphas: F64) -> F64:
    """α² + (1 − α)²: of (1 − α) x0 + α x1 with independent x0, x1 of variance 1."""
    return np.asarray(alphas**2 + (1 - alphas) ** 2)


def farthest(estimates: list[Interval], theory: F64) -> tuple[Interval, bool]:
    """The variance that deviates most from `theory` relative to its interval, as a share of theory; whether all agree."""
    shares = [interval.times(1 / float(true)) for interval, true in zip(estimates, theory)]
    worst = max(shares, key=lambda interval: abs(interval.value - 1) / (interval.high - interval.low))
    return worst, all(1 in interval for interval in shares)


def run(settings: Settings) -> Steps:
    """Draw once, look at every α."""
    count = settings.whole("draws")
    shown = settings.numbers("histograms", 0, 1, least=1)
    alphas = np.unique(np.concatenate([np.arange(0, 1.0001, 1 / 16), np.asarray(shown)]))
    steps = draws(settings.seed, count, alphas)
    while True:
        try:
            yield Update(next(steps), count, "pairs drawn")
        except StopIteration as end:
            between, integrals = end.value
            break
    return _outcome(alphas, between, integrals, shown, count)


def _outcome(alphas: F64, between: F64, integrals: F64, shown: list[float], count: int) -> Outcome:
    theory, ones = interpolated_variance(alphas), np.ones_like(alphas)
    joint = intervals.joint(CONFIDENCE, len(alphas))
    of_lines = [intervals.variance(row, joint) for row in between]
    of_fields = [intervals.variance(row, joint) for row in integrals]
    shape = [
        moments.kolmogorov_p(moments.kolmogorov_smirnov(moments.ordered(torch.from_numpy(row).float())), count)
        for row in integrals
    ]
    half = int(np.argmin(np.abs(alphas - 0.5)))
    rows: list[Row] = [
        {
            "alpha": float(alpha), **cells("interpolated", line), "theory": float(true), **cells("integral", area),
            "ks_p": p, "n": count,
        }
        for alpha, line, true, area, p in zip(alphas, of_lines, theory, of_fields, shape)
    ]  # fmt: skip
    band = f"{joint * 100:.3f} %"
    columns = (
        Column("alpha", "α", form=".4g"),
        Column("interpolated", "variance, interpolated", form=".4f"),
        Column("theory", "α² + (1−α)²", form=".4f"),
        Column("integral", "variance, ∫-noise", form=".4f"),
        Column("ks_p", "KS p, ∫-noise", form=".3f", tip="Kolmogorov-Smirnov against N(0, 1)"),
        Column("n", "draws"),
    )
    table = Table(
        "variance", "Variance over α", tuple(rows), columns,
        f"Intervals of {band} each: all {len(alphas)} of a column together hold with {CONFIDENCE * 100:g} % (Bonferroni).",
    )  # fmt: skip
    worst_field, fields_agree = farthest(of_fields, ones)
    worst_line, lines_agree = farthest(of_lines, theory)
    least = min(shape) * len(alphas)
    claims = (
        Claim(
            "∫-noise has variance 1 at every α: the one that is farthest off", worst_field,
            f"1 inside the interval at each of {len(alphas)} α, together {CONFIDENCE * 100:g} %", fields_agree, form=".4f",
            answers="toy",
        ),
        Claim(
            "Interpolation's variance falls to ½ at α = ½", of_lines[half], "½ inside the interval",
            0.5 in of_lines[half], form=".4f", answers="toy",
        ),
        Claim(
            "Interpolation's variance is α² + (1−α)² at every α: measured / theory, the one that is farthest off",
            worst_line, f"1 inside the interval at each of {len(alphas)} α, together {CONFIDENCE * 100:g} %", lines_agree,
            form=".4f", answers="variance",
        ),
        Claim(
            "∫-noise is normal at every α: the smallest Kolmogorov-Smirnov p, times the number of α", min(1.0, least),
            "> 0.01", least > 0.01, answers="toy",
        ),
    )  # fmt: skip
    summary = (
        f"At α = ½ interpolation keeps {of_lines[half].value:.4f} of the variance and ∫-noise {of_fields[half].value:.4f}. "
        f"Over {len(alphas)} values of α ∫-noise stays between {min(variance.value for variance in of_fields):.4f} and "
        f"{max(variance.value for variance in of_fields):.4f}."
    )
    figures = (_curves(alphas, of_lines, of_fields, count, band), _histograms(alphas, between, integrals, shown, count))
    return Outcome(summary, (table,), figures, claims, facts={"level": LEVEL, "confidence of all α": CONFIDENCE})


def _curves(alphas: F64, of_lines: list[Interval], of_fields: list[Interval], count: int, band: str) -> Figure:
    def line(label: str, variances: list[Interval], prior: str) -> Line:
        values = (
            [variance.value for variance in variances],
            [variance.low for variance in variances],
            [variance.high for variance in variances],
        )
        return Line(label, alphas, *values, prior=prior, kind="points")

    fine = np.linspace(0, 1, 201)
    series = (
        line("∫-noise", of_fields, "integral"),
        line("linear interpolation", of_lines, "bilinear"),
        Line("theory: 1, and α² + (1−α)²", np.concatenate([fine, [np.nan], fine]),
             np.concatenate([np.ones(201), [np.nan], interpolated_variance(fine)]), kind="theory"),
    )  # fmt: skip
    close = Plot(
        "∫-noise, closer", Axis("α", "pixels"), Axis("variance"), (series[0],), {"variance 1": 1.0},
    )  # fmt: skip
    return Figure(
        "variance", "Variance of the pixel that covers [α, 1 + α]",
        (Plot("", Axis("α", "pixels"), Axis("variance", low=0.4, high=1.1), series), close),
        f"n = {count:,} pairs, the same for all α; bars: {band} each, {CONFIDENCE * 100:g} % together.",
        "Half-way between two pixels interpolation has lost half of the variance. The integral of a finer field loses none.",
    )  # fmt: skip


def _histograms(alphas: F64, between: F64, integrals: F64, shown: list[float], count: int) -> Figure:
    x = np.linspace(-4, 4, 161)
    normal = Line("N(0, 1)", x, stats.norm.pdf(x), kind="theory")
    panels = []
    for alpha in shown:
        at = int(np.argmin(np.abs(alphas - alpha)))
        made = [
            Histogram(label, EDGES, np.histogram(rows[at], EDGES, density=True)[0], prior)
            for label, rows, prior in (("interpolated", between, "bilinear"), ("∫-noise", integrals, "integral"))
        ]
        panels.append(Plot(f"α = {alpha:g}", Axis("value"), Axis("density", low=0, high=0.62), (*made, normal)))
    return Figure(
        "histograms", "Values between two pixels", tuple(panels), f"n = {count:,} pairs a histogram.",
        "At α = 0 both are the pixel itself. Towards ½ interpolated values grow narrow; ∫-noise stays N(0, 1).",
        columns=min(3, max(1, len(panels))),
    )  # fmt: skip


EXPERIMENTS.add("toy1d", order=10)(
    Experiment(
        title="Two values and what lies between",
        about="Draws pairs of neighbouring Gaussian pixels and measures the variance of a pixel between them, over α: "
        "interpolated, and as the integral of a finer field.",
        run=run,
        parameters=(
            ParameterInfo("draws", "Draws", 200_000, 1_000, 5_000_000, 1_000, "", "Pairs, the same for each α."),
            ParameterInfo(
                "histograms", "Histograms", tip="Values of α, multiples of 1/32, with commas.", text="0,0.25,0.5"
            ),
        ),
        quick={"draws": 20_000},
    )
)
