"""long: how long noise remembers. Correlation with frame 0 and with the previous frame, and the variance, over many frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gpu.engine.clip import Clip, opened, with_first, with_previous
from gpu.errors import ChoiceError, SessionError
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Claim,
    Column,
    Experiment,
    Figure,
    Line,
    Outcome,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
    cells,
)
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, NoiseFrame, Run
from gpu.session import NoiseSettings, PriorSettings, SourceSettings
from gpu.source.deformations import DEFORMATIONS

PRIORS_SHOWN = (
    "integral, integral-exact, infinite-particle, go-with-the-flow, bilinear:anchored, bilinear:chained, nearest:anchored, "
    "nearest:chained, root-bilinear, fixed, pyoco-progressive, control-a-video, random"
)

COLUMNS = (
    Column("prior", "Prior"),
    Column("t", "frame"),
    Column("first", "with frame 0", form=".3f", tip="Correlation along the true motion"),
    Column("ceiling", "ceiling", form=".3f", tip="Perfect transport of areas under this measure"),
    Column("previous", "with previous", form=".3f"),
    Column("variance", "variance", form=".4f"),
    Column("seen", "seen in frame 0", "%", ".1f", tip="Pixels whose place in frame 0 is known"),
    Column("n", "runs"),
)


@dataclass
class Track:
    """What was measured of a prior at each frame looked at, a value a run."""

    first: dict[int, list[float]] = field(default_factory=dict)
    ceiling: dict[int, list[float]] = field(default_factory=dict)
    previous: dict[int, list[float]] = field(default_factory=dict)
    variance: dict[int, list[float]] = field(default_factory=dict)
    seen: dict[int, list[float]] = field(default_factory=dict)

    def note(self, t: int, **values: float) -> None:
        """Add a run's values at frame t."""
        for name, value in values.items():
            getattr(self, name).setdefault(t, []).append(value)


def looked_at(frames: int) -> list[int]:
    """Frames from 1 to the last, about evenly spaced in their logarithm."""
    return sorted({1, 2, 3, frames - 1} | {round(value) for value in np.geomspace(1, frames - 1, 13)})


def chosen(names: list[str]) -> dict[str, PriorSettings]:
    """Priors by label, from "name" or "name:mode". ChoiceError for an unknown prior, SessionError for a mode it has not."""
    settings_by_label = {}
    for name in names:
        prior, _, mode = name.partition(":")
        modes = PRIORS.get(prior).info.modes
        if mode not in ("", *modes):
            raise SessionError(f"The prior {prior} cannot be {mode}; it can be {', '.join(modes) or 'neither way'}.")
        settings_by_label[f"{prior} ({mode})" if mode else prior] = PriorSettings(prior, mode)  # type: ignore[arg-type]
    if not settings_by_label:
        raise ChoiceError("Name at least one prior.")
    return settings_by_label


@dataclass
class _Part:
    """Some channels of a run, as a run of their own: channels are independent, and geometry is worked out once for all."""

    run: Run
    channels: slice

    def frame(self, t: int) -> NoiseFrame:
        whole = self.run.frame(t)
        return NoiseFrame(whole.noise[self.channels], whole.state)


def look(clip: Clip, run: Run, t: int, channels: int, draws: int, track: Track) -> None:
    """Measure frame t of a run, each `channels` of it by themselves."""
    anchored = clip.transport().track(t)
    seen = float((anchored.label == 0).float().mean())
    for draw in range(draws):
        part = _Part(run, slice(draw * channels, (draw + 1) * channels))
        first, ceiling = with_first(clip, part, t, channels)
        previous, _ = with_previous(clip, part, t, channels)
        variance = float(part.frame(t).noise.var())
        track.note(t, first=first, ceiling=ceiling, previous=previous, variance=variance, seen=seen)


def run(settings: Settings) -> Steps:
    """Every prior over the whole clip, from frame to frame."""
    size, channels, frames = settings.whole("size"), settings.whole("channels"), settings.whole("frames")
    flows, draws, seed = settings.names("flows", DEFORMATIONS, least=1), settings.whole("draws"), settings.seed
    priors = chosen(settings.names("priors"))
    tracks = {label: Track() for label in priors}
    times = looked_at(frames)
    total, done = len(flows) * len(priors) * (frames - 1), 0
    for flow in flows:
        source = SourceSettings("synthetic", name=flow, height=size, width=size, frames=frames)
        with opened(source) as clip:
            for label, prior in priors.items():
                noise = clip.start(prior, NoiseSettings(channels=channels * draws, seed=seed))
                for t in range(1, frames):
                    yield Update(done, total, f"{flow}: {label}, frame {t}")
                    done += 1
                    # One step on. What is not looked at needs no noise where the geometry can go alone.
                    if t in times:
                        look(clip, noise, t, channels, draws, tracks[label])
                    elif prior.name == "integral":
                        clip.transport(NoiseSettings(seed=seed)).tracks.transported(t)
                    else:
                        noise.frame(t)
            seed += 1
    rows = [_row(label, t, tracks[label]) for label in priors for t in times]
    counts = (
        f"n = {len(flows) * draws} runs ({', '.join(flows)}; {draws} draws), {size}×{size} pixels, {channels} channels"
    )
    table = Table("long", "Memory and variance over time", tuple(rows), COLUMNS, f"{counts}. Means over runs, 95 %.")
    return Outcome(
        _summary(tracks, times),
        (table,),
        (_figure(priors, tracks, times, counts),),
        tuple(_claims(tracks, times)),
        (
            "Correlations are over the pixels whose place in frame 0 is known.",
            "Even perfect transport stays below 1: pixels that meet at an offset share part of their areas only.",
        ),
        {"flows": ", ".join(flows)},
    )


