"""Lesson 6: what appears has no noise to inherit. Two-stage against random fill, over objects that cross each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.lessons.compute import crossing_objects
from app.lessons.compute.crossing_objects import FILLS, FRAMES, RANDOM, SIZE, TWO_STAGE
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.scene import (
    DOTTED,
    SOLID,
    Band,
    Bytes,
    Curve,
    Fact,
    Floats,
    Image,
    Outlines,
    Panel,
    Rule,
    Scene,
)
from app.lessons.models import LESSONS
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from gpu.parameters import ParameterInfo

HUE = {INHERITED: "#56b4e9", NEW: "#f0e442", UNDEFINED: "#d55e00"}
"""Okabe and Ito's hues, those of the overlay in the main window."""

INK = {INHERITED: "fixed", NEW: "pyoco-mixed", UNDEFINED: "bilinear"}
"""Priors of the same hues: their colours have variants for light backgrounds, for lines and words."""

STATE_NAMES = {INHERITED: "inherited", NEW: "new", UNDEFINED: "undefined"}
NAMES = {TWO_STAGE: "two-stage", RANDOM: "random fill"}
INKS = {TWO_STAGE: "integral", RANDOM: "random"}
REMEMBERING = "remembering"
HEIGHT, WIDTH = SIZE
ROW = HEIGHT // 2  # of the slice through time
X = np.arange(FRAMES, dtype=float)
GROWTH = 6  # frames by which curves grow while they are computed; divides FRAMES - 1


def _read(settings: Settings) -> tuple[float, int, int]:
    return number(settings, "speed"), whole(settings, "t"), whole(settings, "seed")


def tinted(grey: Floats, state: Floats | Bytes, strength: float) -> Bytes:
    """`grey` (H, W) in [0, 1] with the colours of pixels that are not kept over it; `state` (H, W)."""
    picture = np.repeat(np.clip(grey, 0, 1)[..., None], 3, -1) * 255
    for kind, hue in HUE.items():
        colour = np.array([int(hue[at : at + 2], 16) for at in (1, 3, 5)], float)
        picture = np.where((state == kind)[..., None], (1 - strength) * picture + strength * colour, picture)
    return np.asarray(picture + 0.5).astype(np.uint8)


def _key(*states: int) -> tuple[Outlines, ...]:
    """Entries of the legend for states."""
    return tuple(Outlines((), HUE[kind], STATE_NAMES[kind], fill=0.9) for kind in states)


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


# -- steps


def states(settings: Settings) -> Iterator[Scene]:
    """The picture, and where the noise of its pixels comes from."""
    speed, t, seed = _read(settings)
    photo = crossing_objects.photo(speed, t)
    draft = crossing_objects.carrier(speed, TWO_STAGE, seed).track(t).state
    scene = _states(photo, draft.numpy(), t, True)
    yield scene
    for before in range(1, t):
        crossing_objects.frame(speed, TWO_STAGE, seed, before)
        yield scene  # once more the same: here the work can be given up
    yield _states(photo, crossing_objects.frame(speed, TWO_STAGE, seed, t).state.numpy(), t, False)


def _states(photo: Bytes, state: Bytes, t: int, rough: bool) -> Scene:
    area, frame = (0.0, 0.0, float(WIDTH), float(HEIGHT)), ((0.0, float(WIDTH)), (0.0, float(HEIGHT)))
    grey = photo.astype(float).mean(-1) / 255 * 0.6
    fine = state.repeat(crossing_objects.SHARPER, 0).repeat(crossing_objects.SHARPER, 1)
    panels = (
        Panel("photo", f"What is seen, frame {t}", (Image(photo, area),), range_x=frame[0], range_y=frame[1], square=True,
              tip="Objects that cross each other in front of a moving background"),
        Panel("states", "Where its noise comes from", (Image(tinted(grey, fine, 0.75), area), *_key(INHERITED, NEW)),
              range_x=frame[0], range_y=frame[1], square=True, note="Grey: kept.", tip="States of pixels in colour"),
    )  # fmt: skip
    share = {kind: float((state == kind).mean()) for kind in (KEPT, INHERITED, NEW)}
    facts = (
        Fact("Kept", _percent(share[KEPT]), "noise of frame 0"),
        Fact("Inherited", _percent(share[INHERITED]), "born later, carried on", INK[INHERITED]),
        Fact("New", _percent(share[NEW]), "born in this frame", INK[NEW]),
        Fact("Pixels", f"{state.size:,}", f"{WIDTH} × {HEIGHT}"),
    )
    caption = (
        "Frame 0: all noise is born here. Play."
        if t == 0
        else "Yellow runs along the rear of every object and the edges of the frame: what is seen there was not seen before."
    )
    return Scene((panels,), facts, caption, rough=rough)


