"""`noisescope experiment`: run experiments and write their reports."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import stopping
from app.commands import COMMANDS, Command, Parser
from app.commands.kit.options import add_field_memory
from gpu.errors import ChoiceError, NoisescopeError, SessionError

if TYPE_CHECKING:
    from app.reports import Entry
    from gpu.engine.results import Update
    from gpu.experiments import Experiment, Outcome, Settings
    from gpu.parameters import Value

ALL = "all"
LINE_SECONDS = 0.1
"""Progress lines are at least this far apart."""


def configure(parser: Parser) -> None:
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"experiments to run, or {ALL}; several share one linked report"
    )
    parser.add_argument("--list", action="store_true", help="list the experiments with their parameters, and run none")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="folder for figures, tables, result.json and report.html"
    )
    parser.add_argument("--quick", action="store_true", help="smaller and fewer runs: a minute or two each")
    parser.add_argument("--seed", type=int, default=7, help="seed of all randomness (default 7)")
    parser.add_argument(
        "--set",
        metavar="K=V",
        action="append",
        default=[],
        help="a parameter of the experiment; NAME.K=V for that experiment alone; may be repeated",
    )
    parser.add_argument(
        "--progress",
        choices=("bar", "lines", "none"),
        default="bar",
        help="a bar on a terminal, or one JSON object a line on stderr, for programs that watch (default bar)",
    )
    add_field_memory(parser)
    parser.add_argument("--json", action="store_true", help="print result.json on stdout; with --list, the list")
    parser.names = _names


def _names() -> str:
    from gpu.experiments import EXPERIMENTS

    return "experiments:\n" + "\n".join(f"  {name}: {experiment.title}" for name, experiment in EXPERIMENTS.items())


def run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list(arguments.json)
    from gpu.experiments import EXPERIMENTS
    from gpu.files import check_folder, holding_folder

    names = list(dict.fromkeys(arguments.names))
    if not names:
        raise ChoiceError(f"Name an experiment, or {ALL}. The experiments are: {', '.join(EXPERIMENTS.names())}.")
    if arguments.out is None:
        raise SessionError("Say with --out where the report is to be written.")
    if not 0 <= arguments.seed < 2**32:
        raise SessionError(f"The seed is {arguments.seed}, but it must lie between 0 and {2**32 - 1}.")
    for name in names:
        if name != ALL:
            EXPERIMENTS.get(name)
    series = len(names) > 1 or ALL in names
    if ALL in names:
        names = EXPERIMENTS.names()
    jobs = _jobs(names, arguments)  # everything is checked before anything runs
    check_folder(arguments.out)
    if not series:
        result = _one(jobs[0], arguments.out, arguments.progress)
        _show(result, arguments)
        return 0
    arguments.out.mkdir(exist_ok=True)
    with holding_folder(arguments.out):
        return _series(jobs, arguments)


@dataclass(frozen=True)
class _Job:
    name: str
    experiment: Experiment
    settings: Settings
    preset: str = ""


def _jobs(names: list[str], arguments: argparse.Namespace) -> list[_Job]:
    """The experiments with their settings; --set K=V belongs to every experiment that has a parameter K."""
    from gpu.experiments import EXPERIMENTS, settings_for

    given: dict[str, dict[str, Value]] = {name: {} for name in names}
    for text in arguments.set:
        key, equals, typed = text.partition("=")
        owner, dot, alone = key.strip().rpartition(".")
        if not equals or not alone:
            raise SessionError(f"--set {text!r} is not understood; write NAME=VALUE.")
        if dot and owner not in given:
            raise ChoiceError(f"--set {text}: the experiment {owner!r} is not among those to run: {', '.join(names)}.")
        infos = {name: {info.name: info for info in EXPERIMENTS.get(name).parameters} for name in names}
        having = [name for name in names if alone in infos[name] and owner in ("", name)]
        if not having:
            who = owner or (names[0] if len(names) == 1 else "")
            choices = ", ".join(infos[who]) if who else ""
            raise ChoiceError(
                f"The experiment {who} has no parameter {alone!r}. Its parameters are: {choices or 'none'}."
                if who
                else f"None of the experiments has a parameter {alone!r}."
            )
        for name in having:
            info = infos[name][alone]
            given[name][alone] = typed.strip() if info.is_text else _number(typed, alone, name)
    jobs = []
    for name in names:
        experiment = EXPERIMENTS.get(name)
        shorter = experiment.together if ALL in arguments.names and not arguments.quick else {}
        settings = settings_for(name, {**shorter, **given[name]}, arguments.seed, arguments.quick)
        jobs.append(
            _Job(name, experiment, settings, _preset(name, {k: shorter[k] for k in shorter if k not in given[name]}))
        )
    return jobs


def _preset(name: str, shorter: Mapping[str, Value]) -> str:
    """What to say of an experiment that runs with less than its defaults, so that all of them end in time."""
    if not shorter:
        return ""
    values = ", ".join(
        f"{key} = {value:g}" if isinstance(value, float | int) else f"{key} = {value}" for key, value in shorter.items()
    )
    return f"Run with {values}, less than the defaults of `experiment {name}`, so that all experiments end in time."


def _number(text: str, key: str, owner: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SessionError(f"{key} of the experiment {owner} must be a number, not {text!r}.") from None


def _one(job: _Job, folder: Path, progress: str, up: str = "") -> dict[str, Any]:
    """Run one experiment and write its folder, whole or not at all."""
    from app.reports import write_report
    from gpu.files import replacing_folder
    from gpu.source.trust import collecting

    started, clock, computed = datetime.now(UTC), time.monotonic(), time.process_time()
    with replacing_folder(folder) as partial:
        with collecting() as doubts:
            outcome = _finish(job, progress)
        for doubt in doubts:
            print(f"noisescope: warning: {doubt}", file=sys.stderr)
        outcome = replace(outcome, notes=(*outcome.notes, *(f"Warning: {doubt}" for doubt in doubts)))
        seconds, computed = time.monotonic() - clock, time.process_time() - computed
        _tell(progress, event="writing", experiment=job.name)
        return write_report(
            partial, job.name, job.experiment, job.settings, outcome, started, seconds, up, job.preset, computed
        )


def _finish(job: _Job, progress: str) -> Outcome:
    from app.commands.kit.progress import finish

    steps = job.experiment.run(job.settings)
    if progress == "bar":
        return finish(steps, job.name)
    return _lines(steps, job.name, progress)


def _lines(steps: Generator[Update, None, Outcome], name: str, progress: str) -> Outcome:
    """Run the work to its end and tell how far it is, one JSON object a line."""
    told = -LINE_SECONDS
    while True:
        try:
            stopping.check()
            update = next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        except BaseException:
            steps.close()
            raise
        if time.monotonic() - told >= LINE_SECONDS:
            told = time.monotonic()
            _tell(progress, event="progress", experiment=name, done=update.done, total=update.total, what=update.what)


def _tell(progress: str, **what: Any) -> None:
    if progress == "lines":
        print(json.dumps(what, ensure_ascii=False), file=sys.stderr, flush=True)


def _series(jobs: list[_Job], arguments: argparse.Namespace) -> int:
    """Run several; what is finished stays whatever happens to the others, and the index says how far it came."""
    from app.reports import Entry, write_index

    entries = [Entry(job.name, job.experiment.title, job.experiment.about) for job in jobs]
    write_index(arguments.out, entries)
    code = 0
    for number, job in enumerate(jobs):
        _tell(arguments.progress, event="experiment", experiment=job.name, number=number + 1, of=len(jobs))
        entry = entries[number]
        try:
            result = _one(job, arguments.out / job.name, arguments.progress, up="../index.html")
            entries[number] = Entry(entry.name, entry.title, entry.about, result)
        except NoisescopeError as problem:
            entries[number], code = _failed(entry, str(problem)), max(code, 2)
        except Exception as fault:
            if os.environ.get("NOISESCOPE_DEBUG"):
                raise
            what = f"A fault of the program: {type(fault).__name__}: {fault}"
            entries[number], code = _failed(entry, what), 70
        write_index(arguments.out, entries)
        if not arguments.json:
            state = entries[number]
            took = f"{state.result['duration_s']:.0f} s" if state.result else f"failed: {state.problem}"
            print(f"{number + 1} of {len(jobs)}  {job.name:<16} {took}", flush=True)
    if arguments.json:
        print((arguments.out / "result.json").read_text(encoding="utf-8"), end="")
    else:
        print(f"Written to {arguments.out / 'index.html'}.")
    return code


def _failed(entry: Entry, problem: str) -> Entry:
    from app.reports import Entry

    print(f"noisescope: {entry.name}: {problem}", file=sys.stderr)
    return Entry(entry.name, entry.title, entry.about, None, problem)


def _show(result: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    print(result["summary"])
    for claim in result["claims"]:
        mark = {True: "✓", False: "✗", None: "–"}[claim["holds"]]
        measured = "–" if claim["measured"] is None else f"{claim['measured']:.4g}"
        if claim["measured_lo"] is not None and claim["measured_hi"] is not None:
            measured += f" [{claim['measured_lo']:.4g}, {claim['measured_hi']:.4g}]"
        unit = f" {claim['unit']}" if claim["unit"] else ""
        print(f"{mark} {claim['claim']}: {measured}{unit} (wanted: {claim['wanted']})")
    for note in result["notes"]:
        print(f"Note: {note}")
    print(f"{result['duration_s']:.0f} s. Written to {arguments.out / 'report.html'}.")


def _list(as_json: bool) -> int:
    from gpu.experiments import EXPERIMENTS

    if as_json:
        listed = [
            {
                "experiment": name,
                "title": experiment.title,
                "about": experiment.about,
                "alone": experiment.alone,
                "parameters": [vars(info) | {"is_text": info.is_text} for info in experiment.parameters],
                "quick": dict(experiment.quick),
            }
            for name, experiment in EXPERIMENTS.items()
        ]
        print(json.dumps(listed, indent=2, ensure_ascii=False))
        return 0
    for name, experiment in EXPERIMENTS.items():
        print(f"{name}: {experiment.title}\n    {experiment.about}")
        for info in experiment.parameters:
            usual = info.text if info.is_text else f"{info.default:g}"
            quick = experiment.quick.get(info.name)
            short = (
                "" if quick is None else f", quick {quick:g}" if isinstance(quick, float | int) else f", quick {quick}"
            )
            print(f"    --set {info.name}={usual}{short}  {info.tip}")
    return 0


COMMANDS.add("experiment", order=40)(
    Command(
        "Run experiments: figures, tables and a report that answers claims by numbers.",
        configure,
        run,
        "a folder with figures, CSV, `result.json` and `report.html`",
    )
)
