"""Lesson 1: two Gaussian values and a place between them. Interpolation loses variance, the Brownian bridge does not."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from app.lessons.compute import draw_statistics
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.scene import Band, Curve, Fact, Floats, Image, Outlines, Panel, Points, Rule, Scene, Text
from app.lessons.models import LESSONS
from gpu.noise import rng
from gpu.noise.field import refine
from gpu.parameters import ParameterInfo
from gpu.priors.kit.interpolation import BILINEAR, interpolate

FINE = 5  # level of the fine field that the picture of one draw is made of: 2^5 parts of a pixel
PIXELS = 3
GRID = 41  # places of alpha at which variances are measured
ROUGH, FINER = 4_000, 200_000


def path(seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """The values (PIXELS,) of pixels side by side and the Brownian path (PIXELS 2^FINE + 1,) whose increments over pixels they
    are: one column of the fine field of a row of pixels, whose increments are scaled to variance 1 a pixel."""
    n = 1 << FINE
    values = rng.plane(seed, rng.FIELD, 0, 0, 0, 0, 0, 1, PIXELS, draw_statistics.CPU)
    # Summed over its rows, the fine field of a pixel is the fine field of an interval.
    steps = refine(values, seed, 0, 0, FINE, 0, 0).sum(0)
    assert len(steps) == PIXELS * n
    return values[0], np.concatenate([[0.0], np.cumsum(steps.double().numpy())])


def draws(seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """`count` pairs of neighbouring pixels (x0, x1) and the independent normals that split each: (z0, z1)."""
    first, second = (
        rng.plane(seed, rng.FIELD, 1, channel, 0, 0, 0, 1, count, draw_statistics.CPU)[0] for channel in (0, 1)
    )
    z0, z1 = (rng.plane(seed, rng.FINE, 1, channel, 1, 0, 0, 1, count, draw_statistics.CPU)[0] for channel in (0, 1))
    return first, second, z0, z1


def between(
    alpha: float, x0: torch.Tensor, x1: torch.Tensor, z0: torch.Tensor, z1: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The value of the window [alpha, 1 + alpha] by interpolation, and by conditional sampling of the two parts it covers.

    W([alpha, 1]) given x0 is (1 - alpha) x0 + sqrt(alpha (1 - alpha)) z0, W([1, 1 + alpha]) given x1 is
    alpha x1 + sqrt(alpha (1 - alpha)) z1 (the Brownian bridge; paper: Eq. 1-3 in one dimension).
    """
    line = torch.stack([x0, x1], -1)[None]  # (1, count, 2)
    rows = torch.arange(len(x0), dtype=torch.float32) + 0.5
    positions = torch.stack([torch.full_like(rows, 0.5 + alpha), rows], -1)
    interpolated = interpolate(line, positions, BILINEAR)[0]
    return interpolated, interpolated + math.sqrt(alpha * (1 - alpha)) * (z0 + z1)


def interpolation_variance(alpha: Floats) -> Floats:
    """Var((1 - alpha) x0 + alpha x1) of independent standard normals."""
    return alpha**2 + (1 - alpha) ** 2


