"""runtime: milliseconds a frame of every prior at growing sizes, as a ratio to torch.randn, beside the published tables."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from gpu.engine.clip import Clip, opened
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Bars,
    BarSeries,
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
from gpu.experiments.kit import published, sampling_runs
from gpu.metrics.intervals import Interval
from gpu.noise import fine_field
from gpu.parameters import ParameterInfo
from gpu.priors import PRIORS, steps_of
from gpu.session import NoiseSettings, PriorSettings, SourceSettings

LITERATURE = {256: (published.MILLISECONDS, published.TABLE_3), 1024: (published.MILLISECONDS_1024, published.BURGERT)}
"""Published ms a frame by size: at 256² on an RTX 3090, at 1024² on an A100."""

COLUMNS = (
    Column("prior", "Prior"),
    Column("height", "size", "px", tip="Rows and columns"),
    Column("median_ms", "ms a frame", "ms", tip="Median; in brackets an interval of it from order statistics"),
    Column("ratio", "of torch.randn", "×", ".1f", tip="Over the time of torch.randn of the same shape in this run"),
    Column("processor_ms", "processor time", "ms", tip="Median, summed over threads: other programs do not count"),
    Column("processor_ratio", "of torch.randn", "×", ".1f", tip="Processor time over that of torch.randn"),
    Column("published_ms", "ms a frame", "ms", published=True, tip=f"{published.TABLE_3}; {published.BURGERT}"),
    Column("published_on", "on", published=True),
    Column("n", "frames"),
)


@dataclass
class Times:
    """Seconds by the clock and of the processor, frame by frame."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def note(self, began: tuple[float, float]) -> float:
        """Add what has passed since `began`; returns the time now."""
        now = clocks()
        self.seconds.append(now[0] - began[0])
        self.processor.append(now[1] - began[1])
        return now[0]


@dataclass
class Timed:
    """One prior at one size."""

    prior: str
    size: int
    times: Times

    @property
    def seconds(self) -> list[float]:
        """By the clock."""
        return self.times.seconds


def clocks() -> tuple[float, float]:
    """The time, and the processor time of this program with all its threads, in seconds."""
    return time.perf_counter(), time.process_time()


