"""Lesson 5: the noise of a whole frame carried along by five rules: how it looks, its values, its neighbours, over time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.lessons.compute import draw_statistics, whole_frame
from app.lessons.compute.lesson import Lesson, Running, Settings, Step
from app.lessons.compute.lesson import whole as whole_number
from app.lessons.compute.scene import DOTTED, Band, Curve, Fact, Image, Item, Panel, Rule, Scene
from app.lessons.compute.whole_frame import CHANNELS, DRAFT, FRAMES, INTEGRAL, RULES, Size
from app.lessons.models import LESSONS
from gpu.parameters import choice

ROUGH, FINE = (30, 48), (50, 80)
"""Rows and columns of the curves over time, and of pictures."""

NAMES = {
    "nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "root-bilinear": "root-bilinear", INTEGRAL: "∫-noise"
}  # fmt: skip
PICTURES = (("picture", INTEGRAL, "root-bilinear"), ("nearest", "bilinear", "bicubic"))
SPARSE = tuple(range(0, FRAMES, 4))  # frames of the first curves over time
ONLY_WHITE = "what a white frame shows"


def _read(settings: Settings) -> tuple[str, int, int]:
    return str(settings["motion"]), whole_number(settings, "t"), whole_number(settings, "seed")


def _name(rule: str) -> str:
    return NAMES[rule][0].upper() + NAMES[rule][1:]


def _variances(motion: str, size: Size, seed: int, t: int) -> tuple[Fact, ...]:
    low, high = whole_frame.white_variances(size)
    facts = []
    for rule in RULES:
        variance = whole_frame.measures(rule, motion, size, seed, t).variance
        facts.append(Fact(_name(rule), f"{variance:.2f}", "variance", rule, low <= variance <= high))
    return tuple(facts)


def carried(settings: Settings) -> Iterator[Scene]:
    """The same noise under the same motion, by five rules, beside a photo under that motion."""
    motion, t, seed = _read(settings)
    for size in (DRAFT, FINE):
        shape = (0.0, 0.0, size[1] / size[0], 1.0)
        rows = []
        for names in PICTURES:
            row = []
            for name in names:
                if name == "picture":
                    title, image = f"What moves, frame {t}", Image(whole_frame.picture(motion, size, t), shape)
                else:
                    values = whole_frame.noise(name, motion, size, seed, t)[0].numpy()
                    title, image = _name(name), Image(values, shape)
                row.append(
                    Panel(
                        name,
                        title,
                        (image,),
                        range_x=(0, shape[2]),
                        range_y=(0, 1),
                        square=True,
                        tip=f"Frame {t}, {title}",
                    )
                )
            rows.append(tuple(row))
        if t == 0:
            caption = "Frame 0: nothing has moved, and all five are the same noise. Play."
        elif motion == "translation":
            caption = (
                "All pixels lie at the same place between their sources: averaged noise turns grey as one, and back."
            )
        else:
            caption = (
                "Averaged noise goes grey where pixels fall between their sources, crisp where they meet them: a pattern "
                "that belongs to the grid, not to the picture."
            )
        yield Scene(tuple(rows), _variances(motion, size, seed, t), caption, rough=size == DRAFT)


def values(settings: Settings) -> Iterator[Scene]:
    """Histograms of all rules over the normal density."""
    motion, t, seed = _read(settings)
    for size in (DRAFT, FINE):
        bars = tuple(
            draw_statistics.histogram(whole_frame.noise(rule, motion, size, seed, t), rule, NAMES[rule], every=3)
            for rule in RULES
        )
        panel = Panel(
            "histogram", f"All values of frame {t}", (draw_statistics.NORMAL, *bars), "value", "density", (-4, 4), (0, 0.75),
            note=f"n = {_count(size):,} values of each",
            tip="Histograms of the noise of one frame by five rules over the standard normal density",
        )  # fmt: skip
        lost = max(1 - whole_frame.measures("bilinear", motion, size, seed, t).variance, 0.0)
        kept = whole_frame.measures("root-bilinear", motion, size, seed, t).variance
        caption = (
            f"Bilinear has lost {100 * lost:.0f} % of its variance. Root-bilinear seems cured, with {kept:.2f}: "
            "from the values alone one could not tell it from white noise."
            if t
            else "Frame 0 is white noise for everyone. Move the frame."
        )
        yield Scene(((panel,),), _variances(motion, size, seed, t), caption, rough=size == DRAFT)


def _count(size: Size) -> int:
    return CHANNELS * size[0] * size[1]


def neighbours(settings: Settings) -> Iterator[Scene]:
    """Radially averaged power spectra, and the correlation of neighbours."""
    motion, t, seed = _read(settings)
    for size in (DRAFT, FINE):
        curves: list[Item] = [Rule(y=1.0, ink="dim")]
        top = 4.0
        for rule in RULES:
            curve = whole_frame.radial(whole_frame.noise(rule, motion, size, seed, t)).curve
            top = max(top, 2.0 ** math.ceil(math.log2(float(curve[:, 1].max()) / 1.02)))
            curves.append(Curve(curve[:, 0], curve[:, 1], rule, NAMES[rule], 1.6 if rule == INTEGRAL else 1.2))
        panel = Panel(
            "spectrum", f"Power over spatial frequency, frame {t}", tuple(curves), "frequency (cycles per pixel)",
            "power (white noise: 1)", (0, 0.71), (0, top),
            note=f"mean over rings of the frequency plane and {CHANNELS} channels, {size[1]} × {size[0]} px",
            tip="Radially averaged power spectra of one frame by five rules",
        )  # fmt: skip
        facts = []
        for rule in RULES:
            measures = whole_frame.measures(rule, motion, size, seed, t)
            facts.append(Fact(_name(rule), _signed(measures.neighbours), "correlation", rule, measures.p > 0.001))
        tied = whole_frame.measures("root-bilinear", motion, size, seed, t).neighbours
        caption = (
            f"Root-bilinear is found out: neighbours correlate by {tied:.2f}, too much slow and too little fast "
            "variation. Only ∫-noise is flat at 1."
            if tied > 0.1
            else "Flat at 1: white. Move the frame until pixels lie between their sources."
        )
        yield Scene(((panel,),), tuple(facts), caption, rough=size == DRAFT)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def over_time(settings: Settings) -> Iterator[Scene]:
    """Variance and neighbours' correlation of every frame."""
    motion, t, seed = _read(settings)
    scene = _curves(motion, t, seed, SPARSE, ())
    yield scene
    for frames in (SPARSE, tuple(range(FRAMES))):
        for frame in frames:
            whole_frame.measures(INTEGRAL, motion, ROUGH, seed, frame)
            if frame < frames[-1]:
                yield scene  # once more the same: here the work can be given up
        scene = _curves(motion, t, seed, frames, frames)
        yield scene