def one_draw(settings: Settings) -> Iterator[Scene]:
    """The Brownian path below two pixels: its chords are what interpolation reads."""
    alpha, seed = number(settings, "alpha"), whole(settings, "seed")
    values, walk = path(seed)
    n = 1 << FINE
    x = np.arange(len(walk)) / n
    knots = np.arange(PIXELS + 1)
    chord = walk[::n]
    at = np.array([alpha, 1 + alpha])
    on_walk, on_chord = np.interp(at, x, walk), np.interp(at, knots, chord)
    bridge, interpolated = float(on_walk[1] - on_walk[0]), float(on_chord[1] - on_chord[0])
    low, high = float(walk.min()), float(walk.max())
    added = 2 * alpha * (1 - alpha)
    room = 0.12 * (high - low + 0.5)
    range_y = (low - 2.2 * room, high + room)
    window = np.array([[alpha, range_y[0]], [1 + alpha, range_y[0]], [1 + alpha, range_y[1]], [alpha, range_y[1]]])
    names = [
        Text(
            index + 0.5,
            range_y[0],
            f"x{'₀₁₂'[index]} = {draw_statistics.signed(float(values[index]), 2)}",
            "text",
            0.95,
            (0.5, 1.0),
            True,
        )
        for index, name in enumerate(
            f"x{sub} = {draw_statistics.signed(float(value), 2)}" for sub, value in zip("₀₁₂", values, strict=True)
        )
    ]
    walks = Panel(
        "walk",
        "Noise summed up from the left: a pixel is how much the path rises over it",
        (
            Outlines((window,), "accent", "the new pixel [α, 1+α]", 1.0, 0.14),
            *(Rule(x=float(knot), ink="border") for knot in knots),
            Curve(x, walk, "integral", "the noise field (Brownian path)"),
            Curve(knots.astype(float), chord, "bilinear", "what interpolation knows (chords)", 1.4),
            Points(at, on_chord, "bilinear", size=0.8, symbol="s"),
            Points(at, on_walk, "integral", size=0.8),
            *names,
        ),
        "position (pixels)", "∫ noise from 0 to x", (0.0, float(PIXELS)), range_y,
        tip="The path of the noise field below three pixels, its chords, and the window of the new pixel",
    )  # fmt: skip
    yield Scene(
        ((walks,),),
        (
            Fact(
                "Interpolated: rise of the chords", draw_statistics.signed(interpolated), "(1−α) x₀ + α x₁", "bilinear"
            ),
            Fact(
                "∫-noise: rise of the path",
                draw_statistics.signed(bridge),
                "the same + what the bridges add",
                "integral",
            ),
            Fact(
                "Difference",
                draw_statistics.signed(bridge - interpolated),
                f"variance 2α(1−α) = {added:.2f}",
            ),
        ),
        "Chords know nothing of what the noise does inside a pixel. The path wanders about them: "
        + ("at a whole pixel both agree." if alpha in (0.0, 1.0) else "that is the variance interpolation loses."),
    )


def many_draws(settings: Settings) -> Iterator[Scene]:
    """Histograms of both rules over many draws."""
    alpha, seed = number(settings, "alpha"), whole(settings, "seed")
    expected = float(interpolation_variance(np.array(alpha)))
    for count in (ROUGH, FINER):
        interpolated, bridge = between(alpha, *draws(seed, count))
        panel = Panel(
            "histogram",
            "Many draws of the value in between",
            (
                draw_statistics.NORMAL,
                draw_statistics.histogram(interpolated, "bilinear", "interpolated"),
                draw_statistics.histogram(bridge, "integral", "∫-noise"),
            ),
            "value", "density", (-4.0, 4.0), (0.0, 0.62),
            note=f"n = {count:,} draws",
            tip="Histograms of the interpolated value and of ∫-noise over the standard normal density",
        )  # fmt: skip
        yield Scene(
            ((panel,),),
            (
                Fact(
                    "Variance, interpolated", draw_statistics.variance_text(interpolated), f"theory {expected:.3f}", "bilinear",
                ),
                Fact(
                    "Variance, ∫-noise", draw_statistics.variance_text(bridge), "theory 1", "integral",
                    draw_statistics.within(float(bridge.var()), 1.0, count),
                ),
                Fact("α² + (1−α)²", f"{expected:.3f}", f"α = {alpha:.2f}"),
            ),
            f"At α = {alpha:.2f} interpolation keeps {expected:.0%} of the variance; ∫-noise keeps all of it.",
            rough=count == ROUGH,
        )  # fmt: skip