def median(values: list[float]) -> Interval:
    """The median with the narrowest symmetric interval of order statistics of at least 90 % (exact for any distribution);
    NaN ends below 5 values. `confidence` is what it has."""
    ordered = sorted(values)
    n = len(ordered)
    value = float(np.median(ordered)) if n else math.nan
    below, chosen, confidence = 0.0, -1, math.nan
    for rank in range(n // 2):  # P(fewer than rank + 1 of n fall below the median) = sum of binomials / 2^n
        below += math.comb(n, rank) / 2**n
        if 1 - 2 * below < 0.9:
            break
        chosen, confidence = rank, 1 - 2 * below
    if chosen < 0:
        return Interval(value, math.nan, math.nan, n)
    return Interval(value, ordered[chosen], ordered[n - 1 - chosen], n, confidence)


def prepare(clip: Clip, frames: int) -> Iterator[None]:
    """Have motion and pictures at hand, frame by frame: they belong to the source, not to a prior."""
    for t in range(frames):
        clip.image(t)
        yield
        if t < frames - 1:
            for part in (clip.motion.backward, clip.motion.forward, clip.motion.valid, clip.motion.error):
                part(t)
            yield


def timed(clip: Clip, prior: str, channels: int, seed: int, repeats: int, budget: float) -> Times:
    """Times of the frames 2, 3, …, in order, one each: at most `repeats`, and no further one after `budget` seconds. Frame
    1 comes before, untimed, and makes what is made once; where it alone takes four budgets, its time is all there is."""
    run = clip.start(PriorSettings(prior), NoiseSettings(channels=channels, seed=seed))
    first, later = Times(), Times()
    begin = time.perf_counter()
    for t in range(1, repeats + 2):
        began = clocks()
        for _ in steps_of(run, t):
            pass
        run.frame(t)
        if (later if t > 1 else first).note(began) - begin > (budget if t > 1 else 4 * budget):
            break
    clip.forget_transports()
    return later if later.seconds else first


def floor(size: int, channels: int, repeats: int, times: Times) -> None:
    """Add times of torch.randn of the same shape to `found`."""
    torch.randn((channels, size, size))
    for _ in range(repeats):
        began = clocks()
        torch.randn((channels, size, size))
        times.note(began)


def run(settings: Settings) -> Steps:
    """Times of all priors at all sizes, one after another."""
    sizes = sorted({round(value) for value in settings.numbers("sizes", 16, 4096, least=1)})
    channels, repeats, limit = settings.whole("channels"), settings.whole("repeats"), settings.whole("inversion")
    priors = settings.names("priors", PRIORS) or sampling_runs.every_prior()
    frames = repeats + 2
    timings: list[Timed] = []
    floors = {size: Times() for size in sizes}
    notes: list[str] = []
    backend = ""
    jobs = [(size, prior) for size in sizes for prior in priors]
    for number, (size, chosen) in enumerate((size, priors) for size in sizes):
        source = SourceSettings("synthetic", name=settings.text("flow"), height=size, width=size, frames=frames)
        with opened(source) as clip:
            backend = clip.rasteriser.name
            for _ in prepare(clip, frames):
                yield Update(number * len(priors), len(jobs), f"{size}²: motion")
            for index, prior in enumerate(chosen):
                yield Update(number * len(priors) + index, len(jobs), f"{size}²: {prior}")
                if PRIORS.get(prior).info.uses_task and size > limit:
                    notes.append(
                        f"{prior} is not timed at {size}²: it samples a model; the parameter inversion allows it."
                    )
                    continue
                times = timed(clip, prior, channels, settings.seed, repeats, settings.number("budget"))
                timings.append(Timed(prior, size, times))
                floor(size, channels, 3, floors[size])  # between the priors, so that it meets the same disturbances
    wide = [size for size in sizes if size**2 * 4**3 * 4 * channels > fine_field.FIELD_CACHE_BYTES]
    if wide and "integral" in priors:
        notes.append(
            f"The fine field of integral at {', '.join(f'{size}²' for size in wide)} is larger than its cache and is made anew "
            "in every frame: there time grows faster than the pixels."
        )
    bases = {size: median(times.seconds) for size, times in floors.items()}
    rows = [_row(timing, channels, backend, floors[timing.size]) for timing in timings]
    table = Table(
        "runtime",
        "Time of a frame",
        tuple(rows),
        COLUMNS,
        f"{channels} channels, {settings.text('flow')}, frames played in order, motion at hand. Brackets: an interval of the "
        "median of at least 90 %, from order statistics; none below 5 frames. Published times are of graphics cards.",
    )
    notes.append(
        "integral works at k = 3, s = 4. Whatever else runs on this machine is in the times; the floor shares it."
    )
    literature = Table(
        "published",
        "Published times of a frame",
        tuple(
            {"prior": prior, "height": size, "published_ms": value, "published_on": _card(source)}
            for size, (times, source) in LITERATURE.items()
            for prior, value in times.items()
        ),
        (Column("prior", "Prior"), Column("height", "size", "px"), *(column for column in COLUMNS if column.published)),
        f"{published.TABLE_3}: ∫-noise with k = 3, s = 4, inversion with 20 steps. {published.BURGERT}.",
    )
    return Outcome(
        _summary(timings, bases, sizes),
        (table, literature),
        (_curves(timings, bases, sizes, channels), _ratios(timings, bases, sizes[-1], channels)),
        tuple(_claims(timings, sizes, channels)),
        tuple(notes),
        {
            "backend": backend,
            "threads": torch.get_num_threads(),
            **{f"randn {s}² (ms)": 1e3 * b.value for s, b in bases.items()},
        },
    )


def _card(source: str) -> str:
    """The graphics card of published times."""
    return "RTX 3090" if source == published.TABLE_3 else "A100"


def _row(timing: Timed, channels: int, backend: str, base: Times) -> Row:
    milliseconds, floor_ms = median(timing.seconds).times(1e3), 1e3 * median(base.seconds).value
    processor, processor_floor = (1e3 * float(np.median(times.processor)) for times in (timing.times, base))
    literature, source = LITERATURE.get(timing.size, ({}, ""))
    value = literature.get(timing.prior)
    card = "" if value is None else _card(source)
    return {
        "prior": timing.prior, "height": timing.size, "width": timing.size, "channels": channels, "backend": backend,
        **cells("median_ms", milliseconds), "floor_ms": floor_ms, **cells("ratio", milliseconds.times(1 / floor_ms)),
        "processor_ms": processor, "processor_floor_ms": processor_floor, "processor_ratio": processor / processor_floor,
        "published_ms": value, "published_on": card, "n": len(timing.seconds),
    }  # fmt: skip


def _curves(timings: list[Timed], bases: dict[int, Interval], sizes: list[int], channels: int) -> Figure:
    series = []
    for prior in dict.fromkeys(timing.prior for timing in timings):
        mine = [timing for timing in timings if timing.prior == prior]
        values = [median(timing.seconds).times(1e3) for timing in mine]
        series.append(Line(prior, [timing.size**2 / 1e6 for timing in mine], [v.value for v in values], prior=prior))
    pixels = [size**2 / 1e6 for size in sizes]
    series.append(Line("torch.randn", pixels, [1e3 * bases[size].value for size in sizes], kind="theory"))
    for size, (times, source) in LITERATURE.items():
        label = f"∫-noise, published ({_card(source)})"
        series.append(Line(label, [size**2 / 1e6], [times["integral"]], kind="published"))
    panel = Plot(
        "", Axis("pixels of a frame", "million", log=True), Axis("time of a frame", "ms", log=True), tuple(series)
    )
    return Figure(
        "times",
        f"Time of a frame, {channels} channels",
        (panel,),
        f"n = up to {max(len(timing.seconds) for timing in timings)} frames a point; the table has each n and interval.",
        "Straight lines of slope 1 are linear in the pixels. Grey: figures of the literature, on graphics cards.",
    )


def _ratios(timings: list[Timed], bases: dict[int, Interval], size: int, channels: int) -> Figure:
    mine = [timing for timing in timings if timing.size == size]
    values = [median(timing.seconds).times(1 / bases[size].value) for timing in mine]
    series = BarSeries("measured", [v.value for v in values], [v.low for v in values], [v.high for v in values])
    panel = Bars(
        "",
        Axis("time over torch.randn's", log=True),
        tuple(timing.prior for timing in mine),
        (series,),
        {"torch.randn": 1.0},
    )
    return Figure(
        "ratios", f"Cost of a frame at {size}², {channels} channels", (panel,),
        f"n = {min(len(timing.seconds) for timing in mine)} to {max(len(timing.seconds) for timing in mine)} frames a prior.",
    )  # fmt: skip


def _claims(timings: list[Timed], sizes: list[int], channels: int) -> list[Claim]:
    claims = []
    by_key = {(timing.prior, timing.size): median(timing.seconds).times(1e3) for timing in timings}
    at_256 = by_key.get(("integral", 256))
    if at_256 is not None and channels == 4:
        claims.append(
            Claim("integral at 256², 4 channels, k = 3, s = 4, fine field made", at_256, "≤ 100 ms", at_256.value <= 100, "ms",
                  published=published.MILLISECONDS["integral"], published_source=f"{published.TABLE_3}, RTX 3090")
        )  # fmt: skip
    small, large = sizes[0], sizes[-1]
    for prior in ("integral", "bilinear"):
        if small == large or (prior, small) not in by_key or (prior, large) not in by_key:
            continue
        slope = math.log(by_key[prior, large].value / by_key[prior, small].value) / math.log((large / small) ** 2)
        claims.append(
            Claim(f"{prior}: time grows as pixels to the power of (from {small}² to {large}²)", slope, "0.8 to 1.2",
                  0.8 <= slope <= 1.2)
        )  # fmt: skip
    return claims


def _summary(timings: list[Timed], bases: dict[int, Interval], sizes: list[int]) -> str:
    parts = []
    for size in sizes:
        mine = [
            timing for timing in timings if timing.size == size and timing.prior in ("random", "bilinear", "integral")
        ]
        listed = ", ".join(f"{timing.prior} {1e3 * float(np.median(timing.seconds)):.3g} ms" for timing in mine)
        parts.append(f"at {size}²: torch.randn {1e3 * bases[size].value:.3g} ms, {listed}")
    return "A frame takes, " + "; ".join(parts) + "."


EXPERIMENTS.add("runtime", order=110)(
    Experiment(
        title="Time of a frame",
        about="Times every prior at growing sizes, in milliseconds and over torch.randn, beside the published tables.",
        run=run,
        parameters=(
            ParameterInfo("sizes", "Sizes", text="256,512,1024", tip="Rows and columns, with commas."),
            ParameterInfo("channels", "Channels", 4, 1, 16, 1, "", "Channels of noise."),
            ParameterInfo(
                "repeats", "Repeats", 7, 1, 100, 1, "", "Frames timings of each prior, as far as the budget goes."
            ),
            ParameterInfo(
                "budget", "Budget", 3, 0, 600, 0.5, "s", "After so long no further frame of a prior is begun."
            ),
            ParameterInfo(
                "inversion", "Inversion up to", 256, 0, 4096, 1, "px", "Largest size at which inversion is timings."
            ),
            ParameterInfo("flow", "Flow", text="rotation-zoom", tip="The synthetic deformation."),
            ParameterInfo("priors", "Priors", tip="Names with commas; empty: all.", empty=True),
        ),
        quick={"sizes": "64,128", "repeats": 5, "budget": 1, "inversion": 0},
        alone=True,
    )
)