def _at(track: Track, name: str, t: int) -> Interval:
    return intervals.mean(getattr(track, name)[t])


def _row(label: str, t: int, track: Track) -> Row:
    row: dict[str, float | int | str | bool | None] = {"prior": label, "t": t}
    for name in ("first", "ceiling", "previous", "variance"):
        row |= cells(name, _at(track, name, t))
    return {**row, "seen": 100 * float(np.mean(track.seen[t])), "n": len(track.first[t])}


def _figure(priors: dict[str, PriorSettings], tracks: dict[str, Track], times: list[int], counts: str) -> Figure:
    def lines(name: str) -> tuple[Line, ...]:
        out = []
        for label, prior in priors.items():
            values = [_at(tracks[label], name, t) for t in times]
            colour = prior.key if prior.mode == "chained" else prior.name  # the prior's, chained with another dash
            out.append(
                Line(label, times, [v.value for v in values], [v.low for v in values], [v.high for v in values], colour)
            )
        return tuple(out)

    ceiling = Line(
        "ceiling", times, [_at(next(iter(tracks.values())), "ceiling", t).value for t in times], kind="theory"
    )
    x = Axis("frame", log=True)
    return Figure(
        "memory",
        "How long noise remembers",
        (
            Plot(
                "Memory of frame 0",
                x,
                Axis("correlation with frame 0", low=-0.05, high=1.05),
                (*lines("first"), ceiling),
            ),
            Plot(
                "Memory of the previous frame",
                x,
                Axis("correlation with previous", low=-0.05, high=1.05),
                lines("previous"),
            ),
            Plot("Variance", x, Axis("variance", low=0), lines("variance"), {"white noise": 1.0}),
        ),
        f"{counts}; bands: 95 % over runs.",
        "Anchored noise keeps what it has; chained noise forgets, or blurs away.",
        columns=1,
    )


def _claims(tracks: dict[str, Track], times: list[int]) -> list[Claim]:
    last, claims = times[-1], []
    if "integral" in tracks:
        its = tracks["integral"]
        kept = intervals.ratio(its.first[last], its.ceiling[last])
        claims.append(
            Claim(f"integral keeps its memory of frame 0: correlation at frame {last} over the ceiling there", kept, "≥ 0.9",
                  kept.value >= 0.9)
        )  # fmt: skip
        values = [value for t in times for value in its.variance[t]]
        worst = max(abs(_at(its, "variance", t).value - 1) for t in times)
        claims.append(
            Claim("integral's variance does not drift: largest distance of its mean from 1 at any frame", worst, "< 0.03",
                  worst < 0.03, note=f"Over all frames its mean is {np.mean(values):.4f}.")
        )  # fmt: skip
    for prior in ("nearest", "bilinear"):
        pair = [tracks.get(f"{prior} ({mode})") for mode in ("anchored", "chained")]
        if pair[0] is None or pair[1] is None:
            continue
        anchored, chained = (_at(track, "first", last) for track in pair if track is not None)
        claims.append(
            Claim(f"{prior}: chained noise remembers less of frame 0 at frame {last} than anchored", chained,
                  f"below the anchored {anchored.value:.3f}", chained.value < anchored.value)
        )  # fmt: skip
    blurred = tracks.get("bilinear (chained)")
    if blurred is not None:
        variance = _at(blurred, "variance", last)
        claims.append(
            Claim(f"bilinear, chained, loses its variance: at frame {last}", variance, "< 0.25", variance.value < 0.25)
        )
    return claims


def _summary(tracks: dict[str, Track], times: list[int]) -> str:
    last = times[-1]
    parts = [
        f"{label} {_at(track, 'first', last).value:.2f} (variance {_at(track, 'variance', last).value:.2f})"
        for label, track in tracks.items()
        if math.isfinite(_at(track, "first", last).value)
    ]
    return f"Correlation with frame 0 along the true motion at frame {last}: {', '.join(parts)}."


EXPERIMENTS.add("long", order=90)(
    Experiment(
        title="Memory over many frames",
        about="Carries noise over 128 frames, anchored and chained: correlation with frame 0 and the previous frame, variance.",
        run=run,
        parameters=(
            ParameterInfo("frames", "Frames", 128, 4, 2000, 1, "", "Frames of a clip."),
            ParameterInfo("flows", "Flows", text="rotation,turbulence", tip="Synthetic deformations, with commas."),
            ParameterInfo("draws", "Draws", 3, 1, 100, 1, "", "Independent draws of noise for each flow."),
            ParameterInfo("size", "Size", 64, 16, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("channels", "Channels", 3, 1, 16, 1, "", "Channels of noise."),
            ParameterInfo("priors", "Priors", text=PRIORS_SHOWN, tip="Priors, or prior:mode, with commas."),
        ),
        quick={
            "frames": 24,
            "draws": 2,
            "size": 32,
            "priors": "integral,bilinear:anchored,bilinear:chained,nearest:anchored,nearest:chained,fixed,random",
        },
        together={"draws": 2, "size": 48},
    )
)
