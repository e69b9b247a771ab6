"""The measures of whiteness as rows of the table: heading, explanation, value, how it is written, its verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpu.metrics.whiteness import Verdict, Whiteness


@dataclass(frozen=True)
class Measure:
    """One measure: its heading, a sentence for the tooltip, its value, how it is written, and the verdict it has."""

    heading: str
    tip: str
    value: Callable[[Whiteness], float]
    text: Callable[[Whiteness], str]
    verdict: str = ""


def signed(value: float, digits: int) -> str:
    """A number with so many decimals and a true minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def probability(p: float) -> str:
    """A p-value with three decimals, or its bound where it is smaller than those show."""
    if not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


MEASURES: tuple[Measure, ...] = (
    Measure(
        "mean", "Average of all values; white noise gives 0.", lambda w: w.mean, lambda w: signed(w.mean, 3), "mean"
    ),
    Measure(
        "variance",
        "Average squared deviation from the mean. White noise gives 1; interpolation lowers it, and a diffusion model "
        "then blurs.",
        lambda w: w.variance,
        lambda w: signed(w.variance, 3),
        "variance",
    ),
    Measure(
        "  white 1 ±",
        "The distance from 1 within which the variance of 99.9 % of white noise frames of this size lies.",
        lambda w: max(w.variance_high - 1, 1 - w.variance_low),
        lambda w: signed(max(w.variance_high - 1, 1 - w.variance_low), 3),
    ),
    Measure(
        "skewness",
        "Asymmetry of the distribution; a Gaussian gives 0.",
        lambda w: w.skewness,
        lambda w: signed(w.skewness, 3),
        "skewness",
    ),
    Measure(
        "kurtosis",
        "Excess kurtosis, the weight of the tails; a Gaussian gives 0.",
        lambda w: w.kurtosis,
        lambda w: signed(w.kurtosis, 3),
        "kurtosis",
    ),
    Measure(
        "KS p",
        "Kolmogorov-Smirnov test against N(0, 1): how probable a deviation this large is for white Gaussian noise, "
        "which gives any value from 0 to 1 alike.",
        lambda w: w.ks_p,
        lambda w: probability(w.ks_p),
        "ks",
    ),
    Measure(
        "Moran's I",
        "Correlation of every pixel with its four neighbours (rook weights); white noise gives nearly 0.",
        lambda w: w.moran,
        lambda w: signed(w.moran, 3),
        "moran",
    ),
    Measure(
        "  z",
        "Moran's I in standard deviations from what white noise gives; beyond ±3.3 it is not white (p < 0.001).",
        lambda w: w.moran_z,
        lambda w: signed(w.moran_z, 1),
    ),
    Measure(
        "autocorr.",
        "Largest absolute autocorrelation over all shifts, within and across channels.",
        lambda w: w.autocorrelation,
        lambda w: signed(w.autocorrelation, 3),
        "autocorrelation",
    ),
    Measure(
        "  white <",
        "What the largest autocorrelation of white noise of this size stays below in 99.9 % of frames.",
        lambda w: w.autocorrelation_limit,
        lambda w: signed(w.autocorrelation_limit, 3),
    ),
    Measure(
        "channels",
        "Largest correlation between two channels; white noise gives nearly 0.",
        lambda w: w.channel_correlation,
        lambda w: signed(w.channel_correlation, 3),
        "channels",
    ),
    Measure(
        "spectrum",
        "Whether the radially averaged power spectrum is flat, as that of white noise is.",
        lambda w: _order(w.verdicts.get("spectrum")),
        lambda w: {True: "flat", False: "not flat", None: ""}[_ok(w.verdicts.get("spectrum"))],
        "spectrum",
    ),
    Measure(
        "n",
        "Number of values measured: channels × height × width.",
        lambda w: float(w.n),
        lambda w: f"{w.n:,}".replace(",", " "),
    ),
    Measure(
        "verdict",
        "Whether the noise of this frame is white and Gaussian, judged by all measures together.",
        lambda w: -1.0 if w.verdict.ok is None else float(w.verdict.ok),
        lambda w: w.verdict.text,
        "verdict",
    ),
)


def verdict_of(whiteness: Whiteness, measure: Measure) -> Verdict | None:
    """The verdict that belongs to a measure; None where there is none."""
    return whiteness.verdict if measure.verdict == "verdict" else whiteness.verdicts.get(measure.verdict)


def _ok(verdict: Verdict | None) -> bool | None:
    return None if verdict is None else verdict.ok


def _order(verdict: Verdict | None) -> float:
    ok = _ok(verdict)
    return -1.0 if ok is None else float(ok)