def two_fills(settings: Settings) -> Iterator[Scene]:
    """The noise of both handlers, and a row of it over time."""
    speed, t, seed = _read(settings)
    first = {fill: crossing_objects.draft(speed, fill, seed, t) for fill in FILLS}
    scene = _fills(first, {}, t, True)
    yield scene
    done: dict[str, list[crossing_objects.Frame]] = {fill: [] for fill in FILLS}
    for frame in range(FRAMES):
        for fill in FILLS:
            done[fill].append(crossing_objects.frame(speed, fill, seed, frame))
        if frame + 1 < FRAMES:
            yield scene
    yield _fills({fill: frames[t] for fill, frames in done.items()}, done, t, False)


def _fills(
    now: dict[str, crossing_objects.Frame], done: dict[str, list[crossing_objects.Frame]], t: int, rough: bool
) -> Scene:  # fmt: skip
    area, ends = (0.0, 0.0, float(WIDTH), float(HEIGHT)), ((0.0, float(WIDTH)), (0.0, float(HEIGHT)))
    above, below = [], []
    for fill in FILLS:
        noise, state = now[fill].noise[0].numpy(), now[fill].state.numpy()
        key = _key(INHERITED, NEW) if fill == TWO_STAGE else _key(UNDEFINED)
        row = Outlines((np.array([[0, ROW], [WIDTH, ROW], [WIDTH, ROW + 1], [0, ROW + 1]], float),), "text", width=0.7)
        above.append(
            Panel(f"noise {fill}", f"{NAMES[fill].capitalize()}, frame {t}",
                  (Image(tinted(noise / 6 + 0.5, state, 0.35), area), row, *key), range_x=ends[0], range_y=ends[1],
                  square=True, tip=f"Noise of frame {t}, {NAMES[fill]}")
        )  # fmt: skip
        slices = np.full((FRAMES, WIDTH, 3), 128, np.uint8)
        if done:
            lines = np.stack([frame.noise[0, ROW].numpy() for frame in done[fill]])
            slices = tinted(lines / 6 + 0.5, np.stack([frame.state[ROW].numpy() for frame in done[fill]]), 0.35)
        below.append(
            Panel(f"slice {fill}", "The framed row in all frames", (Image(slices, (0, 0, WIDTH, FRAMES)),
                  Rule(y=t + 0.5, ink="accent", dash=DOTTED)), "x (px)", "frame", ends[0], (0, FRAMES),
                  tip=f"One row of noise over time, {NAMES[fill]}")
        )  # fmt: skip
    fresh = {
        fill: sum(crossing_objects.fractions(now[fill].state)[kind] for kind in (NEW, UNDEFINED)) for fill in FILLS
    }
    facts = tuple(
        Fact(f"Fresh in this frame, {NAMES[fill]}", _percent(fresh[fill]) if t else "100 %",
             "each stays from now on" if fill == TWO_STAGE else "drawn anew in every frame", INKS[fill])
        for fill in FILLS
    )  # fmt: skip
    return Scene(
        (tuple(above), tuple(below)), facts,
        "Streaks in a slice are noise that moves with what it lies on. Random fill has none where something appeared: "
        "there it flickers.",
        heights=(1.0, 0.95), rough=rough,
    )  # fmt: skip


