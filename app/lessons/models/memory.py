"""Lesson 7: noise carried from frame to frame forgets, noise carried from an anchor does not; along the true motion."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import memory_film
from app.lessons.compute.draw_statistics import signed
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.memory_film import CHANNELS, FRAMES, LEVEL, SIZE, Film
from app.lessons.compute.scene import (
    DASHED,
    DOTTED,
    SOLID,
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
from app.lessons.models import LESSONS
from gpu.flow import maps
from gpu.parameters import ParameterInfo, choice, switch
from gpu.priors import PRIORS

ANCHORED, BLURRED = "integral", "bilinear (chained)"
CHAINED = "warn"  # no prior of the program: it is here to be compared with, in a colour of its own
MARKS = 12  # of the largest values of frame 0 that are followed
MARGIN = 6.0  # pixels from the border, so that marks stay in view
DRIFTED = 0.25  # pixels beyond which the drift of the map is what one sees
APART = 3.2  # pixels between marks at least
SPEEDS = (
    0.5,
    1.0,
    0.25,
    0.75,
    0.125,
    1.25,
    0.375,
    1.125,
)  # pixels a frame at which translation is measured: eighths (k = 3)
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 25)), np.sin(np.linspace(0, 2 * np.pi, 25))], -1)


def _film(settings: Settings) -> Film:
    return memory_film.film(str(settings["motion"]), number(settings, "speed"), whole(settings, "seed"))


def marks(first: torch.Tensor) -> torch.Tensor:
    """(MARKS, 2) centres (x, y) of the largest values of the first channel of a frame, away from the border and each other."""
    height, width = first.shape[1:]
    grid = maps.pixel_centres(height, width)
    middle = maps.inside(grid, height, width, MARGIN)
    values = torch.where(middle, first[0], torch.full_like(first[0], -math.inf)).reshape(-1)
    places = grid.reshape(-1, 2)
    marks: list[torch.Tensor] = []
    for index in values.argsort(descending=True).tolist():
        if all(float((places[index] - other).norm()) > APART for other in marks):
            marks.append(places[index])
        if len(marks) == MARKS:
            break
    return torch.stack(marks)


def followed(settings: Settings) -> Iterator[Scene]:
    """Both noises at one frame, with the largest values of frame 0 marked where the motion has taken them."""
    film, wanted = _film(settings), whole(settings, "frame")
    still = bool(settings["still"])
    for t in _frames(film, wanted):
        yield _pictures(film, t, still, t < wanted)


def _frames(film: Film, wanted: int) -> Iterator[int]:
    """The frames that are shown on the way to `wanted`: those at hand, and then one after another."""
    frames_measured = film.measured
    if frames_measured < wanted:
        yield frames_measured
    while film.measured < wanted:
        film.measure()
        if film.measured < wanted:
            yield film.measured
    yield wanted


def _pictures(film: Film, t: int, still: bool, rough: bool) -> Scene:
    first = film.anchored[0]
    places = marks(first)
    there = film.places_in(t, places)
    grid = maps.pixel_centres(SIZE, SIZE)
    seen = film.places_in(t, grid.reshape(-1, 2)).reshape(SIZE, SIZE, 2)
    shown_at = places if still else there
    panels, values = [], {}
    for key, title, noise in (
        ("first", "Frame 0", first),
        ("anchored", f"Anchored, frame {t}", film.anchored[t]),
        ("chained", f"Chained, frame {t}", film.chained[t]),
    ):
        at, ring = (places, places) if key == "first" else (there, shown_at)
        values[key] = float(_nearest(noise, at)[0].mean())
        picture = noise[0] if key == "first" or not still else _nearest(noise, seen)[0]
        rings = tuple((CIRCLE * 1.4 + place).astype(np.float64) for place in ring.numpy())
        items = (Image(picture.numpy(), (0, 0, SIZE, SIZE)), Outlines(rings, "accent", width=1.6))
        panels.append(Panel(key, title, items, range_x=(0, SIZE), range_y=(0, SIZE), square=True))
    a, c = film.with_first(t)
    _, n = film.used(t)
    caption = (
        f"The rings travel with the motion. At frame {t} anchored noise is still bright inside them"
        + ("; chained noise has forgotten which pixels they were." if c < 0.5 * a else "; and so is chained noise, yet.")
    )  # fmt: skip
    return Scene(
        (tuple(panels),),
        (
            Fact(
                "Inside the rings, anchored",
                signed(values["anchored"], 2),
                f"frame 0: {signed(values['first'], 2)}, {MARKS} pixels",
                ANCHORED,
            ),
            Fact("Inside the rings, chained", signed(values["chained"], 2), "chance: 0 ± 0.29", CHAINED),
            Fact("Correlation, anchored", f"{a:.2f}", f"with frame 0, n = {n:,}", ANCHORED),
            Fact("Correlation, chained", f"{c:.2f}", f"with frame 0, n = {n:,}", CHAINED),
        ),
        caption,
        rough=rough,
    )


def _nearest(noise: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(C, ...) values of the pixels that `places` (..., 2) lie in; those outside read the border."""
    column = places[..., 0].floor().long().clamp(0, noise.shape[2] - 1)
    row = places[..., 1].floor().long().clamp(0, noise.shape[1] - 1)
    return noise[:, row, column]


