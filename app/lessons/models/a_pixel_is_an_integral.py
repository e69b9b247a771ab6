"""Lesson 2: a pixel's value is the sum of its sub-pixels, at any level; the sum over any area has that area as variance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from app.lessons.compute import closer, draw_statistics
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, handle, number, whole
from app.lessons.compute.scene import (
    Band,
    Curve,
    Fact,
    Floats,
    Handle,
    Image,
    Outlines,
    Panel,
    Points,
    Rule,
    Scene,
    Text,
)
from app.lessons.models import LESSONS
from gpu.noise import field, rng
from gpu.parameters import ParameterInfo

SIDE = 6  # pixels of the picture that one zooms into
REGION = 3  # pixels on a side of the field that a window is cut from
DRAWS = 12  # of a pixel's inside, drawn as running sums
LEVELS = range(6)
WRITTEN = 2  # the finest level whose values are written into their squares
SAMPLES = (1 << 13, 1 << 17)  # values in all, roughly and then finely
SIDES = np.linspace(0.25, REGION, 12)
MEASURED = range(1, closer.FRAMES, 11)  # frames of the way in that are measured

STREAM_FRAME = 3  # frames of the hash that the measurements use; the pictures use 0


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """The corners of a rectangle, clockwise on the screen."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def inside(values: torch.Tensor, seed: int, k: int, y0: int = 0, x0: int = 0, frame: int = 0) -> torch.Tensor:
    """(h, w, N) the sub-pixels, row by row, of each of the pixels `values` (h, w), by the program's own field."""
    n = 1 << k
    fine = field.refine(values, seed, frame, 0, k, y0, x0)
    height, width = values.shape
    return fine.view(height, n, width, n).permute(0, 2, 1, 3).reshape(height, width, n * n)


