"""Runs of experiments as plain data: what was asked for, how far a run has come, what it found. No Qt, no threads.

An experiment runs in a process of its own, `noisescope experiment NAME --progress lines`: nothing that it computes can make
the window wait, and it stops at once. What the process says, line by line, ends up in a `Run`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import gpu
from gpu.parameters import ParameterInfo, Value
from gpu.plain_json import parse

State = Literal["waiting", "running", "stopping", "done", "failed", "stopped"]
ALL = "all"
STOPPED = (129, 130, 143)
"""Exit codes of a command that was stopped: by a terminal that is gone, Ctrl-C or a request to end (app/stopping.py)."""

LEAST_SHARE, LEAST_SECONDS = 0.02, 2.0
"""Before that much is done a guess of the time left would jump about."""


@dataclass(frozen=True)
class ExperimentChoice:
    """An experiment as the window offers it; `alone`: it measures times, nothing should run beside it."""

    name: str
    title: str
    about: str
    parameters: tuple[ParameterInfo, ...]
    quick: Mapping[str, Value]
    alone: bool

    def preset(self, quick: bool) -> dict[str, Value]:
        """The value of every parameter in one of the two presets."""
        usual: dict[str, Value] = {info.name: info.usual for info in self.parameters}
        return {**usual, **(self.quick if quick else {})}


LIST = ("experiment", "--list", "--json")
"""The words after `noisescope` that print the experiments for `choices_of`."""


def choices_of(text: str) -> list[ExperimentChoice]:
    """The experiments that LIST printed; ValueError, KeyError, TypeError or AttributeError when that is not what it prints."""
    return [
        ExperimentChoice(
            _text(entry["experiment"]),
            _text(entry["title"]),
            _text(entry["about"]),
            tuple(
                ParameterInfo(**{**info, "choices": tuple(info["choices"]), "labels": tuple(info.get("labels", ()))})
                for info in (
                    {key: value for key, value in info.items() if key != "is_text"} for info in entry["parameters"]
                )
            ),
            entry["quick"],
            entry["alone"],
        )
        for entry in parse(text)
    ]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {type(value).__name__}")
    return value


def stamp() -> str:
    """Changes when the experiments do: to know whether a list that was kept still holds. Nothing is imported."""
    folder = Path(__file__).parents[2] / "gpu" / "experiments"
    files = sorted(folder.glob("*.py"))
    return " ".join(
        [gpu.__version__, *(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)]
    )


@dataclass(frozen=True)
class Request:
    """What a person wants to run: an experiment (or ALL), and where its folder is to be made. `values` are the parameters
    that differ from the preset."""

    name: str
    title: str
    folder: Path
    seed: int = 7
    quick: bool = True
    values: Mapping[str, Value] = field(default_factory=dict)
    alone: bool = False

    def arguments(self, out: Path) -> list[str]:
        """The command line, without the program, that writes this into `out`."""
        words = ["experiment", self.name, "--out", str(out), "--seed", str(self.seed), "--progress", "lines", "--json"]
        if self.quick:
            words.append("--quick")
        for key, value in self.values.items():
            words += ["--set", f"{key}={value}"]
        return words


def free_folder(parent: Path, name: str, taken: Sequence[Path] = ()) -> Path:
    """`name` below `parent`, or with a number added where that is there already or `taken`: nothing is overwritten."""
    number, path = 1, parent / name
    while path.exists() or path in taken:
        number += 1
        path = parent / f"{name}-{number}"
    return path


@dataclass
class Run:
    """One run. `claims` are (experiment's title, what went wrong with it, its claims as in result.json)."""

    number: int
    request: Request
    out: Path
    state: State = "waiting"
    what: str = ""
    share: float = 0.0
    started: float = 0.0
    left: float | None = None
    seconds: float = 0.0
    summary: str = ""
    claims: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str = ""
    said: list[str] = field(default_factory=list)
    _at: tuple[int, int] = (1, 1)

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "stopped")

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.out / ("index.html" if self.request.name == ALL else "report.html")

    def begin(self, now: float) -> None:
        self.state, self.started, self.what = "running", now, "starting"

    def take(self, line: str, now: float) -> None:
        """Take one line of what the process says on stderr at the time `now` in seconds."""
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            if line.strip():
                self.said = [*self.said[-19:], line.strip()]
            return
        name = f"{event['experiment']}: " if self.request.name == ALL else ""
        inside = 0.0
        if kind == "experiment":
            self._at = (event["number"], event["of"])
            self.what = f"{name}starting"
            self.read()
        elif kind == "progress":
            inside, self.what = event["done"] / max(event["total"], 1), name + event["what"]
        elif kind == "writing":
            inside, self.what = 1.0, f"{name}writing the report"
        self.share = (self._at[0] - 1 + min(max(inside, 0.0), 1.0)) / self._at[1]
        spent = now - self.started
        sure = self.share >= LEAST_SHARE and spent >= LEAST_SECONDS
        self.left = spent / self.share * (1 - self.share) if sure else None

    def read(self) -> None:
        """Read what is in the folder so far."""
        try:
            result = json.loads((self.out / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if self.request.name != ALL:
            self.summary, self.notes = result["summary"], result["notes"]
            self.claims = [("", "", result["claims"])]
            return
        ended = [entry for entry in result["experiments"] if entry["state"] != "waiting"]
        self.claims = [(entry["title"], entry["problem"], entry["claims"]) for entry in ended]
        failed = sum(bool(entry["problem"]) for entry in ended)
        self.summary = f"{len(ended) - failed} of {len(result['experiments'])} experiments are done"
        self.summary += f", {failed} failed." if failed else "."

    def end(self, code: int, crashed: bool, now: float) -> None:
        """The process has ended with exit `code`, or died."""
        self.seconds, self.left = now - self.started, None
        self.read()
        if self.state == "stopping" or code in STOPPED:
            self.state, self.what = "stopped", "stopped"
        elif code == 0 or (self.request.name == ALL and code == 2 and self.claims):
            self.state, self.what, self.share = "done", "done", 1.0
        else:
            self.state, self.what = "failed", "failed"
            sentences = [line.removeprefix("noisescope: ") for line in self.said if line.startswith("noisescope: ")]
            self.problem = sentences[-1] if sentences else _died(code, crashed, self.said)

    def counts(self) -> dict[bool | None, int]:
        """How many claims hold, fail, and could not be judged."""
        counts: dict[bool | None, int] = {True: 0, False: 0, None: 0}
        for _, _, claims in self.claims:
            for claim in claims:
                counts[claim["holds"]] += 1
        return counts


def _died(code: int, crashed: bool, said: Sequence[str]) -> str:
    how = "was ended by the system" if crashed else f"ended with code {code}"
    last = f" It said last: {said[-1]}" if said else ""
    return f"The process of the experiment {how} before it was done.{last}"


def claim_text(claim: Mapping[str, Any]) -> str:
    """What was measured for a claim and what was wanted, with interval and unit."""
    measured = "–" if claim["measured"] is None else f"{claim['measured']:.4g}"
    if claim["measured_lo"] is not None and claim["measured_hi"] is not None:
        measured += f" [{claim['measured_lo']:.4g}, {claim['measured_hi']:.4g}]"
    unit = f" {claim['unit']}" if claim["unit"] else ""
    return f"{measured}{unit} · wanted: {claim['wanted']}"