def _over_frames(settings: Settings, panel: str) -> Iterator[Scene]:
    """Scenes of a step that needs all frames: curves that grow."""
    speed, t, seed = _read(settings)
    scene = _CURVES[panel](speed, t, seed, 1)
    yield scene
    for frames in range(2, FRAMES + 1):
        for fill in FILLS:
            crossing_objects.frame(speed, fill, seed, frames - 1)
        if frames % GROWTH == 1:
            scene = _CURVES[panel](speed, t, seed, frames)
        yield scene  # often the same once more: here the work can be given up


def adds_up(settings: Settings) -> Iterator[Scene]:
    """Shares of undefined, inherited and new pixels over frames."""
    return _over_frames(settings, "shares")


def _shares(speed: float, t: int, seed: int, frames: int) -> Scene:
    fractions = {
        fill: [
            crossing_objects.fractions(crossing_objects.frame(speed, fill, seed, frame_number).state)
            for frame_number in range(frames)
        ]
        for fill in FILLS
    }
    x = X[:frames]

    def curve(fill: str, state: int, label: str, dash: tuple[float, ...]) -> Curve:
        return Curve(x, np.array([100 * shares[state] for shares in fractions[fill]]), INK[state], label, 1.7, dash)

    panel = Panel(
        "shares", "Pixels that do not have the noise of frame 0",
        (
            curve(RANDOM, UNDEFINED, "undefined, random fill", (6.0, 2.0)),
            curve(TWO_STAGE, INHERITED, "inherited, two-stage", SOLID),
            curve(TWO_STAGE, NEW, "new, two-stage", (2.0, 1.5)),
            Rule(x=float(t), ink="accent", dash=DOTTED),
        ),
        "frame", "share of all pixels (%)", (0, FRAMES - 1), (0, 100), note=f"{WIDTH} × {HEIGHT} px, true motion",
        tip="Shares of undefined, inherited and new pixels over frames",
    )  # fmt: skip
    at = min(t, frames - 1)
    news = [shares[NEW] for shares in fractions[TWO_STAGE][1:]]
    facts = (
        Fact(f"Undefined, frame {at}", _percent(fractions[RANDOM][at][UNDEFINED]), "random fill", INK[UNDEFINED]),
        Fact(f"New, frame {at}", _percent(fractions[TWO_STAGE][at][NEW]), "two-stage", INK[NEW]),
        Fact("New, mean", _percent(sum(news) / max(len(news), 1)), f"two-stage, {len(news)} frames", INK[NEW]),
    )
    return Scene(
        ((panel,),), facts,
        "Both handlers meet the same gaps, a few percent in each frame. Random fill never gets rid of them: what it fills is "
        "thrown away, and the gaps add up.",
        rough=frames < FRAMES,
    )  # fmt: skip


def reappears(settings: Settings) -> Iterator[Scene]:
    """Coherence of what has appeared with the frame before."""
    return _over_frames(settings, "coherence")


def _coherence(speed: float, t: int, seed: int, frames: int) -> Scene:
    x = X[1:frames]
    times = range(1, frames)
    correlations = {fill: [crossing_objects.with_previous(speed, fill, seed, time) for time in times] for fill in FILLS}
    best = np.array([crossing_objects.ceiling(speed, time) for time in times])
    chance = np.array([correlation.chance for correlation in correlations[RANDOM]])
    finite = np.isfinite(chance)
    panel = Panel(
        "coherence", "What has appeared, from frame to frame",
        (
            Band(x[finite], -chance[finite], chance[finite], "dim", "chance"),
            Curve(x, best, "text", "perfect transport", 1.1, DOTTED),
            *(Curve(x, np.array([each.value for each in correlations[fill]]), INKS[fill], NAMES[fill], 1.7) for fill in FILLS),
            Rule(x=float(t), ink="accent", dash=DOTTED),
        ),
        "frame", "correlation with the frame before", (0, FRAMES - 1), (-0.2, 0.8),
        note="over pixels that came into view after frame 0 and were there in the frame before · chance: 99.9 %",
        tip="Correlation along the true motion of pixels that have appeared",
    )  # fmt: skip
    at = min(max(t, 1), frames - 1)
    facts = [
        Fact(f"{NAMES[fill].capitalize()}, frame {at}", _number(_at(correlations[fill], at)), "correlation", INKS[fill])
        for fill in FILLS
    ]
    facts.append(Fact("Perfect transport", _number(float(best[at - 1]) if at else math.nan), "bilinear measure"))
    facts.append(_compared(correlations[RANDOM], at))
    return Scene(
        ((panel,),), tuple(facts),
        "Two-stage carries what it has once filled. Random fill forgets within a frame, so a model is told that the "
        "surface is new each time.",
        rough=frames < FRAMES,
    )  # fmt: skip


