"""What the measures of whiteness mean, in words."""

from __future__ import annotations

import math

from gpu.metrics.whiteness_result import LEVEL, Verdict, Whiteness

FEWEST = 20
"""Fewer values than this are not judged."""

ORDER = ("variance", "moran", "autocorrelation", "spectrum", "ks", "channels", "kurtosis", "skewness", "mean")
"""Which failures the overall verdict names first: those a person can picture."""


def verdicts(w: Whiteness) -> dict[str, Verdict]:
    """One verdict per measure, from the measures and p-values of `w`; ok means p >= LEVEL."""
    return {
        "mean": _mean(w),
        "variance": _variance(w),
        "skewness": _shape(w, "skewness", w.skewness, "leans to high values", "leans to low values", math.sqrt(6)),
        "kurtosis": _shape(w, "kurtosis", w.kurtosis, "heavy tails", "light tails", math.sqrt(24)),
        "ks": _ks(w),
        "moran": _moran(w),
        "autocorrelation": _autocorrelation(w),
        "channels": _channels(w),
        "spectrum": _spectrum(w),
    }


def overall(w: Whiteness) -> Verdict:
    """The verdict on the whole: not white when any of the nine fails at LEVEL after allowing for nine tests."""
    n = w.n // w.frames
    size = f"n = {w.n}" + (f" in {w.frames} frames" if w.frames > 1 else "")
    judged = {key: p for key, p in w.p.items() if not math.isnan(p)}
    if n < FEWEST or not judged:
        return Verdict(None, f"too few values to judge ({size})")
    if w.variance == 0:
        return Verdict(False, f"not noise: {w.verdicts['variance'].text}")
    failed = [key for key in ORDER if judged.get(key, 1.0) * len(judged) < LEVEL]
    if failed:
        named = [w.verdicts[key].text for key in failed[:2]]
        more = f"; and {len(failed) - 2} more" if len(failed) > 2 else ""
        return Verdict(False, f"not white: {'; '.join(named)}{more}")
    low = min(judged, key=lambda key: judged[key])
    if judged[low] < LEVEL:
        return Verdict(
            True,
            f"white Gaussian noise ({size}); {low} at p = {judged[low]:.1g}, not rare among {len(judged)} tests",
        )
    return Verdict(True, f"white Gaussian noise ({size})")


def _ok(w: Whiteness, key: str) -> bool | None:
    p = w.p[key]
    if math.isnan(p) or w.n // w.frames < FEWEST:
        return None
    return p >= LEVEL


def _number(value: float) -> str:
    """Three significant digits, without exponents for ordinary sizes; a true minus sign."""
    text = f"{value:.3g}"
    if 1e-4 <= abs(value) < 1e5:
        text = f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _mean(w: Whiteness) -> Verdict:
    reach = 3.29 / math.sqrt(w.n / w.frames)
    ok = _ok(w, "mean")
    if ok is False:
        return Verdict(ok, f"mean {_number(w.mean)} instead of 0 (white: up to ±{_number(reach)})")
    return Verdict(ok, f"mean {_number(w.mean)} (white: up to ±{_number(reach)})")


def _variance(w: Whiteness) -> Verdict:
    if math.isnan(w.variance):
        return Verdict(None, "one value has no variance")
    if w.variance == 0:
        return Verdict(False if w.n >= FEWEST else None, "all values are the same")
    digits = 2
    while digits < 4 and 1 in (float(f"{end:.{digits}f}") for end in (w.variance_low, w.variance_high)):
        digits += 1
    ok, span = _ok(w, "variance"), f"{w.variance_low:.{digits}f}–{w.variance_high:.{digits}f}"
    if ok is False:
        while digits < 5 and float(f"{w.variance:.{digits}f}") == 1:
            digits += 1
        return Verdict(ok, f"variance {w.variance:.{digits}f} instead of 1 ({span})")
    return Verdict(ok, f"variance {w.variance:.{digits}f} (white: {span})")


def _shape(w: Whiteness, key: str, value: float, above: str, below: str, scale: float) -> Verdict:
    if math.isnan(value):
        return Verdict(None, f"no {key}: " + ("all values are the same" if w.variance == 0 else "too few values"))
    name = "excess kurtosis" if key == "kurtosis" else key
    ok, reach = _ok(w, key), 3.29 * scale / math.sqrt(w.n / w.frames)
    said = f"{name} {_number(value)} (white: up to ±{_number(reach)})"
    return Verdict(ok, f"{above if value > 0 else below}: {said}" if ok is False else said)


def _ks(w: Whiteness) -> Verdict:
    ok = _ok(w, "ks")
    said = f"Kolmogorov-Smirnov distance {_number(w.ks)}, p = {_number(w.ks_p)}, n = {w.n}"
    return Verdict(ok, f"not distributed as N(0, 1): {said}" if ok is False else said)


def _moran(w: Whiteness) -> Verdict:
    if math.isnan(w.moran):
        return Verdict(None, "no neighbours to compare" if w.variance != 0 else "all values are the same")
    ok = _ok(w, "moran")
    if ok is False:
        how = "correlate" if w.moran > 0 else "oppose each other"
        return Verdict(ok, f"neighbours {how}: Moran's I {_number(w.moran)}")
    return Verdict(ok, f"neighbours are uncorrelated: Moran's I {_number(w.moran)}, p = {_number(w.moran_p)}")


def _autocorrelation(w: Whiteness) -> Verdict:
    if math.isnan(w.autocorrelation):
        return Verdict(None, "all values of a channel are the same" if w.n >= FEWEST else "no shifts to compare")
    ok = _ok(w, "autocorrelation")
    dy, dx = w.autocorrelation_shift
    where = f"shift (x {dx}, y {dy}) px".replace("-", "\N{MINUS SIGN}")
    if ok is False:
        return Verdict(
            ok,
            f"resembles itself at {where}: correlation {_number(w.autocorrelation)}, "
            f"white stays below {_number(w.autocorrelation_limit)}",
        )
    return Verdict(
        ok,
        f"largest correlation at any shift {_number(w.autocorrelation)}, "
        f"as white noise ({_number(w.autocorrelation_expected)} expected)",
    )


def _channels(w: Whiteness) -> Verdict:
    if math.isnan(w.channel_correlation):
        return Verdict(None, "no two channels to compare")
    ok = _ok(w, "channels")
    if ok is False:
        return Verdict(
            ok,
            f"channels correlate: {_number(w.channel_correlation)}, white stays below {_number(w.channel_limit)}",
        )
    return Verdict(
        ok, f"channels are uncorrelated: {_number(w.channel_correlation)} (white: below {_number(w.channel_limit)})"
    )


def _spectrum(w: Whiteness) -> Verdict:
    frequency, share = w.spectrum_peak
    if math.isnan(frequency):
        return Verdict(None, "all values are the same" if w.variance == 0 else "the grid has too few frequencies")
    ok = _ok(w, "spectrum")
    if ok is False:
        return Verdict(ok, f"spectrum not flat: {_number(share)} times the mean power at {frequency:.2f} cycles/px")
    return Verdict(ok, f"spectrum is flat (furthest ring {_number(share)} × the mean, at {frequency:.2f} cycles/px)")