def _curves(motion: str, t: int, seed: int, frames: tuple[int, ...], integral: tuple[int, ...]) -> Scene:
    """Curves through `frames`; of ∫-noise, which takes longest, through those of `integral`."""
    low, high = whole_frame.white_variances(ROUGH)
    reach = whole_frame.white_neighbours(ROUGH)
    ends = np.array([0.0, FRAMES - 1])
    variance: list[Item] = [Band(ends, np.full(2, low), np.full(2, high), "dim", ONLY_WHITE)]
    correlation: list[Item] = [Band(ends, np.full(2, -reach), np.full(2, reach), "dim", ONLY_WHITE)]
    facts = []
    for rule in RULES:
        some = integral if rule == INTEGRAL else frames
        x = np.array(some, float)
        measured = [whole_frame.measures(rule, motion, ROUGH, seed, frame) for frame in some]
        width = 1.6 if rule == INTEGRAL else 1.2
        variance.append(Curve(x, np.array([measures.variance for measures in measured]), rule, NAMES[rule], width))
        correlation.append(Curve(x, np.array([measures.neighbours for measures in measured]), rule, NAMES[rule], width))
        white = sum(low <= measures.variance <= high and abs(measures.neighbours) <= reach for measures in measured)
        ok = (
            None if not measured else white >= len(measured) - 1
        )  # of 66 tests at 0.1 % one fails by chance in 6 % of draws, two in 0.2 %
        facts.append(
            Fact(_name(rule), f"{white} of {len(measured)}" if measured else "…", "frames are white", rule, ok)
        )
    place = Rule(x=float(t), ink="accent", dash=DOTTED)
    note = f"n = {_count(ROUGH):,} values a frame; band: 99.9 % of white frames"
    panels = (
        Panel(
            "variance", "Variance", (*variance, place), "frame", "variance", (0, FRAMES - 1), (0, 1.2), note=note,
            tip="Variance of every frame by five rules",
        ),
        Panel(
            "correlation", "Correlation of neighbours", (*correlation, place), "frame", "Moran's I", (0, FRAMES - 1),
            (-0.1, 0.85), note=note, tip="Moran's I of every frame by five rules",
        ),
    )  # fmt: skip
    caption = {
        "translation": "A slow pan makes interpolated noise breathe: its variance follows the fraction of a pixel.",
        "zoom": "Moving in, every rule that reads old pixels stretches them into blotches; ∫-noise goes on finding new detail.",
    }.get(motion, "From frame 1 on the harm is done, and it stays. Only ∫-noise keeps both, in every frame.")
    return Scene((panels,), tuple(facts), caption, rough=len(frames) < FRAMES)


LESSONS.add("a-whole-image", order=5)(
    Lesson(
        (
            choice(
                "motion", "Motion", "rotation",
                (("swirl", "Swirl"), ("rotation", "Rotation"), ("translation", "Slow pan"), ("zoom", "Zoom in")),
                "How the picture moves",
            ),
            Running("t", "Frame", 8, 0, FRAMES - 1, 1, "", "Which frame is looked at", rate=8),
        ),
        (
            Step("Carried along", carried, ("motion", "t"), "t"),
            Step("The values", values, ("motion", "t"), "t"),
            Step("The neighbours", neighbours, ("motion", "t"), "t"),
            Step("Frame by frame", over_time, ("motion", "t"), "t"),
        ),
    )
)  # fmt: skip
