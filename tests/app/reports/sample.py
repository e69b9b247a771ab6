"""An experiment for tests that has every kind of panel, claim and column, and takes no time."""

from __future__ import annotations

import numpy as np

from gpu.experiments import (
    Axis,
    Bars,
    BarSeries,
    Claim,
    Column,
    Experiment,
    Figure,
    Histogram,
    Line,
    Matrix,
    Outcome,
    Pictures,
    Plot,
    Settings,
    Steps,
    Table,
    Update,
    cells,
)
from gpu.metrics import intervals
from gpu.parameters import ParameterInfo

PRIORS = ("random", "fixed", "bilinear", "integral")


def run(settings: Settings) -> Steps:
    """The variance of interpolated pairs over α, and a picture of each kind."""
    random, draws = settings.random(), settings.whole("draws")
    alphas = np.linspace(0, 1, 11)
    rows, found = [], []
    for number, alpha in enumerate(alphas):
        yield Update(number, len(alphas), f"α = {alpha:.1f}")
        a, b = random.standard_normal((2, draws))
        found.append(intervals.variance(alpha * a + (1 - alpha) * b))
        rows.append(
            {"prior": "bilinear", "alpha": float(alpha), **cells("variance", found[-1]), "theory": 0.5, "n": draws}
        )
    curve = Line(
        "interpolation", alphas, [one.value for one in found], [one.low for one in found], [one.high for one in found],
        prior="bilinear",
    )  # fmt: skip
    theory = Line("α² + (1−α)²", alphas, alphas**2 + (1 - alphas) ** 2, kind="theory")
    given = Line("in the paper", [0.0, 1.0], [1.0, 1.0], kind="published")
    counts, edges = np.histogram(random.standard_normal(draws), 40, density=True)
    bars = tuple(
        BarSeries(prior, random.random(3) + 1, [0.9, 0.9, 0.9], [2.1, 2.1, np.nan], prior=prior) for prior in PRIORS
    )
    tile = (random.random((16, 24, 3)) * 255).astype(np.uint8)
    figures = (
        Figure(
            "curves", "Variance over α",
            (
                Plot("Curves", Axis("α"), Axis("variance", low=0), (curve, theory, given), {"white noise": 1.0}),
                Plot("Density", Axis("value", "σ"), Axis("density"), (Histogram("random", edges, counts, "random"),)),
            ),
            f"n = {draws} draws a point", "The dip is what interpolation loses.",
        ),
        Figure(
            "bars", "Warp error",
            (Bars("", Axis("warp error", "10⁻³"), ("×4", "×8", "JPEG"), (*bars, BarSeries("published", [1.0, np.nan, 2.0],
             published=True)), {"aim": 1.2}),), "n = 3",
        ),
        Figure(
            "matrices", "Covariances",
            (
                Matrix("Own", np.eye(4), Axis("pixel"), Axis("pixel"), "covariance", diverging=True),
                Matrix("Large", random.random((40, 40)), Axis("x", "px"), Axis("y", "px"), "value"),
            ),
            "n = 100",
        ),
        Figure(
            "pictures", "Outputs",
            (Pictures("frames", ("frame 0", "frame 5"), PRIORS, ((tile, tile, None, tile), (tile, tile, tile, tile)), 2),),
            "n = 1",
        ),
    )  # fmt: skip
    table = Table(
        "variance", "Variance over α", tuple(rows),
        (
            Column("prior", "Prior"), Column("alpha", "α"), Column("variance", "variance", form=".4f"),
            Column("theory", "theory", published=True), Column("n", "n"),
        ),
    )  # fmt: skip
    claims = (
        Claim("Interpolation halves the variance at α = ½", found[5], "½ inside the interval", 0.5 in found[5]),
        Claim("It never does", found[0], "below 1", found[0].high < 1, published=1.0, published_source="nobody"),
        Claim("Nobody knows", float("nan"), "–", None),
    )
    return Outcome("The variance dips to ½.", (table,), figures, claims, ("A note.",), {"backend": "none"})


SAMPLE = Experiment(
    "A sample",
    "Draws pairs and looks at what lies between.",
    run,
    (
        ParameterInfo("draws", "Draws", 2000, 10, 100_000, 10, "", "Pairs for each α."),
        ParameterInfo("words", "Words", tip="Names.", text="a,b"),
    ),
    {"draws": 200.0},
)
