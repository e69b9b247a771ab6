"""covariance: own and cross-covariances of warped noise, pixel by pixel, empirical beside theoretical.

The covariance figure of Chang et al. 2024 (arXiv 2504.03072, Section 3): a small grid is translated by a fraction of a pixel.
Theory of bilinear interpolation are its weights; theory of ∫-noise is who owns which sub-pixels: a target pixel that owns
n_q sub-pixels of the anchor's pixel q, n in all, has Cov(G, x_q) = n_q / sqrt(N_k n), and as nobody shares a sub-pixel, its
own covariance is the identity.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from gpu.engine.clip import Clip, opened
from gpu.errors import SessionError
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Claim,
    Column,
    Experiment,
    Figure,
    Histogram,
    Line,
    Matrix,
    Outcome,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
)
from gpu.experiments.kit.progress import within
from gpu.metrics.covariance import Agreement, agreement
from gpu.noise.states import NEW
from gpu.parameters import ParameterInfo
from gpu.session import NoiseSettings, PriorSettings, SourceSettings

F64 = npt.NDArray[np.float64]

FAILS = 1e-3
"""Probability that one comparison of all entries with a true theory fails (Bonferroni over its entries)."""

CHANNELS = 128  # draws of one seed: channels are independent
PRIORS = ("bilinear", "integral")
KINDS = {"cross": "with the first frame", "own": "among themselves"}
EDGES = np.linspace(-5, 5, 51)


@dataclass(frozen=True)
class Theory:
    """Covariances (P, P) of the warped frame's pixels: `cross` with the anchor's pixels, `own` among themselves."""

    cross: F64
    own: F64


def bilinear_theory(size: int, dx: float, dy: float) -> Theory:
    """Weights of bilinear interpolation at p − (dx, dy) on a size × size grid; what comes from outside is fresh noise.

    Nearer than half a pixel to the border the place is moved to the border's centres (gpu.priors.kit.interpolation).
    """

    def axis(shift: float) -> tuple[F64, npt.NDArray[np.bool_]]:
        at = np.arange(size) + 0.5 - shift
        seen = (at >= 0) & (at <= size)
        place = np.clip(at - 0.5, 0, size - 1)
        left = np.floor(place).astype(int)
        weights = np.zeros((size, size))
        weights[np.arange(size), left] += 1 - (place - left)
        weights[np.arange(size), np.minimum(left + 1, size - 1)] += place - left
        return weights, seen

    (across, seen_x), (down, seen_y) = axis(dx), axis(dy)
    seen = np.outer(seen_y, seen_x).ravel()
    weights = np.asarray(
        np.kron(down, across) * seen[:, None], np.float64
    )  # row (i, j) from (i', j'): pixels are numbered row by row
    return Theory(weights, weights @ weights.T + np.diag((~seen).astype(float)))


def area_theory(size: int, dx: float, dy: float) -> Theory:
    """∫-noise in the limit of k: Cov(G_p, x_q) = |A_p ∩ Q_q| / sqrt|A_p|, A_p being the part of p − (dx, dy) in the frame."""

    def axis(shift: float) -> tuple[F64, npt.NDArray[np.bool_]]:
        at, seat = np.arange(size)[:, None] - shift, np.arange(size)[None, :]
        overlap = np.clip(np.minimum(at + 1, seat + 1) - np.maximum(at, seat), 0, None)
        centre = at[:, 0] + 0.5
        return overlap, (centre >= 0) & (centre <= size)

    (across, seen_x), (down, seen_y) = axis(dx), axis(dy)
    seen = np.outer(seen_y, seen_x).ravel()
    shared = np.kron(down, across) * seen[:, None]
    return Theory(shared / np.sqrt(np.maximum(shared.sum(1, keepdims=True), 1e-12)), np.eye(size * size))


def ownership_theory(clip: Clip, seed: int, k: int, s: int) -> Theory:
    """What the sub-pixels that each pixel of frame 1 owns say of its covariances; all counted, none computed."""
    size, n = clip.source.height, 1 << k
    transport = clip.transport(NoiseSettings(k, s, seed=seed))
    cross = np.zeros((size * size, size * size))
    owners: dict[tuple[int, int], int] = {}
    own = np.eye(size * size)
    for pixel in range(size * size):
        y, x = divmod(pixel, size)
        inspection = transport.inspect(1, x, y, 1)
        if inspection.state == NEW or inspection.footprint is None:
            continue
        places = inspection.footprint.subpixels
        columns, rows = places[:, 0] // n, places[:, 1] // n
        counted = np.bincount(rows * size + columns, minlength=size * size)
        cross[pixel] = counted / np.sqrt(n * n * len(places))
        for place in map(tuple, places.tolist()):
            other = owners.setdefault((place[0], place[1]), pixel)
            if other != pixel:  # it does not happen; were it to, theory would say so
                own[pixel, other] = own[other, pixel] = own[pixel, other] + 1 / len(places)
    return Theory(cross, own)


def draws(clip: Clip, count: int, seed: int, k: int, s: int) -> Generator[Update, None, tuple[F64, dict[str, F64]]]:
    """(n, P) values of frame 0's pixels and, by prior, of frame 1's: n ≥ `count` draws, CHANNELS of one seed at a time."""
    rounds = -(-count // CHANNELS)
    first: list[F64] = []
    warped: dict[str, list[F64]] = {prior: [] for prior in PRIORS}
    for number in range(rounds):
        yield Update(number, rounds, f"draw {number * CHANNELS:,}")
        for prior in PRIORS:
            run = clip.start(PriorSettings(prior), NoiseSettings(k, s, CHANNELS, seed + number))
            if prior == PRIORS[0]:
                first.append(run.frame(0).noise.reshape(CHANNELS, -1).double().numpy())
            warped[prior].append(run.frame(1).noise.reshape(CHANNELS, -1).double().numpy())
        clip.forget_transports()  # a seed is not asked for again
    return np.concatenate(first), {prior: np.concatenate(parts) for prior, parts in warped.items()}


def shifts_of(settings: Settings) -> list[tuple[float, float]]:
    """The parameter `shifts`: dx/dy pairs; SessionError where one is not."""
    pairs = []
    for part in settings.names("shifts"):
        numbers = part.split("/")
        try:
            dx, dy = (float(number) for number in numbers)
        except ValueError:
            raise SessionError(f"shifts must be pairs like 3.6/0 with commas between them, not {part!r}.") from None
        pairs.append((dx, dy))
    if not pairs:
        raise SessionError("shifts must hold at least one pair like 3.6/0.")
    return pairs


def run(settings: Settings) -> Steps:
    """All shifts, both priors, both kinds of covariance."""
    size, count = settings.whole("size"), settings.whole("draws")
    k, s = settings.whole("k"), settings.whole("s")
    shifts = shifts_of(settings)
    rows: list[Row] = []
    figures: list[Figure] = []
    claims: list[Claim] = []
    scores: dict[str, list[F64]] = {prior: [] for prior in PRIORS}
    for number, (dx, dy) in enumerate(shifts):
        source = SourceSettings(
            "synthetic", name="translation", parameters={"dx": dx, "dy": dy}, height=size, width=size, frames=2
        )
        with opened(source, "torch") as clip:
            first, warped = yield from within(
                draws(clip, count, settings.seed, k, s), number, len(shifts), f"{_shift((dx, dy))}, "
            )
            theories = {
                "bilinear": bilinear_theory(size, dx, dy),
                "integral": ownership_theory(clip, settings.seed, k, s),
            }
        limit = area_theory(size, dx, dy)
        coarse = float(np.abs(theories["integral"].cross - limit.cross).max())
        agreements: dict[tuple[str, str], Agreement] = {}
        for prior, theory in theories.items():
            variance = np.diag(theory.own)
            agreements[prior, "cross"] = agreement(
                warped[prior], first, theory.cross, variance, np.ones_like(variance), False
            )
            agreements[prior, "own"] = agreement(warped[prior], warped[prior], theory.own, variance, variance, True)
            scores[prior] += [
                agreed.z[np.triu_indices(len(agreed.z))]
                for agreed in (agreements[prior, "cross"], agreements[prior, "own"])
            ]
        for (prior, kind), agreed in agreements.items():
            rows.append(_row((dx, dy), prior, kind, agreed, len(first)))
            claims.append(_claim((dx, dy), prior, kind, agreed))
        claims.append(
            Claim(
                f"Moved by {_shift((dx, dy))} px: largest difference of ∫-noise's theory from exact areas, k = {k}", coarse,
                f"≤ {2 / (1 << k):g} (a sub-pixel's width on two sides)", coarse <= 2 / (1 << k), answers="whiteness",
            )
        )  # fmt: skip
        figures += [_matrices((dx, dy), kind, agreements, len(first)) for kind in KINDS]
    n = -(-count // CHANNELS) * CHANNELS
    figures.append(_scores(scores, n))
    held = sum(claim.holds is True for claim in claims)
    tested = [claim for claim in claims if claim.text.startswith("Covariances")]
    summary = (
        f"{sum(claim.holds is True for claim in tested)} of {len(tested)} matrices agree with theory in every entry, at a "
        f"probability of {FAILS:g} that a true theory fails; {n:,} draws of {size} × {size} pixels."
    )
    facts = {"probability of failure of each comparison": FAILS, "claims that hold": held}
    return Outcome(summary, (_table(rows),), tuple(figures), tuple(claims), facts=facts)


def _shift(shift: tuple[float, float]) -> str:
    return f"({shift[0]:g}, {shift[1]:g})".replace("-", "−")


def _row(shift: tuple[float, float], prior: str, kind: str, agreed: Agreement, n: int) -> Row:
    away = agreed.theory - np.diag(np.diag(agreed.theory))
    return {
        "shift": _shift(shift), "prior": prior, "covariance": KINDS[kind], "entries": agreed.entries,
        "largest_z": agreed.worst, "p": agreed.p, "agrees": agreed.p >= FAILS,
        "mean_variance": float(np.diag(agreed.empirical).mean())
        if kind == "own" else None, "neighbours": float(np.abs(away).max()) if kind == "own" else None, "n": n,
    }  # fmt: skip


def _claim(shift: tuple[float, float], prior: str, kind: str, agreed: Agreement) -> Claim:
    name = "∫-noise" if prior == "integral" else prior
    return Claim(
        f"Covariances {KINDS[kind]} agree with theory: {name}, moved by {_shift(shift)} px",
        agreed.p,
        f"p ≥ {FAILS:g}, all {agreed.entries:,} entries together",
        agreed.p >= FAILS,
        note=f"p of the entry that is farthest off ({agreed.worst:.2f} standard errors), times the number of entries",
        answers="whiteness" if kind == "own" and prior == "integral" else "",
    )


def _table(rows: list[Row]) -> Table:
    columns = (
        Column("shift", "moved by", "px"), Column("prior", "Prior"), Column("covariance", "covariance"),
        Column("entries", "entries"), Column("largest_z", "largest deviation", "standard errors"),
        Column("p", "p, all entries", form=".3f"), Column("agrees", "agrees"),
        Column("mean_variance", "mean variance", form=".3f"),
        Column("neighbours", "largest covariance of two pixels, theory", form=".3f"), Column("n", "draws"),
    )  # fmt: skip
    return Table("covariance", "Empirical against theoretical covariances", tuple(rows), columns,
                 "Symmetric matrices are counted once. Fresh pixels, which came into view, count as well.")  # fmt: skip


def _matrices(shift: tuple[float, float], kind: str, agreements: dict[tuple[str, str], Agreement], n: int) -> Figure:
    panels = []
    y = Axis("pixel of frame 1, row by row")
    x = Axis("pixel of frame 0, row by row" if kind == "cross" else y.label)
    for prior in PRIORS:
        agreed = agreements[prior, kind]
        name = "∫-noise" if prior == "integral" else "Bilinear"
        panels += [
            Matrix(f"{name}: empirical", agreed.empirical, x, y, "covariance", -1, 1, diverging=True),
            Matrix(f"{name}: theory", agreed.theory, x, y, "covariance", -1, 1, diverging=True),
            Matrix(f"{name}: deviation", agreed.z, x, y, "standard errors", -5, 5, diverging=True),
        ]
    caption = (
        "Each warped pixel shares noise with the pixels that it covers: beside the diagonal by the shift. Rows without any "
        "came into view." if kind == "cross" else "Interpolation leaves less than 1 on the diagonal and ties neighbours "
        "together; ∫-noise has 1 on the diagonal and nothing beside it."
    )  # fmt: skip
    size = round(len(agreements[PRIORS[0], kind].z) ** 0.5)
    return Figure(
        f"{kind}-{shift[0]:g}-{shift[1]:g}".replace(".", "_"),
        f"Covariances {KINDS[kind]}, moved by {_shift(shift)} px", tuple(panels),
        f"n = {n:,} draws of {size} × {size} pixels.", caption, columns=3,
    )  # fmt: skip


def _scores(scores: dict[str, list[F64]], n: int) -> Figure:
    x = np.linspace(-5, 5, 201)
    series = tuple(
        Histogram("∫-noise" if prior == "integral" else prior, EDGES,
                  np.histogram(np.concatenate(parts), EDGES, density=True)[0], prior)
        for prior, parts in scores.items()
    )  # fmt: skip
    many = sum(len(part) for part in scores[PRIORS[0]])
    normal = Line("N(0, 1)", x, stats.norm.pdf(x), kind="theory")
    return Figure(
        "deviations", "Deviations of all entries from theory",
        (Plot("", Axis("deviation", "standard errors"), Axis("density", low=0), (*series, normal)),),
        f"n = {many:,} entries a prior, each of {n:,} draws; entries share pixels, so they are not independent.",
        "If theory is right, deviations are standard normal.",
    )  # fmt: skip


EXPERIMENTS.add("covariance", order=40)(
    Experiment(
        title="Covariances, empirical beside theoretical",
        about="Translates a small grid of noise by fractions of a pixel, and compares all covariances of its pixels with "
        "what the weights of interpolation and the ownership of sub-pixels say.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 7, 3, 16, 1, "px", "Rows and columns of the grid."),
            ParameterInfo("shifts", "Shifts", tip="Translations dx/dy in pixels, with commas.", text="3.6/0,1.3/-0.75"),
            ParameterInfo("draws", "Draws", 4096, 512, 1_000_000, 128, "", "Draws of the whole grid."),
            ParameterInfo("k", "k", 3, 0, 6, 1, "", "Level of the sub-pixels."),
            ParameterInfo("s", "s", 4, 1, 32, 1, "", "Contour segments a side."),
        ),
        quick={"size": 6, "draws": 512},
    )
)  # fmt: skip