def beside_previous(settings: Settings) -> Iterator[Scene]:
    """Correlation with the frame before."""
    yield from _curves(settings, False)


def beside_first(settings: Settings) -> Iterator[Scene]:
    """Correlation with frame 0."""
    yield from _curves(settings, True)


def _curves(settings: Settings, first: bool) -> Iterator[Scene]:
    film, wanted = _film(settings), whole(settings, "frame")
    while film.expected < FRAMES - 1:
        film.expect(2)
        yield _curve_scene(film, wanted, first, True)
    while film.measured < FRAMES - 1:
        film.measure()
        yield _curve_scene(film, wanted, first, film.measured < FRAMES - 1)
    yield _curve_scene(film, wanted, first, False)


def _curve_scene(film: Film, wanted: int, first: bool, rough: bool) -> Scene:
    t = min(wanted, film.measured, film.expected)
    ceilings = film.ceilings_first if first else film.ceilings_previous
    anchored, chained = film.curves(first)
    frames = np.arange(1, film.measured + 1, dtype=float)
    foreseen = np.arange(1, film.expected + 1, dtype=float)
    items: list[Item] = [
        Curve(foreseen, np.array(ceilings), "dim", "ceiling", 1.0, DASHED),
        Curve(frames, anchored, ANCHORED, "∫-noise, anchored", 1.8),
        Curve(frames, chained, CHAINED, "∫-noise, chained", 1.8, SOLID),
        Rule(x=float(wanted), ink="accent"),
        Rule(y=0.0, ink="border"),
    ]  # fmt: skip
    items += [
        Curve(frames, curve, name, PRIORS.get(name).info.title, 1.1)
        for name, curve in film.others_curves(first).items()
    ]
    if first:
        items.insert(1, Curve(foreseen, np.array(film.forecast), "text", "chained, expected", 0.8, DOTTED))
    a, c, n = (anchored[t - 1], chained[t - 1], film.used(t)[1]) if t else (math.nan, math.nan, 0)
    other = "frame 0" if first else "the frame before"
    panel = Panel(
        "curves",
        f"Correlation with {other}, along the true motion",
        tuple(items),
        "frame", "correlation", (0.0, float(FRAMES)), (-0.05, 1.05),
        note=f"{SIZE} × {SIZE} pixels, {CHANNELS} channels, k = {LEVEL}; n = {n:,} values at frame {t}, in view since frame 0",
        tip=f"Curves of the correlation with {other} over the frames",
    )  # fmt: skip
    high = ceilings[t - 1] if t else math.nan
    return Scene(
        ((panel,),),
        (
            Fact(f"Anchored, frame {t}", _two(a), f"with {other}", ANCHORED),
            Fact(f"Chained, frame {t}", _two(c), f"with {other}", CHAINED),
            Fact("Ceiling", _two(high), "of perfect transport", "dim"),
            Fact("Drift of the map", f"{film.drift[t - 1]:.2f} px" if t else "–", "rms, from the true place", "dim"),
        ),
        _said(first, a, c, high, film.drift[t - 1] if t else 0.0),
        rough=rough,
    )


