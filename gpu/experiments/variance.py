"""variance: does warped noise keep variance 1? Over all fractions of a pixel, and pixel by pixel on deformations.

Many draws of the same warp (seeds × channels) give the variance of each single pixel. Theory of interpolated priors is the sum
of their squared weights at the place of the first frame that a pixel's noise is carried from; of all others it is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from gpu.engine.clip import opened
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
    Panel,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
    cells,
)
from gpu.experiments.kit.progress import within
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import KEPT, PRIORS
from gpu.priors.kit.interpolation import BICUBIC_A
from gpu.session import NoiseSettings, PriorSettings, SourceSettings
from gpu.source.deformations import DEFORMATIONS

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FAILS = 1e-3
"""Probability that one comparison of all pixels (or of all shifts) with a true theory fails (Bonferroni)."""

CHANNELS = 128
FRACTIONS = 8  # shifts are multiples of 1/8 px
EDGE = 2.0  # pixels: nearer to the border interpolation lacks some of its taps


@dataclass(frozen=True)
class Measured:
    """Second moments of one prior in frame t over n draws: `squares` (P,) of each pixel, `draws` (n,) mean squares of each draw
    over the compared pixels, `neighbours` (n,) mean products of pixels side by side; `compared` (P,) whether theory applies."""

    squares: F64
    draws: F64
    neighbours: F64
    theory: F64
    compared: Mask

    @property
    def n(self) -> int:
        """Draws."""
        return len(self.draws)

    def variance(self, confidence: float = intervals.CONFIDENCE) -> Interval:
        """Mean variance of the compared pixels: draws are independent, pixels of interpolated noise are not."""
        return intervals.mean(self.draws, confidence)

    def agreement(self) -> tuple[float, float]:
        """The p-value of the pixel that deviates most from theory (chi-squared, n degrees: the mean is known to be 0) times the
        number of pixels, and its variance over theory."""
        share = self.squares[self.compared] / self.theory[self.compared]
        p = 2 * np.minimum(stats.chi2.cdf(share * self.n, self.n), stats.chi2.sf(share * self.n, self.n))
        worst = int(np.argmin(p))
        return min(1.0, float(p[worst]) * p.size), float(share[worst])


def _linear(d: F64) -> F64:
    return np.asarray(np.clip(1 - np.abs(d), 0, None))


def _keys(d: F64) -> F64:
    """Keys' cubic kernel (1981) with the parameter that PyTorch and OpenCV use."""
    x, a = np.abs(d), BICUBIC_A
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.asarray(np.where(x <= 1, near, np.where(x < 2, far, 0)))


KERNELS: dict[str, Callable[[F64], F64]] = {"bilinear": _linear, "bicubic": _keys}


def theory(prior: str, places: F64) -> F64:
    """(P,) variance of independent standard normals interpolated at absolute `places` (P, 2): the sum of squared weights."""
    if prior not in KERNELS:
        return np.ones(len(places))
    fraction = places - 0.5 - np.floor(places - 0.5)
    taps = np.arange(-1, 3)
    weights = KERNELS[prior](fraction[..., None] - taps)
    return np.asarray(np.square(weights).sum(-1).prod(-1))


def warping_priors() -> list[str]:
    """Priors that carry noise along the motion, anchored where they can be."""
    return [name for name, prior in PRIORS.items() if prior.info.modes]


