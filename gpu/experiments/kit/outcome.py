"""What an experiment hands over: tables, figures and answered claims, as data that knows nothing of how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gpu.metrics.intervals import Interval

Cell = float | int | str | bool | None
Row = Mapping[str, Cell]
Array = npt.NDArray[np.floating] | Sequence[float]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """How a column of a table is headed and printed. `published` marks figures taken from the literature.

    Where a table has columns name, name_lo and name_hi, the page shows "value [lo, hi]" in one; only `name` is listed.
    """

    name: str
    label: str
    unit: str = ""
    form: str = ".2f"  # of numbers; texts and whole numbers are printed as they are
    published: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Table:
    """Flat rows: the same keys in each, values that JSON and CSV hold. `name` is a file name without its suffix.

    `columns` are those that the page shows, in order; the CSV and JSON have every key.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    caption: str = ""


@dataclass(frozen=True)
class Axis:
    """An axis of a plot. `low`, `high` None: as the data want."""

    label: str
    unit: str = ""
    log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """A curve, with the ends `low`, `high` of its confidence band where it estimates.

    `prior` (a prior's name or column key) gives it that prior's colour and dash. `kind`: "line"; "points" alone, with
    bars; "theory", a thin black line for what is known exactly; "published", grey, for figures of the literature.
    """

    label: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    prior: str = ""
    kind: str = "line"


@dataclass(frozen=True)
class Histogram:
    """A density over bins: `edges` (B+1), `density` (B)."""

    label: str
    edges: Array
    density: Array
    prior: str = ""


@dataclass(frozen=True)
class Plot:
    """One pair of axes with curves and histograms. `level` draws horizontal reference lines {label: y}."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Line | Histogram, ...]
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BarSeries:
    """One bar a group, NaN where there is none, with the ends of its interval."""

    label: str
    values: Array
    low: Array | None = None
    high: Array | None = None
    prior: str = ""
    published: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars in groups, beside each other."""

    title: str
    y: Axis
    groups: tuple[str, ...]
    series: tuple[BarSeries, ...]
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Matrix:
    """A matrix (rows, columns) as colours; `diverging` centres the colours on 0. `low`, `high` None: as the data want.

    With few cells each shows its value in `form`. `x_ticks`, `y_ticks` name columns and rows, if given.
    """

    title: str
    values: npt.NDArray[np.floating]
    x: Axis
    y: Axis
    label: str = ""
    low: float | None = None
    high: float | None = None
    diverging: bool = False
    form: str = ".2f"
    x_ticks: tuple[str, ...] = ()
    y_ticks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pictures:
    """A sheet of pictures (H, W, 3) uint8 of one size: `rows` × `columns` names, `pictures[row][column]`; None is left
    empty. Pixels are shown `zoom` times larger, uninterpolated."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    pictures: tuple[tuple[U8 | None, ...], ...]
    zoom: int = 1


Panel = Plot | Bars | Matrix | Pictures


@dataclass(frozen=True)
class Figure:
    """One picture file of one or more panels. `name` is a file name without its suffix, `n` says what was counted
    ("n = 200,000 draws a point; bands: 95 %"), `caption` what to see. `columns` 0: as fits."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    n: str
    caption: str = ""
    columns: int = 0


@dataclass(frozen=True)
class Claim:
    """A statement, and the number that answers it. `holds` None: not decided (too few, or nothing was claimed).

    `wanted` says in words what would confirm it ("≥ 4.0", "1 inside the interval"); `published` is the literature's number
    for the same thing, with its source in `published_source`. `answers` is the key of the question of the summary paper
    that it answers (gpu/experiments/kit/questions.py).
    """

    text: str
    measured: Interval | float
    wanted: str
    holds: bool | None
    unit: str = ""
    form: str = ".3g"
    published: float | None = None
    published_source: str = ""
    note: str = ""
    answers: str = ""


@dataclass(frozen=True)
class Outcome:
    """Everything an experiment found. The first table is the one that result.json has under "table"."""

    summary: str  # a sentence or a few: what came out, with numbers
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()  # what was skipped and why, what to keep in mind
    facts: Mapping[str, Cell] = field(default_factory=dict)  # backend, motion, … for result.json


def cells(name: str, interval: Interval) -> dict[str, Cell]:
    """An interval as the cells name, name_lo and name_hi of a row."""
    return {name: _cell(interval.value), f"{name}_lo": _cell(interval.low), f"{name}_hi": _cell(interval.high)}


def _cell(number: float) -> float | None:
    return number if np.isfinite(number) else None
