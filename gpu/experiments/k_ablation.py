"""k-ablation: what the level k and the segments s of ∫-noise are worth: time, undefined pixels, whiteness, coherence."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import stats

from gpu.engine.clip import Clip, opened, with_first, with_previous
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Claim,
    Column,
    Experiment,
    Figure,
    Line,
    Matrix,
    Outcome,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
    cells,
)
from gpu.metrics import intervals, whiteness
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import INHERITED, KEPT, NEW
from gpu.session import NoiseSettings, PriorSettings, SourceSettings
from gpu.source.deformations import DEFORMATIONS

LEVEL = 0.01
"""Every whiteness test is made at this level: so many false alarms are expected of white noise."""

TESTS = ("variance", "ks", "moran", "autocorrelation", "spectrum")
SHOWN = (1, 2, 3, 7)
"""Segments whose curves are drawn: every even s is s = 2, and odd ones differ little."""

COLUMNS = (
    Column("k", "k"),
    Column("s", "s"),
    Column("median_ms", "processor time", "ms", tip="Median of a frame, summed over threads"),
    Column("undefined", "undefined", "%", ".4f", tip="Pixels that should have been transported and own no sub-pixel"),
    Column("previous", "with previous", form=".4f", tip="Correlation along the true motion"),
    Column("ceiling", "ceiling", form=".4f", tip="Perfect transport of areas under this measure"),
    Column("first", "with frame 0", form=".4f"),
    Column("moran", "Moran's I", form=".5f"),
    Column("rejected", "tests failed", tip=f"Of the whiteness tests, at the level {LEVEL}"),
    Column("tests", "of"),
)


@dataclass
class Cell:
    """What was measured at one k and s."""

    seconds: list[float] = field(default_factory=list)  # of processor time
    undefined: list[float] = field(default_factory=list)  # a share for every flow and frame
    previous: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    ceiling: list[float] = field(default_factory=list)
    moran: list[float] = field(default_factory=list)
    rejected: int = 0
    tests: int = 0


def measure(clip: Clip, k: int, s: int, seed: int, frames: int, cell: Cell) -> None:
    """Carry one channel of noise over `frames` frames and add what is found to `cell`; only the last frame is tested for
    whiteness, since frames of transported noise repeat each other."""
    grid = NoiseSettings(k, s, 1, seed)
    run = clip.start(PriorSettings("integral"), grid)
    carrier = clip.transport(grid)
    run.frame(1)  # the fine field is made here, not in what is timed
    for t in range(2, frames):
        begin = time.process_time()
        frame = run.frame(t)
        cell.seconds.append(time.process_time() - begin)
        moved = carrier.tracks.before_renewal(t)
        carried = (moved.state == KEPT) | (moved.state == INHERITED)
        cell.undefined.append(float((carried & (frame.state == NEW)).sum() / carried.sum()))
    previous, ceiling = with_previous(clip, run, frames - 1, 1)
    cell.previous.append(previous)
    cell.ceiling.append(ceiling)
    cell.first.append(with_first(clip, run, frames - 1, 1)[0])
    white = whiteness.measure(frame.noise)
    cell.moran.append(white.moran)
    cell.rejected += sum(white.p[name] < LEVEL for name in TESTS)
    cell.tests += len(TESTS)
    clip.forget_transports()  # the fields of another k would fill the memory


def same_outline(clip: Clip, seed: int, k: int, a: int, b: int) -> bool:
    """Whether frame 2 is the same, bit for bit, with `a` and with `b` segments a side."""
    first, second = (clip.start(PriorSettings("integral"), NoiseSettings(k, s, 1, seed)).frame(2).noise for s in (a, b))
    return torch.equal(first, second)


def run(settings: Settings) -> Steps:
    """Every k and s on every flow, each with a seed of its own, so that the tests are independent."""
    size, frames = settings.whole("size"), settings.whole("frames")
    levels = list(range(settings.whole("k") + 1))
    segments = [round(value) for value in settings.numbers("s", 1, 32, least=1)]
    flows = settings.names("flows", DEFORMATIONS, least=1)
    by_level = {(k, s): Cell() for k in levels for s in segments}
    total, done = len(flows) * len(by_level), 0
    even = [s for s in segments if s % 2 == 0]
    alike: list[bool] = []
    for number, flow in enumerate(flows):
        source = SourceSettings("synthetic", name=flow, height=size, width=size, frames=frames)
        with opened(source) as clip:
            for index, ((k, s), cell) in enumerate(by_level.items()):
                yield Update(done, total, f"{flow}, k = {k}, s = {s}")
                measure(clip, k, s, settings.seed + number * len(by_level) + index, frames, cell)
                done += 1
            for other in even[1:]:
                yield Update(done, total, f"{flow}, s = {even[0]} and {other}")
                alike.append(same_outline(clip, settings.seed, min(3, levels[-1]), even[0], other))
    rows = [_row(k, s, cell) for (k, s), cell in by_level.items()]
    pixels = size * size
    counts = f"n = {len(flows)} flows ({', '.join(flows)}) of {frames} frames, {size}×{size} pixels, one channel"
    table = Table("k-ablation", "Level and segments", tuple(rows), COLUMNS, f"{counts}; intervals 95 % over flows.")
    return Outcome(
        _summary(by_level, levels, segments),
        (table,),
        (_curves(by_level, levels, segments, pixels, counts), _grid(by_level, levels, segments, counts)),
        tuple(_claims(by_level, levels, segments, alike)),
        (
            "A pixel's outline has 8 corners, as the map is bilinear between centres: every even s gives exactly these.",
            "Times are of one channel, and of the processor, so that other programs do not count; see the experiment runtime.",
        ),
        {"rounds": len(flows)},
    )


def _row(k: int, s: int, cell: Cell) -> Row:
    row: dict[str, float | int | str | bool | None] = {"k": k, "s": s}
    row["median_ms"] = 1e3 * float(np.median(cell.seconds))
    row |= cells("undefined", intervals.mean(cell.undefined).times(100))
    for name in ("previous", "first", "moran"):
        row |= cells(name, intervals.mean(getattr(cell, name)))
    return {**row, "ceiling": float(np.mean(cell.ceiling)), "rejected": cell.rejected, "tests": cell.tests}


def _curves(
    by_level: dict[tuple[int, int], Cell], levels: list[int], segments: list[int], pixels: int, counts: str
) -> Figure:
    shown = [s for s in SHOWN if s in segments] or segments[:1]

    def lines(name: str, factor: float = 1.0, band: bool = True) -> tuple[Line, ...]:
        out = []
        for s in shown:
            values = [intervals.mean(getattr(by_level[k, s], name)).times(factor) for k in levels]
            low, high = ([v.low for v in values], [v.high for v in values]) if band else (None, None)
            out.append(Line(f"s = {s}", levels, [v.value for v in values], low, high))
        return tuple(out)

    times = tuple(
        Line(f"s = {s}", levels, [1e3 * float(np.median(by_level[k, s].seconds)) for k in levels]) for s in shown
    )
    ceiling = float(np.mean([value for cell in by_level.values() for value in cell.ceiling]))
    limit = float(stats.norm.ppf(0.975)) * math.sqrt(2 / (4 * pixels))
    x = Axis("level k")
    panels = (
        Plot("Undefined pixels", x, Axis("share of transported pixels", "%"), lines("undefined", 100, band=False)),
        Plot("Time", x, Axis("processor time of a frame", "ms", log=True), times),
        Plot("Coherence", x, Axis("correlation with previous frame", low=0, high=1), lines("previous", band=False),
             {"ceiling of perfect transport": ceiling}),
        Plot("Whiteness", x, Axis("Moran's I"), lines("moran", band=False),
             {"95 % of one white frame": limit, "": -limit}),
    )  # fmt: skip
    return Figure(
        "curves",
        "What finer levels bring",
        panels,
        f"{counts}; means over flows, intervals in the table.",
        "White at every level, since sub-pixels are owned by one pixel only; finer levels leave fewer pixels without any.",
        columns=2,
    )


def _grid(by_level: dict[tuple[int, int], Cell], levels: list[int], segments: list[int], counts: str) -> Figure:
    def matrix(title: str, label: str, form: str, value: dict[tuple[int, int], float]) -> Matrix:
        values = np.array([[value[k, s] for k in levels] for s in segments])
        return Matrix(
            title, values, Axis("level k"), Axis("segments s"), label, form=form,
            x_ticks=tuple(map(str, levels)), y_ticks=tuple(map(str, segments)),
        )  # fmt: skip

    panels = (
        matrix("Undefined", "%", ".2f", {key: 100 * float(np.mean(cell.undefined)) for key, cell in by_level.items()}),
        matrix("Time", "ms", ".1f", {key: 1e3 * float(np.median(cell.seconds)) for key, cell in by_level.items()}),
        matrix("With previous frame", "correlation", ".3f",
               {at: float(np.mean(cell.previous)) for at, cell in by_level.items()}),
    )  # fmt: skip
    return Figure("grid", "Level and segments", panels, f"{counts}.", "Each cell has noise of its own.")


def _claims(
    by_level: dict[tuple[int, int], Cell], levels: list[int], segments: list[int], alike: list[bool]
) -> list[Claim]:
    usual = 4 if 4 in segments else segments[0]
    finest, default = levels[-1], min(3, levels[-1])
    at_zero, at_default = (intervals.mean(by_level[k, usual].undefined).times(100) for k in (0, default))
    falls = at_default.value / at_zero.value if at_zero.value > 0 else math.nan
    rejected = sum(cell.rejected for cell in by_level.values())
    tests = sum(cell.tests for cell in by_level.values())
    share = intervals.share(rejected, tests)
    most = int(stats.binom.ppf(0.999, tests, LEVEL))
    gap = _shortfall(by_level, default, segments)
    claims = [
        Claim(f"The undefined share falls with k: at k = {default} over that at k = 0 (s = {usual})", falls, "< 0.1",
              falls < 0.1 if math.isfinite(falls) else None, note=f"At k = 0 it is {at_zero.value:.3g} %."),
        Claim(f"Undefined pixels at k = {default}, s = {usual}", at_default, "< 0.1 %", at_default.value < 0.1, "%"),
        Claim(f"∫-noise is white at every k and s: share of tests failed at the level {LEVEL}", share,
              f"≤ {most} of {tests}, the 99.9 % quantile of chance", rejected <= most,
              note=f"{rejected} of {tests} failed; {LEVEL * tests:.1f} expected of white noise."),
        Claim(f"k = {default} is fine enough: coherence it gives away against the ceiling, over all s", gap, "< 0.02",
              gap.value < 0.02 if gap.high < 0.02 or gap.value >= 0.02 else None,
              note=f"At k = {finest} it is {_shortfall(by_level, finest, segments).value:.4f}."),
    ]  # fmt: skip
    if alike:
        claims.append(
            Claim("Every even s gives the noise of the least even one, bit for bit: share of comparisons",
                  float(np.mean(alike)), "1", all(alike))
        )  # fmt: skip
    return claims


def _shortfall(by_level: dict[tuple[int, int], Cell], k: int, segments: list[int]) -> Interval:
    """Ceiling less coherence at a level, over flows and over segments, which differ little and have noises of their own."""
    cells_of_level = [by_level[k, s] for s in segments]
    return intervals.mean([a - b for cell in cells_of_level for a, b in zip(cell.ceiling, cell.previous, strict=True)])


def _summary(by_level: dict[tuple[int, int], Cell], levels: list[int], segments: list[int]) -> str:
    usual = 4 if 4 in segments else segments[0]
    parts = [
        f"k = {k}: {100 * np.mean(by_level[k, usual].undefined):.2f} % undefined, "
        f"coherence {np.mean(by_level[k, usual].previous):.3f}, {1e3 * np.median(by_level[k, usual].seconds):.1f} ms"
        for k in levels
    ]
    return f"With s = {usual}, " + "; ".join(parts) + "."


EXPERIMENTS.add("k-ablation", order=70)(
    Experiment(
        title="How fine the field must be",
        about="∫-noise at levels k = 0 to 5, contours of 1 to 8 segments a side: time, undefined pixels, whiteness, coherence.",
        run=run,
        parameters=(
            ParameterInfo("k", "Levels up to", 5, 0, 6, 1, "", "The finest level; 4 to the power of k sub-pixels a pixel."),
            ParameterInfo("s", "Segments", text="1,2,3,4,5,6,7,8", tip="Segments a side of a contour, with commas."),
            ParameterInfo(
                "flows", "Flows", text="rotation-zoom,swirl,layers", tip="Synthetic deformations, with commas."
            ),
            ParameterInfo("size", "Size", 48, 16, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frames", "Frames", 5, 3, 200, 1, "", "Frames of a clip; the last one is tested."),
        ),
        quick={"k": 3, "s": "1,2,3,4", "flows": "rotation-zoom,swirl", "size": 32, "frames": 4},
    )
)  # fmt: skip
