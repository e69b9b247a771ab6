"""Is this noise white and Gaussian? All measures of one frame, of many, and across two, with verdicts in words."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from gpu.errors import SizeError
from gpu.metrics import moments as m
from gpu.metrics import spatial
from gpu.metrics.spatial import Peak
from gpu.metrics.spectrum import power as spectral_power
from gpu.metrics.spectrum import radial_spectrum
from gpu.metrics.verdicts import overall, verdicts
from gpu.metrics.whiteness_result import LEVEL, Verdict, Whiteness

F32 = npt.NDArray[np.float32]
Noise = torch.Tensor | npt.NDArray[np.floating]

__all__ = ["LEVEL", "Verdict", "Whiteness", "across", "measure", "pool", "pooling"]


def measure(noise: Noise) -> Whiteness:
    """Measure one frame of noise, (C, H, W), which ought to be independent standard normals.

    Works on any device. Values that are not finite, constant fields and tiny grids give NaN measures and a sentence.
    SizeError when the array is not (C, H, W) with at least one value.

    >>> noise = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(1))
    >>> white = measure(noise)
    >>> white.n, round(white.variance, 2), white.verdict.ok
    (16384, 1.01, True)
    >>> blurred = (noise + noise.roll(1, -1)) / 2  # what interpolation half way between pixels does
    >>> round(measure(blurred).variance, 1), measure(blurred).verdict.ok
    (0.5, False)
    """
    field_ = _frame(noise)
    n = field_.numel()
    flat = field_.reshape(-1)
    low, high = (float(value) for value in torch.aminmax(flat))
    if not math.isfinite(high - low):  # NaN is either end's, wherever it stands
        missing = n - int(torch.isfinite(field_).sum())
        return _undefined(n, f"{missing} of {n} values are not finite")
    if max(high, -low) > 1e9:  # fourth powers would leave float32
        return _undefined(n, f"values reach {max(high, -low):.3g}, far outside what noise of variance 1 takes")
    moments = m.moments(flat)
    ascending = m.ordered(flat)
    ks = m.kolmogorov_smirnov(ascending)
    ks_p = m.kolmogorov_p(ks, n)
    channels, height, width = field_.shape
    moran = spatial.Moran(math.nan, math.nan, math.nan)
    peak, near = spatial.NO_PEAK, np.full((33, 33), np.nan, dtype=np.float32)
    channel = (math.nan, math.nan, math.nan)
    if moments.variance > 0:
        moran = spatial.moran(field_ - moments.mean, moments.variance * (n - 1))
    centred = field_ - field_.mean(dim=(1, 2), keepdim=True)
    squares = spatial.mean_squares(centred)
    standardised = spatial.scaled(centred, squares, max(high, -low))
    # The transform serves the autocorrelation and the spectrum; a channel without variance leaves only the latter.
    basis = standardised if standardised is not None else centred
    transform = torch.fft.rfft2(basis)
    power = spectral_power(transform)
    weighted = torch.tensordot(squares, power, dims=1) if standardised is not None else power.sum(dim=0)
    spectrum = radial_spectrum(weighted, width, 1 / (channels * height * width))
    if standardised is not None:
        peak, near = spatial.autocorrelation(transform, power, width)
        channel = spatial.channel_correlation(standardised)
    low_variance, high_variance = m.variance_interval(n)
    p = {
        "mean": m.mean_p(moments.mean, n),
        "variance": m.variance_p(moments.variance, n),
        "skewness": m.skewness_p(moments.skewness, n),
        "kurtosis": m.kurtosis_p(moments.kurtosis, n),
        "ks": ks_p,
        "moran": moran.p,
        "autocorrelation": peak.p,
        "channels": channel[2],
        "spectrum": spectrum.p,
    }
    measured = Whiteness(
        n=n,
        mean=moments.mean,
        variance=moments.variance,
        variance_low=low_variance,
        variance_high=high_variance,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
        ks=ks,
        ks_p=ks_p,
        moran=moran.value,
        moran_z=moran.z,
        moran_p=moran.p,
        autocorrelation=peak.value,
        autocorrelation_expected=peak.expected,
        autocorrelation_limit=peak.limit,
        autocorrelation_shift=peak.shift,
        channel_correlation=channel[0],
        channel_limit=channel[1],
        verdicts={},
        verdict=Verdict(None, ""),
        edges=m.EDGES,
        density=m.density(ascending),
        quantiles=m.quantiles(ascending),
        spectrum=spectrum.curve,
        autocorrelation_map=near,
        p=p,
        spectrum_peak=(spectrum.frequency, spectrum.share),
    )
    return _judged(measured)


def across(a: Noise, b: Noise) -> Peak:
    """Largest correlation over all periodic shifts between two frames (C, H, W) that ought to be independent.

    This finds later frames that are shifted copies of earlier ones, which every test of a single frame passes.
    `.p` is the probability that independent white frames show as much, `.limit` is at 0.001.
    """
    first, second = _frame(a), _frame(b)
    if first.shape != second.shape:
        raise SizeError(
            f"Two frames of noise must have one shape, but these have {tuple(first.shape)} and {tuple(second.shape)}."
        )
    return spatial.cross_correlation(first, second)


BINS, SPAN = 1 << 18, 8.0
"""Fine histogram for the pooled distribution: bins of 6e-5, so the pooled KS distance is exact to 2.5e-5."""


def pool(frames: Noise | Iterable[Noise]) -> Whiteness:
    """Measure many frames together: (T, C, H, W), or any iterable of (C, H, W). Needs memory for one frame.

    Frames of transported noise repeat each other by design, so T frames are not T times the evidence. Averages over the
    frames are therefore judged as one frame's values would be, each frame is judged by itself, and p-values are
    multiplied by the number of tests made (Bonferroni, valid whatever the frames share). `ks` compares all values
    together; `autocorrelation` and `channel_correlation` are those of the frame with the smallest p; the variance
    interval is one frame's; `n` counts all values. SizeError when there are no frames or their shapes differ.
    """
    steps = pooling(frames)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pooled: Whiteness = end.value
            return pooled


def pooling(
    frames: Noise | Iterable[Noise], measured: Mapping[int, Whiteness] = MappingProxyType({})
) -> Generator[Whiteness, None, Whiteness]:
    """`pool` in steps: yields each frame's own measures as they are made, and returns those of all together. Frames that are
    `measured` already, by their places in the row, are not measured again."""
    results: list[Whiteness] = []
    counts = np.zeros(BINS + 2, dtype=np.int64)
    shape: tuple[int, ...] | None = None
    for noise in frames:
        frame = _frame(noise)
        if shape is not None and tuple(frame.shape) != shape:
            raise SizeError(f"All frames of noise must have one shape, but there are {shape} and {tuple(frame.shape)}.")
        shape = tuple(frame.shape)
        results.append(measured[len(results)] if len(results) in measured else measure(frame))
        bins = ((frame.clamp(-SPAN, SPAN).nan_to_num() + SPAN) * (BINS / (2 * SPAN))).floor().long().clamp(0, BINS - 1)
        counts[1:-1] += torch.bincount(bins.reshape(-1), minlength=BINS).cpu().numpy()
        yield results[-1]
    if not results:
        raise SizeError("There are no frames of noise to measure: expected at least one.")
    if len(results) == 1:
        return results[0]
    bad = [t for t, result in enumerate(results) if not result.p]
    if bad:
        first = results[bad[0]]
        return replace(first, n=first.n * len(results), frames=len(results), verdict=_of_frame(bad[0], first.verdict))
    return _pooled(results, counts)


def _pooled(results: list[Whiteness], counts: npt.NDArray[np.int64]) -> Whiteness:
    """The averages and worst cases of `pool`; `counts` is the fine histogram with an empty bin at each end."""
    frames, n = len(results), results[0].n
    below = np.cumsum(counts)[:-1] / counts.sum()  # share of values below each edge
    edges = np.linspace(-SPAN, SPAN, BINS + 1)
    cdf = special.ndtr(edges)
    ks = float(np.abs(below - cdf).max())
    worst = {key: min(range(frames), key=lambda t: _or_one(results[t].p[key])) for key in results[0].p}

    def mean(name: str) -> float:
        return float(np.mean([getattr(result, name) for result in results]))

    def average(name: str) -> F32:
        return np.asarray(np.mean([getattr(result, name) for result in results], axis=0), dtype=np.float32)

    levels = special.ndtr(results[0].quantiles[:, 0].astype(np.float64))
    empirical = np.interp(levels, below, edges)
    together = {
        "mean": m.mean_p(mean("mean"), n),
        "variance": m.variance_p(mean("variance"), n),
        "skewness": m.skewness_p(mean("skewness"), n),
        "kurtosis": m.kurtosis_p(mean("kurtosis"), n),
        "ks": m.kolmogorov_p(ks, n),
        "moran": m.normal_p(mean("moran_z")),
    }
    p = {}
    for key, t in worst.items():
        p_values = [value for value in (results[t].p[key], together.get(key, math.nan)) if not math.isnan(value)]
        p[key] = min(1.0, min(p_values) * (frames + (key in together))) if p_values else math.nan
    peak, channel = results[worst["autocorrelation"]], results[worst["channels"]]
    pooled = replace(
        peak,
        n=n * frames,
        frames=frames,
        mean=mean("mean"),
        variance=mean("variance"),
        skewness=mean("skewness"),
        kurtosis=mean("kurtosis"),
        ks=ks,
        ks_p=p["ks"],
        moran=mean("moran"),
        moran_z=mean("moran_z"),
        moran_p=p["moran"],
        channel_correlation=channel.channel_correlation,
        channel_limit=channel.channel_limit,
        density=average("density"),
        quantiles=np.stack((results[0].quantiles[:, 0], empirical), axis=1).astype(np.float32),
        spectrum=average("spectrum"),
        autocorrelation_map=average("autocorrelation_map"),
        p=p,
        spectrum_peak=results[worst["spectrum"]].spectrum_peak,
    )
    judged = _judged(pooled)
    said = dict(judged.verdicts)
    for key, verdict in judged.verdicts.items():
        t = worst[key]
        alone = results[t].verdicts[key]
        if verdict.ok is False and alone.ok is False and _or_one(together.get(key, math.nan)) > results[t].p[key]:
            said[key] = _of_frame(t, alone)
    judged = replace(judged, verdicts=said)
    return replace(judged, verdict=overall(judged))


def _or_one(p: float) -> float:
    return 1.0 if math.isnan(p) else p


def _of_frame(t: int, verdict: Verdict) -> Verdict:
    return Verdict(verdict.ok, f"frame {t}: {verdict.text}")


def _judged(measured: Whiteness) -> Whiteness:
    with_sentences = replace(measured, verdicts=verdicts(measured))
    return replace(with_sentences, verdict=overall(with_sentences))


def _frame(noise: Noise) -> torch.Tensor:
    tensor = noise.detach() if isinstance(noise, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(noise))
    if tensor.ndim != 3 or tensor.numel() == 0 or tensor.is_complex():
        raise SizeError(f"A frame of noise must be (channels, height, width), but it has shape {tuple(tensor.shape)}.")
    return tensor.to(torch.float32).contiguous()


def _undefined(n: int, why: str) -> Whiteness:
    nan = math.nan
    low, high = m.variance_interval(n)
    nothing = Verdict(False, why)
    keys = ("mean", "variance", "skewness", "kurtosis", "ks", "moran", "autocorrelation", "channels", "spectrum")
    return Whiteness(
        n=n,
        mean=nan,
        variance=nan,
        variance_low=low,
        variance_high=high,
        skewness=nan,
        kurtosis=nan,
        ks=nan,
        ks_p=nan,
        moran=nan,
        moran_z=nan,
        moran_p=nan,
        autocorrelation=nan,
        autocorrelation_expected=nan,
        autocorrelation_limit=nan,
        autocorrelation_shift=(0, 0),
        channel_correlation=nan,
        channel_limit=nan,
        verdicts=dict.fromkeys(keys, nothing),
        verdict=Verdict(False, f"not noise: {why}"),
        edges=m.EDGES,
        density=np.full(len(m.EDGES) - 1, np.nan, dtype=np.float32),
        quantiles=np.full((m.QUANTILES, 2), np.nan, dtype=np.float32),
        spectrum=np.zeros((0, 2), dtype=np.float32),
        autocorrelation_map=np.full((33, 33), np.nan, dtype=np.float32),
    )
