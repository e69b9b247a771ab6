"""Lesson 9: where moved noise does not help: folds, a wrong flow, latents, and pictures that hardly move."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.lessons.compute import folding, latents, videos, wrong_flow
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.scene import (
    DASHED,
    SOLID,
    Arrows,
    Curve,
    Fact,
    Floats,
    Image,
    Item,
    Outlines,
    Panel,
    Points,
    Rule,
    Scene,
)
from app.lessons.compute.wrong_flow import WrongFlowResult
from app.lessons.models import LESSONS
from gpu.diffusion.model.latents import FACTOR
from gpu.parameters import ParameterInfo, choice

ERRORS = tuple(index / 4 for index in range(9))  # pixels
SPEEDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)  # pixels a frame at which outputs are measured
LONGER = 3.0  # times as long as they are, arrows of flow are drawn
FRAMES = 7  # so that two pairs are five frames apart
TASK, PRIORS = "super-resolution-x8", ("fixed", "integral")
GAPS = (1, 5)


def folds(settings: Settings) -> Iterator[Scene]:
    """Which sub-pixels a folded map sees several times, and what each pixel keeps of those it sees."""
    for level in (folding.LEVEL - 1, folding.LEVEL):  # the coarser one in a third of the time
        yield _folds(folding.folded(number(settings, "strength"), level), level < folding.LEVEL)


def _marked(shapes: tuple[Floats, Floats], width: float, rough: bool) -> tuple[Outlines, ...]:
    """The two pixels that share most; not yet in a rough scene, whose coarser sub-pixels may find others."""
    if rough:
        return ()
    return tuple(Outlines((shape,), ink, width=width, fill=0.35) for shape, ink in zip(shapes, ("accent", "warn")))


def _folds(folded: folding.Folded, rough: bool) -> Scene:
    size = float(folding.SIZE)
    (x, y), (u, v) = folded.pair
    squares = [np.array([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], float) for i, j in ((x, y), (u, v))]
    kept = folded.owned / np.maximum(folded.covered, 1)
    inside = int(folded.inner.sum())
    empty = int(((folded.owned == 0) & (folded.covered > 0)).sum())
    several = np.abs(np.argwhere(folded.seen > 2) * size / folded.seen.shape[0] - size / 2)
    reach = max([float(np.abs(shape - size / 2).max()) for shape in folded.outlines])
    reach = 1.1 * max(reach, float(np.quantile(several, 0.98)) if len(several) else 0.0)
    middle = (size / 2 - reach, size / 2 + reach)
    before = Panel(
        "seen",
        "How often each sub-pixel is seen",
        (
            Image(folded.seen, (0, 0, size, size), 0.0, 4.0),
            *_marked(folded.outlines, 2.0, rough),
        ),
        range_x=middle,
        range_y=middle,
        square=True,
        note="the middle of frame 0; dark grey: once, light grey: 3 times",
    )
    after = Panel(
        "kept",
        "What the folded frame's pixels keep",
        (
            Image(kept, (0, 0, size, size), 0.0, 1.0),
            *_marked((squares[0], squares[1]), 3.0, rough),
        ),
        square=True,
        note="white: all that they cover, black: nothing",
    )
    return Scene(
        ((before, after),),
        (
            Fact(
                "Correlation if shared",
                "…" if rough else f"{folded.overlap:.2f}",
                "of the two marked pixels",
                "bad",
                False,
            ),
            Fact("Owned once", f"{folded.owners:.2f}", "of any two pixels", "good", folded.owners == 0),
            Fact("Left with nothing", f"{empty}", f"of {inside} on the back: fresh noise"),
        ),
        "The two marked pixels look at the same noise in frame 0. Sharing it would tie them together; so the surface that "
        "is seen first keeps it, and the back of the fold starts afresh.",
        rough=rough,
    )


def with_wrong_flow(settings: Settings) -> Iterator[Scene]:
    """Coherence along the true motion over the error of the flow that was used."""
    error, seed = round(4 * number(settings, "error")) / 4, whole(settings, "seed")
    same = str(settings["kind"]) == "same"
    by_error: dict[float, WrongFlowResult] = {}
    scene = _wrong(error, same, seed, by_error, True)
    yield scene
    for error_tried in dict.fromkeys((error, 0.0, 2.0, 1.0, *ERRORS)):
        while wrong_flow.led(error_tried, same, seed).advance():
            yield scene  # nothing new yet, but the settings may be
        by_error[error_tried] = wrong_flow.result(error_tried, same, seed)
        scene = _wrong(error, same, seed, by_error, len(by_error) < len(ERRORS))
        yield scene


def _wrong(error: float, same: bool, seed: int, by_error: dict[float, WrongFlowResult], rough: bool) -> Scene:
    start, true, wrong = wrong_flow.arrows(error, same, seed, longer=LONGER)
    size = float(wrong_flow.SIZE)
    at = np.array(sorted(by_error))
    rows = [by_error[error_tried] for error_tried in sorted(by_error)]
    flow = Panel(
        "flow",
        "Backward flow",
        (Arrows(start, true, "dim", 1.4), Arrows(start, wrong, "integral", 1.4)),
        range_x=(0, size), range_y=(0, size), square=True,
        note=f"grey: true, green: used; × {LONGER:g}",
    )  # fmt: skip
    frames = wrong_flow.FRAMES - 1
    curves = Panel(
        "coherence",
        "Correlation along the true motion",
        (
            Curve(at, np.array([row.expected for row in rows]), "dim", "with the frame before, theory", 1.0, DASHED),
            Curve(at, np.array([row.previous for row in rows]), "integral", "with the frame before", 1.6, SOLID),
            Points(at, np.array([row.previous for row in rows]), "integral", size=0.6),
            Curve(at, np.array([row.first for row in rows]), "warn", f"with frame 0, {frames} frames ago", 1.6, SOLID),
            Points(at, np.array([row.first for row in rows]), "warn", size=0.6, symbol="s"),
            Rule(x=error, ink="accent"),
        ),
        "error of the flow (pixels, rms)", "correlation", (0.0, 2.05), (-0.1, 0.8),
        weight=1.7,
        note=_sizes(rows),
        tip="Correlation along the true motion over the error of the flow",
    )  # fmt: skip
    here = by_error.get(error)
    facts = (
        Fact("With the frame before", _number(here.previous if here else None), f"error {error:.2f} px", "integral"),
        Fact(f"With frame 0, {frames} frames ago", _number(here.first if here else None), "errors add up", "warn"),
        Fact("Variance", _number(here.variance if here else None), "still white: no test of noise sees it"),
    )
    return Scene(
        ((flow, curves),),
        facts,
        "∫-noise follows the flow it is given. Where that is wrong by a pixel, the noise is as white as ever, and moves "
        "with the wrong thing.",
        rough=rough,
    )


def _sizes(rows: list[WrongFlowResult]) -> str:
    if not rows:
        return "Measuring …"
    return f"n = {rows[0].n_previous:,} values with the frame before, {rows[0].n_first:,} with frame 0"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def in_latents(settings: Settings) -> Iterator[Scene]:
    """Noise and photo moved by whole pixels: what latents keep of the one and make of the other."""
    shift, seed = whole(settings, "shift"), whole(settings, "seed")
    shifts = np.arange(latents.MOST + 1)
    kept = [latents.noise_kept(int(moved), seed) for moved in shifts]
    fine = np.linspace(0, latents.MOST, 8 * latents.MOST + 1)
    theory = np.array([latents.latent_theory(float(place)) for place in fine])
    trip_errors: dict[int, float] = {0: 0.0}
    for moved in dict.fromkeys((shift, *shifts.tolist())):
        trip = latents.trip(shift)
        trip_errors[moved] = latents.trip(moved).error
        yield _latents(shift, kept, (fine, theory), trip_errors, trip, len(trip_errors) <= latents.MOST)


def _latents(
    shift: int,
    kept: list[tuple[float, float, int]],
    theory: tuple[Floats, Floats],
    trip_errors: dict[int, float],
    trip: latents.Trip,
    rough: bool,
) -> Scene:
    at = np.arange(len(kept), dtype=float)
    errors = np.array(sorted(trip_errors), float)
    range_x = (-0.3, latents.MOST + 0.3)
    height, width = trip.difference.shape
    area = (0.0, 0.0, float(width), float(height))
    highest = max(0.05, *trip_errors.values())
    noise = Panel(
        "noise",
        "What is left of the noise",
        (
            Curve(*theory, "fixed", "", 1.0, DASHED),
            Points(at, np.array([pair[0] for pair in kept]), "integral", "pixels", 0.7),
            Points(at, np.array([pair[1] for pair in kept]), "fixed", "latents", 0.7, "s"),
            Rule(x=float(shift), ink="accent"),
        ),
        "moved by (pixels)", "correlation", range_x, (0.0, 1.08),
        note=f"dashed: theory; n = {kept[0][2]:,} latents",
        tip="Correlation of moved noise after the nearest whole shift, among pixels and among latents",
    )  # fmt: skip
    picture = Panel(
        "error",
        "What the autoencoder adds",
        (
            Curve(errors, np.array([trip_errors[int(moved)] for moved in errors]), "warn", "", 1.4, SOLID),
            Points(errors, np.array([trip_errors[int(moved)] for moved in errors]), "warn", "", 0.7, "s"),
            Rule(x=float(shift), ink="accent"),
        ),
        "moved by (pixels)", "error (×10⁻³)", range_x, (-0.1 * highest, 1.15 * highest),
        note=f"one photo, {width} × {height} pixels",
        tip="Mean squared difference of moving before and after the round trip through latents",
    )  # fmt: skip
    pictures = (
        Panel("first", "Coded, then moved", (Image(trip.first, area),), square=True),
        Panel("second", "Moved, then coded", (Image(trip.second, area),), square=True),
        Panel(
            "difference",
            "Difference",
            (Image(trip.difference, area, -0.06, 0.06, "diverging"),),
            square=True,
            note="blue −0.06, orange +0.06",
        ),
    )
    return Scene(
        ((noise, picture), pictures),
        (
            Fact("Noise kept, pixels", _number(kept[shift][0]), f"moved by {shift} px", "integral"),
            Fact("Noise kept, latents", _number(kept[shift][1]), f"{shift / FACTOR:g} latents", "fixed"),
            Fact("Error of the autoencoder", _number(trip.error), "×10⁻³", "warn"),
        ),
        "Whole pixels are nothing to noise among pixels. A latent's noise is cut anew unless the move is a multiple of 4, "
        "and what the decoder paints does not move quite as the picture does.",
        (1.2, 1.0),
        rough,
    )  # fmt: skip


def fixed_theory(way: Floats) -> Floats:
    """Correlation, measured along the motion, of fixed noise after a way of `way` (n,) pixels along x: the bilinear sample
    reads the same pixel with weight 1 - d, and pixels without relation to it otherwise."""
    d = np.minimum(np.asarray(way, float), 1.0)
    return np.asarray((1 - d) / np.hypot(1 - d, d))


def moved_theory(way: Floats) -> Floats:
    """The same of noise that is moved along: sqrt((1 - g)^2 + g^2), g the fraction of a pixel."""
    g = np.asarray(way, float) % 1.0
    return np.hypot(1 - g, g)


def _video(speed: float, seed: int) -> videos.Video:
    return videos.video(TASK, "translation", (("dx", speed), ("dy", 0.0)), seed, FRAMES)


def hardly_moving(settings: Settings) -> Iterator[Scene]:
    """Fixed against moved noise over the speed: theory at once, outputs as they are sampled."""
    speed, gap, seed = number(settings, "speed"), int(str(settings["gap"])), whole(settings, "seed")
    scene = _slow(speed, gap, seed, True)
    yield scene
    order = tuple(dict.fromkeys((speed, *SPEEDS)))
    for index, speed_shown in enumerate(order):
        video = _video(speed_shown, seed)
        while video.advance(PRIORS, FRAMES):
            yield scene  # nothing new yet, but the settings may be
        scene = _slow(speed, gap, seed, index < len(order) - 1)
        yield scene


def _slow(speed: float, gap: int, seed: int, rough: bool) -> Scene:
    speeds = np.linspace(0, 1.5, 301)
    turn, range_x = 0.5 / gap, (-0.04, 1.54)
    noise = Panel(
        "noise",
        f"Noise, {gap} frame{'s' if gap > 1 else ''} apart",
        (
            Curve(speeds, fixed_theory(gap * speeds), "fixed", "fixed", 1.6),
            Curve(speeds, moved_theory(gap * speeds), "integral", "∫-noise", 1.6),
            Rule(x=turn, ink="dim"),
            Rule(x=speed, ink="accent"),
        ),
        "speed (pixels a frame)", "correlation along the motion", range_x, (0.0, 1.05),
        note=f"they meet at {turn:g} px a frame: half a pixel in all",
        tip="Correlation of fixed and of moved noise along the motion, over the speed",
    )  # fmt: skip
    items: list[Item] = []
    highest = 1.0
    for prior, title, symbol in (("fixed", "fixed", "s"), ("integral", "∫-noise", "o")):
        at, errors = [], []
        for speed_measured in sorted({speed, *SPEEDS}):
            error = _error(speed_measured, prior, gap, seed)
            if error is not None:
                at.append(speed_measured)
                errors.append(error)
        highest = max([highest, *errors])
        items.append(Curve(np.array(at), np.array(errors), prior, title, 1.6))
        items.append(Points(np.array(at), np.array(errors), prior, size=0.8, symbol=symbol))
    output = Panel(
        "output",
        "What the model makes of it",
        (*items, Rule(x=turn, ink="dim"), Rule(x=speed, ink="accent")),
        "speed (pixels a frame)", "warp error (×10⁻³)", range_x, (-0.03 * highest, 1.1 * highest),
        note=f"super-resolution ×8, n = {FRAMES - gap} pairs at each point",
        tip="Warp error of outputs with fixed and with moved noise over the speed",
    )  # fmt: skip
    facts = []
    for each in GAPS:
        for prior, title in (("fixed", "Fixed"), ("integral", "∫-noise")):
            value = _error(speed, prior, each, seed)
            facts.append(Fact(f"{title}, gap {each}", _number(value), "warp error ×10⁻³", prior))
    a, b = _error(speed, "fixed", gap, seed), _error(speed, "integral", gap, seed)
    said = "Sampling, frame after frame. " if rough else ""
    if a is not None and b is not None:
        if speed == 0:
            said += "Nothing moves: ∫-noise is fixed noise."
        else:
            better, worse = ("Fixed noise", "∫-noise") if a < b else ("∫-noise", "fixed noise")
            said += f"{better} has the lower warp error here, {min(a, b):.2f} against {max(a, b):.2f} of {worse}."
    else:
        said += "Below half a pixel in all, fixed noise is nearer to the truth than noise that is cut anew."
    return Scene(((noise, output),), tuple(facts), said, rough=rough)


def _error(speed: float, prior: str, gap: int, seed: int) -> float | None:
    """The warp error of a video all of whose frames are there; None while they are not."""
    video = _video(speed, seed)
    if video.known(PRIORS) < FRAMES:
        return None
    measured = video.measured(prior)
    return measured.warp_error if gap == 1 else measured.warp_error_5


LESSONS.add("where-it-does-not-help", order=9)(
    Lesson(
        (
            Running(
                "strength",
                "Strength of the fold",
                2.0,
                1.4,
                4.0,
                0.1,
                "",
                "Above 1 the map turns over",
                rate=4,
            ),
            ParameterInfo(
                "error", "Error of the flow", 1.0, 0, 2, 0.25, "px", "How far the flow is from the truth, rms"
            ),
            choice(
                "kind",
                "Error",
                "same",
                (("same", "The same in every frame"), ("new", "New in every frame")),
                "Whether errors of successive frames are alike, and so add up",
            ),
            Running("shift", "Moved by", 2, 0, latents.MOST, 1, "px", "Whole pixels to the left", rate=1),
            ParameterInfo("speed", "Speed", 0.25, 0, 1.5, 0.25, "px/frame", "How far the picture moves to the right"),
            choice("gap", "Compare", "1", (("1", "Neighbours"), ("5", "5 frames apart")), "Which frames are compared"),
        ),
        (
            Step("Where the map folds", folds, ("strength",), "strength", draws=False),
            Step("When the flow is wrong", with_wrong_flow, ("error", "kind"), "error"),
            Step("Among latents", in_latents, ("shift",), "shift"),
            Step("When hardly anything moves", hardly_moving, ("speed", "gap"), "speed"),
        ),
    )
)