def over_alpha(settings: Settings) -> Iterator[Scene]:
    """Both variances over alpha, theory beside measurement."""
    alpha, seed = number(settings, "alpha"), whole(settings, "seed")
    places = np.linspace(0, 1, 201)
    theory = interpolation_variance(places)
    for count in (1_000, 20_000):
        drawn = draws(seed, count)
        measured_at = np.linspace(0, 1, GRID)
        pairs = [between(float(fraction), *drawn) for fraction in measured_at]
        of_lines = np.array([float(pair[0].var()) for pair in pairs])
        of_bridges = np.array([float(pair[1].var()) for pair in pairs])
        here = between(alpha, *drawn)
        panel = Panel(
            "curves",
            "Variance of the value in between, over α",
            (
                Band(places, *draw_statistics.interval(np.ones_like(places), count), "integral"),
                Band(places, *draw_statistics.interval(theory, count), "bilinear"),
                Curve(places, np.ones_like(places), "integral", "∫-noise: 1", 1.3),
                Curve(places, theory, "bilinear", "interpolated: α² + (1−α)²", 1.3),
                Points(measured_at, of_bridges, "integral", "measured, ∫-noise", 0.45),
                Points(measured_at, of_lines, "bilinear", "measured, interpolated", 0.45, "s"),
                Rule(x=alpha, ink="accent"),
                Rule(y=0.5, ink="border"),
                Points(np.array([alpha]), np.array([float(here[0].var())]), "bilinear", size=1.1, symbol="s"),
                Points(np.array([alpha]), np.array([float(here[1].var())]), "integral", size=1.1),
            ),
            "α (pixels)", "variance", (-0.015, 1.015), (0.3, 1.25),
            note=f"Points: sample variances of n = {count:,} draws; bands hold 99.9 % of them.",
            tip="Variance over alpha: a parabola that dips to one half, and the constant 1",
        )  # fmt: skip
        yield Scene(
            ((panel,),),
            (
                Fact("Interpolated at this α", f"{float(here[0].var()):.3f}",
                     f"theory {float(interpolation_variance(np.array(alpha))):.3f}", "bilinear"),
                Fact("∫-noise at this α", f"{float(here[1].var()):.3f}", "theory 1", "integral"),
                Fact("Least of the parabola", "0.5", "at α = ½", "bilinear"),
            ),
            "Half-way between two pixels, interpolation keeps half of the variance: less than anywhere else.",
            rough=count == 1_000,
        )  # fmt: skip


def in_pictures(settings: Settings) -> Iterator[Scene]:
    """Bilinear interpolation in two dimensions: the product of two parabolas."""
    alpha, beta, seed = number(settings, "alpha"), number(settings, "beta"), whole(settings, "seed")
    size = 64
    noise = rng.white(seed, rng.FIELD, 2, 1, size, size, draw_statistics.CPU)
    y, x = torch.meshgrid(torch.arange(size - 1) + 0.5, torch.arange(size - 1) + 0.5, indexing="ij")
    positions = torch.stack([x + alpha, y + beta], -1).reshape(-1, 2)
    shifted = interpolate(noise, positions, BILINEAR)[0].reshape(size - 1, size - 1)
    alphas = np.linspace(0, 1, 101)
    chart = interpolation_variance(alphas)[None, :] * interpolation_variance(alphas)[:, None]
    expected = float(interpolation_variance(np.array(alpha)) * interpolation_variance(np.array(beta)))
    pictures = (
        Panel("before", "White noise", (Image(noise[0].numpy(), (0, 0, size, size)),), square=True),
        Panel("after", "Shifted by (α, β), bilinear", (Image(shifted.numpy(), (0, 0, size - 1, size - 1)),), square=True),
        Panel(
            "chart",
            "Variance over both shifts",
            (
                Image(chart, (0, 0, 1, 1), 0.0, 1.0),
                Points(np.array([alpha]), np.array([beta]), "accent", size=1.2, symbol="d"),
            ),
            "α (pixels)", "β (pixels)", (0.0, 1.0), (0.0, 1.0), square=True,
            note="black 0, white 1",
        ),
    )  # fmt: skip
    yield Scene(
        (pictures,),
        (
            Fact("Variance after", f"{float(shifted.var()):.3f}", f"theory {expected:.3f}", "bilinear"),
            Fact("Worst, at (½, ½)", "0.25", "½ · ½"),
            Fact("Mean over all shifts", "0.444", "(2/3)²: what any rotation or zoom meets"),
        ),
        "In a picture both axes lose: where the shift passes whole pixels the noise is crisp, in between it is grey. "
        "A rotation shows all of it at once, as a pattern of stripes.",
    )


LESSONS.add("why-not-interpolate", order=1)(
    Lesson(
        (
            Running("alpha", "Shift α", 0.5, 0, 1, 0.01, "px", "How far the new pixel lies from the first"),
            ParameterInfo("beta", "Shift β", 0.5, 0, 1, 0.01, "px", "The shift along the other axis"),
        ),
        (
            Step("One draw", one_draw, ("alpha",), "alpha"),
            Step("Many draws", many_draws, ("alpha",), "alpha"),
            Step("Over all shifts", over_alpha, ("alpha",), "alpha"),
            Step("In a picture", in_pictures, ("alpha", "beta"), "alpha"),
        ),
    )
)