def zoom(settings: Settings) -> Iterator[Scene]:
    """A picture of noise, one of its pixels, and what it is made of at level k."""
    seed, k = whole(settings, "seed"), whole(settings, "k")
    x, y = (min(int(number(settings, name)), SIDE - 1) for name in ("pixel_x", "pixel_y"))
    pixels = field.pixels(seed, 0, 1, SIDE, SIDE, draw_statistics.CPU)[0]
    value = float(pixels[y, x])
    n = 1 << k
    count = n * n
    parts = inside(pixels[y : y + 1, x : x + 1], seed, k, y, x)[0, 0]
    total = float(parts.double().sum())
    limit = 3 / n
    written = [
        Text(
            (at % n + 0.5) / n, (at // n + 0.5) / n, draw_statistics.signed(float(part), 2 if k < WRITTEN else 3),
            size=(1.6, 1.1, 0.72)[k], backed=True,
        )
        for at, part in enumerate(parts)
    ] if k <= WRITTEN else []  # fmt: skip
    picture = Panel(
        "pixels",
        "Noise: one value a pixel",
        (
            Image(pixels.numpy(), (0, 0, SIDE, SIDE), colours="diverging"),
            Outlines((rectangle(x, y, x + 1, y + 1),), "accent", width=1.6),
            Handle(x + 0.5, y + 0.5, "pixel_x", "pixel_y", "Drag to another pixel"),
        ),
        square=True,
        note="Colours from −3 (blue) to 3 (orange). Drag the ring.",
        tip="A picture of noise; the ring marks the pixel that is shown beside it",
    )
    lines = tuple(np.array([[0, at / n], [1, at / n]]) for at in range(n + 1)) if k <= 4 else ()
    closer = Panel(
        "inside",
        f"That pixel: {n} × {n} sub-pixels" if k else "That pixel: not cut yet",
        (
            Image(parts.view(n, n).numpy(), (0, 0, 1, 1), -limit, limit, "diverging"),
            Outlines((*lines, *(line[:, ::-1] for line in lines)), "border", width=0.5),
            Outlines((rectangle(0, 0, 1, 1),), "accent", width=1.6),
            *written,
        ),
        square=True,
        note=f"Colours from −{limit:.3g} to {limit:.3g}.",
        tip="The sub-pixels of the chosen pixel",
    )
    yield Scene(
        ((picture, closer),),
        (
            Fact("Pixel x", draw_statistics.signed(value), "what a frame of noise holds"),
            Fact(
                f"Sum of {count:,} sub-pixels" if k else "Sum of 1 sub-pixel",
                draw_statistics.signed(total), "the same number", "integral", abs(total - value) < 1e-4,
            ),
            Fact("Variance of one", f"{1 / count:.4g}", f"1/{count}" if k else "the pixel itself"),
            Fact(
                "Measured here", f"{float(parts.var()):.4g}" if k else "–",
                f"sample variance of these {count:,}" if k else "one value has none",
            ),
        ),
        "The pixel is one number; the field inside it is endlessly fine. At any level its parts add up to it."
        if k else "Raise k: the pixel falls into four parts, each of those into four, and so on.",
    )  # fmt: skip


def fixed_sum(settings: Settings) -> Iterator[Scene]:
    """Many insides for one value: running sums that all end at the pixel's value."""
    seed, k, value = whole(settings, "seed"), whole(settings, "k"), number(settings, "value")
    n = 1 << k
    count = n * n
    parts = inside(torch.full((1, DRAWS), value), seed, k, frame=1)[0]
    walks = np.concatenate([np.zeros((DRAWS, 1)), parts.double().cumsum(1).numpy()], axis=1)
    share = np.linspace(0, 1, count + 1)
    mean, spread = value * share, 1.96 * np.sqrt(share * (1 - share))
    gap = np.full((DRAWS, 1), np.nan)
    others_x = np.tile(np.append(share, np.nan), DRAWS - 1)
    others_y = np.concatenate([walks[1:], gap[1:]], axis=1).reshape(-1)
    limit = 3 / n + abs(value) / count
    sums = Panel(
        "sums",
        "Adding up the sub-pixels, one after another",
        (
            Band(share, mean - spread, mean + spread, "integral", "95 % of all insides"),
            Curve(others_x, others_y, "dim", f"{DRAWS - 1} other insides", 0.6, ()),
            Curve(share, mean, "text", "all sub-pixels alike: x/N each", 0.9, (4.0, 3.0)),
            Curve(share, walks[0], "integral", "this inside", 1.4),
            Points(np.array([0.0, 1.0]), np.array([0.0, value]), "accent", size=0.9),
        ),
        "share of the pixel added up", "sum so far", (-0.015, 1.015), (-4.0, 4.0),
        tip="Running sums over the sub-pixels of several draws: they start at 0 and end at the pixel's value",
        weight=1.5,
    )  # fmt: skip
    picture = Panel(
        "picture",
        "This inside",
        (
            Image(parts[0].view(n, n).numpy(), (0, 0, 1, 1), -limit, limit, "diverging"),
            Outlines((rectangle(0, 0, 1, 1),), "accent", width=1.6),
        ),
        square=True,
        note=f"Colours from −{limit:.3g} to {limit:.3g}.",
    )
    error = float((parts.double().sum(1) - value).abs().max())
    half = walks[:, count // 2] if k else np.zeros(0)
    yield Scene(
        ((sums, picture),),
        (
            Fact("Sums of all insides", draw_statistics.signed(value), f"largest error {error:.0e}", "integral", error < 1e-4),
            Fact(
                "Half-way, this inside", draw_statistics.signed(float(half[0])) if k else "–",
                "any value may come" if k else "one part has no half",
            ),
            Fact("Half-way, expected", f"{value / 2:+.2f} ± 0.50".replace("-", "−"), "mean x/2, variance ¼"),
        ),
        "Given the pixel, its inside is a Brownian bridge: free on the way, tied at both ends."
        if k else "With k = 0 there is no inside: the pixel is all there is.",
    )  # fmt: skip


@lru_cache(maxsize=32)
def measured(seed: int, k: int, samples: int) -> tuple[torch.Tensor, float, float]:
    """Values of sub-pixels of level k, and the correlation of two neighbours in a pixel: at large, and given the pixel."""
    count = 1 << (2 * k)
    pixels = max(samples // count, 16)
    values = rng.plane(seed, rng.FIELD, STREAM_FRAME, 0, 0, 0, 0, 1, pixels, draw_statistics.CPU)
    parts = inside(values, seed, k, frame=STREAM_FRAME)[0]
    if k == 0:
        return parts, math.nan, math.nan
    first, second = parts[:, 0::2].reshape(-1), parts[:, 1::2].reshape(-1)
    rest = parts - values[0][:, None] / count
    return parts, _correlation(first, second), _correlation(rest[:, 0::2].reshape(-1), rest[:, 1::2].reshape(-1))


def _correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Of values whose means are known to be 0."""
    return float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt())


def size_of_parts(settings: Settings) -> Iterator[Scene]:
    """Variance of sub-pixels over the levels, and the histogram of one level."""
    seed, k = whole(settings, "seed"), whole(settings, "k")
    n = 1 << k
    counts = np.array([float(1 << (2 * level)) for level in LEVELS])
    for samples in SAMPLES:
        by_level = [measured(seed, level, samples) for level in LEVELS]
        parts, apart, given = by_level[k]
        variances = np.array([float(level_values[0].var()) for level_values in by_level])
        of_level = variances[k]
        held = len(parts.reshape(-1))
        bell = Panel(
            "histogram",
            f"Sub-pixels of level {k}, times {n}",
            (draw_statistics.NORMAL, draw_statistics.histogram(parts * n, "integral", f"{n} · w")),
            "value", "density", (-4.0, 4.0), (0.0, 0.5),
            note=f"n = {held:,} sub-pixels of {held // (n * n):,} pixels",
            tip="Histogram of the sub-pixels' values, scaled by the number of them on a side",
        )  # fmt: skip
        curve = Panel(
            "levels",
            "Variance of one sub-pixel",
            (
                Curve(counts, 1 / counts, "integral", "1/N", 1.2),
                Points(counts, variances, "text", "measured", 0.7),
                Points(counts[k : k + 1], variances[k : k + 1], "accent", "this level", 1.1, "d"),
            ),
            "sub-pixels in a pixel, N", "variance", (0.8, 1300.0), (0.0007, 1.5), log_x=True, log_y=True,
            note=f"n = {held:,} sub-pixels at each level; both axes are logarithmic",
            tip="Variance of sub-pixels over their number, both logarithmic",
        )  # fmt: skip
        yield Scene(
            ((bell, curve),),
            (
                Fact("Variance of a sub-pixel", f"{of_level:.4g}", f"theory 1/{n * n} = {1 / (n * n):.4g}", "integral",
                     draw_statistics.within(of_level, 1 / (n * n), held)),
                Fact("Correlation of two", draw_statistics.signed(apart) if k else "–", "theory 0: they are independent"),
                Fact("Given their pixel", draw_statistics.signed(given) if k else "–",
                     f"theory −1/(N−1) = {draw_statistics.signed(-1 / (n * n - 1))}" if k else "level 0 has no two"),
            ),
            "Small parts have small variances, in proportion to their area. Parts are independent: only who knows the pixel "
            "knows something of the others.",
            rough=samples == SAMPLES[0],
        )  # fmt: skip


def cells(low: float, high: float, n: int) -> tuple[int, int]:
    """Which of the sub-pixels along one axis of the region have their centres in [low, high): first, and one beyond."""
    first, last = (min(max(math.ceil(place * n - 0.5), 0), REGION * n) for place in (low, high))
    return first, max(last, first)


@lru_cache(maxsize=8)
def summed(seed: int, k: int, draws: int) -> np.ndarray:
    """(draws, REGION n + 1, REGION n + 1) sums of many fields from their upper left corner to each corner of a sub-pixel."""
    n = 1 << k
    values = rng.plane(seed, rng.FIELD, STREAM_FRAME + 1, 0, 0, 0, 0, REGION * draws, REGION, draw_statistics.CPU)
    fine = field.refine(values, seed, STREAM_FRAME + 1, 0, k, 0, 0).view(draws, REGION * n, REGION * n).double()
    sums = torch.zeros((draws, REGION * n + 1, REGION * n + 1), dtype=torch.float64)
    sums[:, 1:, 1:] = fine.cumsum(1).cumsum(2)
    return sums.numpy()


def over(sums: Floats, x: tuple[int, int], y: tuple[int, int]) -> Floats:
    """(draws,) the sums of the sub-pixels of columns x and rows y (first, one beyond)."""
    return np.asarray(sums[:, y[1], x[1]] - sums[:, y[0], x[1]] - sums[:, y[1], x[0]] + sums[:, y[0], x[0]])


def any_area(settings: Settings) -> Iterator[Scene]:
    """A window over the fine field: its sum, and the variance of that sum over many fields."""
    seed, k = whole(settings, "seed"), whole(settings, "k")
    n = 1 << k
    names = ("left", "top", "right", "bottom")
    ends = [number(settings, name) for name in names]
    left, right = sorted((ends[0], ends[2]))
    top, bottom = sorted((ends[1], ends[3]))
    x, y = cells(left, right, n), cells(top, bottom, n)
    count = (x[1] - x[0]) * (y[1] - y[0])
    area = count / (n * n)
    pixels = field.pixels(seed, 2, 1, REGION, REGION, draw_statistics.CPU)[0]
    fine = field.refine(pixels, seed, 2, 0, k, 0, 0)
    total = float(fine[y[0] : y[1], x[0] : x[1]].double().sum())
    limit = 3 / n
    owned = rectangle(x[0] / n, y[0] / n, x[1] / n, y[1] / n)
    knots = range(1, REGION)
    grid = tuple(np.array([[at, 0], [at, REGION]], float) for at in knots)
    picture = Panel(
        "field",
        f"The field at level {k}, pixels outlined",
        (
            Image(fine.numpy(), (0, 0, REGION, REGION), -limit, limit, "diverging"),
            Outlines((*grid, *(line[:, ::-1] for line in grid)), "text", width=0.8),
            Outlines((owned,) if count else (), "integral", "sub-pixels of the window", 1.0, 0.35),
            Outlines((rectangle(left, top, right, bottom),), "accent", "window", 1.6),
            Handle(ends[0], ends[1], "left", "top", "Drag this corner of the window"),
            Handle(ends[2], ends[3], "right", "bottom", "Drag this corner of the window"),
        ),
        square=True, range_x=(0.0, float(REGION)), range_y=(0.0, float(REGION)),
        note="Drag the corners. A sub-pixel belongs to the window when its centre does.",
        tip="The fine field of nine pixels and a window over it",
    )  # fmt: skip
    for samples in SAMPLES:
        draws = max(4 * samples // (REGION * REGION * n * n), 24)
        sums = summed(seed, k, draws)
        of_window = over(sums, x, y)
        x0, y0 = min(x[0], REGION * n - 1), min(y[0], REGION * n - 1)
        areas, variances = [], []
        for side in SIDES:
            across, down = cells(x0 / n, x0 / n + side, n), cells(y0 / n, y0 / n + side, n)
            areas.append((across[1] - across[0]) * (down[1] - down[0]) / (n * n))
            variances.append(float(over(sums, across, down).var(ddof=1)))
        line = np.linspace(0, REGION * REGION, 50)
        variance = float(of_window.var(ddof=1))
        chart = Panel(
            "areas",
            "Variance of the sum over a window",
            (
                Band(line, *draw_statistics.interval(line, draws), "integral"),
                Curve(line, line, "integral", "variance = area", 1.2),
                Points(np.array(areas), np.array(variances), "text", "squares from the same corner", 0.6),
                Rule(x=area, ink="accent"),
                Points(np.array([area]), np.array([variance]), "accent", "this window", 1.1, "d"),
            ),
            "area (pixels)", "variance of the sum", (0.0, REGION * REGION * 1.02), (0.0, 1.35 * REGION * REGION),
            note=f"n = {draws:,} fields; the band holds 99.9 % of sample variances.",
            tip="Variance of the sum over windows of different area",
        )  # fmt: skip
        yield Scene(
            ((picture, chart),),
            (
                Fact("Sum over the window", draw_statistics.signed(total), f"{count:,} sub-pixels"),
                Fact("Area", f"{area:.3f}", f"{count:,} / {n * n:,} pixels"),
                Fact("Variance of the sum", f"{variance:.3f}", f"theory {area:.3f}, the area", "integral",
                     draw_statistics.within(variance, area, draws) if count else None),
                Fact("Sum / √area", draw_statistics.signed(total / math.sqrt(area)) if count else "–",
                     "variance 1" if count else "an empty window has none", "integral"),
            ),
            "The window need not respect pixels. Its sum has its area as variance; divided by the root of the area it is a "
            "pixel's value again." if count else "No centre of a sub-pixel lies in the window: raise k, or draw it larger.",
            rough=samples == SAMPLES[0],
        )  # fmt: skip


def deeper(settings: Settings) -> Iterator[Scene]:
    """A frame of noise, what is seen of it so much closer, and what is measured on the way there."""
    seed, t = whole(settings, "seed"), whole(settings, "frame")
    place = tuple(round(number(settings, name) / closer.SIDE, 2) for name in ("into_x", "into_y"))
    at = place[0], place[1]
    points: list[tuple[float, float, float]] = []
    for frame in MEASURED:
        rough = frame != MEASURED[-1]
        correlation = closer.kept(seed, at, frame)[0]
        points.append((float(frame), float(closer.frame(seed, at, frame).noise.var()), correlation))
        if not rough or len(points) % 4 == 1:
            yield _closer(seed, at, t, np.array(points), rough)


def _closer(seed: int, place: closer.Place, t: int, points: Floats, rough: bool) -> Scene:
    side, here, zoom = float(closer.SIDE), closer.frame(seed, place, t), closer.times(t)
    x, y = place[0] * side, place[1] * side
    view = rectangle(x - x / zoom, y - y / zoom, x + (side - x) / zoom, y + (side - y) / zoom)
    first = Panel(
        "frame 0",
        "Frame 0, and what frame t sees of it",
        (
            Image(closer.frame(seed, place, 0).noise[0].numpy(), (0, 0, side, side), colours="diverging"),
            Outlines((view,), "accent", width=1.6),
            Handle(x, y, "into_x", "into_y", "Drag to another place to move into"),
        ),
        square=True, range_x=(0.0, side), range_y=(0.0, side),
        note="Drag the ring.",
        tip="The noise of frame 0, with the part that the later frame sees",
    )  # fmt: skip
    later = Panel(
        "frame t",
        f"Frame {t}: {zoom:.3g} times closer",
        (Image(here.noise[0].numpy(), (0, 0, side, side), colours="diverging"),),
        square=True, range_x=(0.0, side), range_y=(0.0, side),
        note="Colours from −3 to 3.",
        tip="The noise of the later frame, on a grid of as many pixels",
    )  # fmt: skip
    line = np.arange(closer.FRAMES, dtype=float)
    empty = closer.empty_at(closer.LEVEL, np.array([closer.times(frame) for frame in range(closer.FRAMES)]))
    n = closer.CHANNELS * closer.SIDE**2
    chart = Panel(
        "measured",
        "On the way there",
        (
            Band(line, *draw_statistics.interval(np.ones_like(line), n), "integral"),
            Rule(x=float(t), ink="accent"),
            Points(points[:, 0], points[:, 1], "integral", "variance", 0.6),
            Points(points[:, 0], points[:, 2], "text", "correlation with the frame before", 0.6, "d"),
            Curve(line, empty, "warn", "empty pixels, were there level 3 alone", 1.2, (4.0, 3.0)),
        ),
        "frame", "variance, correlation, share", (0.0, float(closer.FRAMES)), (-0.05, 1.3),
        note=f"n = {n:,} values a frame; the band holds 99.9 % of sample variances. Twice as close every 33 frames.",
        tip="Variance and correlation of the frames on the way in",
        weight=1.3,
    )  # fmt: skip
    variance = float(here.noise.var())
    memory, ceiling = closer.kept(seed, place, t) if t else (math.nan, math.nan)
    return Scene(
        ((first, later, chart),),
        (
            Fact("Looked at on level", f"{here.level}", f"{here.average:.3g} cells a pixel on average"),
            Fact("Pixels without a cell", f"{here.empty}", f"of {closer.SIDE**2:,}", "integral", here.empty == 0),
            Fact("Variance", f"{variance:.3f}", "theory 1", "integral", draw_statistics.within(variance, 1.0, n)),
            Fact("Kept of the frame before", f"{memory:.2f}" if t else "–",
                 f"carried areas: {ceiling:.2f}" if t else "there is none"),
        ),
        "A level finer for every doubling: cells that were seen from afar are the sums of those that are seen now."
        if t else "Let the frame run, and watch a single pixel become a whole frame of noise.",
        rough=rough,
    )  # fmt: skip


LESSONS.add("a-pixel-is-an-integral", order=2)(
    Lesson(
        (
            Running("k", "Level k", 3, 0, 5, 1, "", "Each pixel is cut into 2ᵏ × 2ᵏ sub-pixels", rate=1.5),
            ParameterInfo("value", "Pixel x", 1.0, -3, 3, 0.05, "", "The value that the sub-pixels must sum to"),
            handle("pixel_x", 2.5, 0, SIDE),
            handle("pixel_y", 2.5, 0, SIDE),
            handle("left", 0.6, 0, REGION),
            handle("top", 0.4, 0, REGION),
            handle("right", 2.1, 0, REGION),
            handle("bottom", 1.7, 0, REGION),
            Running(
                "frame", "Frame", 100, 0, closer.FRAMES - 1, 1, "", "Each frame is 2.1 % closer than the one before"
            ),
            handle("into_x", 0.42 * closer.SIDE, 0, closer.SIDE),
            handle("into_y", 0.55 * closer.SIDE, 0, closer.SIDE),
        ),
        (
            Step("Zoom into a pixel", zoom, ("k",), "k"),
            Step("The sum is fixed", fixed_sum, ("k", "value"), "value"),
            Step("How large is a part?", size_of_parts, ("k",), "k"),
            Step("Any area has its variance", any_area, ("k",), "k"),
            Step("64 times closer", deeper, ("frame",), "frame"),
        ),
    )
)
