"""The measures that can be drawn over time: what each is called, its unit, its scale and how it is read."""

from __future__ import annotations

from dataclasses import dataclass

CEILING = 2 / 3
"""Coherence of a perfect transport under general motion. Where pixels meet at an offset (u, v), sampling the other frame
bilinearly gives a covariance and a variance that are both ((1−u)² + u²)((1−v)² + v²), (2/3)² on average over all offsets;
the correlation is the covariance over the root of the variance, 2/3."""

NO_OUTPUT = "no output yet; it appears once a diffusion task has run"
NO_PAIR = "needs a diffusion task's outputs of two frames in a row"
NO_FIVE = "needs a diffusion task's outputs five frames apart"


@dataclass(frozen=True)
class Curves:
    """A measure over time: its name in the engine's series, what it is called, its unit, and how it is scaled."""

    series: str
    title: str
    unit: str
    tip: str
    scale: float = 1.0
    reference: float | None = None
    fixed: tuple[float, float] | None = None
    hint: str = "not computed yet"

    @property
    def label(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


CURVES: tuple[Curves, ...] = (
    Curves(
        "warp_error",
        "warp error, gap 1",
        "×10⁻³",
        "Mean squared difference between the output and the previous one carried along the motion, images in 0 … 1. "
        "Lower flickers less; a blurred output is low as well, so look at sharpness beside it.",
        scale=1e3,
        hint=NO_PAIR,
    ),
    Curves(
        "warp_error_5",
        "warp error, gap 5",
        "×10⁻³",
        "The same over five frames. Noise that sticks to the screen flatters itself at a gap of 1, but not here.",
        scale=1e3,
        hint=NO_FIVE,
    ),
    Curves(
        "variance",
        "noise variance",
        "",
        "Variance of the noise of each frame. White noise gives 1; interpolation loses it.",
        reference=1.0,
    ),
    Curves(
        "coherence_previous",
        "coherence with previous frame",
        "correlation",
        "Correlation of the noise with the previous frame's along the true motion. A perfect transport gives 1 where "
        "nothing moves or moves by whole pixels, and 2/3 on average for general motion: the grey line.",
        reference=CEILING,
        fixed=(-0.1, 1.05),
    ),
    Curves(
        "coherence_first",
        "coherence with first frame",
        "correlation",
        "Correlation of the noise with that of the shot's first frame along the true motion. Chained methods forget "
        "within a few frames. The grey line at 2/3 is the ceiling for general motion.",
        reference=CEILING,
        fixed=(-0.1, 1.05),
    ),
    Curves(
        "coherence_ceiling",
        "coherence ceiling",
        "correlation",
        "What perfect transport would reach with the previous frame for the motion of this frame: pixels that meet at an "
        "offset share only part of their area.",
        fixed=(-0.1, 1.05),
    ),
    Curves("undefined", "undefined pixels", "%", "Pixels that no noise could be carried to.", scale=100.0),
    Curves(
        "inherited", "inherited pixels", "%", "Pixels whose noise was born after the shot's first frame.", scale=100.0
    ),
    Curves(
        "renewed",
        "renewed pixels",
        "%",
        "Pixels whose noise is of the shot's first frame, but was taken over by a later anchor where outlines could no longer "
        "follow the motion.",
        scale=100.0,
    ),
    Curves("new", "new pixels", "%", "Pixels that came into view and opened an anchor with fresh noise.", scale=100.0),
    Curves(
        "coverage",
        "coverage",
        "%",
        "Pixels whose motion passes the forward-backward check, over which the warp error is taken.",
        scale=100.0,
        fixed=(0.0, 105.0),
    ),
    Curves("coverage_5", "coverage, gap 5", "%", "The same over five frames.", scale=100.0, fixed=(0.0, 105.0)),
    Curves(
        "sharpness",
        "sharpness",
        "× true frame",
        "Variance of the output's Laplacian relative to that of the true frame. Well below 1 is blurred.",
        reference=1.0,
        hint=NO_OUTPUT,
    ),
    Curves(
        "laplacian",
        "Laplacian variance",
        "(0–255)²",
        "Variance of the output's Laplacian, on the 0 … 255 scale: what sharpness is a ratio of.",
        hint=NO_OUTPUT,
    ),
    Curves("psnr", "PSNR", "dB", "Peak signal-to-noise ratio of the output to the true frame.", hint=NO_OUTPUT),
)
