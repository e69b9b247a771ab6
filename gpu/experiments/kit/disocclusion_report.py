"""What the experiment `disocclusion` found as tables, figures and claims."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpu.experiments import (
    Axis,
    Bars,
    BarSeries,
    Claim,
    Column,
    Figure,
    Line,
    Outcome,
    Pictures,
    Plot,
    Row,
    Table,
    cells,
)
from gpu.experiments.kit.disocclusion_scene import Scene
from gpu.experiments.kit.uncovered_outputs import Errors
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.priors import INHERITED, NEW, UNDEFINED

U8 = npt.NDArray[np.uint8]

NAMES = {"two-stage": "two-stage handler", "random": "random fill"}
WHO = {
    "all": "all pixels",
    "uncovered": "came into view after frame 0",
    "reappeared": "… and had been seen in frame 0",
    "recalled": "the same, against frame 0",
    "over 5 frames": "came into view, over 5 frames",
}
COLOURS = {0: (225, 228, 232), INHERITED: (36, 144, 207), NEW: (224, 176, 0), UNDEFINED: (184, 58, 0)}
FAILS = 1e-3


def _of(scenes: list[Scene], fill: str, group: str) -> list[float]:
    return [scene.groups[fill, group].correlation for scene in scenes]


def _share(scenes: list[Scene], fill: str, state: int) -> list[float]:
    """Mean share over frames but the first, a scene each."""
    return [float(np.mean(scene.shares[fill, state][1:])) for scene in scenes]


def report(
    scenes: list[Scene], outputs: list[Errors], task: str, size: int, keep: tuple[int, ...], notes: tuple[str, ...]
) -> Outcome:
    """All of it; `keep` are the frames whose pictures the first scene has."""
    fresh = intervals.ratio(_share(scenes, "two-stage", NEW), _share(scenes, "random", UNDEFINED))
    kept = {fill: intervals.mean(_of(scenes, fill, "uncovered")) for fill in NAMES}
    whole = {fill: intervals.mean(_of(scenes, fill, "all")) for fill in NAMES}
    undefined = intervals.mean(_share(scenes, "random", UNDEFINED))
    summary = (
        f"Random fill leaves {undefined.value:.1%} of the pixels undefined in a frame; the two-stage handler draws "
        f"{intervals.mean(_share(scenes, 'two-stage', NEW)).value:.1%} afresh and carries the rest on. What came into view "
        f"keeps a correlation of {kept['two-stage'].value:.2f} from frame to frame with it, {kept['random'].value:.2f} with "
        f"random fill; over all pixels {whole['two-stage'].value:.3f} and {whole['random'].value:.3f}."
    )
    tables = [_coherence_table(scenes), _share_table(scenes)]
    figures = [_shares(scenes), _groups(scenes), _over_time(scenes), _states(scenes[0], keep)]
    if outputs:
        tables.append(_output_table(outputs, task))
        figures += [_errors(outputs, task), _last(outputs[0], task)]
    return Outcome(
        summary, tuple(tables), tuple(figures), _claims(scenes, outputs, task, fresh, kept), notes,
        {"motion": "true motion", "size": size},
    )  # fmt: skip


def exceeds(interval: Interval, bound: float) -> bool | None:
    """Whether the interval lies above `bound`, or below; None where it says neither."""
    return True if interval.low > bound else False if interval.high < bound else None


def _claims(
    scenes: list[Scene], outputs: list[Errors], task: str, fresh: Interval, kept: dict[str, Interval]
) -> tuple[Claim, ...]:
    gain = intervals.mean(np.subtract(_of(scenes, "two-stage", "uncovered"), _of(scenes, "random", "uncovered")))
    five = intervals.mean(
        np.subtract(_of(scenes, "two-stage", "over 5 frames"), _of(scenes, "random", "over 5 frames"))
    )
    level = intervals.ratio(_of(scenes, "two-stage", "uncovered"), _of(scenes, "two-stage", "all"))
    all_gain = intervals.mean(np.subtract(_of(scenes, "two-stage", "all"), _of(scenes, "random", "all")))
    back = intervals.mean(_of(scenes, "two-stage", "recalled"))
    p = min(1.0, min(s.smallest_p["two-stage"] * s.tests for s in scenes) * len(scenes))
    claims = [
        Claim("Pixels drawn afresh in a frame: two-stage over random fill", fresh, "< 1, the whole interval",
              True if fresh.high < 1 else False if fresh.low > 1 else None, answers="disocclusion"),
        Claim("Random fill: undefined pixels of a frame", intervals.mean(_share(scenes, "random", UNDEFINED)),
              "nothing was claimed", None, form=".1%", answers="disocclusion"),
        Claim("Two-stage more coherent where something came into view: difference of the correlations with the previous frame",
              gain, "> 0, the whole interval", exceeds(gain, 0), answers="disocclusion"),
        Claim("The same over 5 frames", five, "> 0, the whole interval", exceeds(five, 0), answers="disocclusion"),
        Claim("The same over all pixels, from frame to frame", all_gain, "> 0, the whole interval", exceeds(all_gain, 0),
              answers="disocclusion"),
        Claim("Two-stage: correlation where something came into view over that of all pixels", level, "≥ 0.9, whole interval",
              exceeds(level, 0.9), answers="disocclusion"),
        Claim("Random fill: correlation with the previous frame where something came into view", kept["random"],
              "0 inside the interval", 0 in kept["random"]),
        Claim("What reappears has its noise of frame 0 again: correlation, two-stage", back, "≥ 0.2, whole interval",
              exceeds(back, 0.2), note="Neither handler recognises what comes back: it is given fresh noise.",
              answers="disocclusion"),
        Claim("Two-stage noise stays white: smallest p of all whiteness tests, times their number", p, f"≥ {FAILS:g}",
              p >= FAILS, answers="whiteness"),
    ]  # fmt: skip
    if outputs:
        view = intervals.ratio(
            [errors.view["random"] for errors in outputs], [errors.view["two-stage"] for errors in outputs]
        )
        every = intervals.ratio(
            [errors.all["random"] for errors in outputs], [errors.all["two-stage"] for errors in outputs]
        )
        claims += [
            Claim(f"{task}: warp error of outputs where something came into view, random fill over two-stage", view,
                  "> 1, whole interval",
                  exceeds(view, 1), answers="disocclusion"),
            Claim(f"{task}: the same over all pixels", every, "> 1, whole interval", exceeds(every, 1), answers="disocclusion"),
        ]  # fmt: skip
    return tuple(claims)


def _coherence_table(scenes: list[Scene]) -> Table:
    rows: list[Row] = []
    for group, who in WHO.items():
        for fill, name in NAMES.items():
            correlation = intervals.mean(_of(scenes, fill, group))
            pixels = sum(scene.groups[fill, group].pixels for scene in scenes)
            rows.append(
                {"fill": name, "pixels": who, **cells("correlation", correlation), "count": pixels, "n": correlation.n}
            )
    columns = (
        Column("pixels", "Pixels"), Column("fill", "Handler"), Column("correlation", "correlation", form=".3f"),
        Column("count", "pixels compared"), Column("n", "scenes"),
    )  # fmt: skip
    ceiling = float(np.mean([scene.ceiling for scene in scenes]))
    return Table("disocclusion", "Correlation of noise along the true motion", tuple(rows), columns,
                 f"With the previous frame where nothing else is said. Perfect transport would reach {ceiling:.3f} over all "
                 "pixels. Means over scenes, 95 %.")  # fmt: skip


def _share_table(scenes: list[Scene]) -> Table:
    kinds = ((INHERITED, "inherited"), (NEW, "new"), (UNDEFINED, "undefined"))
    rows: list[Row] = []
    for t in range(len(scenes[0].shares["random", NEW])):
        row: dict[str, float | int | str | bool | None] = {"frame": t}
        for fill in NAMES:
            for state, kind in kinds:
                key = f"{fill.replace('-', '_')}_{kind}"
                row |= cells(key, intervals.mean([100 * scene.shares[fill, state][t] for scene in scenes]))
        rows.append({**row, "n": len(scenes)})
    columns = (
        Column("frame", "frame"), Column("two_stage_inherited", "two-stage: inherited", "%", ".1f"),
        Column("two_stage_new", "two-stage: new", "%", ".1f"), Column("random_undefined", "random fill: undefined", "%", ".1f"),
        Column("n", "scenes"),
    )  # fmt: skip
    return Table("shares", "Shares of pixels", tuple(rows), columns, "Means over scenes, 95 %.")


def _output_table(outputs: list[Errors], task: str) -> Table:
    rows: list[Row] = []
    for fill, name in NAMES.items():
        rows.append(
            {
                "fill": name,
                **cells("warp_error", intervals.mean([errors.all[fill] for errors in outputs])),
                **cells("warp_error_uncovered", intervals.mean([errors.view[fill] for errors in outputs])),
                **cells("laplacian", intervals.mean([errors.laplacian[fill] for errors in outputs])),
                "n": len(outputs),
            }
        )
    columns = (
        Column("fill", "Handler"), Column("warp_error", "warp error, all", "×10⁻³"),
        Column("warp_error_uncovered", "warp error, came into view", "×10⁻³"),
        Column("laplacian", "variance of the Laplacian", form=".0f"), Column("n", "scenes"),
    )  # fmt: skip
    share = float(np.mean([errors.share for errors in outputs]))
    return Table("outputs", f"Outputs of {task}", tuple(rows), columns,
                 f"Means over scenes, 95 %. {share:.1%} of the pixels had come into view.")  # fmt: skip


def _line(label: str, x: list[int], columns: list[list[float]]) -> Line:
    means = [intervals.mean(column) for column in columns]
    return Line(label, x, [mean.value for mean in means], [mean.low for mean in means], [mean.high for mean in means])


def _shares(scenes: list[Scene]) -> Figure:
    frames = list(range(len(scenes[0].shares["random", NEW])))

    def line(label: str, fill: str, state: int) -> Line:
        return _line(label, frames, [[100 * scene.shares[fill, state][t] for scene in scenes] for t in frames])

    series = (
        line("two-stage: inherited", "two-stage", INHERITED),
        line("two-stage: new", "two-stage", NEW),
        line("random fill: undefined", "random", UNDEFINED),
    )
    return Figure(
        "shares", "Pixels without noise of the first frame",
        (Plot("", Axis("frame"), Axis("pixels", "%", low=0, high=100), series),),
        f"n = {len(scenes)} scenes; bands: 95 %.",
        "What has come into view stays without noise of frame 0. Random fill draws all of it again in every frame; the "
        "two-stage handler draws only what is new and inherits the rest.",
    )  # fmt: skip


def _groups(scenes: list[Scene]) -> Figure:
    series = []
    for fill, name in NAMES.items():
        means = [intervals.mean(_of(scenes, fill, group)) for group in WHO]
        series.append(
            BarSeries(name, [mean.value for mean in means], [mean.low for mean in means], [mean.high for mean in means])
        )
    ceiling = float(np.mean([scene.ceiling for scene in scenes]))
    groups = ("all pixels", "came into view\nafter frame 0", "… seen before\nin frame 0", "these,\nagainst frame 0",
              "came into view,\nover 5 frames")  # fmt: skip
    return Figure(
        "coherence", "Correlation of noise along the true motion",
        (Bars("", Axis("correlation", low=-0.2, high=1), groups, tuple(series), {"perfect transport, all pixels": ceiling}),),
        f"n = {len(scenes)} scenes; bars: 95 %.",
        "With the previous frame where nothing else is said. Noise that came into view lives on with the two-stage handler "
        "only; what had been seen before is not recognised by either.",
    )  # fmt: skip


def _over_time(scenes: list[Scene]) -> Figure:
    frames = list(range(1, len(scenes[0].uncovered["random"]) + 1))
    series = tuple(
        _line(name, frames, [[scene.uncovered[fill][t - 1] for scene in scenes] for t in frames])
        for fill, name in NAMES.items()
    )
    return Figure(
        "over-time", "Where something came into view",
        (Plot("", Axis("frame"), Axis("correlation with previous frame", low=-0.2, high=1), series),),
        f"n = {len(scenes)} scenes, as far as something had come into view; bands: 95 %.",
    )  # fmt: skip


def _states(scene: Scene, keep: tuple[int, ...]) -> Figure:
    def painted(states: U8) -> U8:
        out = np.zeros((*states.shape, 3), np.uint8)
        for state, colour in COLOURS.items():
            out[states == state] = colour
        return out

    rows = (
        tuple(scene.frames[t] for t in keep),
        tuple(painted(scene.states["two-stage", t]) for t in keep),
        tuple(painted(scene.states["random", t]) for t in keep),
    )
    sheet = Pictures("", ("scene", "two-stage", "random fill"), tuple(f"frame {t}" for t in keep), rows, 2)
    return Figure(
        "states", "Where noise comes from", (sheet,), "n = 1 scene.",
        "Grey: noise of the first frame. Blue: inherited from a later frame. Yellow: new in this frame. Red: undefined, "
        "filled at random again in every frame.",
    )  # fmt: skip


def _errors(outputs: list[Errors], task: str) -> Figure:
    series = []
    for fill, name in NAMES.items():
        means = [
            intervals.mean([errors.all[fill] for errors in outputs]),
            intervals.mean([errors.view[fill] for errors in outputs]),
        ]
        series.append(
            BarSeries(name, [mean.value for mean in means], [mean.low for mean in means], [mean.high for mean in means])
        )
    panel = Bars("", Axis("warp error", "×10⁻³", low=0), ("all pixels", "came into view after frame 0"), tuple(series))
    return Figure("outputs-warp-error", f"Outputs of {task}: warp error between consecutive frames", (panel,),
                  f"n = {len(outputs)} scenes; bars: 95 %.",
                  "With random fill the model invents other details in every frame for what has come into view.")  # fmt: skip


def _last(errors: Errors, task: str) -> Figure:
    sheet = Pictures(
        "", ("output",), tuple(NAMES[fill] for fill in errors.pictures), (tuple(errors.pictures.values()),), 2
    )
    return Figure("outputs", f"Outputs of {task}: the last frame", (sheet,), "n = 1 scene.",
                  "A still shows no difference in quality: only motion tells them apart.")  # fmt: skip
