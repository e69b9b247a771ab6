"""Lesson 4: covariances of warped noise with its anchor frame and with itself, measured beside theory (the paper's figure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import covariances, motions
from app.lessons.compute.covariances import BILINEAR_RULE, CHUNK, OVERLAPPING, OWNED, Covariance, Warped
from app.lessons.compute.draw_statistics import NORMAL
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.matrices import bars, matrix, owners, scale, squares
from app.lessons.compute.scene import DOTTED, Band, Bars, Curve, Fact, Image, Item, Outlines, Panel, Points, Scene, Text
from app.lessons.models import LESSONS
from gpu.metrics.covariance import Deviation
from gpu.parameters import ParameterInfo, choice
from gpu.priors import PRIORS

ROW = 12  # pixels of the row
GRID = (4, 8)  # rows and columns of the grid
ROW_CHUNKS, GRID_CHUNKS, PRIOR_CHUNKS = 20, 8, 12
ROW_RULES, GRID_RULES = (BILINEAR_RULE, OWNED), (OWNED, OVERLAPPING, BILINEAR_RULE)
NAMES = {BILINEAR_RULE: "bilinear", OWNED: "∫-noise"}
TITLES = {BILINEAR_RULE: "Bilinear", OWNED: "∫-noise", OVERLAPPING: "Each outline for itself"}
SHORT = {BILINEAR_RULE: "bilinear", OWNED: "one owner", OVERLAPPING: "each for itself"}
STRIP = 1.85  # where the second row of the strip begins: its title fits above it, also in a narrow panel
SIDE = {BILINEAR_RULE: -0.18, OWNED: 0.18}  # of a pixel's place, where its bar stands


@lru_cache(maxsize=128)
def row(shift: float) -> Warped:
    """A row of ROW pixels, moved to the right by `shift` pixels."""
    return covariances.warp(1, ROW, lambda at: at - torch.tensor([shift, 0.0]))


@lru_cache(maxsize=128)
def grid(motion: str, amount: float) -> Warped:
    """A grid of pixels under one of MOTIONS; amount 0 leaves it as it is."""
    return covariances.warp(*GRID, MOTIONS[motion](amount))


def _turn(amount: float) -> covariances.Places:
    angle = torch.tensor(amount * torch.pi / 4)
    matrix = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])])
    return lambda at: MIDDLE + (at - MIDDLE) @ matrix.T


def _zoom(amount: float) -> covariances.Places:
    return lambda at: MIDDLE + (at - MIDDLE) / (1 + 1.5 * amount)


def _fold(amount: float) -> covariances.Places:
    """x - a d exp(-(d / 2)^2), d from the middle: turns back on itself from a = 1 on."""

    def places(at: torch.Tensor) -> torch.Tensor:
        d = at[..., 0] - MIDDLE[0]
        return torch.stack([at[..., 0] - 1.8 * amount * d * torch.exp(-((d / 2) ** 2)), at[..., 1]], -1)

    return places


MIDDLE = torch.tensor([GRID[1] / 2, GRID[0] / 2])
MOTIONS: dict[str, Callable[[float], covariances.Places]] = {"fold": _fold, "turn": _turn, "zoom": _zoom}


def shares(settings: Settings) -> Iterator[Scene]:
    """Which sub-pixels of the row every warped pixel owns, and what covariance with the anchor frame follows."""
    shift, pixel, seed = number(settings, "shift"), whole(settings, "pixel"), whole(settings, "seed")
    warped = row(shift)
    count, new = covariances.shares(warped)[:, pixel], bool(warped.fresh[pixel])
    theories = {rule: covariances.theory(warped, rule).cross[:, pixel] for rule in ROW_RULES}
    strip = Panel(
        "strip", f"Frame 1 is frame 0, moved to the right by {shift:.1f} px", _strip(warped, pixel, seed),
        range_x=(-0.1, ROW + 0.1), range_y=(-0.8, STRIP + 1.1), square=True,
        tip="Sub-pixels of frame 0 and who owns them in frame 1",
    )  # fmt: skip
    column = Panel(
        "column", f"Covariance of pixel {pixel} of frame 1 with the pixels of frame 0",
        tuple(
            bars(np.arange(ROW) + SIDE[rule], theories[rule].numpy(), rule, f"{NAMES[rule]}, theory") for rule in ROW_RULES
        ),
        "pixel of frame 0", "covariance", (-0.6, ROW - 0.4), (0, 1.08),
        tip="Covariances of one warped pixel with the pixels of the anchor frame",
    )  # fmt: skip
    sources = " + ".join(f"{int(count[q])} of pixel {q}" for q in torch.nonzero(count)[:, 0].tolist())
    yield Scene(
        ((strip,), (column,)),
        (
            Fact("Sub-pixels it owns", f"{int(count.sum())}", sources or "it came into view"),
            Fact("Largest, bilinear", f"{float(theories[BILINEAR_RULE].max()):.3f}", "its largest weight", "bilinear"),
            Fact("Largest, ∫-noise", f"{float(theories[OWNED].max()):.3f}", "count / √(64 · owned)", "integral"),
        ),
        f"Pixel {pixel} came into view: frame 0 has nothing to give, so its noise is new."
        if new
        else f"Pixel {pixel} of frame 1 lies over its sources. What two areas share is their covariance.",
        heights=(1.05, 1.0),
    )  # fmt: skip


def _strip(warped: Warped, pixel: int, seed: int) -> tuple[Item, ...]:
    """The row of frame 0 as noise, and below it in the colours of its owners."""
    _, fine, _ = covariances.draws(seed, 0, 1, ROW)
    n, low = 1 << covariances.LEVEL, STRIP
    outlines = [outline.numpy() + np.array([0, low]) for outline in warped.outlines]
    names = torch.nonzero(~warped.fresh)[:, 0].tolist()
    return (
        Image(fine[0].view(n, ROW * n).numpy() * n, (0, 0, ROW, 1)),
        Outlines(squares(ROW, 1), "border"),
        Image(owners(warped), (0, low, ROW, 1)),
        Outlines(squares(ROW, 1, low), "border"),
        Outlines(tuple(outline for outline, name in zip(outlines, names) if name == pixel), "text", width=2.4),
        Text(0, 0, "frame 0: twelve pixels of 64 sub-pixels", "text", 0.9, (0, 1)),
        Text(0, low, "its sub-pixels, coloured by their owner in frame 1", "text", 0.9, (0, 1)),
        *(Text(at + 0.5, 0.5, str(at), "text", 0.9, backed=True) for at in range(ROW)),
        *(
            Text(float(outline[:, 0].mean()), low + 0.5, str(name), "text", 0.9, backed=True)
            for outline, name in zip(outlines, names)
        ),
    )


def _part(covariance: Covariance, own: bool) -> torch.Tensor:
    return covariance.own if own else covariance.cross


def _matrices(settings: Settings, own: bool) -> Iterator[Scene]:
    shift, pixel, seed = number(settings, "shift"), whole(settings, "pixel"), whole(settings, "seed")
    warped = row(shift)
    expected = {rule: covariances.theory(warped, rule) for rule in ROW_RULES}
    scene: Scene | None = None
    for done, measured in enumerate(covariances.measure(warped, ROW_RULES, seed, ROW_CHUNKS), 1):
        if done in (1, ROW_CHUNKS):
            scene = _compared(expected, measured, done * CHUNK, own, pixel, done < ROW_CHUNKS)
        assert scene is not None
        yield scene  # in between the same once more: here the work can be given up


def _compared(
    expected: dict[str, Covariance], measured: dict[str, Covariance], n: int, own: bool, pixel: int, rough: bool
) -> Scene:
    """Matrices measured and by theory, and one column of them as bars."""
    other = "frame 1" if own else "frame 0"
    panels = [
        matrix(f"{rule}-{kind}", f"{TITLES[rule]}, {kind}", _part(of[rule], own), f"↓ {other}  → frame 1", 4, pixel)
        for rule in ROW_RULES
        for kind, of in (("found", measured), ("theory", expected))
    ]
    items: list[Item] = []
    for rule in ROW_RULES:
        place = np.arange(ROW) + SIDE[rule]
        items.append(bars(place, _part(expected[rule], own)[:, pixel].numpy(), rule, f"{NAMES[rule]}, theory"))
        last = rule == ROW_RULES[-1]
        items.append(
            Points(place, _part(measured[rule], own)[:, pixel].numpy(), "text", "measured" if last else "", 0.4)
        )
    profile = Panel(
        "profile", f"Column {pixel}: pixel {pixel} of frame 1 with each of {other}", tuple(items), f"pixel of {other}",
        "covariance", (-0.6, ROW - 0.4), (-0.1, 1.12),
        tip="Covariances of one warped pixel: bars by theory, points measured",
    )  # fmt: skip
    facts = []
    for rule in ROW_RULES:
        agreement = covariances.agreement(measured[rule], expected[rule], n, own)
        facts.append(
            Fact(f"Largest deviation, {NAMES[rule]}", f"{agreement.deviation:.3f}",
                 f"expected about {agreement.expected:.3f}", rule, agreement.holds)
        )  # fmt: skip
    facts.append(Fact("Draws", f"{n:,}", f"{agreement.entries} covariances each"))
    if own:
        widest = float((expected[BILINEAR_RULE].own.diagonal()).min())
        caption = (
            f"Bilinear: the diagonal is down to {widest:.2f}, and neighbours are tied together. ∫-noise: 1 on the diagonal "
            "and nothing beside it, so it is white."
        )
    else:
        apart = float((expected[BILINEAR_RULE].cross - expected[OWNED].cross).abs().max())
        caption = (
            f"With frame 0 both have the same covariances, but for {apart:.3f} that comes of whole sub-pixels: "
            "∫-noise follows the motion just as well."
        )
    return Scene(((*panels, scale(0.26)), (profile,)), tuple(facts), caption, heights=(1.0, 0.95), rough=rough)


def with_anchor(settings: Settings) -> Iterator[Scene]:
    """Cross-covariance with the anchor frame: the same for both."""
    return _matrices(settings, False)


def with_itself(settings: Settings) -> Iterator[Scene]:
    """Own covariance: the identity for ∫-noise, a band for bilinear."""
    return _matrices(settings, True)


def how_sure(settings: Settings) -> Iterator[Scene]:
    """The largest deviation from theory over the number of draws, and the deviations of single batches."""
    shift, seed = number(settings, "shift"), whole(settings, "seed")
    warped = row(shift)
    expected = {rule: covariances.theory(warped, rule) for rule in ROW_RULES}
    worst: list[float] = []
    batches: dict[str, list[torch.Tensor]] = {rule: [] for rule in ROW_RULES}
    before = {rule: torch.zeros((ROW, ROW)) for rule in ROW_RULES}
    scene: Scene | None = None
    for done, measured in enumerate(covariances.measure(warped, ROW_RULES, seed, ROW_CHUNKS), 1):
        worst.append(covariances.agreement(measured[OWNED], expected[OWNED], done * CHUNK, True).deviation)
        for rule in ROW_RULES:
            total = measured[rule].own * done
            batch = Covariance(measured[rule].cross, total - before[rule])
            batches[rule].append(covariances.scores(batch, expected[rule], CHUNK, True))
            before[rule] = total
        if done in (1, ROW_CHUNKS):
            agreement = covariances.agreement(measured[OWNED], expected[OWNED], done * CHUNK, True)
            scores = {rule: torch.cat(some).numpy() for rule, some in batches.items()}
            scene = _converged(expected[OWNED], agreement, worst, scores, done < ROW_CHUNKS)
        assert scene is not None
        yield scene


def _converged(
    expected: Covariance, latest: Deviation, worst: list[float], scores: dict[str, np.ndarray], rough: bool
) -> Scene:
    most, n = CHUNK * ROW_CHUNKS, CHUNK * len(worst)
    x = np.linspace(CHUNK, most, 77)
    low, middle, high = (
        covariances.largest_deviation(expected, 1, True, p) / np.sqrt(x) for p in (0.9995, 0.5, 0.0005)
    )
    over_n = Panel(
        "over n", "∫-noise: largest deviation from the identity",
        (
            Band(x / 1000, low, high, OWNED, "99.9 % of trials"),
            Curve(x / 1000, middle, "text", "half of all trials", 1.2, DOTTED),
            Points(np.arange(1, len(worst) + 1) * CHUNK / 1000, np.array(worst), OWNED, "measured", 0.65),
        ),
        "draws n (thousands)", "covariance", (0, most * 1.1 / 1000), (0, 0.28),
        note="Band and dotted line: what theory foresees.",
        tip="The largest deviation falls as one over the root of n",
    )  # fmt: skip
    edges = np.linspace(-4, 4, 33)
    heights = {rule: np.histogram(z, edges)[0] / (len(z) * np.diff(edges)) for rule, z in scores.items()}
    spread = Panel(
        "spread", "Deviations in standard errors",
        (NORMAL, *(Bars(edges, heights[rule], rule, NAMES[rule], False) for rule in ROW_RULES)),
        "standard errors", "density", (-4, 4), (0, 0.55),
        note=f"own covariances of batches of {CHUNK} draws; {len(scores[OWNED]):,} each",
        tip="Histogram of standardised deviations over the normal density",
    )  # fmt: skip
    facts = [
        Fact(
            "Largest, ∫-noise",
            f"{latest.deviation:.3f}",
            f"expected {latest.expected:.3f}, n = {n:,}",
            OWNED,
            latest.holds,
        )
    ]
    facts += [
        Fact(f"Spread, {NAMES[rule]}", f"{float(np.sqrt((z**2).mean())):.2f}", "standard errors; theory 1", rule)
        for rule, z in scores.items()
    ]
    return Scene(
        ((over_n, spread),), tuple(facts),
        "A wrong theory would show as a deviation that stops falling. This one falls for as long as one draws.",
        rough=rough,
    )  # fmt: skip


def one_owner(settings: Settings) -> Iterator[Scene]:
    """Any motion, with and without unique ownership: where outlines overlap, shared sub-pixels tie pixels together."""
    motion, amount, seed = str(settings["motion"]), number(settings, "amount"), whole(settings, "seed")
    warped = grid(motion, amount)
    expected = {rule: covariances.theory(warped, rule) for rule in GRID_RULES}
    scene: Scene | None = None
    for done, measured in enumerate(covariances.measure(warped, GRID_RULES, seed, GRID_CHUNKS), 1):
        if done in (1, GRID_CHUNKS):
            scene = _owned_once(warped, expected, measured, done * CHUNK, done < GRID_CHUNKS)
        assert scene is not None
        yield scene


def _owned_once(
    warped: Warped, expected: dict[str, Covariance], measured: dict[str, Covariance], n: int, rough: bool
) -> Scene:
    height, width = GRID
    twice = int((warped.covered.sum(1) > 1).sum())
    left_over = int((warped.owned.sum(1) == 0).sum())
    picture = Panel(
        "grid", "Frame 0 in the colours of its owners in frame 1",
        (
            Image(owners(warped), (0, 0, width, height)),
            Outlines(squares(width, height), "border"),
            Outlines(tuple(outline.numpy() for outline in warped.outlines), "text", width=0.9),
        ),
        range_x=(-0.1, width + 0.1), range_y=(-0.1, height + 0.1), square=True,
        note=f"lines: outlines of frame 1 · covered more than once: {twice:,} of {len(warped.owned):,} sub-pixels",
        tip="Outlines of warped pixels in frame 0, and who owns which sub-pixel",
    )  # fmt: skip
    panels = [matrix(rule, TITLES[rule], measured[rule].own, every=8) for rule in GRID_RULES]
    facts = []
    for rule in GRID_RULES:
        tied = float((measured[rule].own - torch.diag(measured[rule].own.diagonal())).abs().max())
        agreement = covariances.agreement(measured[rule], expected[rule], n, True)
        ok = None if rule == BILINEAR_RULE else tied <= agreement.bound
        note = "largest off the diagonal" if rule == BILINEAR_RULE else f"chance alone: {agreement.expected:.2f}"
        facts.append(Fact(f"Ties, {SHORT[rule]}", f"{tied:.2f}", note, "warn" if rule == OVERLAPPING else rule, ok))
    facts.append(Fact("New pixels", f"{int(warped.fresh.sum())} of {warped.pixels}", f"{left_over} sub-pixels unused"))
    if twice:
        caption = (
            "Outlines lie on top of each other. Summed each for itself, such pixels share noise and light up beside the "
            "diagonal; with one owner per sub-pixel they cannot."
        )
    else:
        caption = "No outline overlaps another, and edges go to one side only: both ways to sum agree."
    return Scene(
        ((picture,), (*panels, scale(0.26))), tuple(facts), f"{caption} n = {n:,} draws.", heights=(0.8, 1.0), rough=rough
    )  # fmt: skip


def without_subpixels(settings: Settings) -> Iterator[Scene]:
    """The program's priors that need no sub-pixels: what they share with frame 0, and with themselves."""
    shift, pixel, seed = number(settings, "shift"), whole(settings, "pixel"), whole(settings, "seed")
    names = motions.chained_priors()
    expected = covariances.theory(row(shift), OWNED)
    scene: Scene | None = None
    for done, measured in enumerate(covariances.measure_priors(names, ROW, shift, seed, PRIOR_CHUNKS), 1):
        if done in (1, PRIOR_CHUNKS):
            scene = _shared_out(expected, measured, done * CHUNK, pixel, done < PRIOR_CHUNKS)
        assert scene is not None
        yield scene


