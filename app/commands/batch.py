"""`noisescope batch`: noise for many clips, by the rows of a table, on all processors or on a cluster."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands import COMMANDS, Command, Parser
from app.commands.kit import options as shared

if TYPE_CHECKING:
    from app.commands.kit.batch.clip import Event
    from app.commands.kit.batch.manifest import Row
    from app.commands.kit.batch.state import Result, State
    from gpu.engine.results import Update

SOME_FAILED = 1
"""Exit code when some of the clips could not be made."""

FINE = 1000
"""Steps of progress a clip."""


def configure(parser: Parser) -> None:
    parser.add_argument(
        "manifest",
        metavar="MANIFEST.csv",
        type=Path,
        help="a table with a row for each clip; its columns are called as the options of `warp` (video, synthetic, prior, "
        "size, frames, seed, …), and name, format and axes say what is written",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder for the results; what it holds already is kept"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", metavar="N", type=int, help="processes of this machine that make clips (default: one a processor)"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler, as in tcp://node:8786, whose workers make the clips (needs noisescope[cluster])",
    )
    shared.add_field_memory(parser)
    parser.add_argument("--json", action="store_true", help="print the table of what was done as JSON on stdout")
    parser.names = _names


def _names() -> str:
    from app.commands.kit.batch.manifest import columns

    return f"columns: {', '.join(columns())}\n{shared.choices_text('priors', 'deformations', 'estimators', 'formats')}"


@dataclass(frozen=True)
class Outcome:
    """What has become of a row: `state` is made, kept (it was there already) or failed."""

    row: Row
    state: str
    result: Result
    problem: str = ""

    def told(self) -> dict[str, Any]:
        """For tables and JSON."""
        noise, result = self.row.session.noise, self.result
        return {
            "row": self.row.number,
            "name": self.row.name,
            "state": self.state,
            "prior": self.row.key,
            "seed": noise.seed,
            "frames": result.frames,
            "height": result.height,
            "width": result.width,
            "seconds": result.seconds,
            "bytes": result.size,
            "white": result.white,
            "verdict": result.verdict,
            "problem": self.problem,
        }


def run(arguments: argparse.Namespace) -> int:
    from app.commands.kit.batch import cluster, here, manifest
    from app.commands.kit.batch.state import STATE, SUMMARY, Result, State, fingerprint
    from app.commands.kit.progress import shown
    from app.export.kit.noise_reading import described_in
    from gpu.files import check_folder, holding_folder
    from gpu.source.inputs import check_outputs

    rows = manifest.read(arguments.manifest)
    check_folder(arguments.out)
    arguments.out.mkdir(exist_ok=True)
    with holding_folder(arguments.out):
        state = State(arguments.out)
        made_by = {row.name: fingerprint(row) for row in rows}
        outcomes: dict[str, Outcome] = {}
        for row in rows:
            if result := state.kept(row, made_by[row.name]):
                outcomes[row.name] = Outcome(row, "kept", result)
        to_make = [row for row in rows if row.name not in outcomes]
        files = [file for row in to_make for path in [arguments.out / row.name] for file in (path, described_in(path))]
        check_outputs(None, [*files, arguments.out / SUMMARY, arguments.out / STATE], [arguments.manifest])
        there = [file for file in files if file.exists()]  # the others can be nobody's input
        for row in rows:
            check_outputs(row.session, there)
        if to_make:
            if arguments.scheduler is not None:
                events = cluster.run(to_make, arguments.out, arguments.scheduler)
            else:
                count = here.workers(to_make, arguments.workers)
                if count > 1:
                    here.settle(to_make)
                events = here.run(to_make, arguments.out, count)
            steps = _steps(rows, events, outcomes, state, made_by, Result())
            with closing(steps):
                said = set(outcomes)
                for _ in shown(steps, "batch"):
                    _say(
                        [outcomes[name] for name in outcomes if name not in said],
                        len(outcomes),
                        len(rows),
                        arguments.json,
                    )
                    said = set(outcomes)
        told = [outcomes[row.name] for row in rows]
        _write_summary(arguments.out, told)
    _show(told, arguments)
    return SOME_FAILED if any(outcome.state == "failed" for outcome in told) else 0


def _steps(
    rows: Sequence[Row],
    events: Generator[Event | None],
    outcomes: dict[str, Outcome],
    state: State,
    made_by: dict[str, str],
    nothing: Result,
) -> Generator[Update]:
    """Bring the outcomes of what happens into `outcomes` and `state`, and yield how far all clips together are."""
    from app.commands.kit.batch.clip import Failed, Made, Progress
    from gpu.engine.results import Update

    by_name = {row.name: row for row in rows}
    shares: dict[str, float] = {}
    what = "starting"
    try:
        with closing(events):
            for event in events:
                if isinstance(event, Progress):
                    shares[event.name], what = event.share, f"{event.name}, {event.what}"
                elif isinstance(event, Made):
                    row = by_name[event.name]
                    outcomes[row.name] = Outcome(row, "made", event.result)
                    state.put(row, made_by[row.name], event.result)
                elif isinstance(event, Failed):
                    outcomes[event.name] = Outcome(by_name[event.name], "failed", nothing, event.problem)
                share = len(outcomes) + sum(shares[name] for name in shares if name not in outcomes)
                yield Update(int(FINE * share), FINE * len(rows), f"{len(outcomes)} of {len(rows)} clips, {what}")
    finally:
        state.save()


def _say(news: Sequence[Outcome], done: int, total: int, as_json: bool) -> None:
    """A line for each clip that is finished, above the bar."""
    from tqdm import tqdm

    for outcome in news:
        number = f"{done} of {total}"
        if outcome.state == "failed":
            tqdm.write(f"noisescope: row {outcome.row.number}, {outcome.row.name}: {outcome.problem}", file=sys.stderr)
        elif not as_json:
            tqdm.write(f"{number}  {outcome.row.name}  {outcome.result.seconds:.1f} s", file=sys.stdout)
        for warning in outcome.result.warnings:
            tqdm.write(f"noisescope: warning: {outcome.row.name}: {warning}", file=sys.stderr)


def _write_summary(out: Path, told: Sequence[Outcome]) -> None:
    from app.commands.kit.batch.state import SUMMARY
    from gpu.files import replacing

    text = io.StringIO()
    rows = [outcome.told() for outcome in told]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(out / SUMMARY) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")


def _show(told: Sequence[Outcome], arguments: argparse.Namespace) -> None:
    counts = {state: sum(outcome.state == state for outcome in told) for state in ("made", "kept", "failed")}
    if arguments.json:
        rows = [{**outcome.told(), "files": [asdict(file) for file in outcome.result.files]} for outcome in told]
        rows = [{**row, "warnings": list(outcome.result.warnings)} for row, outcome in zip(rows, told)]
        print(json.dumps({"out": str(arguments.out), **counts, "results": rows}, indent=2, ensure_ascii=False))
        return
    width = max(len(outcome.row.name) for outcome in told)
    print(f"{'row':>5}  {'name':<{width}}  {'state':<6}  {'frames':>6}  {'size':>9}  {'white':<5}  {'seconds':>7}")
    for outcome in told:
        result = outcome.result
        size = f"{result.height}x{result.width}" if result.frames else "–"
        white = {True: "✓", False: "✗", None: "–"}[result.white]
        print(
            f"{outcome.row.number:>5}  {outcome.row.name:<{width}}  {outcome.state:<6}  {result.frames or '–':>6}  {size:>9}  "
            f"{white:<5}  {f'{result.seconds:.1f}' if result.frames else '–':>7}"
        )
    print(
        ", ".join(f"{number} {state}" for state, number in counts.items())
        + f"; the table is in {arguments.out / 'batch.csv'}."
    )
    for outcome in told:
        if outcome.state == "failed":
            print(f"Row {outcome.row.number}, {outcome.row.name}: {outcome.problem}")


COMMANDS.add("batch", order=15)(
    Command(
        "Carry noise for many clips, a row of a table each.",
        configure,
        run,
        "a folder of files of noise, and `batch.csv`; exit code 1 when a clip failed",
    )
)