def _said(first: bool, anchored: float, chained: float, high: float, drift: float) -> str:
    if math.isnan(chained) or math.isnan(high):
        return "Measuring …"
    if not first:
        return (
            "From one frame to the next there is nothing to choose between the two: both lie about the ceiling. What moves "
            "whole pixels lies above."
        )
    if drift > DRIFTED:
        return (
            f"This motion tears neighbours apart: the accumulated positions have drifted by {drift:.1f} pixels, and anchored "
            "noise fades too, but later."
        )
    if chained > 0.8 * high:
        return "Chained noise has not forgotten yet. Look at later frames, or raise the speed."
    shares = min(anchored / high, 1), chained / high
    return (
        f"Anchored noise has {shares[0]:.0%} of what can be had, chained noise {shares[1]:.0%}, and it goes on fading."
    )


def _two(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-", "−")


def faded(settings: Settings) -> Iterator[Scene]:
    """Chained noise taken apart: frame 0 interpolated again and again, and what was drawn on the way."""
    film, wanted = _film(settings), whole(settings, "frame")
    for t in _frames(film, wanted):
        while film.expected < t:
            film.expect(2)
        yield _parts(film, t, t < wanted or film.expected < FRAMES - 1)
    while film.expected < FRAMES - 1:
        film.expect(2)
        yield _parts(film, wanted, film.expected < FRAMES - 1)


def _parts(film: Film, t: int, rough: bool) -> Scene:
    chained, left = film.chained[t], film.blurred[t]
    drawn = chained - left
    inner = (slice(None), slice(4, -4), slice(4, -4))
    n, whole_of_it = chained[inner].numel(), float(chained[inner].var())
    shares = np.array([float(noise[inner].var()) for noise in film.blurred[: film.expected + 1]])
    frames = np.arange(len(shares), dtype=float)
    area = (0.0, 0.0, float(SIZE), float(SIZE))
    pictures = tuple(
        Panel(key, title, (Image(values[0].numpy(), area),), square=True, note=f"variance {float(values[inner].var()):.2f}")
        for key, title, values in (
            ("sum", f"Chained, frame {t} =", chained),
            ("left", "left of frame 0 +", left),
            ("drawn", "drawn on the way", drawn),
        )
    )  # fmt: skip
    panel = Panel(
        "shares",
        "Where the variance of chained noise comes from",
        (
            Curve(frames, np.ones_like(frames), CHAINED, "all of it", 1.4, SOLID),
            Curve(frames, shares, BLURRED, "left of frame 0 (interpolated again and again)", 1.6, fill=True),
            Rule(x=float(t), ink="accent"),
        ),
        "frame", "variance", (0.0, float(FRAMES)), (0.0, 1.1),
        tip="Variance of the part of chained noise that stems from frame 0, over the frames",
    )  # fmt: skip
    return Scene(
        (pictures, (panel,)),
        (
            Fact("Left of frame 0", f"{shares[t] / whole_of_it:.0%}", "of the variance", BLURRED),
            Fact("Drawn on the way", f"{float(drawn[inner].var()) / whole_of_it:.0%}", "independent of frame 0", CHAINED),
            Fact("Variance, chained", f"{whole_of_it:.3f}", f"theory 1, n = {n:,}", CHAINED),
        ),
        "Every step interpolates what was there, which blurs it, and fills the variance up with new noise. The sum looks "
        "perfect; what it remembers is the blur.",
        (1.1, 1.0),
        rough,
    )  # fmt: skip


def chained_theory(speed: Floats, t: int) -> Floats:
    """Correlation with frame 0 after t chained steps of a translation by `speed` (n,) pixels a frame along x.

    A step moves the memory by floor(v) or floor(v) + 1 pixels with weights 1 - f and f, so that after t steps the weights
    on frame 0 are binomial; the bilinear sample at the true place t f reads two of them.
    """
    result = np.empty(len(speed))
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, t + 1)))])
    j = np.arange(t + 1)
    choose = log_factorial[t] - log_factorial - log_factorial[::-1]
    for index, v in enumerate(speed):
        f = v - math.floor(v)
        f = min(max(f, 1e-12), 1 - 1e-12)
        weights = np.append(np.exp(choose + j * math.log(f) + (t - j) * math.log1p(-f)), 0.0)
        place = min(math.floor(t * f), t)
        g = t * f - place
        result[index] = (weights[place] * (1 - g) + weights[place + 1] * g) / math.hypot(1 - g, g)
    return result


