"""whiteness: is each prior's noise white? Moran's I, Kolmogorov-Smirnov, correlation over all shifts, on several flows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from gpu.engine.clip import opened
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
    Update,
    cells,
)
from gpu.experiments.kit import published, sampling_runs
from gpu.metrics import intervals
from gpu.metrics import whiteness as measures
from gpu.metrics.intervals import Interval
from gpu.metrics.whiteness import Whiteness
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, steps_of
from gpu.session import NoiseSettings, PriorSettings, SourceSettings
from gpu.source.deformations import DEFORMATIONS

LEVEL = 0.01
"""Every test is made at this level: so many false alarms are expected of white noise."""

TESTS = {"moran": "Moran's I", "ks": "Kolmogorov-Smirnov", "autocorrelation": "correlation over all shifts"}

COLUMNS = (
    Column("prior", "Prior"),
    Column("flow", "Flow"),
    Column("moran", "Moran's I", form=".5f"),
    Column("published_moran", "Moran's I", form=".5f", published=True, tip=published.BURGERT),
    Column("variance", "variance", form=".4f"),
    Column("ks", "KS distance", form=".4f"),
    Column("autocorrelation", "largest correlation", form=".4f", tip="Over all shifts, within and across channels"),
    Column("expected", "expected", form=".4f", tip="Of the largest correlation, for white noise"),
    Column("moran_failed", "Moran failed"),
    Column("ks_failed", "KS failed"),
    Column("autocorrelation_failed", "shifts failed"),
    Column("n", "frames"),
)

ALL = "all"


@dataclass
class PriorWhiteness:
    """The measures of a prior, one frame a flow and draw."""

    prior: str
    frames: dict[str, list[Whiteness]] = field(default_factory=dict)  # by flow

    def on(self, flow: str) -> list[Whiteness]:
        """Those on a flow, or on ALL."""
        return [measured for name, listed in self.frames.items() if flow in (name, ALL) for measured in listed]


def failures(frames: list[Whiteness], test: str) -> int:
    """How many frames fail a test at LEVEL."""
    return sum(measured.p[test] < LEVEL for measured in frames)


def allowed(n: int) -> int:
    """The 99.9 % quantile of the number of false alarms among n white frames."""
    return int(stats.binom.ppf(0.999, n, LEVEL))


def run(settings: Settings) -> Steps:
    """One late frame of every prior, flow and draw. Draws are channels of one run, which are independent; no two runs have the
    same seed, so that all tests are."""
    size, channels, t = settings.whole("size"), settings.whole("channels"), settings.whole("frame")
    flows, draws = settings.names("flows", DEFORMATIONS, least=1), settings.whole("draws")
    priors = settings.names("priors", PRIORS) or sampling_runs.every_prior()
    results = {prior: PriorWhiteness(prior, {flow: [] for flow in flows}) for prior in priors}
    total, done = len(flows) * len(priors), 0
    notes: list[str] = []
    for number, flow in enumerate(flows):
        source = SourceSettings("synthetic", name=flow, height=size, width=size, frames=t + 1)
        with opened(source) as clip:
            for place, prior in enumerate(priors):
                yield Update(done, total, f"{flow}: {prior}")
                inverts = PRIORS.get(
                    prior
                ).info.uses_task  # then no chance is in it, and its own channels are the model's
                parts = 1 if inverts else draws
                seed = settings.seed + number * len(priors) + place
                noise = clip.start(PriorSettings(prior), NoiseSettings(channels=channels * parts, seed=seed))
                for _ in steps_of(noise, t):
                    yield Update(done, total, f"{flow}: {prior}")
                for earlier in range(1, t) if not inverts else ():  # step by step, so that cancelling is quick
                    noise.frame(earlier)
                    yield Update(done, total, f"{flow}: {prior}, frame {earlier}")
                here = noise.frame(t).noise
                frames = (
                    [here[:3]] if inverts else [here[at : at + channels] for at in range(0, channels * parts, channels)]
                )
                results[prior].frames[flow] += [measures.measure(frame) for frame in frames]
                done += 1
                clip.forget_transports()
    if any(PRIORS.get(prior).info.uses_task for prior in priors):
        notes.append(
            "ddim-inversion depends on the picture alone, so it counts one frame a flow, and only the model's channels."
        )
    rows = [_row(result, flow) for result in results.values() for flow in (ALL, *(flows if len(flows) > 1 else ()))]
    n = len(flows) * draws
    counts = (
        f"n = {n} frames a prior ({len(flows)} flows × {draws} draws) of {channels}×{size}×{size} values, frame {t}"
    )
    table = Table("whiteness", "Whiteness of every prior", tuple(rows), COLUMNS, f"{counts}. Means over frames, 95 %.")
    notes.append(
        f"Tests are made at the level {LEVEL}; frames are independent, so the number of false alarms is binomial. "
        "Burgert et al. measure frames of 1024² on a flow of their own: compare the orders of magnitude."
    )
    claims = [claim for result in results.values() for claim in _claims(result)]
    white = [result.prior for result in results.values() if _white(result)]
    return Outcome(
        f"White within the expected false alarms: {', '.join(white) or 'none'}. "
        f"Not white: {', '.join(result.prior for result in results.values() if result.prior not in white) or 'none'}.",
        (table,),
        (
            _moran(list(results.values()), counts),
            _failed(list(results.values()), counts),
            _shifts(list(results.values()), counts),
        ),
        tuple(claims),
        tuple(notes),
        {"flows": ", ".join(flows)},
    )


def _mean(frames: list[Whiteness], name: str) -> Interval:
    return intervals.mean([getattr(measured, name) for measured in frames])


def _row(result: PriorWhiteness, flow: str) -> Row:
    frames = result.on(flow)
    row: dict[str, float | int | str | bool | None] = {"prior": result.prior, "flow": flow}
    for name in ("moran", "variance", "ks", "autocorrelation"):
        row |= cells(name, _mean(frames, name))
    row["expected"] = float(np.mean([frame.autocorrelation_expected for frame in frames]))
    row |= {f"{test}_failed": failures(frames, test) for test in TESTS}
    row["published_moran"] = published.MORAN.get(result.prior) if flow == ALL else None
    return {**row, "n": len(frames)}


def _white(result: PriorWhiteness) -> bool:
    frames = result.on(ALL)
    return all(failures(frames, test) <= allowed(len(frames)) for test in TESTS)


def _claims(result: PriorWhiteness) -> list[Claim]:
    frames = result.on(ALL)
    n, most = len(frames), allowed(len(frames))
    white = PRIORS.get(result.prior).info.white
    listed = {test: failures(frames, test) for test in TESTS}
    worst = max(listed, key=lambda test: listed[test])
    share = intervals.share(listed[worst], n)
    text = f"{result.prior} is {'white' if white else 'not white'}: share of frames that fail {TESTS[worst]}"
    wanted = f"≤ {most} of {n}, the 99.9 % quantile of chance" if white else f"more than {most} of {n}"
    note = ", ".join(f"{TESTS[test]} {count} of {n}" for test, count in listed.items()) + "."
    moran = _mean(frames, "moran")
    claims = [Claim(text, share, wanted, (listed[worst] <= most) == white, note=note)]
    literature = published.MORAN.get(result.prior)
    if literature is not None:
        below = abs(moran.value) < 0.01
        claims.append(
            Claim(f"{result.prior}: mean Moran's I", moran, "below 0.01 in size" if white else "above 0.01", below == white,
                  form=".2g", published=literature, published_source=published.BURGERT)
        )  # fmt: skip
    return claims


def _moran(results: list[PriorWhiteness], counts: str) -> Figure:
    values = [_mean(result.on(ALL), "moran") for result in results]
    size = [max(abs(v.value), 1e-6) for v in values]
    measured = BarSeries(
        "measured, size of the mean", size,
        [max(min(abs(v.low), abs(v.high)) if v.low * v.high > 0 else 1e-6, 1e-6) for v in values],
        [max(abs(v.low), abs(v.high)) for v in values],
    )  # fmt: skip
    literature = BarSeries(
        "published (Burgert et al. 2025)",
        [published.MORAN.get(result.prior, math.nan) for result in results],
        published=True,
    )
    frame = results[0].on(ALL)[0]
    deviation = 1 / math.sqrt(2 * frame.n)  # of Moran's I of one white frame with rook weights
    panel = Bars(
        "", Axis("|Moran's I|", log=True, low=1e-5, high=1), tuple(result.prior for result in results), (measured, literature),
        {"one standard deviation of one white frame": deviation},
    )  # fmt: skip
    return Figure("moran", "Moran's I", (panel,), f"{counts}; bars: 95 % of the mean.",
                  "A mean near 0 is what white noise has; its size only says how many values were looked at.")  # fmt: skip


def _failed(results: list[PriorWhiteness], counts: str) -> Figure:
    series = []
    for test, label in TESTS.items():
        shares = [intervals.share(failures(result.on(ALL), test), len(result.on(ALL))) for result in results]
        series.append(BarSeries(label, [s.value for s in shares], [s.low for s in shares], [s.high for s in shares]))
    panel = Bars(
        "", Axis("share of frames that fail", low=0, high=1.05), tuple(result.prior for result in results), tuple(series),
        {f"expected of white noise, {LEVEL}": LEVEL},
    )  # fmt: skip
    return Figure("failed", f"Frames that fail a test at p < {LEVEL}", (panel,), f"{counts}; bars: 95 % (Wilson).")


def _shifts(results: list[PriorWhiteness], counts: str) -> Figure:
    series = []
    for result in results:
        ratios = sorted(frame.autocorrelation / frame.autocorrelation_expected for frame in result.on(ALL))
        rank = (np.arange(len(ratios)) + 0.5) / len(ratios)
        series.append(Line(result.prior, ratios, rank, prior=result.prior))
    panel = Plot(
        "", Axis("largest correlation over all shifts, over what white noise is expected to have", log=True),
        Axis("share of frames below", low=0, high=1), tuple(series),
    )  # fmt: skip
    return Figure("shifts", "Largest correlation over all shifts", (panel,), f"{counts}; each step is one frame.",
                  "White noise gathers near 1. Shifts are periodic, within and across channels.")  # fmt: skip


EXPERIMENTS.add("whiteness", order=80)(
    Experiment(
        title="Is it white?",
        about="Moran's I, Kolmogorov-Smirnov and the largest correlation over all shifts, for every prior on several flows.",
        run=run,
        parameters=(
            ParameterInfo(
                "flows",
                "Flows",
                text="translation,rotation-zoom,swirl,turbulence",
                tip="Synthetic deformations, with commas.",
            ),
            ParameterInfo("draws", "Draws", 8, 1, 64, 1, "", "Independent draws of noise for each flow and prior."),
            ParameterInfo(
                "frame", "Frame", 6, 1, 500, 1, "", "The frame that is tested; transport goes on until there."
            ),
            ParameterInfo("size", "Size", 128, 16, 1024, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("channels", "Channels", 4, 1, 16, 1, "", "Channels of noise."),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all.", empty=True),
        ),
        quick={"draws": 4, "size": 64, "flows": "rotation-zoom,swirl", "frame": 4},
    )
)
