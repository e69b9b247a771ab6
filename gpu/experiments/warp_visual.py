"""warp-visual: the same noise warped by a known smooth deformation by every prior: pictures and measures.

What the eye calls blur is power missing at high frequencies. White noise has the same power at all of them.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from gpu.engine.clip import Clip, opened, with_first
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
    Pictures,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
    cells,
)
from gpu.experiments.variance import warping_priors
from gpu.metrics import intervals, whiteness
from gpu.metrics.whiteness import Whiteness
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS
from gpu.session import NoiseSettings, PriorSettings, SourceSettings

F32 = npt.NDArray[np.float32]

CHANNELS = 4
HIGH = 0.25  # cycles per pixel: half of the highest frequency along an axis
CROP = 56  # pixels of the pictures' sides
SIGMAS = 3  # black at -3 sigma, white at +3, as everywhere in the program
CONFIDENCE = 0.99
FAILS = 1e-3
NEAR = 6  # shifts of the autocorrelation that are shown


@dataclass
class WarpedNoise:
    """One prior over several seeds: the measures of frame t of each, its power at high frequencies, its coherence with frame 0
    over what perfect transport reaches, and pictures (H, W, 3) of the first seed by frame."""

    measures: list[Whiteness] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    coherence: list[float] = field(default_factory=list)
    pictures: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)


def high_power(noise: torch.Tensor) -> float:
    """Mean power of (C, H, W) noise at frequencies of at least HIGH, over that of white noise of variance 1."""
    _, height, width = noise.shape
    power = torch.view_as_real(torch.fft.fft2(noise.double())).square().sum(-1).mean(0).numpy() / (height * width)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    return float(power[radius >= HIGH].mean())


def look(clip: Clip, priors: list[str], t: int, seeds: list[int]) -> Generator[Update, None, dict[str, WarpedNoise]]:
    """Every prior in frame t, for every seed."""
    results = {prior: WarpedNoise() for prior in priors}
    for number, seed in enumerate(seeds):
        for index, prior in enumerate(priors):
            yield Update(number * len(priors) + index, len(seeds) * len(priors), f"{prior}, seed {seed}")
            run, its = clip.start(PriorSettings(prior), NoiseSettings(channels=CHANNELS, seed=seed)), results[prior]
            noise = run.frame(t).noise
            its.measures.append(whiteness.measure(noise))
            its.high.append(high_power(noise))
            along, ceiling = with_first(clip, run, t, CHANNELS)
            its.coherence.append(along / ceiling)
            if number == 0:
                its.pictures = {frame: _middle(run.frame(frame).noise.numpy()) for frame in (0, t)}
    return results


def _middle(noise: F32) -> npt.NDArray[np.uint8]:
    _, height, width = noise.shape
    edge = min(CROP, height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    middle = noise[0, y : y + edge, x : x + edge]
    grey = np.clip(middle * (127.5 / SIGMAS) + 128, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def run(settings: Settings) -> Steps:
    """One deformation, all priors, several seeds."""
    size, t = settings.whole("size"), settings.whole("frame")
    name, seeds = settings.text("deformation"), [settings.seed + n for n in range(settings.whole("seeds"))]
    priors = settings.names("priors", PRIORS) or warping_priors()
    source = SourceSettings("synthetic", name=name, height=size, width=size, frames=t + 1)
    with opened(source, "torch") as clip:
        results = yield from look(clip, priors, t, seeds)
    rows: list[Row] = [_row(prior, its) for prior, its in results.items()]
    columns = (
        Column("prior", "Prior"), Column("high", f"power at ≥ {HIGH:g} cycles/px", "/ white", ".3f"),
        Column("variance", "variance", form=".3f"), Column("moran", "Moran's I", form=".4f"),
        Column("kurtosis", "excess kurtosis", form=".3f"), Column("flat_p", "flat spectrum, p", form=".3f",
        tip="Smallest p-value over seeds of the ring that deviates most, times the number of seeds"),
        Column("coherence", "coherence with frame 0", "/ ceiling", ".3f"), Column("n", "seeds"),
    )  # fmt: skip
    table = Table("warp-visual", f"Frame {t} of {name}", tuple(rows), columns,
                  f"Means over seeds of {CHANNELS} × {size} × {size} values each; intervals: 95 %.")  # fmt: skip
    highs = {prior: intervals.mean(its.high) for prior, its in results.items()}
    summary = (
        "Of the power at high frequencies is left: " + ", ".join(f"{p} {i.value:.1%}" for p, i in highs.items()) + "."
    )
    figures = (_pictures(results, name, t), _spectra(results, size), _histograms(results), _autocorrelations(results))
    return Outcome(summary, (table,), figures, _claims(results), facts={"motion": "true motion"})


def _flat(its: WarpedNoise) -> float:
    return min(1.0, min(measured.p["spectrum"] for measured in its.measures) * len(its.measures))


def _row(prior: str, its: WarpedNoise) -> Row:
    return {
        "prior": prior,
        **cells("high", intervals.mean(its.high)),
        **cells("variance", intervals.mean([measured.variance for measured in its.measures])),
        **cells("moran", intervals.mean([measured.moran for measured in its.measures])),
        **cells("kurtosis", intervals.mean([measured.kurtosis for measured in its.measures])),
        "flat_p": _flat(its),
        **cells("coherence", intervals.mean(its.coherence)),
        "n": len(its.high),
    }


def _claims(results: dict[str, WarpedNoise]) -> tuple[Claim, ...]:
    claims = []
    if "integral" in results:
        its = results["integral"]
        high = intervals.mean(its.high, CONFIDENCE)
        flat = _flat(its)
        share = intervals.mean(its.coherence)
        claims += [
            Claim(f"∫-noise does not blur: power at ≥ {HIGH:g} cycles/px over that of white noise", high,
                  "1 inside the interval", 1 in high, form=".4f", answers="visual"),
            Claim("∫-noise's spectrum is flat: the ring that deviates most, over all seeds", flat, f"p ≥ {FAILS:g}",
                  flat >= FAILS, answers="visual"),
            Claim("∫-noise follows the motion: coherence with the first frame over what perfect transport reaches", share,
                  "≥ 0.95", share.value >= 0.95, form=".3f", answers="coherence"),
        ]  # fmt: skip
    for prior in ("bilinear", "bicubic"):
        if prior in results:
            high = intervals.mean(results[prior].high, CONFIDENCE)
            claims.append(
                Claim(f"{prior.capitalize()} blurs: power at ≥ {HIGH:g} cycles/px over that of white noise", high,
                      "the whole interval below 0.9", high.high < 0.9, form=".3f", answers="visual")
            )  # fmt: skip
    return tuple(claims)


def _pictures(results: dict[str, WarpedNoise], name: str, t: int) -> Figure:
    rows = tuple(f"frame {frame}" for frame in (0, t))
    sheet = tuple(tuple(its.pictures[frame] for its in results.values()) for frame in (0, t))
    edge = next(iter(results.values())).pictures[0].shape[0]
    return Figure(
        "pictures", f"The same noise, warped: {name}", (Pictures("", rows, tuple(results), sheet, 3),),
        f"n = 1 seed; channel 0, the middle {edge} × {edge} pixels, black at −3σ and white at +3σ.",
        "All start from the same noise. Bilinear and bicubic look soft and grey; nearest repeats pixels; ∫-noise looks as "
        "sharp as the first frame.",
    )  # fmt: skip


def _spectra(results: dict[str, WarpedNoise], size: int) -> Figure:
    series = []
    for prior, its in results.items():
        x = its.measures[0].spectrum[:, 0].astype(np.float64)
        each = [
            intervals.mean(column) for column in np.stack([measured.spectrum[:, 1] for measured in its.measures], 1)
        ]
        series.append(Line(prior, x, [e.value for e in each], [e.low for e in each], [e.high for e in each], prior))
    plot = Plot("", Axis("frequency", "cycles per pixel"), Axis("power over white noise's", low=0), tuple(series),
                {"white noise": 1.0})  # fmt: skip
    some = next(iter(results.values()))
    return Figure(
        "spectrum", "Radially averaged power spectrum", (plot,),
        f"n = {len(some.high)} seeds of {CHANNELS} × {size} × {size} values; bands: 95 %.",
        "Along an axis the highest frequency is ½; beyond lie the corners of the frequency plane. A fall to the right is blur.",
    )  # fmt: skip


def _histograms(results: dict[str, WarpedNoise]) -> Figure:
    series = []
    for prior, its in results.items():
        edges = its.measures[0].edges.astype(np.float64)
        density = np.mean([measured.density for measured in its.measures], axis=0).astype(np.float64)
        series.append(Line(prior, (edges[1:] + edges[:-1]) / 2, density, prior=prior))
    x = np.linspace(-4, 4, 161)
    series.append(Line("N(0, 1)", x, stats.norm.pdf(x), kind="theory"))
    values = sum(measured.n for measured in next(iter(results.values())).measures)
    return Figure(
        "histogram", "Distribution of values", (Plot("", Axis("value"), Axis("density", low=0), tuple(series)),),
        f"n = {values:,} values a prior.", "Interpolated noise is narrower than N(0, 1).",
    )  # fmt: skip


def _autocorrelations(results: dict[str, WarpedNoise]) -> Figure:
    panels = []
    ticks = tuple(str(shift).replace("-", "−") if shift % 3 == 0 else "" for shift in range(-NEAR, NEAR + 1))
    for prior, its in results.items():
        whole = np.mean([measured.autocorrelation_map for measured in its.measures], axis=0).astype(np.float64)
        middle = whole.shape[0] // 2
        near = whole[middle - NEAR : middle + NEAR + 1, middle - NEAR : middle + NEAR + 1]
        panels.append(
            Matrix(prior, near, Axis("shift in x", "px"), Axis("shift in y", "px"), "correlation", -1, 1, diverging=True,
                   x_ticks=ticks, y_ticks=ticks)
        )  # fmt: skip
    return Figure(
        "autocorrelation", "Autocorrelation", tuple(panels), f"n = {len(next(iter(results.values())).high)} seeds.",
        "White noise has 1 in the middle and nothing else. What surrounds it are neighbours tied together.", columns=3,
    )  # fmt: skip


EXPERIMENTS.add("warp-visual", order=30)(
    Experiment(
        title="Warped noise, seen and measured",
        about="Warps fixed noise by a known smooth deformation with every prior: pictures, spectrum, histogram, "
        "autocorrelation.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 128, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frame", "Frame", 6, 1, 100, 1, "", "The frame that is looked at."),
            ParameterInfo("seeds", "Seeds", 6, 2, 100, 1, "", "Seeds, for the intervals."),
            ParameterInfo("deformation", "Deformation", tip="A smooth one.", text="swirl"),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all that follow motion.", empty=True),
        ),
        quick={"size": 64, "frame": 3, "seeds": 3},
    )
)