def measure(
    source: SourceSettings, priors: list[str], t: int, count: int, seed: int
) -> Generator[Update, None, dict[str, Measured]]:
    """Second moments of every prior in frame t over `count` draws, CHANNELS of one seed at a time."""
    rounds = -(-count // CHANNELS)
    with opened(source, "torch") as clip:
        height, width = clip.source.height, clip.source.width
        places = clip.transport().track(t).position.reshape(-1, 2).double().numpy()
        inside = ((places >= EDGE) & (places <= np.array([width, height]) - EDGE)).all(-1)
        sums = {prior: np.zeros(height * width) for prior in priors}
        draws: dict[str, list[F64]] = {prior: [] for prior in priors}
        beside: dict[str, list[F64]] = {prior: [] for prior in priors}
        carried = {prior: np.ones(height * width, dtype=bool) for prior in priors}
        for number in range(rounds):
            for index, prior in enumerate(priors):
                yield Update(
                    number * len(priors) + index, rounds * len(priors), f"{prior}, {number * CHANNELS:,} draws"
                )
                frame = clip.start(PriorSettings(prior), NoiseSettings(channels=CHANNELS, seed=seed + number)).frame(t)
                noise = frame.noise.double().numpy()
                if prior in KERNELS:
                    carried[prior] = (frame.state.numpy().ravel() == KEPT) & inside
                flat = noise.reshape(CHANNELS, -1)
                sums[prior] += np.square(flat).sum(0)
                draws[prior].append(np.square(flat[:, carried[prior]]).mean(1))
                pairs = carried[prior].reshape(height, width)
                both = pairs[:, 1:] & pairs[:, :-1]
                beside[prior].append((noise[:, :, 1:] * noise[:, :, :-1])[:, both].mean(1))
            clip.forget_transports()  # a seed is not asked for again
    return {
        prior: Measured(
            sums[prior] / (rounds * CHANNELS), np.concatenate(draws[prior]), np.concatenate(beside[prior]),
            theory(prior, places), carried[prior],
        )
        for prior in priors
    }  # fmt: skip


def shifted(size: int, dx: float, dy: float) -> SourceSettings:
    """A translation by less than a pixel."""
    return SourceSettings(
        "synthetic", name="translation", parameters={"dx": dx, "dy": dy}, height=size, width=size, frames=2
    )


def run(settings: Settings) -> Steps:
    """First all fractions of a pixel, along one axis and along both, then the deformations."""
    size, count, t = settings.whole("size"), settings.whole("draws"), settings.whole("frame")
    priors = settings.names("priors", PRIORS) or warping_priors()
    names = settings.names("deformations", DEFORMATIONS, least=1)
    steps = [(n / FRACTIONS, 0.0) for n in range(FRACTIONS + 1)] + [(n / FRACTIONS,) * 2 for n in range(1, FRACTIONS)]
    total = len(steps) + 2 * len(names)  # a deformation takes longer than a shift
    shifts: dict[tuple[float, float], dict[str, Measured]] = {}
    for number, (dx, dy) in enumerate(steps):
        work = measure(shifted(size, dx, dy), priors, 1, settings.whole("shift_draws"), settings.seed)
        shifts[dx, dy] = yield from within(work, number, total, f"shift {dx:g}, {dy:g}: ")
    warps: dict[str, dict[str, Measured]] = {}
    for number, name in enumerate(names):
        source = SourceSettings("synthetic", name=name, height=size, width=size, frames=t + 1)
        work = measure(source, priors, t, count, settings.seed)
        warps[name] = yield from within(work, len(steps) // 2 + number, total // 2, f"{name}: ")
    return _outcome(shifts, warps, priors, size, t)


def _outcome(
    shifts: dict[tuple[float, float], dict[str, Measured]],
    warps: dict[str, dict[str, Measured]],
    priors: list[str],
    size: int,
    t: int,
) -> Outcome:
    rows: list[Row] = []
    for name, by_prior in [
        *((f"shift ({dx:g}, {dy:g})", by_prior) for (dx, dy), by_prior in shifts.items()),
        *warps.items(),
    ]:
        for prior in priors:
            pixels = by_prior[prior]
            p, worst = pixels.agreement()
            rows.append(
                {
                    "warp": name, "prior": prior, **cells("variance", pixels.variance()),
                    "theory": float(pixels.theory[pixels.compared].mean()), "p": p, "worst": worst,
                    **cells("neighbours", intervals.mean(pixels.neighbours)),
                    "pixels": int(pixels.compared.sum()), "n": pixels.n,
                }
            )  # fmt: skip
    columns = (
        Column("warp", "Warp"), Column("prior", "Prior"), Column("variance", "mean variance", form=".3f"),
        Column("theory", "theory", form=".3f"),
        Column("worst", "farthest pixel", "/ theory", form=".3f", tip="Variance over theory of the pixel that deviates most"),
        Column("p", "p, all pixels", form=".3f", tip="p-value of that pixel times the number of pixels"),
        Column("neighbours", "covariance of neighbours", form=".3f"), Column("pixels", "pixels"), Column("n", "draws"),
    )  # fmt: skip
    table = Table(
        "variance", "Variance of warped noise", tuple(rows), columns,
        "Means over pixels with 95 % over draws. Of bilinear and bicubic only pixels are compared that were seen in the first "
        "frame, all taps inside it; of all others every pixel, fresh ones too.",
    )  # fmt: skip
    claims = _claims(shifts, warps, priors)
    half = shifts[0.5, 0.0]
    parts = [f"{prior} {half[prior].variance().value:.3f}" for prior in priors]
    summary = (
        f"Half a pixel aside, variances are: {', '.join(parts)}. On {_counted(warps)} ∫-noise's mean variance lies "
        f"between {_ends(warps, 'integral')}, bilinear's between {_ends(warps, 'bilinear')}."
    )
    return Outcome(summary, (table,), (_curves(shifts, priors), *_maps(warps, priors, size, t)), claims)


def _counted(warps: Mapping[str, object]) -> str:
    return f"{len(warps)} deformation{'s' if len(warps) != 1 else ''}"


def _ends(warps: dict[str, dict[str, Measured]], prior: str) -> str:
    values = [by_prior[prior].variance().value for by_prior in warps.values() if prior in by_prior]
    return f"{min(values):.3f} and {max(values):.3f}" if values else "– and –"


def _claims(
    shifts: dict[tuple[float, float], dict[str, Measured]], warps: dict[str, dict[str, Measured]], priors: list[str]
) -> tuple[Claim, ...]:
    claims = []
    exact = intervals.joint(1 - FAILS, len(shifts))
    if "integral" in priors:
        variances = [by_prior["integral"].variance(exact) for by_prior in shifts.values()]
        worst = max(variances, key=lambda variance: abs(variance.value - 1) / (variance.high - variance.low))
        claims.append(
            Claim("∫-noise has variance 1 at every shift: the one that is farthest off", worst,
                  f"1 inside the interval at each of {len(variances)} shifts, together {100 * (1 - FAILS):g} %",
                  all(1 in variance for variance in variances), form=".4f", answers="variance")
        )  # fmt: skip
    if "bilinear" in priors:
        for place, left in (((0.5, 0.0), 0.5), ((0.5, 0.5), 0.25)):
            value = shifts[place]["bilinear"].variance(1 - FAILS)
            where = "along one axis" if place[1] == 0 else "along both axes"
            claims.append(
                Claim(f"Bilinear keeps {left:g} of the variance half a pixel aside {where}", value,
                      f"{left:g} inside the interval", left in value, form=".4f", answers="variance")
            )  # fmt: skip
    for prior in priors:
        what = "Σ w² of the place it is carried from" if prior in KERNELS else "1"
        label = "∫-noise" if prior == "integral" else prior
        each = {name: by_prior[prior].agreement() for name, by_prior in warps.items()}
        if not each:
            continue
        name = min(each, key=lambda warp: each[warp][0])
        p, n = min(1.0, each[name][0] * len(each)), warps[name][prior].n
        pixels = sum(int(by_prior[prior].compared.sum()) for by_prior in warps.values())
        claims.append(
            Claim(f"Every pixel of {label} on {_counted(each)} has variance {what}", p,
                  f"p ≥ {FAILS:g}, all {pixels:,} pixels together", p >= FAILS,
                  note=f"The farthest pixel, on {name}, has {each[name][1]:.3f} of it, over {n:,} draws.",
                  answers="variance" if prior in ("integral", "bilinear") else "")
        )  # fmt: skip
    return tuple(claims)


def _curves(shifts: dict[tuple[float, float], dict[str, Measured]], priors: list[str]) -> Figure:
    fine = np.linspace(0, 1, 129)
    panels = []
    for title, diagonal in (("Along one axis", False), ("Along both axes", True)):
        places = [at for at in shifts if (at[0] == at[1] if diagonal else at[1] == 0) or at in ((0.0, 0.0), (1.0, 0.0))]
        places.sort()
        x = [at[0] for at in places]
        series = []
        for prior in priors:
            variances = [shifts[at][prior].variance() for at in places]
            series.append(
                Line(
                    prior,
                    x,
                    [variance.value for variance in variances],
                    [variance.low for variance in variances],
                    [variance.high for variance in variances],
                    prior,
                    kind="points" if prior in KERNELS else "line",
                )
            )
        for kernel in KERNELS:
            if kernel in priors:
                at = np.stack([fine + 8.5, (fine if diagonal else 0 * fine) + 8.5], -1)
                label = (
                    f"theory, {', '.join(k for k in KERNELS if k in priors)}" if kernel == next(iter(KERNELS)) else ""
                )
                series.append(Line(label or "_", fine, theory(kernel, at), kind="theory"))
        panels.append(Plot(title, Axis("shift α", "px"), Axis("variance", low=0, high=1.3), tuple(series)))
    some = next(iter(shifts.values()))[priors[0]]
    return Figure(
        "shifts", "Variance over the shift", tuple(panels),
        f"n = {some.n:,} draws a point; bands: 95 %.",
        "Interpolation averages, so its variance depends on where between pixels it reads; ∫-noise's does not.",
    )  # fmt: skip


def _maps(warps: dict[str, dict[str, Measured]], priors: list[str], size: int, t: int) -> list[Figure]:
    shown = [prior for prior in ("bilinear", "integral") if prior in priors]
    figures = []
    for name, by_prior in warps.items():
        panels: list[Panel] = []
        x, y = Axis("x", "px"), Axis("y", "px")
        for prior in shown:
            pixels = by_prior[prior]
            label = "∫-noise" if prior == "integral" else "Bilinear"
            panels.append(Matrix(f"{label}: variance", pixels.squares.reshape(size, size), x, y, "variance", 0, 1.6))
            if prior in KERNELS:
                theory_there = np.where(pixels.compared, pixels.theory, np.nan).reshape(size, size)
                panels.append(Matrix(f"{label}: theory", theory_there, x, y, "Σ w²", 0, 1.6))
        n = by_prior[shown[0]].n if shown else 0
        figures.append(
            Figure(f"map-{name}", f"Variance of every pixel: {name}, frame {t}", tuple(panels), f"n = {n:,} draws a pixel.",
                   "Bilinear's variance shows where pixels fall between those of the first frame; fresh pixels have 1.",
                   columns=3)
        )  # fmt: skip
    return [figure for figure in figures if figure.panels]


EXPERIMENTS.add("variance", order=20)(
    Experiment(
        title="Variance of every pixel",
        about="Measures the variance of warped noise over all fractions of a pixel, and of every single pixel on deformations.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 24, 12, 128, 4, "px", "Rows and columns of the frames."),
            ParameterInfo("frame", "Frame", 4, 1, 100, 1, "", "The frame of the deformations that is measured."),
            ParameterInfo(
                "draws", "Draws", 512, 128, 100_000, 128, "", "Draws of each deformation (seeds × channels)."
            ),
            ParameterInfo("shift_draws", "Draws of shifts", 128, 128, 100_000, 128, "", "Draws of each shift."),
            ParameterInfo(
                "deformations", "Deformations", tip="Names with commas.", text="rotation-zoom,swirl,wave,layers"
            ),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all that follow motion.", empty=True),
        ),
        quick={"size": 12, "draws": 128, "deformations": "rotation-zoom", "priors": "bilinear,integral"},
    )
)
