"""Lesson 10: sub-pixels without end: what shares become as k grows, what is won by never rasterising, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.lessons.compute import limit
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.limit import CARRIED, CHANNELS, FILM, FRAMES, LEVELS, SIZE
from app.lessons.compute.scene import (
    DASHED,
    DOTTED,
    SOLID,
    Bars,
    Curve,
    Fact,
    Image,
    Item,
    Outlines,
    Panel,
    Points,
    Rule,
    Scene,
    Text,
)
from app.lessons.models import LESSONS
from gpu.noise.outlines import SNAP
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS

EXACT = "integral-exact"
PIXEL = SIZE + 1  # the one that is looked at: second row, second column
DRAWS = 24  # maps that errors are measured on
ZOOMS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
SHIFT = (0.17, -0.11)  # pixels, so that nothing falls onto a line by itself
TINT = (0, 158, 115, 200)


def finer(settings: Settings) -> Iterator[Scene]:
    """One pixel's sub-pixels at level k, and what share of each source pixel they are, beside exact areas."""
    k, angle = whole(settings, "level"), number(settings, "angle")
    track = limit.turned(angle, SHIFT)
    owner = limit.owners(track, k)
    counted, exact = limit.counted(track, k)[PIXEL].double().numpy(), limit.exact(track)[PIXEL].double().numpy()
    picture = np.zeros((*owner.shape, 4), np.uint8)
    picture[(owner == PIXEL).numpy()] = TINT
    shape = limit.outline(track, k).vertices[1, 1].double().numpy() / (SNAP << k)
    squares = [
        np.array([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], float) for y in range(SIZE) for x in range(SIZE)
    ]
    step = 2.0**-k
    fine = [
        np.array([[x, y], [x + step, y], [x + step, y + step], [x, y + step]])
        for y in np.arange(0, 3, step)
        for x in np.arange(0, 3, step)
    ]
    items: list[Item] = [Image(picture, (0, 0, SIZE, SIZE))]
    if k <= 4:
        items.append(Outlines(tuple(fine), "border", width=0.4))
    items += [Outlines(tuple(squares), "dim", width=1.2), Outlines((shape,), EXACT, width=2.0)]
    asked = np.flatnonzero((exact > 1e-6) | (counted > 0))
    items += [
        Text(source % SIZE + 0.12, source // SIZE + 0.14, str(at), backed=True)
        for at, source in enumerate(asked.tolist())
    ]
    grid = Panel(
        "grid", f"Frame 0: sub-pixels of level {k}", tuple(items), range_x=(-0.05, 3.05), range_y=(-0.05, 3.05),
        square=True, note="line: a moved pixel; filled: what it owns",
        tip="An outline and the sub-pixels it owns",
    )  # fmt: skip
    place = np.arange(len(asked))
    edges = np.arange(len(asked) + 1) - 0.5
    shares = Panel(
        "shares", "Its share of each pixel of frame 0",
        (
            Bars(edges, counted[asked], "integral", f"counted, k = {k}"),
            Points(place.astype(float), exact[asked], "text", "exact area", 0.8),
        ),
        "pixel of frame 0, by number", "share", (-0.6, max(len(asked), 3) - 0.4), (0, 1),
        tip="Shares by counting sub-pixels, and by area",
    )  # fmt: skip
    area, ratio = exact.sum(), counted.sum()
    worst = float(np.abs(counted - exact).max())
    yield Scene(
        ((grid, shares),),
        (
            Fact("|Ω| / N", f"{ratio:.4f}", f"{round(ratio * 4**k):,} of N = {4**k:,} sub-pixels", "integral"),
            Fact("Exact area", f"{area:.3f}", "of a pixel", EXACT),
            Fact("Largest share off by", f"{worst:.4f}", "counted less exact"),
        ),
        "Counting centres rounds the outline to the grid. The finer the grid, the less is left of that: shares tend to areas.",
    )


def converging(settings: Settings) -> Iterator[Scene]:
    """The error of |Omega| / N over k, and the work."""
    k, made = whole(settings, "level"), limit.converged(whole(settings, "seed"))
    while made.draws < DRAWS:
        made.add()
        yield _converged(made, k, made.draws < DRAWS)
    yield _converged(made, k, False)


def _converged(made: limit.Converged, k: int, rough: bool) -> Scene:
    levels, errors = np.array(LEVELS, float), made.rms()
    scale = float(np.exp(np.mean(np.log(np.maximum(errors, 1e-9)) + 1.5 * levels * np.log(2))))
    error = Panel(
        "error", "Error of |Ω| / N (rms)",
        (
            Curve(levels, scale * 2.0 ** (-1.5 * levels), "dim", "falls as 2^(−3k/2)", 1.2, DASHED),
            Points(levels, errors, "integral", "measured", 0.8),
            Rule(x=float(k), ink="accent"),
        ),
        "level k", "pixels² (log)", (0.7, 6.3), log_y=True,
        note=f"{made.draws} maps, turned and moved by chance; n = {4 * made.draws} pixels",
        tip="The error of counted areas over the level",
    )  # fmt: skip
    track = limit.turned(27.0, SHIFT)
    crossed = np.array([limit.crossings(track, level) for level in LEVELS])
    met = limit.meetings(track)
    work = Panel(
        "work", "What is read for one pixel",
        (
            Curve(levels, 4.0**levels, "warn", "sub-pixels, if drawn: 4^k", 1.6, SOLID),
            Curve(levels, crossed, "integral", "rows that edges cross: 2^k", 1.8),
            Curve(levels, np.full(len(levels), met), EXACT, "pixels it overlaps, exact", 1.8),
            Rule(x=float(k), ink="accent"),
        ),
        "level k", "number (log)", (0.7, 6.3), log_y=True,
        note="counted on one turned frame; shared edges once",
        tip="The work for a pixel over the level",
    )  # fmt: skip
    at = LEVELS.index(k)
    fall = errors[at - 1] / max(errors[at], 1e-9) if at else float("nan")
    return Scene(
        ((error, work),),
        (
            Fact(f"Error at k = {k}", f"{errors[at]:.4f}", "of a pixel's area", "integral"),
            Fact("Less than at k − 1 by", f"{fall:.1f} ×" if at else "–", "on average 2.8 ×"),
            Fact("Rows crossed", f"{crossed[at]:.0f}", f"drawn: {4**k:,} sub-pixels", "integral"),
            Fact("Overlaps, exact", f"{met:.1f}", "whatever k", EXACT),
        ),
        "A level more divides the error by 2.8 and doubles the crossings of edges. Exact areas have no such error, and a pixel "
        "of its own size meets four or five others.",
        rough=rough,
    )


def never_empty(settings: Settings) -> Iterator[Scene]:
    """Which share of the pixels owns nothing when the picture grows, by level."""
    angle, seed, chosen = number(settings, "angle"), whole(settings, "seed"), number(settings, "zoom")
    shares: dict[int, list[float]] = {1: [], 2: [], 3: []}
    by_area: list[float] = []
    zooms = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
    for zoom in zooms:
        for k, some in shares.items():
            none, no_area = limit.empty(zoom, k, angle, seed)
            some.append(none)
            if k == 1:
                by_area.append(no_area)
        yield _emptied(zooms, shares, by_area, chosen, len(by_area) < len(zooms))


def _emptied(
    zooms: tuple[float, ...], shares: dict[int, list[float]], by_area: list[float], chosen: float, rough: bool
) -> Scene:
    at = np.array(zooms[: len(by_area)])
    dashes = {1: DOTTED, 2: DASHED, 3: SOLID}
    last = f"{shares[3][-1]:.0%}" if len(by_area) == len(zooms) else "…"
    panel = Panel(
        "empty", "Pixels that own nothing",
        (
            *(Curve(at, np.array(some), "integral", f"k = {k}", 1.6, dashes[k]) for k, some in shares.items()),
            Curve(at, np.array(by_area), EXACT, "exact areas", 2.0),
            Points(at, np.array(by_area), EXACT, size=0.6),
            Rule(x=chosen, ink="accent"),
        ),
        "the picture has grown (times)", "share of the pixels", (1, 16), (-0.03, 1.03),
        note="Six places by chance; the line marks your zoom",
        tip="Pixels without a sub-pixel over the zoom, by level",
    )  # fmt: skip
    return Scene(
        ((panel,),),
        (
            Fact("k = 3, grown 16 times", last, "own nothing", "integral"),
            Fact("Exact areas", f"{max(by_area):.0%}", "at any zoom", EXACT),
            Fact("Holds up to about", "2^k", "times, at level k"),
        ),
        "A pixel that has shrunk below the sub-pixels hits none of their centres and starts afresh. An area is never empty.",
        rough=rough,
    )  # fmt: skip


def nothing_below(settings: Settings) -> Iterator[Scene]:
    """Frames 1 and 2 of a picture that has grown and is then held still: the same with sub-pixels, not without."""
    chosen, seed = number(settings, "zoom"), whole(settings, "seed")
    by_zoom: dict[float, dict[str, float]] = {}
    for zoom in ZOOMS:
        by_zoom[zoom] = {name: limit.held(name, zoom, seed)[0] for name in ("integral", EXACT)}
        yield _held(by_zoom, chosen, seed, len(by_zoom) < len(ZOOMS))


def _held(by_zoom: dict[float, dict[str, float]], chosen: float, seed: int, rough: bool) -> Scene:
    at, curve = np.array(list(by_zoom)), np.linspace(1, 6, 26)
    panel = Panel(
        "held", "Frame 2 beside frame 1: nothing moves between them",
        (
            Curve(curve, np.array([limit.held_theory(zoom) for zoom in curve]), "dim", "exact areas, theory", 1.2, DASHED),
            Points(at, np.array([pair["integral"] for pair in by_zoom.values()]), "integral", "∫-noise, k = 3", 0.8),
            Points(at, np.array([pair[EXACT] for pair in by_zoom.values()]), EXACT, "exact areas", 0.8, "s"),
            Rule(x=min(chosen, 6.0), ink="accent"),
        ),
        "the picture has grown (times)", "correlation", (0.9, 6.1), (-0.1, 1.08),
        note=f"{limit.HELD} × {limit.HELD} pixels, {CHANNELS} channels: n = {CHANNELS * limit.HELD**2:,} values each",
        tip="Correlation of two frames of a still picture over its zoom",
    )  # fmt: skip
    near = min(by_zoom, key=lambda zoom: abs(zoom - chosen))
    return Scene(
        ((panel,),),
        (
            Fact(
                f"∫-noise, {near:g} times", f"{by_zoom[near]['integral']:.2f}", "the same sub-pixels again", "integral"
            ),
            Fact(
                f"Exact areas, {near:g} times",
                f"{by_zoom[near][EXACT]:.2f}",
                f"theory {limit.held_theory(near):.2f}",
                EXACT,
            ),
        ),
        "Sub-pixels stay where they are: two frames that look at the same ones see the same. Shares are drawn for each frame, "
        "and have only the pixel's value in common: noise boils where one looks closely.",
        rough=rough,
    )


def forgotten(settings: Settings) -> Iterator[Scene]:
    """What three ways to carry noise keep of frame 0 and of the frame before."""
    made, wanted = limit.memory(number(settings, "degrees"), whole(settings, "seed")), whole(settings, "frame")
    while made.measured < FRAMES - 1:
        for _ in made.measuring():
            yield _memory(made, wanted, True)
    yield _memory(made, wanted, False)


def _memory(made: limit.Memory, wanted: int, rough: bool) -> Scene:
    panels = []
    for which, (name, title) in enumerate((("first", "With frame 0"), ("previous", "With the frame before"))):
        items: list[Item] = [Rule(x=float(wanted), ink="accent"), Rule(y=0.0, ink="border")]
        for prior in CARRIED:
            values = np.array([pair[which] for pair in made.pairs[prior]])
            frames = np.arange(1, len(values) + 1, dtype=float)
            items.append(Curve(frames, values, prior, PRIORS.get(prior).info.title, 1.8))
        panels.append(
            Panel(
                name, title, tuple(items), "frame", "correlation", (0.0, float(FRAMES)), (-0.05, 1.05),
                note=f"{FILM} × {FILM} pixels, {CHANNELS} channels, along the true motion" if which else "",
                tip=f"Correlation {title.lower()} over the frames",
            )
        )  # fmt: skip
    t = min(wanted, made.measured)
    facts = [
        Fact(
            PRIORS.get(prior).info.title,
            f"{made.pairs[prior][t - 1][0]:.2f} · {made.pairs[prior][t - 1][1]:.2f}" if t else "–",
            f"frame 0 · before, at frame {t}",
            prior,
        )
        for prior in CARRIED
    ]
    return Scene(
        (tuple(panels),), tuple(facts),
        "A chain of shares keeps the frame before and forgets frame 0; shares from an anchor keep frame 0 and less of the "
        "frame before; sub-pixels of an anchor keep both.",
        rough=rough,
    )  # fmt: skip


LESSONS.add("the-limit", order=10)(
    Lesson(
        (
            Running("level", "Level k", 2, 1, 6, 1, "", "A pixel is cut into 2^k × 2^k sub-pixels", rate=2),
            Running("angle", "Angle", 23, 0, 90, 1, "°", "How far the frame is turned", rate=12),
            Running("zoom", "Zoom", 3, 1, 16, 0.25, "×", "How much the picture has grown", rate=4),
            ParameterInfo(
                "degrees", "Turn", 2, 0.5, 8, 0.5, "°/frame", "How far the picture turns from frame to frame"
            ),
            Running("frame", "Frame", 16, 1, FRAMES - 1, 1, "", "Which frame the numbers are of", rate=8),
        ),
        (
            Step("Finer and finer", finer, ("level", "angle"), "level", draws=False),
            Step("How fast, and at what cost", converging, ("level",), "level"),
            Step("Never empty", never_empty, ("zoom", "angle"), "zoom"),
            Step("Nothing below the pixel", nothing_below, ("zoom",), "zoom"),
            Step("What a chain forgets", forgotten, ("degrees", "frame"), "frame"),
        ),
    )
)