def anchored_theory(speed: Floats, t: int) -> Floats:
    """The same for anchored transport: sqrt((1 - g)^2 + g^2), g the fraction of the whole way."""
    g = np.asarray(speed) * t % 1.0
    return np.asarray(np.hypot(1 - g, g))


@lru_cache(maxsize=512)
def translation(speed: float, t: int, seed: int) -> tuple[float, float, int]:
    """Measured correlations with frame 0, anchored and chained, and n, after t frames of a translation along x."""
    film = memory_film.film("translation", speed, seed)
    while film.measured < t:
        film.measure()
    return (*film.with_first(t), film.used(t)[1])


def over_speed(settings: Settings) -> Iterator[Scene]:
    """Memory over the speed of a translation, for a number of frames."""
    t, seed = whole(settings, "after"), whole(settings, "seed")
    by_speed: dict[float, tuple[float, float, int]] = {}
    scene = _speeds(t, by_speed, True)
    yield scene
    for speed in SPEEDS:
        film = memory_film.film("translation", speed, seed)
        while film.measured < t:
            for _ in film.measuring():
                yield scene  # nothing new yet, but the settings may be
        by_speed[speed] = translation(speed, t, seed)
        scene = _speeds(t, by_speed, len(by_speed) < len(SPEEDS))
        yield scene


def _speeds(t: int, by_speed: dict[float, tuple[float, float, int]], rough: bool) -> Scene:
    speeds = np.linspace(0, 1.4, 561)
    at = np.array(list(by_speed))  # empty before anything is measured
    least = min((correlations[2] for correlations in by_speed.values()), default=0)
    theory = chained_theory(speeds, t)
    half = float(chained_theory(np.array([0.5]), t)[0])
    panel = Panel(
        "speeds",
        f"Correlation with frame 0 after {t} frames",
        (
            Curve(speeds, anchored_theory(speeds, t), ANCHORED, "anchored, theory", 1.0),
            Curve(speeds, theory, CHAINED, "chained, theory", 1.4, SOLID),
            Points(at, np.array([pair[0] for pair in by_speed.values()]), ANCHORED, "anchored, measured", 0.6),
            Points(at, np.array([pair[1] for pair in by_speed.values()]), CHAINED, "chained, measured", 0.6, "s"),
        ),
        "translation along x (pixels a frame)", "correlation", (0.0, 1.4), (0.0, 1.05),
        note=f"Points: {SIZE} × {SIZE} pixels, {CHANNELS} channels, k = 3; each from n ≥ {least:,} values",
        tip="Correlation with frame 0 over the speed of a translation",
    )  # fmt: skip
    return Scene(
        ((panel,),),
        (
            Fact("Chained, whole pixels", "1", "nothing is cut, nothing is lost", CHAINED),
            Fact("Chained, half a pixel", f"{half:.2f}", f"after {t} frames, theory", CHAINED),
            Fact("Anchored, at the least", "0.71", "√½: half a pixel off", ANCHORED),
        ),
        "At whole pixels chaining forgets nothing. Anywhere else it forgets most of frame 0 within a few frames, even at an "
        "eighth of a pixel; anchoring only ever pays for the last fraction of a pixel.",
        rough=rough,
    )


LESSONS.add("memory", order=7)(
    Lesson(
        (
            choice(
                "motion",
                "Motion",
                "rotation",
                (("rotation", "Rotation"), ("swirl", "Swirl"), ("circle", "Circle")),
                "What moves the noise; measured along exactly this motion. Circle: a shift that goes round",
            ),
            ParameterInfo(
                "speed", "Speed", 0.4, 0.1, 1.0, 0.05, "px/frame", "Mean displacement from one frame to the next"
            ),
            Running("frame", "Frame", 16, 0, FRAMES - 1, 1, "", "Which frame is shown", rate=8),
            ParameterInfo("after", "After", 6, 1, 16, 1, "frames", "How many frames later the noise is compared"),
            switch("still", "Hold still", False, "Show every frame as seen from frame 0"),
        ),
        (
            Step("Two ways to carry noise", followed, ("motion", "frame", "still"), "frame"),
            Step("Beside the frame before", beside_previous, ("motion", "speed", "frame"), "speed"),
            Step("Beside frame 0", beside_first, ("motion", "speed", "frame"), "speed"),
            Step("Why it fades", faded, ("motion", "speed", "frame"), "frame"),
            Step("Slow is no better", over_speed, ("after",), "after"),
        ),
    )
)
