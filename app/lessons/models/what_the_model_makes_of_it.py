"""Lesson 8: the same model given random, fixed and moved noise. Random boils, fixed sticks to the screen, ∫ moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from app.lessons.compute import videos
from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number, whole
from app.lessons.compute.scene import DASHED, Curve, Fact, Image, Panel, Points, Rule, Scene
from app.lessons.compute.videos import FRAMES, PRIORS, SIZE, STEPS, Video
from app.lessons.models import LESSONS
from gpu.parameters import ParameterInfo, choice

TEXTURE, LARGER = "unconditional-texture", "super-resolution-x8"
ALL = (*PRIORS, "bilinear")
TITLES = {"random": "Random", "fixed": "Fixed", "integral": "∫-noise", "bilinear": "Bilinear"}
DOES = {"random": "boils", "fixed": "sticks", "integral": "moves"}
SYMBOLS = {"random": "o", "fixed": "s", "integral": "d", "bilinear": "t"}
AREA = (0.0, 0.0, float(SIZE), float(SIZE))


def _video(settings: Settings, task: str) -> Video:
    way = (("dx", number(settings, "speed")), ("dy", 0.0))
    return videos.video(task, "translation", way, whole(settings, "seed"))


def _sampled(video: Video, priors: Sequence[str] = PRIORS) -> Iterator[bool]:
    """Yields whether there is more to come: at once, after every step of the sampler, and at the end."""
    more = video.known(priors) < FRAMES
    yield more
    while more:
        more = video.advance(priors)
        yield more


def _progress(video: Video, priors: Sequence[str], said: str) -> str:
    sampled = video.known(priors)
    return (
        said
        if sampled >= FRAMES
        else f"Sampling, {sampled} of {FRAMES} frames: {STEPS} steps of the model for each. {said}"
    )


def _output(video: Video, prior: str, t: int) -> torch.Tensor:
    """The output of frame t; while it is being sampled, the estimate so far; before that, grey."""
    outputs = video.outputs.get(prior, [])
    if t < len(outputs):
        return outputs[t]
    if t == len(outputs) and video.going is not None and video.going[0] == prior and video.preview is not None:
        return video.preview
    return torch.full((3, SIZE, SIZE), 0.5)


def _shown(video: Video, wanted: int, priors: Sequence[str] = PRIORS) -> int:
    """The frame that is shown: the wanted one, or the last on the way there."""
    return min(wanted, max(video.known(priors) - 1, 0))


def _square(name: str, title: str, picture: torch.Tensor, weight: float = 1.0, noise: bool = False) -> Panel:
    values = videos.colours(picture) if noise else videos.picture(picture)
    return Panel(name, title, (Image(values, AREA),), square=True, weight=weight)


def _errors(video: Video, priors: Sequence[str] = PRIORS) -> tuple[Fact, ...]:
    facts = []
    for prior in priors:
        measured = video.measured(prior)
        pairs = max(measured.frames - 1, 0)
        facts.append(
            Fact(
                f"Warp error, {TITLES[prior].lower()}", _number(measured.warp_error), f"×10⁻³, n = {pairs} pairs", prior
            )
        )
    return tuple(facts)


def _number(value: float, digits: int = 1) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def from_noise_alone(settings: Settings) -> Iterator[Scene]:
    """Noise above, and what the texture model makes of it below."""
    video, wanted = _video(settings, TEXTURE), whole(settings, "frame")
    for more in _sampled(video):
        t = _shown(video, wanted)
        noises = tuple(
            _square(f"noise {prior}", f"{TITLES[prior]}, frame {t}", video.noise(prior, t), noise=True)
            for prior in PRIORS
        )
        outputs = tuple(
            _square(f"output {prior}", f"The output {DOES[prior]}", _output(video, prior, t)) for prior in PRIORS
        )  # fmt: skip
        yield Scene(
            (noises, outputs),
            _errors(video),
            _progress(video, PRIORS, "All that differs between the columns is the noise."),
            rough=more,
        )


def slices(settings: Settings) -> Iterator[Scene]:
    """One row of the screen, frame after frame: x-t slices."""
    task, row, speed = str(settings["task"]), whole(settings, "row"), number(settings, "speed")
    video = _video(settings, task)
    frames = np.arange(FRAMES + 1, dtype=float)
    for more in _sampled(video):
        panels = []
        for prior in PRIORS:
            ways = tuple(
                Curve(start + speed * frames, frames, "accent", "the true motion" if index == 0 else "", 1.2, DASHED)
                for index, start in enumerate((12.0, 34.0))
            )
            panels.append(
                Panel(
                    f"slice {prior}",
                    f"{TITLES[prior]} {DOES[prior]}",
                    (Image(video.row(prior, row), (0.0, 0.0, float(SIZE), float(FRAMES))), *ways),
                    "x (pixels)", "frame" if prior == PRIORS[0] else "", (-3.0, float(SIZE)), (0.0, float(FRAMES)),
                    weight=1.12 if prior == PRIORS[0] else 1.0,
                    tip=f"Row {row} of the output with {TITLES[prior]}, one line a frame",
                )
            )  # fmt: skip
        yield Scene(
            (tuple(panels),),
            _errors(video),
            _progress(
                video, PRIORS, "Time runs upwards. What moves with the picture leaves streaks along the dashed lines."
            ),
            rough=more,
        )


def with_a_picture(settings: Settings) -> Iterator[Scene]:
    """Super-resolution: the picture moves, its invented detail follows the noise."""
    video, wanted = _video(settings, LARGER), whole(settings, "frame")
    for more in _sampled(video):
        t = _shown(video, wanted)
        clip = video.clip[t]
        top = (
            _square("true", f"The frame, {t}", clip),
            _square("input", "What the model is given", video.task.input_image(clip, video.options)),
        )
        below = tuple(_square(f"output {p}", f"{TITLES[p]} {DOES[p]}", _output(video, p, t)) for p in PRIORS)
        yield Scene(
            (top, below),
            _errors(video),
            _progress(video, PRIORS, "63 of 64 pixels are invented: their detail follows the noise."),
            rough=more,
        )


def beside_sharpness(settings: Settings) -> Iterator[Scene]:
    """Warp error and sharpness of four priors."""
    video, wanted = _video(settings, LARGER), whole(settings, "frame")
    for more in _sampled(video, ALL):
        t = _shown(video, wanted, ALL)
        yield _judged(video, t, more)


def _judged(video: Video, t: int, rough: bool) -> Scene:
    true = video.detail_of_clip()
    items, facts = [], []
    highest, least = 1.0, 0.4
    for prior in ALL:
        measured = video.measured(prior)
        sharp, error = measured.laplacian / true, measured.warp_error
        if math.isfinite(error):
            highest, least = max(highest, error), min(least, sharp)
            items.append(Points(np.array([sharp]), np.array([error]), prior, TITLES[prior], 1.3, SYMBOLS[prior]))
        facts.append(
            Fact(f"{TITLES[prior]}, warp error", _number(error), f"×10⁻³, sharpness {_number(sharp, 2)}", prior)
        )
    panel = Panel(
        "both",
        "Good is below and near 1",
        (Rule(x=1.0, ink="dim"), *items),
        "sharpness (true frames: 1)", "warp error (×10⁻³)", (least - 0.1, 1.3), (-0.04 * highest, 1.15 * highest),
        weight=1.7,
        note=f"Means over {video.known(ALL)} frames",
        tip="Warp error over sharpness, one mark a prior",
    )  # fmt: skip
    pictures = tuple(
        _square(f"output {prior}", f"{TITLES[prior]}, frame {t}", _output(video, prior, t))
        for prior in ("bilinear", "integral")
    )
    bilinear, integral = video.measured("bilinear"), video.measured("integral")
    said = "A blurred video warps well, because nothing is left in it that could flicker."
    if bilinear.laplacian < 0.8 * integral.laplacian:
        said += f" Bilinear noise keeps {bilinear.laplacian / integral.laplacian:.0%} of ∫-noise's detail."
    return Scene(((panel, *pictures),), tuple(facts), _progress(video, ALL, said), rough=rough)


LESSONS.add("what-the-model-makes-of-it", order=8)(
    Lesson(
        (
            ParameterInfo(
                "speed", "Speed", 1.5, 0, 3, 0.25, "px/frame", "How far the picture and its noise move to the right"
            ),
            Running("frame", "Frame", FRAMES - 1, 0, FRAMES - 1, 1, "", "Which frame is shown", rate=6),
            Running("row", "Row", 40, 0, SIZE - 1, 1, "", "Which row of the screen the slices show", rate=8),
            choice(
                "task",
                "Model",
                TEXTURE,
                ((TEXTURE, "Texture"), (LARGER, "Super-resolution ×8")),
                "Given noise alone, or noise and a small picture",
            ),
        ),
        (
            Step("From noise alone", from_noise_alone, ("speed", "frame"), "frame"),
            Step("Slices through time", slices, ("task", "speed", "row"), "row"),
            Step("With a picture to keep to", with_a_picture, ("speed", "frame"), "frame"),
            Step("Sharp, or merely smooth?", beside_sharpness, ("speed", "frame"), "frame"),
        ),
    )
)
