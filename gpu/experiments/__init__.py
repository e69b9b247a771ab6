"""Experiments, one file each: a question, what is computed, and an `Outcome` of tables, figures and answered claims.

The registry is EXPERIMENTS. `noisescope experiment NAME`, the window's menu, the tests and the report iterate over it; a new
experiment is one file in this folder. It computes (gpu/), and says what it found as data; app/reports draws that: PNG and SVG,
CSV, result.json, report.html. A whole experiment:

    \"""toy1d: interpolating two Gaussian values loses variance, the Brownian bridge does not.\"""

    from gpu.engine.results import Update
    from gpu.experiments import (
        EXPERIMENTS, Axis, Claim, Column, Experiment, Figure, Line, Outcome, Plot, Settings, Steps, Table, cells,
    )
    from gpu.metrics import intervals
    from gpu.parameters import ParameterInfo


    def run(settings: Settings) -> Steps:
        draws = settings.whole("draws")
        random = settings.random()                      # numpy Generator of the seed; settings.seed for torch
        alphas = np.linspace(0, 1, 21)
        rows, found = [], []
        for number, alpha in enumerate(alphas):
            yield Update(number, len(alphas), f"α = {alpha:.2f}")   # progress; the place where it can be cancelled
            a, b = random.standard_normal((2, draws))
            found.append(intervals.variance(alpha * a + (1 - alpha) * b))
            rows.append({"alpha": float(alpha), **cells("variance", found[-1]), "n": draws})
        curve = Line("linear interpolation", alphas, [v.value for v in found], [v.low for v in found],
                     [v.high for v in found], prior="bilinear")
        theory = Line("α² + (1−α)²", alphas, alphas**2 + (1 - alphas) ** 2, kind="theory")
        figure = Figure("variance", "Variance over α", (Plot("", Axis("α"), Axis("variance"), (curve, theory)),),
                        n=f"n = {draws:,} draws a point, bands 95 %", caption="The dip at ½ is what interpolation loses.")
        table = Table("variance", "Variance over α", tuple(rows),
                      (Column("alpha", "α"), Column("variance", "variance", form=".4f"), Column("n", "n")))
        claim = Claim("Interpolation's variance falls to ½ at α = ½", found[10], "½ inside the interval", 0.5 in found[10])
        return Outcome("Interpolation halves the variance at α = ½.", (table,), (figure,), (claim,))


    EXPERIMENTS.add("toy1d", order=10)(
        Experiment(
            title="Two values and what lies between",
            about="Draws pairs of Gaussian values, interpolates them, and measures the variance over α.",
            parameters=(ParameterInfo("draws", "Draws", 200_000, 1_000, 10_000_000, 1_000, "", "Pairs for each α."),),
            quick={"draws": 20_000},
            run=run,
        )
    )

Rules: seeds come from `settings` alone, so that the same settings give the same numbers; a step lasts at most a second or so
between two yields; whatever is estimated has an interval (gpu.metrics.intervals) and its n; figures of the literature are
marked `published` and never mixed with measured ones; what cannot be done (weights missing) is skipped with a sentence in
`Outcome.notes`; a claim that fails is reported as failed. Lists are texts with commas (`settings.names("priors")`).
Helpers stand in kit/: outcome.py (all parts of an Outcome), published.py (numbers of the literature),
sampling_runs.py (sampling runs with their measures).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpu.engine.results import Update
from gpu.errors import SessionError
from gpu.experiments.kit.outcome import (
    Axis,
    Bars,
    BarSeries,
    Claim,
    Column,
    Figure,
    Histogram,
    Line,
    Matrix,
    Outcome,
    Panel,
    Pictures,
    Plot,
    Row,
    Table,
    cells,
)
from gpu.parameters import ParameterInfo, Value, resolve
from gpu.registry import Registry

__all__ = [
    "EXPERIMENTS",
    "Axis",
    "BarSeries",
    "Bars",
    "Claim",
    "Column",
    "Experiment",
    "Figure",
    "Histogram",
    "Line",
    "Matrix",
    "Outcome",
    "Panel",
    "Pictures",
    "Plot",
    "Row",
    "Settings",
    "Steps",
    "Table",
    "Update",
    "cells",
    "settings_for",
]

Steps = Generator[Update, None, Outcome]
"""Work in progress: yields Updates (closing it cancels) and returns the Outcome."""


@dataclass(frozen=True)
class Settings:
    """What one run of an experiment is asked to do: every parameter has a value, checked."""

    values: Mapping[str, Value]
    seed: int = 7
    quick: bool = False

    def number(self, name: str) -> float:
        """The value of a parameter that is a number."""
        return float(self.values[name])

    def whole(self, name: str) -> int:
        """The value of a parameter that is a number, rounded."""
        return round(self.number(name))

    def text(self, name: str) -> str:
        """The value of a parameter that is a text."""
        return str(self.values[name])

    def names(self, name: str, registry: Registry[Any] | None = None, least: int = 0) -> list[str]:
        """The parts of a parameter that is a list with commas, each once; none for an empty one.

        ChoiceError for one that the registry `known` has not; SessionError for fewer than `least`.
        """
        names = list(dict.fromkeys(part.strip() for part in self.text(name).split(",") if part.strip()))
        if registry is not None:
            for part in names:
                registry.get(part)
        if len(names) < least:
            raise SessionError(f"{name} is empty; expected at least {least}, with commas between several.")
        return names

    def numbers(self, name: str, low: float, high: float, least: int = 0) -> list[float]:
        """The same as numbers from `low` to `high`; SessionError for a part that is none."""
        try:
            numbers = [float(part) for part in self.names(name, least=least)]
        except ValueError:
            raise SessionError(f"{name} must be numbers with commas between them, not {self.text(name)!r}.") from None
        for value in numbers:
            if not low <= value <= high:
                raise SessionError(f"{name} holds {value:g}, but all must lie between {low:g} and {high:g}.")
        return numbers

    def random(self, stream: int = 0) -> np.random.Generator:
        """A generator of the seed; another `stream` gives independent numbers."""
        return np.random.default_rng([self.seed, stream])


@dataclass(frozen=True)
class Experiment:
    """What menus and reports say of an experiment, its parameters, and what runs it.

    `quick` are the parameters of the preset that ends within seconds; `together` those of `experiment all` where the
    defaults take more than about a minute. `alone`: it measures times, so nothing else should run beside it.
    """

    title: str
    about: str
    run: Callable[[Settings], Steps]
    parameters: tuple[ParameterInfo, ...] = ()
    quick: Mapping[str, Value] = field(default_factory=dict)
    alone: bool = False
    together: Mapping[str, Value] = field(default_factory=dict)


EXPERIMENTS: Registry[Experiment] = Registry("experiment", "gpu.experiments")


def settings_for(name: str, given: Mapping[str, Value] | None = None, seed: int = 7, quick: bool = False) -> Settings:
    """The settings of experiment `name`: its defaults, under `quick` its quick preset, and what is `given`.

    ChoiceError for an unknown experiment; SessionError for a parameter that it does not have or cannot take.
    """
    experiment = EXPERIMENTS.get(name)
    chosen = {**(experiment.quick if quick else {}), **(given or {})}
    return Settings(resolve("experiment", name, experiment.parameters, chosen), seed, quick)
