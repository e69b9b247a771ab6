"""`noisescope bench`: what a frame of each prior costs beside torch.randn, its memory, and whether it has grown."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import COMMANDS, Command, Parser
from gpu.errors import ChoiceError, SessionError

if TYPE_CHECKING:
    from gpu.bench.earlier import Change
    from gpu.bench.row import Job, Row
    from gpu.bench.rows import Measured, Slope
    from gpu.experiments.kit.outcome import Figure

SIZES = "256,512,1024"
GROWN = 1
"""Exit code when a ratio has grown, or a row could not be measured."""

MODEL_PIXELS = 256 * 256
"""The largest frame at which priors that sample a model are measured without being named: a frame takes them many seconds."""


def configure(parser: Parser) -> None:
    parser.add_argument("--priors", metavar="P,…", default="all", help="priors with commas, NAME[:k=v,…] (default all)")
    parser.add_argument("--sizes", metavar="N,…", default=SIZES, help=f"N or HxW, with commas (default {SIZES})")
    parser.add_argument(
        "--backends", metavar="B,…", default="", help="what computes transported noise (default: all that are there)"
    )
    parser.add_argument("--frames", metavar="N", type=int, default=9, help="frames timed, at the most (default 9)")
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        default=20.0,
        help="for each row; after so long no further frame is timed, once three are (default 20)",
    )
    parser.add_argument("--channels", metavar="C", type=int, default=4, help="channels of noise (default 4)")
    parser.add_argument("--k", metavar="K", type=int, default=3, help="level of sub-pixels (default 3)")
    parser.add_argument(
        "--device", metavar="D", default="auto", help="torch device: auto, cpu, cuda, mps (default auto)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, which --against of a later run reads")
    parser.add_argument("--out", metavar="FIGURE.png", type=Path, help="also draw ratios and memory over the sizes")
    parser.add_argument(
        "--against", metavar="F.json", type=Path, help="compare with an earlier run; exit code 1 when a ratio has grown"
    )
    parser.add_argument(
        "--allow",
        metavar="X",
        type=float,
        default=1.25,
        help="how many times the earlier ratio is let pass (default 1.25)",
    )
    parser.names = _names


def _names() -> str:
    from app.commands.kit.options import choices_text

    return f"{choices_text('priors')}\nbackends: {', '.join(_backends())}"


def run(arguments: argparse.Namespace) -> int:
    from app.commands.kit.progress import finish
    from gpu.bench import earlier, rows
    from gpu.files import check_file
    from gpu.source.inputs import check_outputs

    jobs = _jobs(arguments)  # everything is checked before anything runs
    before = earlier.ratios(arguments.against) if arguments.against else {}
    if arguments.out:
        check_file(arguments.out, (".png", ".svg"))
        check_outputs(None, [arguments.out], [arguments.against])
    optional = () if arguments.backends else _backends()
    measured = finish(rows.measured(jobs, optional), "bench")
    slopes = rows.slopes(measured.rows)
    changes = earlier.changes(measured.rows, before)
    if arguments.against and not changes:
        raise SessionError(
            f"{arguments.against} has none of the rows that were measured; compare the same sizes and channels."
        )
    if arguments.out:
        _draw(arguments.out, measured.rows)
    if arguments.json:
        print(json.dumps(_result(measured, slopes, changes), indent=2, ensure_ascii=False))
    else:
        _print(measured, slopes, changes)
    grown = [change for change in changes if change.factor > arguments.allow]
    for sentence in (*measured.failures, *(change.sentence for change in grown)):
        print(f"noisescope: {sentence[0].upper()}{sentence[1:]}", file=sys.stderr)
    return GROWN if grown or measured.failures else 0


def _backends() -> tuple[str, ...]:
    """All that can be chosen, torch first: what no backend has a part in is measured with the first."""
    from gpu.session import NoiseSettings

    names = typing.get_args(typing.get_type_hints(NoiseSettings)["backend"])
    return tuple(sorted((name for name in names if name != "auto"), key=lambda name: (name != "torch", name)))


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    """What is to be measured, small sizes first. ChoiceError and SessionError for what there is not."""
    from app.commands.kit.options import prior_column, split_priors
    from gpu.bench.row import Job
    from gpu.priors import PRIORS

    for name, low, high in (("frames", 3, 1000), ("channels", 1, 64), ("k", 0, 8)):
        if not low <= getattr(arguments, name) <= high:
            raise SessionError(f"--{name} must lie between {low} and {high}, not {getattr(arguments, name)}.")
    if not 0 <= arguments.seconds <= 86400:
        raise SessionError(f"--seconds must lie between 0 and 86400, not {arguments.seconds:g}.")
    if not 1 <= arguments.allow <= 1000:
        raise SessionError(f"--allow must lie between 1 and 1000, not {arguments.allow:g}.")
    names = [name.strip() for name in arguments.backends.split(",") if name.strip()] or list(_backends())
    for name in names:
        if name not in _backends():
            raise ChoiceError(f"There is no backend {name!r}. The backends are: {', '.join(_backends())}.")
    typed = split_priors(arguments.priors)
    everything = arguments.priors.strip() == "all"
    jobs = []
    for height, width in _sizes(arguments.sizes):
        for prior in map(prior_column, typed):
            if everything and PRIORS.get(prior.name).info.uses_task and height * width > MODEL_PIXELS:
                continue
            for backend in dict.fromkeys(names):
                jobs.append(
                    Job(
                        prior.name,
                        height,
                        width,
                        arguments.channels,
                        backend,
                        arguments.device,
                        arguments.k,
                        arguments.frames,
                        arguments.seconds,
                        prior.mode,
                        prior.gamma,
                        dict(prior.parameters),
                    )
                )
    return jobs


def _sizes(text: str) -> list[tuple[int, int]]:
    from app.commands.kit.options import grid_size

    sizes = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        try:
            size = grid_size(item if "x" in item.lower() or "×" in item else f"{item}x{item}")
        except argparse.ArgumentTypeError as problem:
            raise SessionError(f"--sizes {item}: {problem}.") from None
        if size not in sizes:
            sizes.append(size)
    if not sizes:
        raise SessionError("--sizes names no size; write 256 or 256x384, with commas between several.")
    return sizes


def _result(measured: Measured, slopes: Sequence[Slope], changes: Sequence[Change]) -> dict[str, object]:
    """What is printed as JSON."""
    import numpy
    import torch

    return {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
        "floor": "torch.randn of the same shape, one thread, in the same run",
        "results": measured.rows,
        "slopes": slopes,
        "notes": measured.notes,
        "failures": measured.failures,
        "against": [
            {
                **{name: change.row[name] for name in ("prior", "height", "width", "channels", "backend", "k")},
                "ratio": change.row["ratio"],
                "before": change.before,
                "factor": round(change.factor, 3),
            }
            for change in changes
        ],
    }


def _print(measured: Measured, slopes: Sequence[Slope], changes: Iterable[Change]) -> None:
    before = {id(change.row): change.before for change in changes}
    growth = {(slope["prior"], slope["backend"]): slope["slope"] for slope in slopes}
    print(
        f"{'prior':<22} {'size':>11} {'backend':>8} {'ms':>10} {'of randn':>9} {'earlier':>9} {'wall ms':>10} "
        f"{'once ms':>10} {'peak MB':>8} {'frames':>6} {'slope':>6}"
    )
    for row in measured.rows:
        earlier = f"{before[id(row)]:.1f} ×" if id(row) in before else "–"
        peak = "–" if row["peak_mb"] is None else f"{row['peak_mb']:.0f}"
        slope = growth.get((row["prior"], row["backend"]))
        print(
            f"{row['prior']:<22} {row['height']:>5}×{row['width']:<5} {row['backend']:>8} {row['median_ms']:>10.2f} "
            f"{row['ratio']:>7.1f} × {earlier:>9} {row['wall_ms']:>10.2f} {row['once_ms']:>10.1f} {peak:>8} "
            f"{row['frames']:>6} {'–' if slope is None else f'{slope:.2f}':>6}"
        )
    clock = measured.rows[0]["clock"] if measured.rows else "processor"
    what = "time of the processor, all threads" if clock == "processor" else "by the clock"
    print(
        f"ms: {what}; of randn: over torch.randn of the same shape in the same run; once: what is made once an anchor;"
    )
    print("slope: the power of the pixels that time grows with.")
    for note in measured.notes:
        print(note)


def _draw(path: Path, rows: Sequence[Row]) -> None:
    """Write the figure, whole or not at all."""
    from app.reports.drawing import write
    from gpu.files import replacing

    with replacing(path) as partial:
        write(_figure(rows), partial)


def _figure(rows: Sequence[Row]) -> Figure:
    """Ratio and memory over the pixels of a frame, one line a prior and backend."""
    from gpu.experiments.kit.outcome import Axis, Figure, Line, Plot

    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault((row["prior"], row["backend"]), []).append(row)
    by_prior: dict[str, list[str]] = {}
    for prior, backend in lines:
        by_prior.setdefault(prior, []).append(backend)

    def label(prior: str, backend: str) -> str:
        return prior if len(by_prior[prior]) == 1 else f"{prior}, {backend}"

    def series(value: str, base: float = 1.0) -> tuple[Line, ...]:
        drawn = []
        for (prior, backend), mine in lines.items():
            points = [((row["height"] * row["width"]) ** 0.5, row[value]) for row in mine]  # type: ignore[literal-required]
            points = sorted((x, y) for x, y in points if y is not None)
            key = prior if by_prior[prior][0] == backend else f"{prior} ({backend})"
            drawn.append(Line(label(prior, backend), [x for x, _ in points], [y for _, y in points], prior=key))
        return tuple(drawn)

    pixels = Axis("side of a square of as many pixels", log=True)
    panels = (
        Plot("Time of a frame", pixels, Axis("time over torch.randn's", log=True), series("ratio")),
        Plot("Memory of the process", pixels, Axis("peak", "MB", log=True), series("peak_mb")),
    )
    channels, counts = {row["channels"] for row in rows}, [row["frames"] for row in rows]
    return Figure(
        "bench",
        f"What a frame costs, {', '.join(map(str, sorted(channels)))} channels",
        panels,
        f"medians of n = {min(counts)} to {max(counts)} frames" if counts else "n = 0",
        "A flat line on the left is a time that grows as the pixels do.",
        columns=2,
    )


COMMANDS.add("bench", order=45)(
    Command(
        "Measure what a frame of each prior costs beside torch.randn, and its memory.",
        configure,
        run,
        "a table, or JSON with `--json`; a figure with `--out`; exit code 1 when `--against` finds a ratio grown by a quarter",
    )
)