def _at(correlations: list[crossing_objects.Correlation], t: int) -> float:
    """The correlation of frame t, of those from frame 1 on; NaN before there is any."""
    return correlations[t - 1].value if t else math.nan


def _compared(correlations: list[crossing_objects.Correlation], t: int) -> Fact:
    n = correlations[t - 1].n if t else 0
    return Fact("Compared", f"{n:,} px", f"× {crossing_objects.CHANNELS} channels")


def _number(value: float) -> str:
    return "none yet" if math.isnan(value) else f"{value:+.2f}".replace("-", "−")


def forgotten(settings: Settings) -> Iterator[Scene]:
    """What was seen in frame 0, hidden, and is seen again: no handler remembers it, an exact map does."""
    return _over_frames(settings, "memory")


def _memory(speed: float, t: int, seed: int, frames: int) -> Scene:
    x, times = X[1:frames], range(1, frames)
    rules = (*FILLS, REMEMBERING)
    names = {**NAMES, REMEMBERING: "straight from frame 0"}
    inks = {**INKS, REMEMBERING: "accent"}
    correlations = {rule: [crossing_objects.with_first(speed, rule, seed, time) for time in times] for rule in rules}
    chance = np.array([correlation.chance for correlation in correlations[RANDOM]])
    finite = np.isfinite(chance)
    panel = Panel(
        "memory", "What was hidden and is seen again, against frame 0",
        (
            Band(x[finite], -chance[finite], chance[finite], "dim", "chance"),
            *(Curve(x, np.array([each.value for each in correlations[rule]]), inks[rule], names[rule], 1.7) for rule in rules),
            Rule(x=float(t), ink="accent", dash=DOTTED),
        ),
        "frame", "correlation with frame 0", (0, FRAMES - 1), (-0.3, 1.0),
        note="over pixels seen in frame 0 that lost their noise since · chance: 99.9 %",
        tip="Correlation with frame 0 of pixels that were hidden in between",
    )  # fmt: skip
    at = min(max(t, 1), frames - 1)
    facts = [
        Fact(f"{names[rule].capitalize()}", _number(_at(correlations[rule], at)), f"frame {at}", inks[rule])
        for rule in rules
    ]
    facts.append(_compared(correlations[RANDOM], at))
    return Scene(
        ((panel,),), tuple(facts),
        "Behind an object the noise is lost to both handlers: they know each frame's step only. The exact map to frame 0 "
        "would find it again.",
        rough=frames < FRAMES,
    )  # fmt: skip


_CURVES = {"shares": _shares, "coherence": _coherence, "memory": _memory}

LESSONS.add("when-things-appear", order=6)(
    Lesson(
        (
            Running("t", "Frame", 10, 0, FRAMES - 1, 1, "", "Which frame is looked at", rate=6),
            ParameterInfo("speed", "Speed of the objects", 2.0, 0.5, 5, 0.5, "px", "Pixels a frame"),
        ),
        (
            Step("Where was it before?", states, ("t", "speed"), "t"),
            Step("Two ways to fill", two_fills, ("t", "speed"), "t"),
            Step("It adds up", adds_up, ("t", "speed"), "t"),
            Step("Once filled, carried on", reappears, ("t", "speed"), "t"),
            Step("What neither remembers", forgotten, ("t", "speed"), "t"),
        ),
    )
)