def _shared_out(
    expected: Covariance, measured: dict[str, Covariance], n: int, pixel: int, rough: bool
) -> Scene:  # fmt: skip
    titles = {name: PRIORS.get(name).info.title for name in measured}
    panels = [
        matrix(f"{name}-{kind}", titles[name], _part(covariance, kind == "own"), words, 4, pixel)
        for name, covariance in measured.items()
        for kind, words in (("cross", "with frame 0"), ("own", "with itself"))
    ]
    places = np.arange(ROW)
    side = 0.8 / (1 + len(measured))
    items: list[Item] = [
        bars(places - 0.4 + side / 2, expected.cross[:, pixel].numpy(), OWNED, f"{NAMES[OWNED]}, theory", side)
    ]
    for at, (name, covariance) in enumerate(measured.items(), 1):
        place = places - 0.4 + side * (at + 0.5)
        items.append(bars(place, covariance.cross[:, pixel].numpy(), name, f"{titles[name]}, measured", side))
    profile = Panel(
        "profile", f"Column {pixel}: pixel {pixel} of frame 1 with each of frame 0", tuple(items), "pixel of frame 0",
        "covariance", (-0.6, ROW - 0.4), (-0.1, 1.12),
        tip="Covariances of one warped pixel with frame 0: of sub-pixels by theory, of priors without any as measured",
    )  # fmt: skip
    identity = Covariance(expected.cross, torch.eye(ROW))
    facts = []
    for name, covariance in measured.items():
        agreement = covariances.agreement(covariance, identity, n, True)
        facts.append(
            Fact(f"Off white, {titles[name]}", f"{agreement.deviation:.3f}",
                 f"expected about {agreement.expected:.3f}", name, agreement.holds)
        )  # fmt: skip
    facts.append(Fact("Draws", f"{n:,}", f"{agreement.entries} covariances each"))
    return Scene(
        ((*panels, scale(0.26)), (profile,)), tuple(facts),
        "Both are white. Shares drawn at once give each pixel its areas, as if sub-pixels were endlessly fine; a pixel that "
        "jumps as a whole gives all it has to one place, wherever between two the motion leads.",
        heights=(1.0, 0.95), rough=rough,
    )  # fmt: skip


LESSONS.add("independence", order=4)(
    Lesson(
        (
            Running("shift", "Shift", 3.6, 0, 6, 0.1, "px", "How far the row moves to the right"),
            ParameterInfo("pixel", "Pixel of frame 1", 7, 0, ROW - 1, 1, "", "Whose covariances are looked at"),
            choice(
                "motion",
                "Motion",
                "fold",
                (("fold", "Fold"), ("turn", "Turn"), ("zoom", "Zoom in")),
                "How the grid moves",
            ),
            Running("amount", "Amount", 0.9, 0, 1, 0.01, "", "How far it moves"),
        ),
        (
            Step("Who holds what", shares, ("shift", "pixel"), "shift"),
            Step("With the frame it came from", with_anchor, ("shift", "pixel"), "shift"),
            Step("With itself", with_itself, ("shift", "pixel"), "shift"),
            Step("How sure can we be?", how_sure, ("shift",), "shift"),
            Step("One owner each", one_owner, ("motion", "amount"), "amount"),
            Step("Without sub-pixels", without_subpixels, ("shift", "pixel"), "shift"),
        ),
    )
)
